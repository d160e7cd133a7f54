"""`mirla render`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines

if TYPE_CHECKING:
    from engine.playback.render import Rendered

_RATE = 44100


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--script", type=click.Path(path_type=Path, dir_okay=False), help="A script of `live`, or a set's log.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A .wav or .flac file.")
@click.option("--together", is_flag=True, help="All at once instead of one after another.")
@click.option("--seconds", type=click.FloatRange(0, 14400, min_open=True), help="Exactly so long, round and round.")
@click.option("--seed", type=click.IntRange(0), help="Make a script's chance repeatable.")
def render(
    app: App,
    ids: tuple[int, ...],
    script: Path | None,
    out: Path,
    together: bool,
    seconds: float | None,
    seed: int | None,
) -> None:
    """Write to a file what `play`, or with --script `live`, would play. Needs no sound device.

    A set that was played comes again, with the sounds it had, from its log: a file ending in .jsonl, as
    `mirla sets log N` writes it.

    \b
    Example:
      mirla render 4832 100067 --seconds 20 --out set.wav
      mirla render --script set.py --seed 1 --out set.wav
    """
    from engine.clips import loudness_of

    if bool(ids) == bool(script):
        raise click.UsageError("name sounds, or a script with --script; not both")
    errors = 0
    if script is None:
        if seed is not None:
            raise click.UsageError("--seed is for --script: sounds named by their ids leave nothing to chance")
        written = _together(app, ids, out, together, seconds)
    else:
        from engine.cli.rendering import render_set

        if together:
            raise click.UsageError("--together is for sounds named by their ids; in a script, parallel() says it")
        written, errors = render_set(app, script, out, seconds, seed)
    data = {
        "out": str(out),
        "seconds": round(written.seconds, 3),
        "peak_dbfs": written.peak_dbfs,
        "lufs": loudness_of(out),
        **({"errors": errors} if script else {}),
    }
    app.answer(data, lambda console: print_lines(console, [f"{out}: {describe(data)}"]))
    if errors:
        click.get_current_context().exit(1)


def _together(app: App, ids: tuple[int, ...], out: Path, together: bool, seconds: float | None) -> Rendered:
    from engine.clips import load
    from engine.playback.render import render_offline

    with app.progress("loading") as progress:
        clips = load(app.corpus(), ids, _RATE, progress)
    return render_offline(clips, _RATE, together, seconds, out)


def describe(data: Mapping[str, object]) -> str:
    """Length, peak and loudness of what was rendered, in words."""
    if data["lufs"] is None:
        return f"{data['seconds']} s, silent"
    return f"{data['seconds']} s, peak {data['peak_dbfs']:.1f} dBFS, {data['lufs']:.1f} LUFS"
