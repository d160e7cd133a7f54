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
@click.argument("target", type=int, metavar="ID")
@click.option(
    "--measure", default=DEFAULT, show_default=True, help="What near means; `mirla measures` lists them; or a mix."
)
@choosing
def similar(app: App, target: int, measure: str, choice: Choice) -> None:
    """The sounds nearest to one, by a measure of your choosing.

    With --agent the whole corpus is judged and the nearest good sounds are returned, in order of distance.

    \b
    Example:
      mirla similar 4832 -k 5 --agent percussive
      mirla similar 4832 --measure "0.7*mfcc+0.3*traits"
    """
    from engine.query import run

    answer = run.similar(app.corpus(), target, choice, measure)
    show_answer(app, answer, {"measure": measure, "allowed": answer.allowed})
