"""`mirla unpack`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines
from corpus.text import many

if TYPE_CHECKING:
    from corpus.store.incoming import Taken
    from corpus.unpacking import UnpackReport


@command(stopped="stopped; all of it was taken in, or nothing: unpack again to be sure")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Only look at FILE; no corpus is opened.")
def unpack(app: App, file: Path, only_check: bool) -> None:
    """Add what `mirla pack` wrote to FILE to your corpus, or make one of it. All of it or nothing.

    FILE is verified to its last byte before anything is touched. A Freesound sound is the same under the same id, a
    sound of your own by the content of its file; one of these gets another number where its own is taken here. What is
    here is not overwritten: what it lacks is filled in. Labels of agents with the same name are merged, each once;
    their versions are added, and the one that judges goes on judging. To unpack again changes nothing.

    \b
    Example:
      mirla unpack /media/stick/corpus.tar
      mirla unpack --check /media/stick/corpus.tar
    """
    from corpus.unpacking import check

    if not only_check:
        corpus = app.corpus()
    with app.phases() as progress:
        report = check(file, progress) if only_check else corpus.unpack(file, progress)
    new = report.taken.new_palettes if report.taken else []
    lines = list(_lines(report, [one.name for one in new if corpus.palette_folder.foreign(one.name)]))
    app.answer(_as_json(report), lambda console: print_lines(console, lines))


def _as_json(report: UnpackReport) -> dict[str, Any]:
    data = {name: value for name, value in vars(report).items() if name != "taken"}
    if report.taken is None:
        return data
    new = vars(report.taken) | {"palettes": [palette.name for palette in report.taken.new_palettes]}
    return data | {"new": {name: value for name, value in new.items() if name != "new_palettes"}}


def _lines(report: UnpackReport, foreign: Collection[str]) -> Iterator[str]:
    size = f"{report.bytes / 1e6:.1f} MB"
    yield f"{many(report.sounds, 'sound')}, {many(report.files, 'file')}, {size}: all as it was packed"
    if report.silent:
        yield f"{many(report.silent, 'sound')} without audio: it was not held where they were packed"
    if report.taken is not None:
        yield from _new(report.taken, foreign)


def _new(taken: Taken, foreign: Collection[str]) -> Iterator[str]:
    from corpus.publishing import FOREIGN

    performances = many(taken.performances, "performance")
    yield f"new: {many(taken.sounds, 'sound')}, {many(taken.audio, 'file')}, {performances}"
    if taken.completed:
        yield f"filled in: something of {many(taken.completed, 'sound')} held here"
    if taken.renumbered:
        yield f"{many(taken.renumbered, 'sound')} of your own with another number here than there"
    for name, count in taken.labels.items():
        yield f"agent {name}: {many(count, 'label')}{' (a new agent)' if name in taken.agents else ''}"
    for name, count in taken.versions.items():
        yield f"agent {name}: {many(count, 'version')} more; `mirla agent use {name} --version N` lets one judge"
    for palette in taken.new_palettes:
        yield f"palette {palette.name}: {'taken in, but ' + FOREIGN if palette.name in foreign else 'published'}"
    for name in taken.palettes_kept:
        yield f"palette {name}: yours is another one, and stays"
    for space in taken.stale:
        yield f"space {space}: measured by another extractor there; `mirla analyse` measures what lacks it"
