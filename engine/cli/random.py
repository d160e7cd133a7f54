"""`mirla random`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.cli.app import App, command
from engine.cli.choosing import choosing, show_answer

if TYPE_CHECKING:
    from engine.query.run import Choice


@command()
@choosing
def random(app: App, choice: Choice) -> None:
    """Draw sounds at random, none twice.

    \b
    Example:
      mirla random -k 3 --agent percussive --seed 7
    """
    from engine.query import run

    show_answer(app, run.random_sounds(app.corpus(), choice), {})
