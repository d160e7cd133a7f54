"""`mirla path`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command
from engine.cli.choosing import choosing_steps, show_answer
from engine.similarity import DEFAULT

if TYPE_CHECKING:
    from engine.query.run import Choice


@command()
@click.argument("first", type=int, metavar="A")
@click.argument("last", type=int, metavar="B")
@click.option(
    "--measure", default=DEFAULT, show_default=True, help="What an even step is; `mirla measures` lists them."
)
@choosing_steps
def path(app: App, first: int, last: int, measure: str, choice: Choice) -> None:
    """Walk from one sound to another in even steps, each to the nearest sound that was not taken yet.

    The steps lie on the straight line between the two (by cosine, on the shortest arc). The choosing options are for
    what lies between. Lists, divergences, and mixes with other than Euclidean measures have no such line.

    \b
    Example:
      mirla path 4832 100055 -n 6 --with-audio
    """
    from engine.query import run

    show_answer(app, run.path(app.corpus(), first, last, choice, measure), {})
