"""The plots of a report, as plotly's JSON. Every word that goes into one has been through `for_html`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpus.text import for_html
from engine.agent.evaluate import Estimate
from engine.compare.results import Agreement, Quality

Figure = dict[str, Any]

# of middling brightness, to be told apart on light and dark paper
_COLOURS = ("#12908a", "#d9772b", "#7a7fe0", "#c9549a", "#8f9130", "#4aa3d0", "#b85a4e", "#9a6fb8")
_BAND = "33"
"""Opacity, in hexadecimal."""
_ROW = 56
"""Pixels of a row."""
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
_LOGARITHMIC = {
    "type": "log",
    "tickmode": "array",
    "tickvals": [digit * 10**power for power in range(7) for digit in (1, 2, 5)],
}
_UNSIGNED = [[0, "#eef2ee"], [1, "#0b6e66"]]
_SIGNED = [[0, "#a94f22"], [0.5, "#f1efe8"], [1, "#0b6e66"]]


def matrix(measures: Sequence[Quality], pairs: Sequence[Agreement], figure: str, least: float) -> Figure:
    """One kind of agreement of each two measures, with its interval, as a coloured square; from `least` to 1."""
    names = [for_html(one.name) for one in measures]
    place = {one.name: number for number, one in enumerate(measures)}
    values: list[list[float | None]] = [[None] * len(names) for _ in names]
    words = [[""] * len(names) for _ in names]
    for pair in pairs:
        estimate: Estimate | None = getattr(pair, figure)
        for a, b in ((place[pair.a], place[pair.b]), (place[pair.b], place[pair.a])):
            values[a][b] = None if estimate is None else estimate.value
            words[a][b] = "" if estimate is None else _in_two_lines(estimate)
    trace = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": values,
        "text": words,
        "texttemplate": "%{text}",
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
        "hoverongaps": False,
        "zmin": least,
        "zmax": 1,
        "colorscale": _SIGNED if least < 0 else _UNSIGNED,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    plain = {
        "type": "category",
        "automargin": True,
        "fixedrange": True,
        "showgrid": False,
        "showline": False,
        "zeroline": False,
        "ticks": "",
    }
    return {
        "data": [trace],
        "layout": {
            "height": _ROW * len(names) + 70,
            "margin": {"l": 10, "r": 48, "t": 30, "b": 10},
            "xaxis": {**plain, "side": "top"},
            "yaxis": {**plain, "autorange": "reversed"},
        },
    }


def precision(measures: Sequence[Quality], what: str) -> Figure:
    """Precision at 1, 2, ... k of each measure, with the band of its interval; `what` is `tags` or `categories`."""
    traces: list[Figure] = []
    for number, one in enumerate(measures):
        known = [(at, each) for at, each in enumerate(getattr(one, what), 1) if each is not None]
        x = [at for at, _ in known]
        low, high = ([each.interval[end] for _, each in known] for end in (0, 1))
        traces.append(_band(number, one.name, x, low, high))
        traces.append(_line(number, one.name, x, [each.value for _, each in known], "lines+markers"))
    x_axis = {
        "title": {"text": "neighbours counted"},
        "tickformat": "d",
        "dtick": 1 if len(measures[0].tags) < 16 else None,
    }
    return _lines(traces, x_axis, {"title": {"text": "share"}, "rangemode": "tozero"})


def hubness(measures: Sequence[Quality]) -> Figure:
    """How many sounds are in how many lists, at the least; both axes logarithmic."""
    traces = []
    for number, one in enumerate(measures):
        counts = np.array(one.occurrences)
        at_least = counts[::-1].cumsum()[::-1] / counts.sum()
        lists = np.flatnonzero(counts)  # the steps alone
        lists = lists[lists > 0]
        traces.append(_line(number, one.name, lists.tolist(), at_least[lists].tolist(), "lines+markers"))
    x_axis = {"title": {"text": "lists that a sound is in, or more"}, **_LOGARITHMIC}
    return _lines(
        traces, x_axis, {"title": {"text": "share of all sounds"}, "type": "log", "tickformat": ".2~%", "dtick": 1}
    )


def skewness(measures: Sequence[Quality]) -> Figure:
    """Hubness of each measure, with its interval."""
    traces = []
    for number, one in enumerate(measures):
        if one.hubness is None:
            continue
        value, (low, high) = one.hubness.value, one.hubness.interval
        error = {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low]}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value],
                "y": [for_html(one.name)],
                "error_x": error,
                "marker": {"color": _colour(number), "size": 11},
                "hovertemplate": f"%{{y}}: {one.hubness.in_words()}<extra></extra>",
            }
        )
    return {
        "data": traces,
        "layout": {
            "height": 34 * len(traces) + 100,
            "showlegend": False,
            "margin": {"l": 10, "r": 48, "t": 20, "b": 48},
            "xaxis": {"title": {"text": "hubness (skewness)"}, "rangemode": "tozero"},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
        },
    }


def first_good(measures: Sequence[Quality]) -> Figure:
    """The share of targets whose first good neighbour is at a rank, or before."""
    traces = []
    for number, one in enumerate(measures):
        if one.taste is None or not one.taste.ranks:
            continue
        ranks, last = np.unique(one.taste.ranks, return_index=True)
        shares = np.append(last[1:], len(one.taste.ranks)) / len(one.taste.ranks)
        trace = _line(number, one.name, ranks.tolist(), shares.tolist(), "lines")
        traces.append({**trace, "line": {**trace["line"], "shape": "hv"}})
    x_axis = {"title": {"text": "rank of the first good neighbour, or before"}, **_LOGARITHMIC}
    return _lines(traces, x_axis, {"title": {"text": "share of targets"}, "range": [0, 1.02], "tickformat": ".0%"})


def _line(number: int, name: str, x: Sequence[float], y: Sequence[float], mode: str) -> Figure:
    return {
        "type": "scatter",
        "mode": mode,
        "name": for_html(name),
        "legendgroup": str(number),
        "x": list(x),
        "y": list(y),
        "line": {"color": _colour(number), "width": 2.5},
        "marker": {"color": _colour(number), "size": 7},
    }


def _band(number: int, name: str, x: Sequence[int], low: Sequence[float], high: Sequence[float]) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": for_html(name),
        "legendgroup": str(number),
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [*x, *x[::-1]],
        "y": [*high, *low[::-1]],
        "fill": "toself",
        "fillcolor": _colour(number) + _BAND,
        "line": {"width": 0},
    }


def _lines(traces: list[Figure], x_axis: Figure, y_axis: Figure) -> Figure:
    layout = {
        "height": 420,
        "legend": _LEGEND,
        "showlegend": True,
        "xaxis": x_axis,
        "yaxis": {**y_axis, "automargin": True},
    }
    return {"data": traces, "layout": layout}


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _in_two_lines(estimate: Estimate) -> str:
    low, high = (f"{end:.2f}".replace("0.", ".") for end in estimate.interval)
    return f"{estimate.value:.2f}<br>[{low}, {high}]"
