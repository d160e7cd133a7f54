"""`mirla harvest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table
from corpus.errors import HarvestError

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.wanted import Wanted

_LATEST = -1


@command()
@click.argument("text", nargs=-1, metavar="[TEXT]")
@click.option("--tag", "tags", multiple=True, help="With this tag; several: with all of them.")
@click.option("--user", "users", multiple=True, help="By this maker; several: by any of them.")
@click.option("--pack", "packs", multiple=True, help="From this pack; several: from any of them.")
@click.option("--filter", "filter_", default="", help="Freesound's filter language, as it is.")
@click.option("--ids", type=click.File(), help="A file of Freesound ids, separated by white space.")
@click.option("--like", type=click.IntRange(1), help="The API's own list of sounds similar to this id.")
@click.option("--hops", type=click.IntRange(1, 5), default=1, show_default=True, help="With --like: theirs too.")
@click.option("--licence", "licences", multiple=True, help="Under this licence; several: under any of them.")
@click.option("--max-duration", type=click.FloatRange(0, min_open=True), help="No longer than so many seconds.")
@click.option("--max-sounds", type=click.IntRange(1), default=2000, show_default=True, help="At most so many sounds.")
@click.option("--max-bytes", type=click.IntRange(0), help="Begin no further file after so many bytes of audio.")
@click.option(
    "--audio",
    type=click.Choice(["hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3", "none"]),
    default="hq-ogg",
    show_default=True,
    help="Which preview to fetch.",
)
@click.option("--resume", type=int, is_flag=False, flag_value=_LATEST, help="Go on with harvest N, or the latest.")
@click.option("--list", "listing", is_flag=True, help="List the harvests and how far they are.")
def harvest(app: App, resume: int | None, listing: bool, **asked: Any) -> None:
    """Bring sounds from Freesound: records, vectors and previews, for when there is no network.

    Needs an API key in FREESOUND_TOKEN. Keeps within the API's limits; what is there is never fetched again.

    \b
    Example:
      mirla harvest rain --tag field-recording --max-sounds 300
      mirla harvest --resume
    """
    corpus = app.corpus()
    if listing:
        _list(app, corpus)
        return
    number = _unfinished(corpus) if resume == _LATEST else resume
    wanted = _wanted(**asked) if number is None else None
    with app.progress("fetching audio", "files") as progress:
        report = corpus.harvest(wanted, number, progress)
    data = vars(report) | {"failed": [{"id": sound_id, "error": words} for sound_id, words in report.failed]}
    lines = [
        f"harvest {report.harvest} ({report.state}): {report.added} sounds added, {report.updated} updated",
        f"{report.audio} files, {report.bytes / 1e6:.1f} MB, {report.requests} requests",
    ]
    app.answer(data, lambda console: print_lines(console, lines))
    if report.state != "done":
        app.say(f"`mirla harvest --resume {report.harvest}` goes on with it.")
    app.finish(report.failed)


def _wanted(text: tuple[str, ...], filter_: str, ids: Any, **asked: Any) -> Wanted:
    from corpus.wanted import Query, Wanted

    bounds = {name: asked.pop(name) for name in ("max_sounds", "max_bytes", "audio")}
    query = Query(text=" ".join(text), filter=filter_, ids=_ids(ids) if ids else (), **asked)
    return Wanted((query,), **bounds)


def _ids(file: Any) -> tuple[int, ...]:
    words = file.read().split()
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) < 11):
            raise HarvestError(f"{Path(file.name)}: {word!r} is not a Freesound id; give numbers, separated by spaces")
    return tuple(dict.fromkeys(int(word) for word in words))


def _unfinished(corpus: Corpus) -> int:
    unfinished = [one.id for one in corpus.harvests.all() if one.state != "done"]
    if not unfinished:
        raise HarvestError("no harvest is unfinished; `mirla harvest --list` shows them")
    return unfinished[-1]


def _list(app: App, corpus: Corpus) -> None:
    data = [
        {
            "harvest": one.id,
            "state": one.state,
            "sounds": len(corpus.harvests.brought(one)),
            "failed": len(corpus.harvests.failures(one)),
            "started": one.started,
            "wanted": one.wanted,
        }
        for one in corpus.harvests.all()
    ]
    headings = ["harvest", "state", "sounds", "failed", "started"]
    rows = [[one[heading] for heading in headings] for one in data]
    app.answer({"harvests": data}, lambda console: table(console, headings, rows))
    if not data:
        app.say("no harvests yet; `mirla harvest TEXT` begins one")
