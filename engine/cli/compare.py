"""`mirla compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table

if TYPE_CHECKING:
    from rich.console import Console

    from engine.agent.evaluate import Estimate
    from engine.compare.results import Comparison


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

    Each figure stands with its 95 % interval over the sounds asked about. A report has plots, and the lists of the
    first two measures side by side, to be heard: it holds excerpts, so hand it on only as their licences allow.

    \b
    Example:
      mirla compare mfcc mfcc_cosine laion_clap -k 5
      mirla compare mfcc 0.7*mfcc+0.3*traits --agent percussive --sample 500
      mirla compare mfcc mfcc_gauss --html report.html --listen 100055 --listen 4832
    """
    from engine.compare.listening import MOST, check
    from engine.compare.report import report
    from engine.compare.run import compare

    if listen and html is None:
        raise click.UsageError("--listen says what a report lets one hear; give its place with --html")
    if len(listen) > MOST:
        raise click.UsageError(f"{len(listen)} sounds to listen to; {MOST} at most")
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
    print_lines(console, [f"{found.sounds} sounds, {found.k} neighbours of each", ""])
    rows = [
        {
            "measure": one.name,
            "covers": f"{one.coverage:.0%}",
            "hubness": "" if one.hubness is None else f"{one.hubness:.2f}",
            "same tag": _words(one.tag_precision),
            "same category": _words(one.category_precision),
            "first is good": _words(one.taste.first_good if one.taste else None),
            "rank of first good": _words(one.taste.rank_of_first_good if one.taste else None),
            "bad leads to good": _words(one.taste.bad_to_good if one.taste else None),
        }
        for one in found.measures
    ]
    headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
    table(console, headings, [[row[heading] for heading in headings] for row in rows])
    if found.pairs:
        print_lines(console, [""])
        pairs = [[one.a, one.b, _words(one.overlap), _words(one.rbo), _words(one.kendall)] for one in found.pairs]
        table(console, ["", "and", "overlap", "rank-biased overlap", "Kendall's tau"], pairs)
    if html is not None:
        print_lines(console, ["", f"report: {html}"])


def _words(one: Estimate | None) -> str:
    return "" if one is None else f"{one.value:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f})"
