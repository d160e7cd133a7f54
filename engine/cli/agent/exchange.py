"""`mirla agent`: export, import: labels as CSV, for other people and programs; models in FluCoMa's files."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines
from engine.cli.agent.facts import counts_of
from engine.cli.agent.labelling import counted, kept_for_testing, listed, user

if TYPE_CHECKING:
    from corpus.labels import Imported

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@command("export")
@click.argument("name")
@click.option("--labels", type=_FILE, help="A CSV file to write: id, hash, label, who, when, test, gen_ai_preference.")
@click.option(
    "--flucoma",
    type=_FOLDER,
    help="A folder to write MIRLCa's standardizer.JSON, pca.JSON and model.JSON to: of an agent whose classifier is "
    "mlp, with the same label on every sound, or of one that was imported from them.",
)
@click.option("--force", is_flag=True, help="With --flucoma: replace the files that are there.")
def export(app: App, name: str, labels: Path | None, flucoma: Path | None, force: bool) -> None:
    """Write an agent for others: each person's last word on each sound to a file, or the model in use for MIRLCa.

    \b
    Example:
      mirla agent export water --labels water.csv
      mirla agent export water --flucoma water
    """
    one_of(labels=labels, flucoma=flucoma)
    if labels:
        export_labels(app, name, labels)
    elif flucoma:
        export_flucoma(app, name, flucoma, force)


@command("import")
@click.argument("name")
@click.option("--labels", type=_FILE, help="A CSV file to read: that of export, or lines of id,label.")
@click.option(
    "--flucoma",
    type=_FOLDER,
    help="A folder with MIRLCa's standardizer.JSON, pca.JSON and model.JSON, to be an agent that looks at mfcc, says "
    "what FluCoMa would, and gives no probabilities; again, for its next version.",
)
@click.option("--test", is_flag=True, help="With --labels: keep them for testing; never train on them.")
@click.option("--by", "who", help="With --labels: who said so, where the file does not say; you unless told.")
def import_(app: App, name: str, labels: Path | None, flucoma: Path | None, test: bool, who: str | None) -> None:
    """Read an agent from files; it is made if it is not there.

    Sounds of labels are found by Freesound id, else by their content, so that two corpora can share. What is held
    already is not added again.

    \b
    Example:
      mirla agent import water --labels water.csv
      mirla agent import ringing --flucoma models-2025
    """
    one_of(labels=labels, flucoma=flucoma)
    if labels:
        import_labels(app, name, labels, test, who or user())
    elif flucoma:
        import_flucoma(app, name, flucoma)


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
    words = f"agent {name}: {counted(counts)}, written to {file}"
    answer = {"agent": name, **counts, "skipped": [], "labels": str(file), "no_gen_ai": unwanted}
    app.answer(answer, lambda console: print_lines(console, [words]))


def import_labels(app: App, name: str, file: Path, test: bool, who: str) -> None:
    from corpus.analysis import spaces
    from corpus.labels import Labels, read
    from corpus.store.naming import as_name

    corpus = app.corpus()
    rows = read(file, who=who, test=test)
    known = [agent.name for agent in corpus.agents.all()]
    if name in known or as_name(name) in known:
        chosen = corpus.agents.get(name)
    else:
        chosen = corpus.agents.create(name, "", [spaces.default()], "mlp")
    session = f"import-{uuid.uuid4().hex[:8]}"
    done = Labels(corpus.sounds, corpus.agents, corpus.identities).take_in(chosen, rows, session)
    counts = counts_of(corpus, chosen)
    answer = {"agent": name, **counts, "added": done.added, "both_ways": done.both_ways, "skipped": done.skipped}
    answer["for_testing"] = done.for_testing
    words = f"agent {name}: {done.added} labels added; now {counted(counts)}"
    app.answer(answer, lambda console: print_lines(console, [words]))
    _say_what_was_odd(app, done)
    app.finish([(entry["hash"] if entry["id"] is None else entry["id"], entry["error"]) for entry in done.skipped])


def export_flucoma(app: App, name: str, folder: Path, force: bool) -> None:
    from engine.agent.flucoma import export_agent

    corpus = app.corpus()
    files = [str(path) for path in export_agent(corpus, name, folder, force)]
    answer = {"agent": name, **counts_of(corpus, corpus.agents.get(name)), "skipped": [], "files": files}
    app.answer(answer, lambda console: print_lines(console, [f"agent {name}: written to {', '.join(files)}"]))


def import_flucoma(app: App, name: str, folder: Path) -> None:
    from engine.agent.flucoma import import_agent

    corpus = app.corpus()
    version = import_agent(corpus, name, folder).version
    answer = {"agent": name, **counts_of(corpus, corpus.agents.get(name)), "skipped": [], "version": version}
    words = f"agent {name}, version {version}: judges as the model in {folder} does, without probabilities"
    app.answer(answer, lambda console: print_lines(console, [words]))


def _say_what_was_odd(app: App, done: Imported) -> None:
    if done.both_ways:
        app.warn(f"called both good and bad by the same person, the last counts: {listed(done.both_ways)}")
    if done.for_testing:
        app.warn(kept_for_testing(done.for_testing))
    if any(entry["fetchable"] for entry in done.skipped):
        app.warn("sounds that are not held: put their ids in a file, `mirla harvest --ids FILE`, then import again")


COMMANDS = (export, import_)
