"""`mirla agreement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table

if TYPE_CHECKING:
    from rich.console import Console


@command()
@click.option("-k", default=5, type=click.IntRange(1), show_default=True, help="How many of the farthest sounds.")
def agreement(app: App, k: int) -> None:
    """How far what is measured here is from what Freesound measured, for each of the 26 MFCC numbers.

    Freesound measures the originals, you have previews: compression makes a small difference. The sounds that differ
    most come last; among them you find a preview that is not the same audio as its sound.

    \b
    Example:
      mirla agreement -k 10
    """
    corpus = app.corpus()
    found = corpus.agreement(k)
    ids = [int(found.ids[one.row]) for one in found.farthest]
    data = {
        "sounds": len(found.ids),
        "by_source": found.by_source,
        "typical_deviations": found.typical,
        "coefficients": [asdict(one) for one in found.coefficients],
        "farthest": [
            {
                "id": sound.id,
                "name": sound.name,
                "coefficient": one.coefficient,
                "difference": one.difference,
                "deviations": one.deviations,
            }
            for sound, one in zip(corpus.sounds.many(ids), found.farthest, strict=True)
        ],
    }
    app.answer(data, lambda console: _draw(console, data))


def _draw(console: Console, data: dict[str, Any]) -> None:
    _table(console, ["name", "bias", "median", "p95", "max", "correlation"], data["coefficients"])
    console.print()
    _table(console, ["id", "name", "coefficient", "difference", "deviations"], data["farthest"])
    console.print()
    print_lines(console, [_sentence(data)])


def _table(console: Console, headings: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    table(console, headings, ([_three_decimals(row[heading]) for heading in headings] for row in rows))


def _three_decimals(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


def _sentence(data: dict[str, Any]) -> str:
    sources = ", ".join(f"{count} {source}" for source, count in data["by_source"].items())
    compared = f"{data['sounds']} sound{'s' if data['sounds'] > 1 else ''} compared ({sources})"
    if data["typical_deviations"] is None:
        return f"{compared}. Harvest and analyse others: without them, nothing says how much a difference means."
    return (
        f"{compared}. A number measured here is typically off by {data['typical_deviations']:.1%} of how far sounds lie"
        " apart (one standard deviation). A preview that is not the same audio as its sound would be among the farthest"
        " here, so listen to those first."
    )
