"""`mirla measures`."""

from __future__ import annotations

from dataclasses import asdict

from corpus.cli.app import App, command, table


@command()
def measures(app: App) -> None:
    """List the definitions of similarity, and how many sounds each can compare.

    Wherever one is wanted, a mix of some will do, such as 0.7*mfcc+0.3*traits.

    \b
    Example:
      mirla measures
    """
    from engine.similarity.measures import MEASURES

    corpus = app.corpus()
    data = [{"name": one.name, **asdict(one.covers(corpus)), "about": one.about} for one in MEASURES.values()]
    headings = ["name", "space", "dims", "metric", "sounds", "about"]
    rows = [[row[heading] for heading in headings] for row in data]
    app.answer({"measures": data}, lambda console: table(console, headings, rows))
