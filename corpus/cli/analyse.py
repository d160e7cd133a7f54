"""`mirla analyse`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines

if TYPE_CHECKING:
    from corpus.analysis.runner import SpaceReport


class _SpaceOption(click.Option):
    """Its help lists what the registry holds, which is looked up when help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from corpus.analysis.spaces import default, known

        names = ", ".join(f"{name} (default)" if name == default() else name for name in known())
        record = super().get_help_record(ctx)
        return (record[0], f"{record[1]} Known: {names}.") if record else None


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
@click.option("--space", "spaces", multiple=True, cls=_SpaceOption, help="A space to compute; several: all of them.")
@click.option("--traits", is_flag=True, help="Traits to filter by too: pitch, note, tempo, brightness, loudness; slow.")
@click.option("--onsets", is_flag=True, help="Where the events of each sound begin too, for playing its slices.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; all cores unless told.")
@click.option("--redo", is_flag=True, help="Measure again what was measured already.")
def analyse(
    app: App, ids: tuple[int, ...], spaces: tuple[str, ...], traits: bool, onsets: bool, jobs: int | None, redo: bool
) -> None:
    """Measure the sounds: MFCCs (or other spaces) for similarity and agents, loudness for playing.

    Only what is new or stale is measured. Stop it whenever you like; what is done stays done.

    \b
    Example:
      mirla analyse
      mirla analyse --space mfcc_frames --space traits9
      mirla analyse --traits --onsets
    """
    corpus = app.corpus()
    with app.progress("analysing") as progress:
        report = corpus.analyse(
            spaces, ids or None, jobs=jobs, redo=redo, traits=traits, onsets=onsets, progress=progress
        )
    data = {
        "spaces": {name: _counts(space) for name, space in report.spaces.items()},
        **({"traits": _counts(report.traits)} if report.traits else {}),
        **({"onsets": _counts(report.onsets)} if report.onsets else {}),
        "audio_seconds": round(report.audio_seconds, 3),
        "seconds": round(report.seconds, 3),
    }
    lines = [f"space {name}: {_words(space)}" for name, space in report.spaces.items()]
    if report.traits:
        lines.append(f"traits: {_words(report.traits)}")
    if report.onsets:
        lines.append(f"onsets: {_words(report.onsets)}")
    lines.append(f"{report.audio_seconds:.0f} s of audio in {report.seconds:.1f} s")
    app.answer(data, lambda console: print_lines(console, lines))
    app.finish(report.failed)


def _counts(report: SpaceReport) -> dict[str, Any]:
    return {
        "analysed": report.analysed,
        "skipped": report.skipped,
        "failed": [{"id": sound_id, "error": words} for sound_id, words in report.failed],
    }


def _words(report: SpaceReport) -> str:
    return f"{report.analysed} analysed, {report.skipped} up to date, {len(report.failed)} failed"
