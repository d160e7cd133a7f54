"""`mirla random`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command
from engine.cli.choosing import choosing, show_answer
from engine.similarity import DEFAULT

if TYPE_CHECKING:
    from corpus.model import Grouping
    from engine.query.run import Choice


@command()
@click.option(
    "--even-by",
    type=click.Choice(["user", "pack", "tag"]),
    help="Draw one of these first, each as likely as any other, then a sound of it.",
)
@click.option(
    "--far-from", type=int, metavar="ID", help="Only the tenth of what fits that is farthest from this sound."
)
@click.option("--measure", default=DEFAULT, show_default=True, help="What far means; `mirla measures` lists them.")
@choosing
def random(app: App, even_by: Grouping | None, far_from: int | None, measure: str, choice: Choice) -> None:
    """Draw sounds at random, none twice.

    Sounds without user, pack or tag count as one group. --far-from draws from k sounds at least.

    \b
    Example:
      mirla random -k 3 --agent percussive --seed 7
      mirla random --even-by user --far-from 4832
    """
    from engine.query import run

    show_answer(app, run.random_sounds(app.corpus(), choice, even_by, far_from, measure), {})
