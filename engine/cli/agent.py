"""`mirla agent`: new, label, unlabel, train, judge, list, show."""

from __future__ import annotations

import getpass
import os
import shlex
import uuid
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Agent, Label, Model


@click.group()
def agent() -> None:
    """Teach agents your taste by examples, and let them judge.

    \b
    Example:
      mirla agent new water --about "wet, flowing sounds"
      mirla agent label water --good 4832 100067
      mirla agent label water --bad 13147 75338
      mirla agent train water
    """


@command("new")
@click.argument("name")
@click.option("--about", default="", help="What it is to call good, in words.")
@click.option("--space", "spaces", multiple=True, help="The space it looks at; several: side by side.")
@click.option("--classifier", type=click.Choice(["mlp"]), default="mlp", show_default=True, help="The paper's network.")
def new(app: App, name: str, about: str, spaces: tuple[str, ...], classifier: str) -> None:
    """Make an agent that knows nothing yet.

    \b
    Example:
      mirla agent new water --about "wet, flowing sounds"
    """
    from corpus.analysis import spaces as registry

    corpus = app.corpus()
    for space in spaces:
        if corpus.origin(space) == "computed":
            registry.extractor(space)
    made = corpus.agents.create(name, about, spaces or (registry.default(),), classifier)
    _answer(app, corpus, made)
    app.say(f"`mirla agent label {shlex.quote(name)} --good ID…` and `--bad ID…` teach it.")


@command("label")
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--good", is_flag=True, help="These are good.")
@click.option("--bad", is_flag=True, help="These are bad.")
@click.option("--test", is_flag=True, help="Keep them for testing; never train on them.")
@click.option("--by", "who", help="Who says so; you unless told.")
def label(app: App, name: str, ids: tuple[int, ...], good: bool, bad: bool, test: bool, who: str | None) -> None:
    """Call sounds good or bad. A later label of the same sound replaces the earlier one; both are kept.

    \b
    Example:
      mirla agent label water --good 4832 100067
    """
    if good == bad:
        raise click.UsageError("say --good or --bad; for some of each, call it twice")
    _annotate(app, name, ids, "good" if good else "bad", test, who)


@command("unlabel")
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--by", "who", help="Who says so; you unless told.")
def unlabel(app: App, name: str, ids: tuple[int, ...], who: str | None) -> None:
    """Take back what was said of sounds.

    \b
    Example:
      mirla agent unlabel water 4832
    """
    _annotate(app, name, ids, None, False, who)


@command("train")
@click.argument("name")
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Deals folds, starts the network."
)
def train(app: App, name: str, seed: int) -> None:
    """Learn from the labels, and say how well, with an interval and beside the majority baseline.

    \b
    Example:
      mirla agent train water
    """
    from engine.agent.training import train as learn

    corpus = app.corpus()
    with app.progress("training", "rounds") as progress:
        _, report = learn(corpus, name, seed=seed, progress=progress)
    lines = [f"agent {name}, version {report['version']}: {report['good']} good, {report['bad']} bad"]
    app.answer(report, lambda console: print_lines(console, lines + score_lines(report)))


@command("judge")
@click.argument("name")
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
def judge(app: App, name: str, ids: tuple[int, ...]) -> None:
    """Say what an agent thinks of sounds: its label, and the probability of good. Without IDS, of all.

    \b
    Example:
      mirla agent judge water 4832
    """
    from engine.agent.judging import judge as verdicts_of

    corpus = app.corpus()
    verdicts = verdicts_of(corpus, name)
    sounds = corpus.sounds.many(ids or corpus.sounds.ids().tolist())
    data = [{"id": sound.id, **verdicts.of(sound.id)} for sound in sounds]
    rows = [
        [row["id"], sound.name, row["label"] or "not analysed", row["p"]]
        for row, sound in zip(data, sounds, strict=True)
    ]
    answer = {"agent": name, "version": verdicts.version, "verdicts": data}
    app.answer(answer, lambda console: table(console, ["id", "name", "label", "p"], rows))


@command("list")
def list_agents(app: App) -> None:
    """List the agents.

    \b
    Example:
      mirla agent list
    """
    corpus = app.corpus()
    data = [_facts(corpus, one) for one in corpus.agents.all()]
    headings = ["name", "version", "good", "bad", "test", "about"]
    rows = [[row[heading] for heading in headings] for row in data]
    app.answer({"agents": data}, lambda console: table(console, headings, rows))
    if not data:
        app.say("no agents yet; `mirla agent new NAME` makes one")


@command("show")
@click.argument("name")
def show(app: App, name: str) -> None:
    """Show one agent: its labels, its version, its scores.

    \b
    Example:
      mirla agent show water
    """
    corpus = app.corpus()
    _answer(app, corpus, corpus.agents.get(name))


for _command in (new, label, unlabel, train, judge, list_agents, show):
    agent.add_command(_command)


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


def _annotate(app: App, name: str, ids: tuple[int, ...], label: Label | None, test: bool, who: str | None) -> None:
    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    corpus.agents.annotate(chosen, ids, label, test=test, who=who or _user(), session=f"cli-{uuid.uuid4().hex[:8]}")
    counts = _counts(corpus, chosen)
    words = f"agent {name}: {counts['good']} good, {counts['bad']} bad, {counts['test']} for testing"
    app.answer({"agent": name, **counts}, lambda console: print_lines(console, [words]))


def _answer(app: App, corpus: Corpus, chosen: Agent) -> None:
    facts = _facts(corpus, chosen)
    labels = f"{facts['good']} good, {facts['bad']} bad, {facts['test']} for testing"
    lines = [f"agent {chosen.name} ({chosen.classifier} over {', '.join(chosen.spaces)}): {labels}"]
    if chosen.about:
        lines.append(chosen.about)
    if facts["scores"]:
        lines += [f"version {facts['version']}", *score_lines(facts["scores"])]
    app.answer(facts, lambda console: print_lines(console, lines))


def _facts(corpus: Corpus, chosen: Agent) -> dict[str, Any]:
    model: Model | None = corpus.agents.model(chosen)
    return {
        "name": chosen.name,
        "about": chosen.about,
        "spaces": list(chosen.spaces),
        "classifier": chosen.classifier,
        **_counts(corpus, chosen),
        "version": model.version if model else None,
        "scores": model.scores if model else None,
    }


def _counts(corpus: Corpus, chosen: Agent) -> dict[str, int]:
    labels = corpus.agents.annotations(chosen)
    return {
        "good": sum(one.label == "good" and not one.test for one in labels),
        "bad": sum(one.label == "bad" and not one.test for one in labels),
        "test": sum(one.test for one in labels),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a bare container
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
