"""The learning curve as a self-contained page (see `engine.page`)."""

from __future__ import annotations

from typing import Any

from corpus.text import for_html
from engine.page.page import Page

_BAND = "rgba(11, 110, 102, 0.18)"


def page(report: dict[str, Any]) -> Page:
    """The page of what `engine.agent.curve.curve` answers, which has points."""
    made = Page(
        f"How agent {report['agent']} learns",
        f"Accuracy of {report['classifier']} on held-out sounds by the number of labels it may learn from: "
        f"{report['good']} good and {report['bad']} bad in all.",
    )
    rows = [[point["labels"], *_figures(point["accuracy"]), *_figures(point["balanced"])] for point in report["points"]]
    headings = ["labels", "accuracy", "from", "to", "balanced", "from", "to"]
    made.section("Accuracy", made.figure(_figure(report), "Accuracy against the number of labels, with its interval"))
    made.section("Numbers", made.table(headings, rows), f"{report['protocol']}. Intervals are of 95 %.")
    return made


def _figures(estimate: dict[str, Any]) -> list[float]:
    return [estimate["value"], *estimate["interval"]]


def _figure(report: dict[str, Any]) -> dict[str, Any]:
    x = [point["labels"] for point in report["points"]]
    value, low, high = zip(*(_figures(point["accuracy"]) for point in report["points"]), strict=True)
    line = {"mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    usual = report["baseline"]
    return {
        "data": [
            line | {"y": low},
            line | {"y": high, "fill": "tonexty", "fillcolor": _BAND, "name": "95 % interval", "showlegend": True},
            {"mode": "lines+markers", "x": x, "y": value, "name": for_html(report["classifier"])},
            {
                "mode": "lines",
                "x": [x[0], x[-1]],
                "y": [usual, usual],
                "line": {"dash": "dot"},
                "name": "commoner label",
            },
        ],
        "layout": {
            "xaxis": {"title": {"text": "labels"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "accuracy"}, "range": [0, 1]},
        },
    }
