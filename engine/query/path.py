"""A walk from one sound to another in even steps.

Between the two prepared vectors, points are set at even steps: on the straight line, or for cosine measures on the
shortest arc of the unit sphere. From the first to the last, each point takes the nearest sound that was not taken yet,
ties by id. Mixes of Euclidean measures are Euclidean too; other metrics have no line to walk on.
"""

from __future__ import annotations

from operator import index

import numpy as np

from corpus.library import Corpus
from engine import features
from engine.errors import QueryError
from engine.query.order import Floats, Ids
from engine.similarity.compared import Compared, compared
from engine.similarity.measures import Measure, VectorMeasure
from engine.similarity.metrics import COSINE, EUCLIDEAN, unit
from engine.similarity.mix import Mix

_STRAIGHT = 1e-6
"""Sine of an angle below which an arc is as good as its chord, or is not the only one."""


def passable(corpus: Corpus, measure: Measure, first: int, last: int, n: int) -> Compared:
    """What a measure compares, if there is a way from one sound to the other.

    Raises
    ------
    QueryError
        The two are one, n is below 2, or the measure has no straight lines.
    UnknownSound
        One of them is not held.
    NoVectors
        The measure knows nothing of one of them.
    """
    first, last = index(first), index(last)
    if first == last:
        raise QueryError(f"a path needs two sounds, and both are {first}")
    if n < 2:
        raise QueryError(f"a path of {n} sounds cannot have two ends; ask for 2 at least")
    corpus.sounds.many([first, last])
    parts = [part for _, part in measure.parts] if isinstance(measure, Mix) else [measure]
    metrics = [part.metric for part in parts if isinstance(part, VectorMeasure)]
    if metrics and not (metrics == [COSINE] or all(metric is EUCLIDEAN for metric in metrics)):
        raise QueryError(f"measure {measure.name!r} has no straight line to walk on; try --measure mfcc")
    return compared(corpus, measure, [first, last], "a path")


def walk(known: Compared, first: int, last: int, n: int, among: Ids) -> Ids:
    """Sounds from one to another, both included: n of them, or as many as there are.

    Parameters
    ----------
    known : Compared
        See `passable`.
    first, last : int
    n : int
    among : (m,) int64
        What may lie between; neither of the two.
    """
    ends = known.X[known.rows([first, last])].astype(np.float64)
    points = (_arc if known.metric is COSINE else _line)(ends[0], ends[1], min(n - 2, len(among)))
    if not len(points):
        return np.array([first, last])
    free = features.among(known.ids, among)
    taken: list[int] = []
    for point in points:
        row = int(known.index.nearest(point, 1, free)[0][0])
        free[row] = False
        taken.append(row)
    return np.array([first, *known.ids[taken].tolist(), last])


def _line(start: Floats, end: Floats, count: int) -> Floats:
    """Points (count, d) that part a line into equal steps."""
    steps = np.arange(1, count + 1)[:, None] / (count + 1)
    return np.asarray(start + steps * (end - start))


def _arc(start: Floats, end: Floats, count: int) -> Floats:
    """Points (count, d) that part the shortest arc between two directions into equal angles."""
    start, end = unit(start[None])[0], unit(end[None])[0]
    angle = float(np.arccos(np.clip(start @ end, -1, 1)))
    if np.sin(angle) < _STRAIGHT:
        return _line(start, end, count)
    steps = np.arange(1, count + 1)[:, None] / (count + 1)
    return np.asarray((np.sin((1 - steps) * angle) * start + np.sin(steps * angle) * end) / np.sin(angle))
