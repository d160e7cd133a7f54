"""`mirla refresh`."""

from __future__ import annotations

import click

from corpus.cli.app import App, command, print_lines


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
def refresh(app: App, ids: tuple[int, ...]) -> None:
    """Ask Freesound again about its sounds held here: what changed is updated, what was deleted there is marked.

    Audio, vectors and credits of a sound that is gone stay. Needs an API key in FREESOUND_TOKEN; one request checks
    150 sounds, the least recently checked first, so a refresh that was stopped goes on when you call it again.

    \b
    Example:
      mirla refresh
      mirla refresh 4832 100055
    """
    corpus = app.corpus()
    with app.progress("checking") as progress:
        report = corpus.refresh(ids or None, progress)
    data = vars(report) | {"failed": [{"id": sound_id, "error": words} for sound_id, words in report.failed]}
    lines = [
        f"{report.checked} sounds checked, {report.updated} updated, {report.requests} requests",
        *_listed("gone from Freesound", report.gone),
        *_listed("there again", report.back),
    ]
    app.answer(data, lambda console: print_lines(console, lines))
    if report.gone:
        app.say("What is gone stays here; `mirla forget --gone` deletes it.")
    app.finish(report.failed)


def _listed(words: str, ids: list[int]) -> list[str]:
    return [f"{words}: {' '.join(map(str, ids))}"] if ids else []
