"""`mirla search`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command
from engine.cli.choosing import choosing, show_answer

if TYPE_CHECKING:
    from engine.query.run import Choice


@command()
@click.argument("text", nargs=-1, metavar="[TEXT]")
@choosing
def search(app: App, text: tuple[str, ...], choice: Choice) -> None:
    """Find sounds by words in their name, tags, description or maker's name.

    All words must occur; -word must not; "two words" in that order (put -- before a first -word).
    Without TEXT all sounds are listed, in order of id. With --near the order is by score, the nearest first.

    \b
    Example:
      mirla search cymbal --tag drum -k 5
      mirla search -- cymbal -hard
      mirla search --filter 'duration:[0 TO 2] -tag:loop license:"Creative Commons 0"'
      mirla search drum --near pitch=440 --near loudness=-12
    """
    from engine.query import run

    answer = run.search(app.corpus(), replace(choice, text=" ".join(_quoted(word) for word in text)))
    show_answer(app, answer, {"total": answer.allowed})


def _quoted(argument: str) -> str:
    """An argument with spaces that the shell unquoted was a phrase, unless quotes are still in it."""
    return f'"{argument}"' if " " in argument and '"' not in argument else argument
