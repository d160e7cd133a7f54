"""`mirla adopt`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from corpus.cli.app import App, command, print_lines


@command()
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False), metavar="DIR...")
@click.option("--tag", "tags", multiple=True, help="A tag for all of them; folder names become tags anyway.")
@click.option("--licence", default="", help="Their licence: CC0, BY, BY-NC 3.0, a deed's address, or any words.")
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV file that says what they are: path,id,name,username,licence,url,tags.",
)
@click.option("--link", is_flag=True, help="Leave the files where they are instead of copying them.")
def adopt(
    app: App, places: tuple[Path, ...], tags: tuple[str, ...], licence: str, catalogue: Path | None, link: bool
) -> None:
    """Take in sounds of your own: WAV, AIFF, FLAC, Ogg, Opus and MP3 files in folders.

    Each file is decoded from end to end first. What the corpus holds already is skipped.

    \b
    Example:
      mirla adopt ~/recordings --licence CC0 --tag field-recording
    """
    from corpus.catalogue import read
    from corpus.folder import Adoption
    from corpus.licences import from_text

    how = Adoption(tags, from_text(licence), read(catalogue) if catalogue else {}, link)
    corpus = app.corpus()
    with app.progress("adopting", "files") as progress:
        report = corpus.adopt(places, how, progress)
    data = {
        "added": len(report.ids),
        "skipped": report.skipped,
        "failed": [{"path": _text(path), "error": words} for path, words in report.failed],
        "ids": report.ids,
    }
    for note in report.notes:
        app.warn(note)
    summary = f"{len(report.ids)} sounds added, {report.skipped} held already, {len(report.failed)} failed"
    app.answer(data, lambda console: print_lines(console, [summary]))
    if report.ids:
        app.say("`mirla analyse` measures them.")
    app.finish(report.failed)


def _text(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
