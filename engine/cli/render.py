"""`mirla render`."""

from __future__ import annotations

from pathlib import Path

import click

from corpus.cli.app import App, command, print_lines

_RATE = 44100


@command()
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A .wav or .flac file.")
@click.option("--together", is_flag=True, help="All at once instead of one after another.")
@click.option("--seconds", type=click.FloatRange(0, 14400, min_open=True), help="Exactly so long, round and round.")
def render(app: App, ids: tuple[int, ...], out: Path, together: bool, seconds: float | None) -> None:
    """Write to a file what `play` would play. Needs no sound device.

    \b
    Example:
      mirla render 4832 100067 --seconds 20 --out set.wav
    """
    from engine.clips import load, loudness_of
    from engine.playback.render import render_offline

    corpus = app.corpus()
    with app.progress("loading") as progress:
        clips = load(corpus, ids, _RATE, progress)
    written = render_offline(clips, _RATE, together, seconds, out)
    data = {
        "out": str(out),
        "seconds": round(written.seconds, 3),
        "peak_dbfs": written.peak_dbfs,
        "lufs": loudness_of(out),
    }
    app.answer(data, lambda console: print_lines(console, [f"{out}: {describe(data)}"]))


def describe(data: dict[str, object]) -> str:
    """Length, peak and loudness of what was rendered, in words."""
    if data["lufs"] is None:
        return f"{data['seconds']} s, silent"
    return f"{data['seconds']} s, peak {data['peak_dbfs']:.1f} dBFS, {data['lufs']:.1f} LUFS"
