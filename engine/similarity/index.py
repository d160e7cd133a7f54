"""Exact nearest neighbours among allowed sounds, over FAISS.

Three ways to the same answer, chosen by how many sounds are allowed: few are gathered and searched alone; many are
found by asking the plain index for more than enough; in between, FAISS's bitmap selector. FAISS finds candidates in
float32; their distances by the metric are then computed in float64 and ties go to the smaller id, so that the answer
depends on neither the way nor the build of FAISS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.similarity.metrics import EUCLIDEAN, Floats, Matrix, Metric

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

GATHER = 0.02
"""Up to this share allowed, their rows are gathered and searched alone."""
SELECT = 0.25
"""Once over-fetching would reach this share of the corpus, the selector is used."""
_SPARE = 16
"""Candidates fetched beyond k, for ties and float32 rounding."""
_ROUNDING = 1e-4
"""More than float32 can change a distance, both relative to it and, for inner products of unit vectors, as it is."""
_BLOCK = 1 << 14
"""Rows measured at a time, so that memory stays flat where all are."""


class ExactIndex:
    """FAISS's flat index over prepared vectors.

    Parameters
    ----------
    X : (n, d) float32
        Prepared vectors, in ascending order of id, so that row order is id order.
    metric : Metric
        What near means.
    """

    def __init__(self, X: Matrix, metric: Metric = EUCLIDEAN) -> None:
        import faiss

        faiss.omp_set_num_threads(1)  # one live query is faster so, and leaves the other cores to the sound
        self._X = X
        self._metric = metric
        embedded = np.ascontiguousarray(metric.embed(X))
        flat = faiss.IndexFlatIP if metric.inner_product else faiss.IndexFlatL2
        self._index = flat(embedded.shape[1])
        self._index.add(embedded)

    def nearest(self, query: Matrix, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Find the k nearest allowed rows.

        Parameters
        ----------
        query : (d,) float32
        k : int
        allowed : (n,) bool, optional
            All rows if None.

        Returns
        -------
        rows : (<=k,) int64, nearest first
        distances : (<=k,) float64, the metric's own
        """
        total = len(self._X)
        rows = np.arange(total) if allowed is None else np.flatnonzero(allowed)
        k = min(k, len(rows))
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0)
        if len(rows) <= max(GATHER * total, k + _SPARE):
            return self._ranked(query, rows, k)
        fetch = k + _SPARE
        while True:
            wanted = fetch if allowed is None else int(np.ceil(fetch * total / len(rows)))
            if wanted > SELECT * total and allowed is not None:
                candidates = self._search(query, fetch, rows)
            else:
                candidates = self._search(query, min(wanted, total))
                if allowed is not None:
                    candidates = candidates[allowed[candidates]]
            if len(candidates) == len(rows) or self._complete(query, candidates, k):
                return self._ranked(query, candidates, k)
            fetch = min(4 * fetch, len(rows))
            if fetch == len(rows):
                return self._ranked(query, rows, k)

    def _search(self, query: Matrix, count: int, rows: Rows | None = None) -> Rows:
        import faiss

        selector: Any = None
        if rows is not None:
            bitmap = np.zeros(len(self._X), bool)
            bitmap[rows] = True
            selector = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(bitmap, bitorder="little")))
        embedded = self._metric.embed(query[None].astype(np.float32))
        _, found = self._index.search(np.ascontiguousarray(embedded), count, params=selector)
        return np.asarray(found[0][found[0] >= 0], np.int64)

    def _complete(self, query: Matrix, candidates: Rows, k: int) -> bool:
        """Whether no row beyond the candidates can still belong among the first k: the farthest is clearly farther."""
        if len(candidates) <= k:
            return False
        distances = np.sort(self._distances(query, candidates))
        return bool(distances[-1] > distances[k - 1] * (1 + _ROUNDING) + _ROUNDING)

    def _ranked(self, query: Matrix, rows: Rows, k: int) -> tuple[Rows, Floats]:
        distances = self._distances(query, rows)
        order = np.lexsort((rows, distances))[:k]
        return rows[order], distances[order]

    def _distances(self, query: Matrix, rows: Rows) -> Floats:
        measured = [
            self._metric.distances(self._X[rows[first : first + _BLOCK]].astype(np.float64), query.astype(np.float64))
            for first in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(measured) if measured else np.empty(0)
