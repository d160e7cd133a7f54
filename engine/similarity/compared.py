"""What a measure compares, laid open: for queries that ask for more than the nearest sounds to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.errors import QueryError
from engine.similarity.measures import Ids, Measure, VectorMeasure
from engine.similarity.metrics import Floats, Matrix, Metric
from engine.similarity.mix import Mix, mixed

_BLOCK = 1 << 14
"""Rows measured at a time, so that memory stays flat."""


@dataclass(frozen=True)
class Compared:
    """The prepared vectors of a measure.

    Attributes
    ----------
    ids : (n,) int64
        All sounds that the measure knows, ascending, so that row order is id order.
    X : (n, d) float32
        Their prepared vectors.
    metric : Metric
        How far apart two rows are.
    """

    ids: Ids
    X: Matrix
    metric: Metric

    def rows(self, ids: Sequence[int] | Ids) -> npt.NDArray[np.intp]:
        """Row numbers of sounds that the measure knows."""
        return np.searchsorted(self.ids, np.asarray(ids, np.int64))

    def distances(self, rows: npt.NDArray[np.integer], row: int) -> Floats:
        """Distances (m,) of some rows (m,) to one of them, in float64."""
        query = self.X[row].astype(np.float64)
        measured = [
            self.metric.distances(self.X[rows[first : first + _BLOCK]].astype(np.float64), query)
            for first in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(measured) if measured else np.empty(0)


def compared(corpus: Corpus, measure: Measure, sounds: Sequence[int], purpose: str) -> Compared:
    """What a measure compares, which must know `sounds`; `purpose` says in a message what it is wanted for.

    Raises
    ------
    QueryError
        The measure has no vectors, only an order.
    NoVectors
        It knows nothing of one of the sounds, or of any.
    """
    if isinstance(measure, VectorMeasure):
        matrix, X = measure.prepared(corpus)
        matrix.rows(sounds)
        return Compared(matrix.ids, X, measure.metric)
    if isinstance(measure, Mix):
        prepared = [part.prepared(corpus) for _, part in measure.parts]
        for matrix, _ in prepared:
            matrix.rows(sounds)
        ids: Ids = reduce(np.intersect1d, (matrix.ids for matrix, _ in prepared))
        columns = [X[matrix.rows(ids)] for matrix, X in prepared]
        metric = mixed([(weight, part.metric) for weight, part in measure.parts], columns)
        return Compared(ids, np.hstack(columns), metric)
    raise QueryError(f"{purpose} compares vectors, and measure {measure.name!r} has none; try --measure mfcc")
