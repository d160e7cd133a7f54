"""What is said of an agent, as JSON and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpus import said
from corpus.cli.app import App, print_lines, table

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Agent, Model


def score_lines(scores: dict[str, Any]) -> list[str]:
    """Scores as lines for people."""
    if not scores.get("accuracy"):
        return [f"no accuracy: {scores.get('protocol', 'none was measured')}"]
    lines = []
    for name in ("accuracy", "balanced", "auc"):
        if not scores[name]:
            lines.append(f"no {name}: each fold chose a classifier of its own, with scores on a scale of its own")
            continue
        low, high = scores[name]["interval"]
        lines.append(f"{name} {scores[name]['value']:.2f} (95 % interval {low:.2f} to {high:.2f})")
    lines[0] += f"; always saying the commoner label: {scores['baseline']:.2f}"
    if confusion := scores.get("confusion"):
        good, bad = confusion["good"], confusion["bad"]
        lines.append(
            f"of the good {good['good']:g} were called good and {good['bad']:g} bad, "
            f"of the bad {bad['bad']:g} bad and {bad['good']:g} good"
        )
    return [*lines, scores["protocol"]]


def choice_lines(auto: dict[str, Any] | None, chosen: str) -> list[str]:
    """Why `auto` chose a classifier; nothing where it did not."""
    if not auto:
        return []
    failed = [f"auto left out {name}, which failed: {reason}" for name, reason in auto.get("failed", {}).items()]
    if auto["best"] is None:
        return [f"auto: {chosen}, the simplest, since nothing can be held out to compare by", *failed]
    best, words = auto["best"], ", ".join(f"{name} {value:.2f}" for name, value in auto["accuracies"].items())
    if best == chosen:
        return [f"auto: {chosen}, the best", f"accuracies: {words}", *failed]
    difference, (low, high) = auto["difference"]["value"], auto["difference"]["interval"]
    error = auto["standard_error"]
    return [
        f"auto: {chosen}, the simplest within one standard error ({error:.2f}) of the best, {best}",
        f"which is better by {difference:.2f} (95 % interval {low:.2f} to {high:.2f})",
        f"accuracies: {words}",
        *failed,
    ]


def answer_agent(app: App, corpus: Corpus, chosen: Agent) -> None:
    facts = facts_of(corpus, chosen)
    app.answer(facts, lambda console: print_lines(console, agent_lines(facts)))


def answer_shown(app: App, corpus: Corpus, chosen: Agent) -> None:
    """All there is to say of one agent."""
    facts = facts_of(corpus, chosen)
    facts |= {
        "labels": [
            {"id": one.sound_id, "label": one.label, "test": one.test, "who": one.who, "at": one.at}
            for _, one in sorted(said.last(corpus.agents.history(chosen)).items())
            if one.label
        ],
        "versions": [_version(model) for model in corpus.agents.versions(chosen)],
    }
    facts["doubtful"] = _still_doubtful(facts)
    names = {sound.id: sound.name for sound in corpus.sounds.many(one["id"] for one in facts["labels"])}

    def draw(console: Any) -> None:
        print_lines(console, agent_lines(facts))
        if facts["versions"]:
            headings = ["version", "at", "classifier", "good", "bad", "accuracy", "interval"]
            table(console, headings, [_version_row(one, facts["version"]) for one in facts["versions"]])
        if facts["doubtful"]:
            when = f"as of version {facts['version']}"
            print_lines(console, [f"labels to doubt, {when}: the classifier says otherwise when they are held out"])
            rows = [[one["id"], names.get(one["id"], ""), one["label"], one["p"]] for one in facts["doubtful"]]
            table(console, ["id", "name", "label", "p"], rows)
        labels = [[one["id"], names[one["id"]], _label(one), one["who"], one["at"]] for one in facts["labels"]]
        if labels:
            table(console, ["id", "name", "label", "who", "at"], labels, spare=["who", "at"])

    app.answer(facts, draw)
    if warning := _warning(corpus, chosen):
        app.warn(warning)


def _still_doubtful(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The labels to doubt of the version in use that are still as they were."""
    now = {one["id"]: one["label"] for one in facts["labels"] if not one["test"]}
    return [one for one in (facts["scores"] or {}).get("doubtful", []) if now.get(one["id"]) == one["label"]]


def _warning(corpus: Corpus, chosen: Agent) -> str:
    """That its model cannot judge any more, or judges otherwise than when it was made; empty if all is well."""
    from engine.agent.judging import judge
    from engine.errors import EngineError

    if corpus.agents.model(chosen) is None:
        return ""
    try:
        return judge(corpus, chosen.name).warning
    except EngineError as error:
        return str(error)


def agent_lines(facts: dict[str, Any]) -> list[str]:
    counts = f"{facts['good']} good, {facts['bad']} bad, {facts['test']} for testing"
    lines = [f"agent {facts['name']} ({facts['classifier']} over {', '.join(facts['spaces'])}): {counts}"]
    if facts["about"]:
        lines.append(facts["about"])
    if facts["version"]:
        lines += [f"version {facts['version']}", *choice_lines(facts["auto"], facts["chosen"])]
        lines += score_lines(facts["scores"]) if facts["scores"] else []
    return lines


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
        "chosen": model.recipe.get("classifier") if model else None,
        "auto": model.recipe.get("auto") if model else None,
    }


def counts_of(corpus: Corpus, chosen: Agent) -> dict[str, int]:
    from engine.agent.examples import counts

    return counts(corpus.agents.annotations(chosen))


def _version(model: Model) -> dict[str, Any]:
    scores = {name: model.scores.get(name) for name in ("good", "bad", "accuracy", "balanced", "auc", "protocol")}
    return {"version": model.version, "at": model.at, "classifier": model.recipe.get("classifier"), **scores}


def _version_row(version: dict[str, Any], in_use: int) -> list[object]:
    accuracy = version["accuracy"]
    value = f"{accuracy['value']:.2f}" if accuracy else None
    interval = "{:.2f} to {:.2f}".format(*accuracy["interval"]) if accuracy else None
    number = f"{version['version']}{' (in use)' if version['version'] == in_use else ''}"
    return [number, version["at"], version["classifier"], version["good"], version["bad"], value, interval]


def _label(one: dict[str, Any]) -> str:
    return f"{one['label']}, for testing" if one["test"] else one["label"]
