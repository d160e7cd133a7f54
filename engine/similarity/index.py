"""Exact nearest neighbours among allowed sounds, over FAISS.

Three ways to the same answer, chosen by how many sounds are allowed: few are gathered and searched alone; many are
found by asking the plain index for more than enough; in between, FAISS's bitmap selector. FAISS finds candidates in
float32; their distances by the metric are then computed in float64 and ties go to the smaller id, so that the answer
depends on neither the way nor the build of FAISS. Where a metric has nothing that FAISS could compare, every allowed
sound is measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.similarity.metrics import EUCLIDEAN, ROUNDING, Embedding, Floats, Matrix, Metric

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

GATHER = 0.02
"""Up to this share allowed, their rows are gathered and searched alone."""
SELECT = 0.25
"""Once over-fetching would reach this share of the corpus, the selector is used."""
_SPARE = 16
"""Candidates fetched beyond k, for ties and float32 rounding."""
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
        self._X = X
        self._metric = metric
        self._embedding: Embedding | None = None
        if metric.embedding is None or not len(X):
            return
        import faiss

        faiss.omp_set_num_threads(1)  # one live query is faster so, and leaves the other cores to the sound
        self._embedding = metric.embedding(X)
        flat = faiss.IndexFlatIP if metric.inner_product else faiss.IndexFlatL2
        self._index = flat(self._embedding.rows.shape[1])
        self._index.add(np.ascontiguousarray(self._embedding.rows))

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
        fetch = max(k + _SPARE, self._metric.ahead * k)
        if self._embedding is None or len(rows) <= max(GATHER * total, fetch):
            return self._ranked(query, rows, k)
        embedded = self._embedding.of_query(query.astype(np.float32))
        rounding = self._embedding.rounding(embedded)
        while True:
            wanted = fetch if allowed is None else int(np.ceil(fetch * total / len(rows)))
            if wanted > SELECT * total and allowed is not None:
                candidates = self._search(embedded, fetch, rows)
            else:
                candidates = self._search(embedded, min(wanted, total))
                if allowed is not None:
                    candidates = candidates[allowed[candidates]]
            if len(candidates) == len(rows) or self._complete(query, candidates, k, rounding):
                return self._ranked(query, candidates, k)
            fetch = min(4 * fetch, len(rows))
            if fetch == len(rows):
                return self._ranked(query, rows, k)

    def _search(self, embedded: Matrix, count: int, rows: Rows | None = None) -> Rows:
        import faiss

        selector: Any = None
        if rows is not None:
            bitmap = np.zeros(len(self._X), bool)
            bitmap[rows] = True
            selector = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(bitmap, bitorder="little")))
        _, found = self._index.search(np.ascontiguousarray(embedded[None]), count, params=selector)
        return np.asarray(found[0][found[0] >= 0], np.int64)

    def _complete(self, query: Matrix, candidates: Rows, k: int, rounding: float) -> bool:
        """Whether no row beyond the candidates can still belong among the first k: the farthest is clearly farther."""
        if len(candidates) <= k:
            return False
        distances = np.sort(self._distances(query, candidates))
        return bool(distances[-1] > distances[k - 1] * (1 + ROUNDING) + rounding)

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
