"""What a measure compares, laid open: for queries that ask for more than the nearest sounds to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.errors import QueryError
from engine.features import load
from engine.similarity.index import ExactIndex
from engine.similarity.measures import Ids, Measure, VectorMeasure
from engine.similarity.metrics import Floats, Matrix, Metric
from engine.similarity.mix import Mix

_BLOCK = 1 << 14
"""Rows measured at a time, so that memory stays flat."""


@dataclass(frozen=True)
class Compared:
    """The prepared vectors of a measure, and the search over them.

    Attributes
    ----------
    ids : (n,) int64
        All sounds that the measure knows, ascending, so that row order is id order.
    index : ExactIndex
        Over a row for each.
    """

    ids: Ids
    index: ExactIndex

    @property
    def X(self) -> Matrix:
        """Their prepared vectors (n, d)."""
        return self.index.vectors

    @property
    def metric(self) -> Metric:
        """How far apart two rows are."""
        return self.index.metric

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
        load(corpus, measure.space).rows(sounds)
        matrix, index = measure.searchable(corpus)
        return Compared(matrix.ids, index)
    if isinstance(measure, Mix):
        for _, part in measure.parts:
            load(corpus, part.space).rows(sounds)
        return Compared(*measure.searchable(corpus))
    raise QueryError(f"{purpose} compares vectors, and measure {measure.name!r} has none; try --measure mfcc")
