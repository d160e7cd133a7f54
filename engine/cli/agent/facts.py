"""What is said of an agent, as JSON and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpus.cli.app import App, print_lines

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Agent, Model


def score_lines(scores: dict[str, Any]) -> list[str]:
    """Scores as lines for people."""
    if scores["accuracy"] is None:
        return [f"no accuracy: {scores['protocol']}"]
    lines = []
    for name in ("accuracy", "balanced", "auc"):
        low, high = scores[name]["interval"]
        lines.append(f"{name} {scores[name]['value']:.2f} (95 % interval {low:.2f} to {high:.2f})")
    lines[0] += f"; always saying the commoner label: {scores['baseline']:.2f}"
    return [*lines, scores["protocol"]]


def answer_agent(app: App, corpus: Corpus, chosen: Agent) -> None:
    facts = facts_of(corpus, chosen)
    labels = f"{facts['good']} good, {facts['bad']} bad, {facts['test']} for testing"
    lines = [f"agent {chosen.name} ({chosen.classifier} over {', '.join(chosen.spaces)}): {labels}"]
    if chosen.about:
        lines.append(chosen.about)
    if facts["scores"]:
        lines += [f"version {facts['version']}", *score_lines(facts["scores"])]
    app.answer(facts, lambda console: print_lines(console, lines))


def facts_of(corpus: Corpus, chosen: Agent) -> dict[str, Any]:
    model: Model | None = corpus.agents.model(chosen)
    return {
        "name": chosen.name,
        "about": chosen.about,
        "spaces": list(chosen.spaces),
        "classifier": chosen.classifier,
        **counts_of(corpus, chosen),
        "version": model.version if model else None,
        "scores": model.scores if model else None,
    }


def counts_of(corpus: Corpus, chosen: Agent) -> dict[str, int]:
    labels = corpus.agents.annotations(chosen)
    return {
        "good": sum(one.label == "good" and not one.test for one in labels),
        "bad": sum(one.label == "bad" and not one.test for one in labels),
        "test": sum(one.test for one in labels),
    }
