"""The plots of a report, as plotly's JSON. Every word that goes into one has been through `for_html`."""

from __future__ import annotations

from typing import Any

from corpus.text import for_html
from engine.bench.results import Asked, Cell, SetResult

Figure = dict[str, Any]

# of middling brightness, to be told apart on light and dark paper
_COLOURS = ("#12908a", "#d9772b", "#7a7fe0", "#c9549a", "#8f9130", "#4aa3d0", "#b85a4e", "#9a6fb8")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_GREY = "#8a8f98"
_BAND = "2b"
"""Opacity, in hexadecimal."""
_ROW = 28
"""Pixels of a row."""


def accuracies(one: SetResult, asked: Asked) -> Figure:
    """Accuracy of each cell with its interval, the best on top; the dashed line is the commoner label's share."""
    traces = []
    for number in one.order:
        cell = one.cells[number]
        found = cell.evaluation.accuracy
        low, high = found.interval
        error = {
            "type": "data",
            "symmetric": False,
            "array": [high - found.value],
            "arrayminus": [found.value - low],
            "thickness": 1.5,
        }
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [found.value],
                "y": [_name(cell, asked)],
                "error_x": error,
                "marker": {"color": _colour(cell, asked), "size": 10},
                "hovertemplate": f"%{{y}}: {found.in_words()}<extra></extra>",
            }
        )
    axis = {"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True}
    return {
        "data": traces,
        "layout": {
            "height": _ROW * len(traces) + 100,
            "showlegend": False,
            "margin": {"l": 10, "r": 48, "t": 20, "b": 48},
            "xaxis": {"title": {"text": "accuracy"}},
            "yaxis": axis,
            "shapes": [_baseline(one, "x", "y")],
        },
    }


def curves(one: SetResult, asked: Asked) -> Figure:
    """Accuracy by number of labels; of the best cell with the band of its interval."""
    traces: list[Figure] = []
    for number in one.order:
        cell = one.cells[number]
        labels = [point.labels for point in cell.curve]
        line = {"color": _colour(cell, asked), "width": 2.2, "dash": _dash(cell, asked)}
        if not traces:
            low, high = ([point.accuracy.interval[end] for point in cell.curve] for end in (0, 1))
            traces.append(_band(labels, low, high, _colour(cell, asked)))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": _name(cell, asked),
                "x": labels,
                "y": [point.accuracy.value for point in cell.curve],
                "line": line,
                "marker": {"color": line["color"], "size": 5},
            }
        )
    return {
        "data": traces,
        "layout": {
            "height": 440,
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": {"title": {"text": "labels learnt from"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "accuracy"}, "automargin": True},
            "shapes": [_baseline(one, "y", "x")],
        },
    }


def _baseline(one: SetResult, along: str, across: str) -> Figure:
    """A dashed line at the commoner label's share on one axis, all along the other."""
    return {
        "type": "line",
        f"{along}0": one.baseline,
        f"{along}1": one.baseline,
        f"{across}0": 0,
        f"{across}1": 1,
        f"{across}ref": "paper",
        "line": {"color": _GREY, "width": 1.5, "dash": "dash"},
    }


def _band(x: list[int], low: list[float], high: list[float], colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [*x, *x[::-1]],
        "y": [*high, *low[::-1]],
        "fill": "toself",
        "fillcolor": colour + _BAND,
        "line": {"width": 0},
    }


def _name(cell: Cell, asked: Asked) -> str:
    return for_html(cell.classifier if len(asked.spaces) == 1 else f"{cell.classifier}, {cell.space}")


def _colour(cell: Cell, asked: Asked) -> str:
    return _COLOURS[asked.classifiers.index(cell.classifier) % len(_COLOURS)]


def _dash(cell: Cell, asked: Asked) -> str:
    return _DASHES[asked.spaces.index(cell.space) % len(_DASHES)]
