"""`mirla pack`."""

from __future__ import annotations

from pathlib import Path

import click

from corpus.cli.app import App, command, print_lines
from corpus.text import many

_SHOWN = 10


@command(stopped="stopped; nothing was written")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--palette", "palettes", multiple=True, metavar="P", help="Only this palette with its sounds; repeatable."
)
@click.option(
    "--agent", "agents", multiple=True, metavar="A", help="Only this agent with what it was taught; repeatable."
)
@click.option("--filter", "wanted", metavar="F", help="Only the sounds that fit, in Freesound's filter language.")
@click.option(
    "--redistributable", is_flag=True, help="Only what may be handed on, and nothing about who labelled or played."
)
@click.option(
    "--lossless",
    type=click.Choice(["yes", "no"]),
    default="yes",
    help="no: leave out lossless files of sounds that have a lossy one.",
)
@click.option("--replace", is_flag=True, help="Write over FILE, if it is an archive of mirla's.")
def pack(
    app: App,
    file: Path,
    palettes: tuple[str, ...],
    agents: tuple[str, ...],
    wanted: str | None,
    redistributable: bool,
    lossless: str,
    replace: bool,
) -> None:
    """Write the corpus to one FILE, for a USB stick: audio, database, agents, palettes, credits.

    FILE is a plain tar that any tar opens; `sha256sum -c SHA256SUMS` in it says whether all is whole. Linked files go
    as copies. Settings and keys stay at home. --palette, --agent and --filter pack a part: all that any of them names,
    and nothing of what was played. A file that is missing or damaged stays out and is named, and then nothing is
    replaced.

    \b
    Example:
      mirla pack /media/stick/corpus.tar
      mirla pack tonight.tar --palette kicks --agent metal --filter "tag:drone"
      mirla pack for-friends.tar --redistributable
    """
    from corpus.filters import parse
    from corpus.packing import Part

    part = Part(palettes, agents, None if wanted is None else parse(wanted), redistributable, lossless == "yes")
    corpus = app.corpus(make=False)
    with app.phases() as progress:
        report = corpus.pack(file, part, replace=replace, progress=progress)
    data = vars(report) | {
        "file": str(report.file),
        "left_out": [{"what": what, "why": why} for what, why in report.left_out],
        "failed": [{"path": path, "error": words} for path, words in report.failed],
    }
    lines = [
        f"{report.file}: {many(report.sounds, 'sound')}, {many(report.files, 'file')}, "
        f"{many(len(report.agents), 'agent')}, {many(len(report.palettes), 'palette')}; {report.bytes / 1e6:.1f} MB",
        *(f"left out: {what}: {why}" for what, why in report.left_out[:_SHOWN]),
        *([f"left out: and {len(report.left_out) - _SHOWN} more"] if len(report.left_out) > _SHOWN else []),
    ]
    app.answer(data, lambda console: print_lines(console, lines))
    app.finish(report.failed, _SHOWN)
