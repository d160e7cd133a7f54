"""`mirla agent`: export, import: labels as CSV, to share with other people and other programs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines
from engine.cli.agent.facts import counts_of
from engine.cli.agent.labelling import user

if TYPE_CHECKING:
    from corpus.labels import Imported

_FILE = click.Path(path_type=Path, dir_okay=False)


@command("export")
@click.argument("name")
@click.option("--labels", type=_FILE, help="A CSV file to write: id, hash, label, who, when, test, gen_ai_preference.")
def export(app: App, name: str, labels: Path | None) -> None:
    """Write an agent to a file for others: each person's last word on each sound.

    \b
    Example:
      mirla agent export water --labels water.csv
    """
    one_of(labels=labels)
    if labels:
        export_labels(app, name, labels)


@command("import")
@click.argument("name")
@click.option("--labels", type=_FILE, help="A CSV file to read: that of export, or lines of id,label.")
@click.option("--test", is_flag=True, help="Keep them for testing; never train on them.")
@click.option("--by", "who", help="Who said so, where the file does not say; you unless told.")
def import_(app: App, name: str, labels: Path | None, test: bool, who: str | None) -> None:
    """Read an agent from a file; it is made if it is not there. What is held already is not added again.

    Sounds are found by Freesound id, else by their content, so that two corpora can share.

    \b
    Example:
      mirla agent import water --labels water.csv
    """
    one_of(labels=labels)
    if labels:
        import_labels(app, name, labels, test, who or user())


def one_of(**options: object) -> None:
    """Exactly one of the forms in which an agent can be exchanged must be named."""
    if sum(value is not None for value in options.values()) != 1:
        raise click.UsageError(f"say {' or '.join(f'--{option}' for option in options)}")


def export_labels(app: App, name: str, file: Path) -> None:
    from corpus.labels import NO_GEN_AI, Labels

    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    unwanted = Labels(corpus.sounds, corpus.agents, corpus.identities).write(chosen, file)
    counts = counts_of(corpus, chosen)
    if unwanted:
        app.warn(
            f"{len(unwanted)} of these sounds are {NO_GEN_AI}: their makers want no generative models trained on them; "
            "the file says which. Use their labels only to filter by a private taste"
        )
    words = f"agent {name}: {_counted(counts)}, written to {file}"
    answer = {"agent": name, **counts, "skipped": [], "labels": str(file), "no_gen_ai": unwanted}
    app.answer(answer, lambda console: print_lines(console, [words]))


def import_labels(app: App, name: str, file: Path, test: bool, who: str) -> None:
    from corpus.analysis import spaces
    from corpus.labels import Labels, read

    corpus = app.corpus()
    rows = read(file, who=who, test=test)
    if name not in [agent.name for agent in corpus.agents.all()]:
        corpus.agents.create(name, "", [spaces.default()], "mlp")
    chosen = corpus.agents.get(name)
    session = f"import-{uuid.uuid4().hex[:8]}"
    done = Labels(corpus.sounds, corpus.agents, corpus.identities).take_in(chosen, rows, session)
    counts = counts_of(corpus, chosen)
    answer = {"agent": name, **counts, "added": done.added, "both_ways": done.both_ways, "skipped": done.skipped}
    words = f"agent {name}: {done.added} labels added; now {_counted(counts)}"
    app.answer(answer, lambda console: print_lines(console, [words]))
    _say_what_was_odd(app, done)
    app.finish([(entry["id"] or entry["hash"], entry["error"]) for entry in done.skipped])


def _say_what_was_odd(app: App, done: Imported) -> None:
    if done.both_ways:
        app.warn(f"called both good and bad by the same person, the last counts: {_listed(done.both_ways)}")
    if any(entry["fetchable"] for entry in done.skipped):
        app.warn("sounds that are not held: put their ids in a file, `mirla harvest --ids FILE`, then import again")


def _counted(counts: dict[str, Any]) -> str:
    return f"{counts['good']} good, {counts['bad']} bad, {counts['test']} for testing"


def _listed(ids: Sequence[int], most: int = 10) -> str:
    return ", ".join(map(str, ids[:most])) + (f" and {len(ids) - most} more" if len(ids) > most else "")


COMMANDS = (export, import_)
