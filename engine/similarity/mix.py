"""Mixes: several measures at once, as an expression like `0.7*mfcc+0.3*traits`.

Each measure's squared distance counts by its mean over 10 000 random pairs of sounds, so that a weight says how much a
measure has to say whatever its unit; the distance is the square root of the weighted sum. Only sounds that all the
measures know are compared. Preparations are fitted on each measure's whole space, as if it stood alone.

    mix   = part *("+" part)
    part  = [weight "*"] measure       ; a weight is from 1e-6 to 1e6, and 1 unless given; spaces are allowed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np

from corpus.library import Corpus
from engine.errors import UnknownMeasure
from engine.features import load
from engine.similarity.index import ExactIndex
from engine.similarity.kept import definition
from engine.similarity.measures import Coverage, Ids, Measure, Surroundings, VectorMeasure, among_others, measure
from engine.similarity.metrics import EUCLIDEAN, Embedding, Floats, Matrix, Metric

PAIRS = 10_000
_LEAST, _MOST = 1e-6, 1e6
"""Weights beyond would leave a measure unheard, or numbers that no float can hold."""
_SEED = 0
_HELD = 8
"""How many mixes are held ready, those asked for last."""
_BLOCK = 1 << 12
"""Pairs measured at a time."""
_WEIGHT = re.compile(r"\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(\*?)")
_NAME = re.compile(r"\s*([^\s+*]+)\s*")


@dataclass(frozen=True)
class Mix(Measure):
    """Several measures at once; `parts` has the weight and the measure of each."""

    parts: tuple[tuple[float, VectorMeasure], ...]

    def covers(self, corpus: Corpus) -> Coverage:
        """The sounds that have a vector in every space."""
        each = [part.covers(corpus) for _, part in self.parts]
        dims = [one.dims for one in each if one.dims is not None]
        spaces = "+".join(dict.fromkeys(part.space for _, part in self.parts))
        return Coverage(spaces, sum(dims) if len(dims) == len(each) else None, "mix", len(self.knows(corpus)))

    def knows(self, corpus: Corpus) -> Ids:
        """The sounds that have a vector in each space."""
        return reduce(np.intersect1d, (part.knows(corpus) for _, part in self.parts))

    def around(self, corpus: Corpus, target: int) -> Surroundings:
        """All other sounds that have a vector in every space."""
        for _, part in self.parts:
            load(corpus, part.space).rows([target])
        ids, index = self.searchable(corpus)
        return among_others(ids, int(np.searchsorted(ids, target)), index)

    def searchable(self, corpus: Corpus) -> tuple[Ids, ExactIndex]:
        """The sounds that have a vector in every space, and the search over them.

        Raises
        ------
        NoVectors
            There are none in one of the spaces.
        """
        matrices = [load(corpus, part.space) for _, part in self.parts]
        states = [matrix.state for matrix in matrices]
        if None in states:
            return self._made(corpus)
        definitions = [
            definition(part, matrix.X.shape[1]) for (_, part), matrix in zip(self.parts, matrices, strict=True)
        ]
        stamp = "\n".join(map(str, [self.name, *states, *definitions]))
        return corpus.caches.held(f"mix {self.name}", stamp, lambda: (stamp, self._made(corpus)), at_most=_HELD)

    def _made(self, corpus: Corpus) -> tuple[Ids, ExactIndex]:
        """The sounds that have a vector in every space, and the search over them."""
        prepared = [part.prepared(corpus) for _, part in self.parts]
        ids: Ids = reduce(np.intersect1d, (matrix.ids for matrix, _ in prepared))
        columns = [X[np.searchsorted(matrix.ids, ids)] for matrix, X in prepared]
        metric = mixed([(weight, part.metric) for weight, part in self.parts], columns)
        return ids, ExactIndex(np.hstack(columns), metric)


def parse(expression: str) -> Mix:
    """Read a mix.

    Raises
    ------
    UnknownMeasure
        It is malformed, or names what cannot be mixed; the message says where.
    """
    parts: list[tuple[float, VectorMeasure]] = []
    at = 0
    while True:
        weight = 1.0
        if found := _WEIGHT.match(expression, at):
            weight = _weight(expression, found)
            at = found.end()
        name = _NAME.match(expression, at)
        if name is None:
            raise _malformed(expression, at, "a measure's name")
        parts.append((weight, _part(expression, name)))
        at = name.end()
        if at == len(expression):
            return Mix(expression, f"a mix of {', '.join(part.name for _, part in parts)}", tuple(parts))
        if expression[at] != "+":
            raise _malformed(expression, at, "'+'")
        at += 1


def mixed(parts: list[tuple[float, Metric]], columns: list[Matrix]) -> Metric:
    """The metric of vectors that stand side by side.

    Parameters
    ----------
    parts : list of (float, Metric)
        The weight and the metric of each.
    columns : list of (n, d) float32
        The vectors of each, of the same sounds.
    """
    edges = np.cumsum([0, *(X.shape[1] for X in columns)])
    places = [slice(first, last) for first, last in pairwise(edges)]
    shares = [weight / _mean_square(metric, X) for (weight, metric), X in zip(parts, columns, strict=True)]

    def distances(rows: Floats, query: Floats) -> Floats:
        total = np.zeros(len(rows))
        for share, (_, metric), place in zip(shares, parts, places, strict=True):
            total += share * metric.distances(rows[:, place], query[..., place]) ** 2
        return np.asarray(np.sqrt(total))

    if any(metric is not EUCLIDEAN for _, metric in parts):
        return Metric("mix", distances)
    scale = np.repeat(np.sqrt(shares), np.diff(edges))

    def embedding(X: Matrix) -> Embedding:
        return Embedding((X * scale).astype(np.float32), lambda query: (query * scale).astype(np.float32))

    return Metric("mix", distances, embedding)


def _mean_square(metric: Metric, X: Matrix) -> float:
    """Mean squared distance of random pairs of two sounds; 1 where there are none, or all are alike."""
    if len(X) < 2:
        return 1.0
    generator = np.random.default_rng(_SEED)
    one = generator.integers(0, len(X), PAIRS)
    other = (one + generator.integers(1, len(X), PAIRS)) % len(X)
    squares = [
        metric.distances(
            X[one[first : first + _BLOCK]].astype(np.float64), X[other[first : first + _BLOCK]].astype(np.float64)
        )
        ** 2
        for first in range(0, PAIRS, _BLOCK)
    ]
    return float(np.concatenate(squares).mean()) or 1.0


def _weight(expression: str, found: re.Match[str]) -> float:
    if not found[2]:
        raise _malformed(expression, found.end(), "'*' after a weight")
    try:
        weight = float(found[1])
    except ValueError:
        weight = 0.0
    if not _LEAST <= weight <= _MOST:
        raise _malformed(expression, found.start(1), "a weight from 1e-6 to 1e6")
    return weight


def _part(expression: str, name: re.Match[str]) -> VectorMeasure:
    try:
        found = measure(name[1])
    except UnknownMeasure as error:
        raise UnknownMeasure(f"{_where(expression, name.start(1))}: {error}") from None
    if not isinstance(found, VectorMeasure):
        raise UnknownMeasure(
            f"{_where(expression, name.start(1))}: measure {found.name!r} is an order without distances and cannot be "
            "mixed; use it alone"
        )
    return found


def _malformed(expression: str, at: int, wanted: str) -> UnknownMeasure:
    return UnknownMeasure(f"{_where(expression, at)}: {wanted} is wanted here, as in '0.7*mfcc+0.3*traits'")


def _where(expression: str, at: int) -> str:
    return f"measure {expression!r}, character {at + 1}"
