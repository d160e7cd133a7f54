"""`mirla map`."""

from __future__ import annotations

from pathlib import Path

import click

from corpus.cli.app import App, command, print_lines


@command()
@click.option("--measure", default="mfcc", show_default=True, help="What near means: see `mirla measures`.")
@click.option("--agent", help="Show this agent's verdicts.")
@click.option(
    "--colour",
    type=click.Choice(["tag", "licence", "verdict"]),
    help="What colours stand for; verdicts with --agent, else tags.",
)
@click.option(
    "--projection",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    show_default=True,
    help="How to flatten: PCA keeps distances, UMAP neighbourhoods (`pip install 'mirla[map]'`).",
)
@click.option(
    "--html",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write; needs no network.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Make chance repeatable.")
def map(app: App, measure: str, agent: str | None, colour: str | None, projection: str, html: Path, seed: int) -> None:
    """Draw every sound as a dot: hover for its name, click to hear it.

    The page holds short excerpts of up to 200 sounds, with their credits. Hand it on only as their licences allow.

    \b
    Example:
      mirla map --html map.html
      mirla map --measure laion_clap --agent water --html water.html
    """
    from engine.map.draw import draw
    from engine.page.page import check_writable

    check_writable(html)
    corpus = app.corpus()
    with app.phases() as progress:
        made = draw(corpus, measure, agent=agent, colour=colour, projection=projection, seed=seed, progress=progress)
    made.page.write(html)
    data = {
        "html": str(html),
        "sounds": made.sounds,
        "excerpts": made.excerpts,
        "projection": projection,
        "explained": made.explained,
    }
    words = f"{html}: {made.sounds} sounds, {made.excerpts} of them can be heard"
    app.answer(data, lambda console: print_lines(console, [words, *made.caveats]))
