"""Exact nearest neighbours among allowed sounds, by FAISS, which reads the vectors where they are and copies nothing.

Three ways to the same answer, chosen by how many sounds are allowed: few are gathered and searched alone; many are
found by asking for more than enough; in between, FAISS's bitmap selector. FAISS finds candidates in
float32; their distances by the metric are then computed in float64 and ties go to the smaller id, so that the answer
depends on neither the way nor the build of FAISS. Where a metric has nothing that FAISS could compare, every allowed
sound is measured.
"""

from __future__ import annotations

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
    """FAISS's flat search over prepared vectors, which may be memory-mapped.

    Parameters
    ----------
    X : (n, d) float32
        Prepared vectors, in ascending order of id, so that row order is id order.
    metric : Metric
        What near means.
    rows : (n, d') float32, optional
        What `metric.rows` makes of X, if it is there already.
    """

    def __init__(self, X: Matrix, metric: Metric = EUCLIDEAN, rows: Matrix | None = None) -> None:
        self._X = X
        self._metric = metric
        self._embedding: Embedding | None = None
        if metric.embedding is None or not len(X):
            return
        self._embedding = metric.embedding(X) if rows is None else metric.embedding(X, rows)
        self._rows = np.ascontiguousarray(self._embedding.rows, np.float32)

    @property
    def vectors(self) -> Matrix:
        """The prepared vectors (n, d)."""
        return self._X

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
        count = total if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, count)
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0)
        fetch = max(k + _SPARE, self._metric.ahead * k)
        if self._embedding is None or count <= max(GATHER * total, fetch):
            return self._ranked(query, self._all(allowed), k)
        embedded = self._embedding.of_query(query.astype(np.float32))
        rounding = self._embedding.rounding(embedded)
        while True:
            wanted = fetch if allowed is None else int(np.ceil(fetch * total / count))
            if wanted > SELECT * total and allowed is not None:
                candidates = self._search(embedded, fetch, allowed)
            else:
                candidates = self._search(embedded, min(wanted, total))
                if allowed is not None:
                    candidates = candidates[allowed[candidates]]
            if len(candidates) == count or self._complete(query, candidates, k, rounding):
                return self._ranked(query, candidates, k)
            fetch = min(4 * fetch, count)
            if fetch == count:
                return self._ranked(query, self._all(allowed), k)

    def _all(self, allowed: Mask | None) -> Rows:
        return np.arange(len(self._X)) if allowed is None else np.flatnonzero(allowed)

    def _search(self, embedded: Matrix, count: int, allowed: Mask | None = None) -> Rows:
        import faiss

        faiss.omp_set_num_threads(1)  # one live query is faster so, and leaves the other cores to the sound
        bitmap = None if allowed is None else np.packbits(allowed, bitorder="little")
        selector = None if bitmap is None else faiss.IDSelectorBitmap(bitmap)
        query = np.ascontiguousarray(embedded, np.float32)
        values, found = np.empty(count, np.float32), np.empty(count, np.int64)
        pointers = [faiss.swig_ptr(array) for array in (query, self._rows)]
        answers = [faiss.swig_ptr(array) for array in (values, found)]
        sizes = self._rows.shape[1], 1, len(self._rows), count
        if self._metric.inner_product:
            faiss.knn_inner_product(*pointers, *sizes, *answers, selector)
        else:
            faiss.knn_L2sqr(*pointers, *sizes, *answers, None, selector)
        return found[found >= 0]

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
