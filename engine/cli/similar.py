"""`mirla similar`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command
from engine.cli.choosing import choosing, show_answer
from engine.similarity import DEFAULT

if TYPE_CHECKING:
    from engine.query.run import Choice


@command()
@click.argument("likes", type=int, nargs=-1, required=True, metavar="ID...")
@click.option("--unlike", type=int, multiple=True, metavar="ID", help="Away from this sound; several: from them all.")
@click.option(
    "--measure", default=DEFAULT, show_default=True, help="What near means; `mirla measures` lists them; or a mix."
)
@choosing
def similar(app: App, likes: tuple[int, ...], unlike: tuple[int, ...], measure: str, choice: Choice) -> None:
    """The sounds nearest to one or several, by a measure of your choosing.

    With --agent the whole corpus is judged and the nearest good sounds are returned, in order of distance. With several
    IDs, or with --unlike, the order is by score, less first: the mean squared distance to the IDs, minus half the mean
    squared distance to the unlike ones.

    \b
    Example:
      mirla similar 4832 -k 5 --agent percussive
      mirla similar 4832 --measure "0.7*mfcc+0.3*traits"
      mirla similar 4832 100055 --unlike 130427
      mirla similar 4832 --spread 0.5
    """
    from engine.query import run

    answer = run.similar(app.corpus(), likes, choice, measure, unlike)
    show_answer(app, answer, {"measure": measure, "allowed": answer.allowed})
