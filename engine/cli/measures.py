"""`mirla measures`."""

from __future__ import annotations

from corpus.cli.app import App, command, table


@command()
def measures(app: App) -> None:
    """List the definitions of similarity, and how many sounds each can compare.

    \b
    Example:
      mirla measures
    """
    from engine.similarity.measures import MEASURES

    vectors = app.corpus().vectors
    counts = vectors.counts()
    spaces = {measure.space: vectors.space(measure.space) for measure in MEASURES.values()}
    data = [
        {
            "name": measure.name,
            "space": measure.space,
            "dims": space.dim if (space := spaces[measure.space]) else None,
            "metric": measure.metric,
            "sounds": counts.get(measure.space, 0),
            "about": measure.about,
        }
        for measure in MEASURES.values()
    ]
    headings = ["name", "space", "dims", "metric", "sounds", "about"]
    rows = [[row[heading] for heading in headings] for row in data]
    app.answer({"measures": data}, lambda console: table(console, headings, rows))
