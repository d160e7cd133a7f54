"""The map as a page: a dot for each sound, its name on hover, its excerpt on a click.

Up to `EXCERPTS` sounds can be heard in the page itself. Where there are more, those are spread evenly over the map and
drawn larger; another one says how to hear it, or why it cannot be heard: without audio on hover, else on a click.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Sound
from corpus.text import for_html
from engine.agent.judging import Verdicts, judge
from engine.errors import QueryError
from engine.map.groups import REST, Group, by_licence, by_tag, by_verdict
from engine.map.positions import Positions, positions
from engine.page.excerpts import excerpts
from engine.page.page import Page
from engine.similarity.measures import Measure, measure

EXCERPTS = 200
"""Sounds that a map lets one hear, at most."""
_MANY = 2000
"""From so many dots on they are drawn by WebGL."""
_WIDTH = 60
"""Characters of a line on hover."""
_OUTLINE = "#fbfaf7"

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Map:
    """What was drawn: the page, how many sounds it shows and lets one hear, the axes, and what else there is to say."""

    page: Page
    sounds: int
    excerpts: int
    explained: tuple[float, float] | None
    caveats: list[str]


def draw(
    corpus: Corpus,
    name: str,
    *,
    agent: str | None = None,
    colour: str | None = None,
    projection: str = "pca",
    seed: int = 0,
    progress: Callable[[str, int, int | None, str], None] = lambda *_: None,
) -> Map:
    """Draw all sounds that a measure knows.

    Parameters
    ----------
    name : str
        A measure, or a mix of some.
    agent : str, optional
        Whose verdicts are shown.
    colour : {"tag", "licence", "verdict"}, optional
        What colours stand for; verdicts where there is an agent, else tags.
    projection, seed
        As in `positions`.
    progress : callable, optional
        Called with phase, items done, all items and what they are.

    Raises
    ------
    UnknownMeasure, UnknownAgent
        There is none of that name.
    NoVectors, QueryError, EngineError
        As in `positions`; or verdicts are wanted of no agent.
    TrainingError
        The agent was not trained.
    """
    if colour == "verdict" and agent is None:
        raise QueryError("verdicts are an agent's: name one with --agent, or choose another --colour")
    how = measure(name)
    verdicts = None if agent is None else judge(corpus, agent)
    where = positions(corpus, how, projection, seed, lambda done, total: progress("measuring", done, total, "sounds"))
    sounds = corpus.sounds.many(where.ids.tolist())
    groups = _groups(sounds, colour, verdicts)
    heard = _spread(where.xy, np.flatnonzero([sound.file is not None for sound in sounds]))
    some = excerpts([sounds[place] for place in heard], lambda done, all_: progress("excerpts", done, all_, "sounds"))
    heard = heard[[one.uri is not None for one in some]]
    caveats = _caveats(corpus, how, where)
    words = " ".join(["Hover over a dot for its name.", _how_to_hear(len(heard), len(sounds)), *caveats])
    lead = f"Measure {how.name}: {how.about}. The nearer two dots, the more alike."
    page = Page(f"Map of {len(sounds)} sounds", lead)
    figure = {"data": _traces(where, sounds, groups, heard, verdicts), "layout": _layout(projection, where)}
    label = f"Scatter plot of {len(sounds)} sounds; the list below has those that can be heard."
    page.section("Map", words, page.figure(figure, label))
    if some:
        page.section("To be heard here", "Each with its maker and licence.", page.players(some))
    return Map(page, len(sounds), len(heard), where.explained, caveats)


def _groups(sounds: Sequence[Sound], colour: str | None, verdicts: Verdicts | None) -> list[Group]:
    if verdicts is not None and colour in (None, "verdict"):
        return by_verdict(sounds, verdicts)
    return by_licence(sounds) if colour == "licence" else by_tag(sounds)


def _how_to_hear(heard: int, sounds: int) -> str:
    if not heard:
        return "None can be heard here."
    if heard == sounds:
        return "Click to hear it."
    return "Click a larger one to hear it; another says how to hear it, or why it cannot be heard."


def _caveats(corpus: Corpus, how: Measure, where: Positions) -> list[str]:
    """What a reader should know about these places."""
    remarks = []
    if len(where.ids) == 1:
        remarks.append("There is only one sound, so its place says nothing.")
    elif not np.ptp(where.xy, axis=0).any():
        remarks.append("To this measure all sounds are alike: they lie on one spot.")
    elif where.explained:
        remarks.append(f"The two axes keep {sum(where.explained):.0%} of the variance.")
    lacking = len(corpus.sounds.ids()) - len(where.ids)
    if lacking:
        remarks.append(f"{lacking} other sounds are unknown to the measure {how.name} and not on the map.")
    return remarks


def _spread(xy: npt.NDArray[np.float32], places: Places) -> Places:
    """At most `EXCERPTS` of the places, ascending: one in the middle, then always the farthest from those chosen."""
    if len(places) <= EXCERPTS:
        return places
    points = xy[places].astype(np.float64)
    chosen = [int(np.argmin(((points - np.median(points, axis=0)) ** 2).sum(axis=1)))]
    apart = np.full(len(points), np.inf)
    while len(chosen) < EXCERPTS:
        apart = np.minimum(apart, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        apart[chosen] = -1  # not twice, where many lie on one spot
        chosen.append(int(np.argmax(apart)))
    return np.asarray(places[np.sort(chosen)])


def _traces(
    where: Positions, sounds: Sequence[Sound], groups: Sequence[Group], heard: Places, verdicts: Verdicts | None
) -> list[dict[str, Any]]:
    """Of each group the dots that cannot be heard, and on top of all these the ones that can."""
    audible = np.zeros(len(sounds), bool)
    audible[heard] = True
    texts = [_hover(sound, verdicts) for sound in sounds]
    apart, few = not audible.all(), len(sounds) < _MANY
    played = np.where([sound.file is not None for sound in sounds], where.ids, 0).astype(np.int32)
    traces: list[dict[str, Any]] = []
    for larger in (False, True):
        for number, group in sorted(enumerate(groups), key=lambda one: one[1].colour != REST):
            members = group.members[audible[group.members] == larger]
            if not len(members):
                continue
            marker: dict[str, Any] = {
                "color": group.colour,
                "symbol": group.symbol,
                "size": 6 if few else 4,
                "opacity": 0.5,
            }
            if larger:
                marker |= {"size": 10, "opacity": 0.9, "line": {"width": 1.5 if apart else 0.5, "color": _OUTLINE}}
            traces.append(
                {
                    "type": "scatter" if few else "scattergl",
                    "mode": "markers",
                    "name": f"{for_html(_short(group.name, 30))} ({len(group.members)})",
                    "legendgroup": str(number),
                    "legendrank": 1000 + number,
                    "showlegend": all(trace["legendgroup"] != str(number) for trace in traces),
                    "x": where.xy[members, 0],
                    "y": where.xy[members, 1],
                    "customdata": played[members],
                    "text": [texts[place] for place in members],
                    "hoverinfo": "text",
                    "marker": marker,
                }
            )
    return traces


def _hover(sound: Sound, verdicts: Verdicts | None) -> str:
    """What a dot says: name, verdict, maker and licence, tags; safe in plotly's labels."""
    lines = [*wrap(_short(sound.name, 2 * _WIDTH), _WIDTH)]
    if verdicts is not None:
        verdict = verdicts.of(sound.id)
        p = "" if verdict["p"] is None else f", p {verdict['p']:.2f}"
        lines.append(f"{verdicts.agent}: {verdict['label'] or 'not judged'}{p}")
    lines.append(_short(f"by {sound.username or 'an unknown maker'}, {sound.licence}", _WIDTH))
    lines.extend(wrap(_short(" ".join(sound.tags), 2 * _WIDTH), _WIDTH))
    if sound.file is None:
        lines.append("no audio here")
    return "<br>".join(for_html(line) for line in lines)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _layout(projection: str, where: Positions) -> dict[str, Any]:
    """Both axes on one scale, since distances are what is to be seen."""
    shares = [f" ({share:.0%} of the variance)" for share in where.explained or ()] or ["", ""]
    bare = {"showticklabels": False, "zeroline": False, "ticks": ""}
    axes = [
        bare | {"title": {"text": f"component {number}{share}" if projection == "pca" else ""}}
        for number, share in enumerate(shares, 1)
    ]
    return {
        "xaxis": axes[0],
        "yaxis": axes[1] | {"scaleanchor": "x"},
        "legend": {"itemsizing": "constant", "orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "dragmode": "pan",
    }
