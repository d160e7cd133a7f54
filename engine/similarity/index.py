"""Exact nearest neighbours among allowed sounds, by FAISS, which reads the vectors where they are and copies nothing.

Three ways to the same answer, chosen by how many sounds are allowed: few are gathered and searched alone; many are
found by asking for more than enough; in between, FAISS's bitmap selector. FAISS finds candidates in
float32; their distances by the metric are then computed in float64 and ties go to the smaller id, so that the answer
depends on neither the way nor the build of FAISS. Where a metric has nothing that FAISS could compare, every allowed
sound is measured.

Many sounds of the index can be asked about at once (`nearest_each`), and how far down a sound stands in the order from
another (`place`); both agree with `nearest`.
"""

from __future__ import annotations

import os

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
_NEVER = 2**31 - 1
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

    @property
    def metric(self) -> Metric:
        """What near means."""
        return self._metric

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
            if len(candidates) == count:
                return self._ranked(query, candidates, k)
            if (found := self._first(query, candidates, k, rounding)) is not None:
                return found
            fetch = min(4 * fetch, count)
            if fetch == count:
                return self._ranked(query, self._all(allowed), k)

    def nearest_each(self, rows: Rows, k: int, allowed: Mask | None = None) -> list[Rows]:
        """Find the k nearest allowed rows to each of some rows, itself left out; on all cores.

        Parameters
        ----------
        rows : (m,) int64
        k : int
        allowed : (n,) bool, optional
            All rows if None.

        Returns
        -------
        list of (<=k,) int64, nearest first
        """
        total = len(self._X)
        count = total if allowed is None else int(np.count_nonzero(allowed))
        fetch = max(k + 1 + _SPARE, self._metric.ahead * (k + 1))
        if self._embedding is None or fetch >= count or k <= 0:
            return [self._others(row, k, allowed) for row in rows.tolist()]
        queries = np.array([self._embedding.of_query(self._X[row].astype(np.float32)) for row in rows.tolist()])
        answers = []
        for row, query, found in zip(rows.tolist(), queries, self._search_each(queries, fetch, allowed), strict=True):
            near = self._first(self._X[row], found, k + 1, self._embedding.rounding(query))
            answers.append(self._others(row, k, allowed) if near is None else near[0][near[0] != row][:k])
        return answers

    def place(self, row: int, other: int, allowed: Mask | None = None) -> int:
        """How many allowed rows come before `other`, which is allowed, in the order from `row`, which does not count.

        By FAISS's distances to all rows; those about as far as `other` are measured.
        """
        query, rows = self._X[row], self._all(allowed)
        rows = rows[rows != row]
        if self._embedding is None:
            return self._before(query, rows, other)
        embedded = self._embedding.of_query(query.astype(np.float32))
        rounding = self._embedding.rounding(embedded)
        values = self._values(embedded)
        near = int(np.count_nonzero(values[rows] < values[other]))
        values, last, width = values[rows], len(rows) - 1, _SPARE
        while True:
            low, high = max(near - width, 0), min(near + width, last)
            about = rows[np.argpartition(values, (low, high))[low : high + 1]]
            least, limit, most = self._distances(query, np.array([about[0], other, about[-1]]))
            if (low == 0 or _farther(limit, least, rounding)) and (high == last or _farther(most, limit, rounding)):
                return low + self._before(query, about, other)
            width *= 2

    def _before(self, query: Matrix, rows: Rows, other: int) -> int:
        """How many of some rows come before another, all measured at once, as ties are the same only so."""
        distances = self._distances(query, np.append(rows, other))
        limit = distances[-1]
        return int(np.count_nonzero((distances[:-1] < limit) | ((distances[:-1] == limit) & (rows < other))))

    def _others(self, row: int, k: int, allowed: Mask | None) -> Rows:
        near, _ = self.nearest(self._X[row], k + 1, allowed)
        return np.asarray(near[near != row][: max(k, 0)])

    def _all(self, allowed: Mask | None) -> Rows:
        return np.arange(len(self._X)) if allowed is None else np.flatnonzero(allowed)

    def _search(self, embedded: Matrix, count: int, allowed: Mask | None = None) -> Rows:
        return self._searched(embedded[None], count, allowed, threads=1)[0]  # leaves the other cores to the sound

    def _search_each(self, embedded: Matrix, count: int, allowed: Mask | None) -> list[Rows]:
        return self._searched(embedded, count, allowed, threads=os.cpu_count() or 1)

    def _searched(self, embedded: Matrix, count: int, allowed: Mask | None, threads: int) -> list[Rows]:
        """Candidates (<=count,) for each query (m, d')."""
        import faiss

        faiss.omp_set_num_threads(threads)
        # never by products of matrices, which for Euclidean distances lose more than `ROUNDING`
        faiss.cvar.distance_compute_blas_threshold = _NEVER
        bitmap = None if allowed is None else np.packbits(allowed, bitorder="little")
        selector = None if bitmap is None else faiss.IDSelectorBitmap(bitmap)
        queries = np.ascontiguousarray(embedded, np.float32)
        values, found = np.empty((len(queries), count), np.float32), np.empty((len(queries), count), np.int64)
        pointers = [faiss.swig_ptr(array) for array in (queries, self._rows)]
        answers = [faiss.swig_ptr(array) for array in (values, found)]
        sizes = self._rows.shape[1], len(queries), len(self._rows), count
        if self._metric.inner_product:
            faiss.knn_inner_product(*pointers, *sizes, *answers, selector)
        else:
            faiss.knn_L2sqr(*pointers, *sizes, *answers, None, selector)
        return [one[one >= 0] for one in found]

    def _values(self, embedded: Matrix) -> Matrix:
        """What FAISS compares of every row, the less the nearer."""
        import faiss

        query, values = np.ascontiguousarray(embedded, np.float32), np.empty(len(self._rows), np.float32)
        arrays = [faiss.swig_ptr(array) for array in (values, query, self._rows)]
        if self._metric.inner_product:
            faiss.fvec_inner_products_ny(*arrays, len(query), len(self._rows))
            return -values
        faiss.fvec_L2sqr_ny(*arrays, len(query), len(self._rows))
        return values

    def _first(self, query: Matrix, candidates: Rows, k: int, rounding: float) -> tuple[Rows, Floats] | None:
        """The first k of the candidates; None if a row beyond these can belong among them: the farthest is too near."""
        if len(candidates) <= k:
            return None
        rows, distances = self._ranked(query, candidates, len(candidates))
        return (rows[:k], distances[:k]) if _farther(distances[-1], distances[k - 1], rounding) else None

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


def _farther(far: float, near: float, rounding: float) -> bool:
    """Whether the order of two distances is beyond what float32 can change."""
    return bool(far > near * (1 + ROUNDING) + rounding)
