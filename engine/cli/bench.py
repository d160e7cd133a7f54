"""`mirla bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table

if TYPE_CHECKING:
    from rich.console import Console

    from engine.bench.results import Bench, SetResult


def _listed(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Given several times, or with commas."""
    return tuple(word for value in values for word in value.split(",") if word)


@command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--classifiers", multiple=True, callback=_listed, help="Which to compare, with commas; all unless told.")
@click.option(
    "--spaces",
    multiple=True,
    callback=_listed,
    help="On which spaces, with commas; A+B puts two side by side; mfcc unless told.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report; it needs no network.")
@click.option("--resume", is_flag=True, help="Go on with one that was stopped: keep the cells that are finished.")
@click.option("--repeats", type=click.IntRange(1, 1000), default=20, show_default=True, help="Of the cross-validation.")
@click.option("--curves/--no-curves", default=True, help="Learning curves, which take most of the time.")
@click.option(
    "--most",
    type=click.IntRange(2, 5000),
    default=500,
    show_default=True,
    help="Sounds of each class drawn of a tag or category.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores unless told.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Make chance repeatable.")
def bench(
    app: App,
    names: tuple[str, ...],
    classifiers: tuple[str, ...],
    spaces: tuple[str, ...],
    html: Path | None,
    resume: bool,
    jobs: int | None,
    **how: Any,
) -> None:
    """Compare classifiers on labelled sets, each on every space, by the same folds.

    NAME is an agent's, whose labels are taken; or tag:TAG, the sounds that have a tag against as many drawn from those
    that have not; or category:CATEGORY, the same by the categories that makers gave. Only sounds known to every space
    take part.

    Accuracies are of repeated cross-validation, with 95 % intervals over sounds (uploaders). Differences are paired;
    their p is of a t test corrected for overlapping training sets (Nadeau and Bengio), adjusted by Holm's method over
    all pairs of one set. Each finished cell is kept: --resume goes on.

    \b
    JSON: {"sets": [{"name", "good", "bad", "baseline", "protocol", "labels_hash",
      "cells": [{"classifier", "space", "accuracy", "balanced", "auc", "confusion",
        "fit_seconds", "judging": {"sounds", "seconds", "seconds_per_million"},
        "curve": [{"labels", "accuracy", "balanced"}]}],
      "differences": [{"first", "second", "difference", "t", "df", "p", "p_holm"}]}],
      "seed", "provenance": ...}; an estimate is {"value", "interval", "n"}.

    \b
    Example:
      mirla bench water --classifiers lda,mlp
      mirla bench water tag:rain --spaces mfcc,mfcc+traits9 --html bench.html
    """
    from engine.bench.report import report
    from engine.bench.results import Asked
    from engine.bench.run import bench as run
    from engine.page.page import check_writable

    if html is not None:
        check_writable(html)
    corpus = app.corpus()
    with app.progress("benchmarking", "steps") as progress:
        found = run(corpus, Asked(names, classifiers, spaces, **how), jobs=jobs, resume=resume, progress=progress)
    if resume:
        app.say(f"{found.resumed} of {sum(len(one.cells) for one in found.sets)} cells were there already")
    if html is not None:
        report(found).write(html)
    data = found.as_json() | ({} if html is None else {"html": str(html)})
    app.answer(data, lambda console: _draw(console, found, html))


def _draw(console: Console, found: Bench, html: Path | None) -> None:
    headings = ["classifier", "space", "accuracy", "balanced", "AUC", "behind the best", "p", "fit ms", "s per 10^6"]
    for one in found.sets:
        given = one.given
        left_out = f", {given.left_out} left out for want of vectors" if given.left_out else ""
        said = f"{given.name}: {given.good} good, {given.bad} bad{left_out}; the commoner label: {one.baseline:.2f}"
        print_lines(console, [said])
        table(console, headings, [_row(one, number) for number in one.order], spare=["balanced", "AUC", "fit ms"])
        print_lines(console, [one.folds.protocol, ""])
    print_lines(console, ["p is of the difference to the best, corrected (Nadeau-Bengio) and adjusted (Holm)"])
    if html is not None:
        print_lines(console, [f"report: {html}"])


def _row(one: SetResult, number: int) -> list[str]:
    from engine.bench.words import apart, chance, figure

    cell, best = one.cells[number], one.order[0]
    found = cell.evaluation
    behind = None if number == best else one.between(best, number)
    return [
        cell.classifier,
        cell.space,
        *(figure(each) for each in (found.accuracy, found.balanced, found.auc)),
        "" if behind is None else apart(behind, best),
        "" if behind is None else chance(behind.p_holm),
        f"{1e3 * cell.judging.fit_seconds:.1f}",
        f"{cell.judging.per_million:.2f}",
    ]
