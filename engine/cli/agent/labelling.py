"""`mirla agent`: label, unlabel, undo, history: what people say of sounds."""

from __future__ import annotations

import getpass
import os
import shlex
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import counts_of

if TYPE_CHECKING:
    from corpus.model import Annotation, Label


@command("label")
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--good", is_flag=True, help="These are good.")
@click.option("--bad", is_flag=True, help="These are bad.")
@click.option("--test", is_flag=True, help="Keep them for testing; never train on them.")
@click.option("--train", is_flag=True, help="Train on them, though they were kept for testing.")
@click.option("--by", "who", help="Who says so; you unless told.")
def label(
    app: App, name: str, ids: tuple[int, ...], good: bool, bad: bool, test: bool, train: bool, who: str | None
) -> None:
    """Call sounds good or bad. A later label of the same sound replaces the earlier one; both are kept.

    What is kept for testing stays so, whoever labels it again, until --train.

    \b
    Example:
      mirla agent label water --good 4832 100067
    """
    if good == bad:
        raise click.UsageError("say --good or --bad; for some of each, call it twice")
    if test and train:
        raise click.UsageError("say --test or --train; or neither, and sounds stay what they are")
    _annotate(app, name, ids, "good" if good else "bad", test if test or train else None, who)


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
    _annotate(app, name, ids, None, None, who)


@command("undo")
@click.argument("name")
@click.option("-n", "count", type=click.IntRange(1), default=1, show_default=True, help="How many labels.")
@click.option("--session", help="Only what was said in this session; see `mirla agent history`.")
@click.option("--by", "who", help="Who takes it back; you unless told.")
def undo(app: App, name: str, count: int, session: str | None, who: str | None) -> None:
    """Take back the last label, and again the one before it. What was said before counts again; nothing is erased.

    \b
    Example:
      mirla agent undo water
      mirla agent undo water -n 3
    """
    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    facts = {one.id: one for one in corpus.agents.history(chosen)}
    undone: list[dict[str, object]] = []
    for _ in range(count):
        done = corpus.agents.undo(chosen, session, who=who or user())
        if done is None:
            break
        taken = facts.get(done.undoes)
        undone.append({"id": done.sound_id, "label": taken.label if taken else None, "now": done.label})
    counts = counts_of(corpus, chosen)
    lines = [
        f"sound {one['id']}: took back {one['label'] or 'unlabel'}, now {one['now'] or 'no label'}" for one in undone
    ]
    lines.append(f"agent {name}: {counted(counts)}")
    app.answer({"agent": name, **counts, "undone": undone}, lambda console: print_lines(console, lines))
    if len(undone) < count:
        app.say(f"nothing {'more ' if undone else ''}to undo")


@command("history")
@click.argument("name")
def history(app: App, name: str) -> None:
    """All that was ever said to an agent, by whom, when and in which session; the oldest first.

    \b
    Example:
      mirla agent history water
    """
    corpus = app.corpus()
    facts = corpus.agents.history(corpus.agents.get(name), forgotten=True)
    data = [_fact(one) for one in facts]
    shown = [row | {"label": row["label"] or "none", "test": "yes" if row["test"] else None} for row in data]
    headings = ["fact", "id", "label", "test", "who", "session", "when", "undoes", "repeats"]
    rows = [[row[heading] for heading in headings] for row in shown]
    app.answer({"agent": name, "history": data}, lambda console: table(console, headings, rows))


COMMANDS = (label, unlabel, undo, history)


def _annotate(
    app: App, name: str, ids: tuple[int, ...], label: Label | None, test: bool | None, who: str | None
) -> None:
    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    corpus.agents.annotate(chosen, ids, label, test=test, who=who or user(), session=f"cli-{uuid.uuid4().hex[:8]}")
    counts = counts_of(corpus, chosen)
    words = f"agent {name}: {counted(counts)}"
    app.answer({"agent": name, **counts}, lambda console: print_lines(console, [words]))
    testing = {one.sound_id for one in corpus.agents.annotations(chosen) if one.test}
    if test is None and (kept := sorted(testing.intersection(ids))):
        app.say(kept_for_testing(kept))
    if chosen.classifier == "flucoma":
        app.say(
            f"agent {name} judges as FluCoMa's files do and learns nothing from labels; they are kept, and "
            f"`mirla agent merge NEW {shlex.quote(name)}` makes an agent that learns from them"
        )


def kept_for_testing(ids: Sequence[int]) -> str:
    return f"kept for testing: {listed(ids)}; `mirla agent label --train` moves them to what is learnt from"


def listed(ids: Sequence[int], most: int = 10) -> str:
    return ", ".join(map(str, ids[:most])) + (f" and {len(ids) - most} more" if len(ids) > most else "")


def _fact(one: Annotation) -> dict[str, Any]:
    return {
        "fact": one.id,
        "id": one.sound_id,
        "label": one.label,
        "test": one.test,
        "who": one.who,
        "session": one.session,
        "when": one.at,
        "undoes": one.undoes,
        "repeats": one.repeats,
    }


def counted(counts: dict[str, int]) -> str:
    return f"{counts['good']} good, {counts['bad']} bad, {counts['test']} for testing"


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a bare container
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
