"""`mirla compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table
from corpus.text import many

if TYPE_CHECKING:
    from rich.console import Console

    from engine.agent.evaluate import Estimate
    from engine.compare.results import Comparison

_SPARE = ("covers", "with the agent")
"""Columns that a narrow terminal does without."""


@command()
@click.argument("measures", nargs=-1, required=True, metavar="MEASURE...")
@click.option("-k", type=click.IntRange(1), default=10, show_default=True, help="How many neighbours count.")
@click.option("--agent", help="Look for this agent's taste in each measure's order.")
@click.option("--sample", type=click.IntRange(1), help="Ask about so many sounds, drawn at random; all unless told.")
@click.option("--same-maker", is_flag=True, help="Let precision count sounds by the same maker or from the same pack.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Make chance repeatable.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report; it needs no network.")
@click.option(
    "--listen", type=int, multiple=True, metavar="ID", help="Sounds whose lists the report lets one hear, up to 50."
)
def compare(
    app: App,
    measures: tuple[str, ...],
    k: int,
    agent: str | None,
    sample: int | None,
    same_maker: bool,
    seed: int,
    html: Path | None,
    listen: tuple[int, ...],
) -> None:
    """Compare definitions of similarity: how far they agree, and how well each finds what belongs together.

    Each figure stands with its 95 % interval over the sounds asked about. Hubness is asked of all sounds only, so that
    there is none with --sample. A report has plots, and the lists of the first two measures side by side, to be heard:
    it holds excerpts, so hand it on only as their licences allow.

    \b
    Example:
      mirla compare mfcc mfcc_cosine laion_clap -k 5
      mirla compare mfcc 0.7*mfcc+0.3*traits --agent percussive --sample 500
      mirla compare mfcc mfcc_gauss --html report.html --listen 100055 --listen 4832
    """
    from engine.compare.listening import MOST, check
    from engine.compare.report import report
    from engine.compare.run import compare
    from engine.page.page import check_writable

    if listen and html is None:
        raise click.UsageError("--listen says what a report lets one hear; give its place with --html")
    if len(listen) > MOST:
        raise click.UsageError(f"{len(listen)} sounds to listen to; {MOST} at most")
    if html is not None:
        check_writable(html)
    corpus = app.corpus()
    check(corpus, measures, listen)
    with app.phases() as progress:
        found = compare(
            corpus,
            measures,
            k,
            agent=agent,
            sample=sample,
            same_maker=same_maker,
            seed=seed,
            progress=lambda done, total: progress("comparing", done, total, "sounds"),
        )
        if html is not None:
            page = report(corpus, found, listen, lambda done, total: progress("excerpts", done, total, "sounds"))
            page.write(html)
    data = found.as_json() | ({} if html is None else {"html": str(html)})
    app.answer(data, lambda console: _draw(console, found, html))


def _draw(console: Console, found: Comparison, html: Path | None) -> None:
    print_lines(console, [f"{many(found.sounds, 'sound')}, {many(found.k, 'neighbour')} of each", ""])
    taste = [one.taste for one in found.measures]
    columns: dict[str, list[Estimate | None]] = {
        "hubness": [one.hubness for one in found.measures],
        "same tag": [one.tag_precision for one in found.measures],
        "same category": [one.category_precision for one in found.measures],
        "first is good": [one.first_good if one else None for one in taste],
        "with the agent": [one.first_good_with_agent if one else None for one in taste],
        "rank of first good": [one.rank_of_first_good if one else None for one in taste],
        "bad leads to good": [one.bad_to_good if one else None for one in taste],
    }
    columns = {heading: each for heading, each in columns.items() if any(each)}
    measures = [[one.name, f"{one.coverage:.0%}"] for one in found.measures]
    _table(console, ["measure", "covers"], measures, columns)
    if found.sampled:
        print_lines(console, ["", "hubness: asked of all sounds only"])
    if found.pairs:
        print_lines(console, [""])
        agreements = {
            "overlap": [one.overlap for one in found.pairs],
            "rank-biased overlap": [one.rbo for one in found.pairs],
            "Kendall's tau": [one.kendall for one in found.pairs],
        }
        _table(console, ["", "and"], [[one.a, one.b] for one in found.pairs], agreements)
    if html is not None:
        print_lines(console, ["", f"report: {html}"])


def _table(
    console: Console, names: Sequence[str], rows: Sequence[list[str]], columns: Mapping[str, Sequence[Estimate | None]]
) -> None:
    """Names, and columns of estimates with the number of targets behind them below the heading."""
    headings = [*names, *(f"{heading}\n{_n(each)}" for heading, each in columns.items())]
    spare = [heading for heading in headings if heading.split("\n")[0] in _SPARE]
    words = [[one.in_words() if one else "" for one in each] for each in columns.values()]
    table(console, headings, [[*row, *cells] for row, *cells in zip(rows, *words, strict=True)], spare)


def _n(estimates: Sequence[Estimate | None]) -> str:
    """How many targets there are behind figures of one kind."""
    counts = {one.n for one in estimates if one} or {0}
    low, high = min(counts), max(counts)
    return f"n = {low}" if low == high else f"n = {low} to {high}"
