"""`mirla check`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines
from corpus.text import many

if TYPE_CHECKING:
    from corpus.check import CheckReport

_SHOWN = 20


def _percent(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """A share as `5%` or `5`."""
    with contextlib.suppress(ValueError):
        if 0 < (percent := float(value.removesuffix("%"))) <= 100:
            return percent
    raise click.BadParameter(f"{value!r} is no share; give one such as 5%")


@command()
@click.option("--repair", is_flag=True, help="Mend what can be mended; nothing is ever deleted.")
@click.option("--sample", callback=_percent, default="100%", metavar="P%", help="Read only this share of the files.")
@click.option("--seed", type=int, help="Which sample; the same number reads the same files.")
@click.option("--decode", is_flag=True, help="Decode every file that is read, also where its hash is as it was.")
@click.option("--jobs", type=click.IntRange(1), help="How many files at once; all cores unless told.")
def check(app: App, repair: bool, sample: float, seed: int | None, decode: bool, jobs: int | None) -> None:
    """Hold the corpus against what it says of itself: the database, each file, each vector, each cache.

    Every file is read and hashed; a hash that never was is decoded too. A check that you stop goes on where it was when
    you call it again within a day. What is wrong is listed, and the exit code is 1.

    --repair puts back, fetches again from Freesound, and measures again what is damaged or missing; what cannot be
    saved goes to `quarantine/` in the home, with a note.

    \b
    Example:
      mirla check --sample 5%
      mirla check --repair
    """
    from corpus.partway import Wanted

    corpus = app.corpus(make=False)
    with app.phases() as progress:
        report = corpus.check(Wanted(sample, seed, decode, jobs), progress)
    mended = corpus.repair(report) if repair else None
    data: dict[str, Any] = {"sounds": report.sounds, "files": report.files}
    for kind in ("missing", "damaged", "orphaned", "unanalysed", "stale_caches"):
        data[kind] = [one.as_json() for one in getattr(report, kind)]
    data |= {name: getattr(report, name) for name in ("read", "decoded", "bytes", "seed", "went_on")}
    data |= {"seconds": round(report.seconds, 3), "wrong": len(report.wrong)}
    if mended:
        data |= {"repaired": mended.done, "left": [{"what": what, "error": words} for what, words in mended.left]}
    lines = _lines(report) + (_cut(mended.done) if mended else [])
    app.answer(data, lambda console: print_lines(console, lines))
    if mended:
        app.finish(mended.left, _SHOWN)
    elif report.wrong:
        app.say("`mirla check --repair` mends what can be mended.")
        click.get_current_context().exit(1)


def _lines(report: CheckReport) -> list[str]:
    sample = f" (a sample, seed {report.seed})" if report.seed is not None else ""
    lines = [
        f"{many(report.sounds, 'sound')}, {many(report.files, 'file')}; "
        f"{report.read} read{sample}, {report.decoded} decoded, {report.bytes / 1e6:.1f} MB in {report.seconds:.1f} s"
    ]
    for kind in ("damaged", "missing", "orphaned", "stale_caches"):
        name = kind.replace("_", " ")
        lines += _cut([f"{name}: {_said(one)}" for one in getattr(report, kind) if one.wrong], f"{name}: ")
    lines += [f"stale: {one.error}; `mirla analyse` measures them again" for one in report.unanalysed if one.wrong]
    later = sum(not one.wrong for one in report.unanalysed)
    lines += [f"not measured yet: {many(later, 'sound')}; `mirla analyse` does it"] if later else []
    old = sum(not one.wrong for one in report.stale_caches)
    lines += [f"of what was there before: {many(old, 'cache')}; made anew when asked for"] if old else []
    return lines if report.wrong else [*lines, "nothing is wrong"]


def _cut(lines: Sequence[str], begin: str = "") -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"{begin}and {more} more; --json lists all"] if more > 0 else [])]


def _said(one: Any) -> str:
    where = [f"sound {one.id}"] if one.id is not None else []
    where += [f"space {name}" for name in one.spaces] + ([one.path] if one.path else [])
    return f"{', '.join(where)}: {one.error}" if where else one.error
