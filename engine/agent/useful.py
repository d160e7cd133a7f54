"""The most useful question: which sound to have labelled next (active learning).

Distances are Euclidean between z-scores, by the mean and deviation of the pool; a missing number counts as the mean. A
sound is *asked* once it was labelled or skipped. Of a pool, the most useful is

* before there is a model, the farthest from what was asked, that is, with the greatest distance d to the nearest sound
  asked (farthest-first traversal: T. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985). The
  very first is the nearest to the mean;
* with a model, the one with the greatest

      (1 - |2 p - 1|) * d

  of p, the probability of good, and d as above: uncertain (D. Lewis, W. Gale, "A sequential algorithm for training text
  classifiers", 1994) and unlike what was asked (K. Brinker, "Incorporating diversity in active learning with support
  vector machines", 2003, who adds what is multiplied here: so there is no weight to choose).

Ties go to the lower id. A pool is all sounds up to 2048, else so many drawn at random, so that choosing takes no longer
in a large corpus.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engine.features import FeatureMatrix

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

POOL = 2048
"""At most so many sounds in a pool."""


class Pool:
    """Sounds that may be asked, and how far each is from the nearest that was.

    Parameters
    ----------
    matrix : FeatureMatrix
        What the agent looks at.
    open_ids : (n,) int64
        Sounds of the matrix that may be asked, ascending.
    asked : iterable of int
        Sounds asked before; those without vectors do not count.
    seed : int
        Draws the pool.

    Attributes
    ----------
    ids : (m,) int64
        The pool, ascending.
    apart : (m,) float64
        Distance to the nearest sound asked; infinite before the first.
    """

    def __init__(self, matrix: FeatureMatrix, open_ids: Ids, asked: Iterable[int] = (), seed: int = 0) -> None:
        self._matrix = matrix
        self.ids = open_ids
        if len(open_ids) > POOL:
            self.ids = np.sort(np.random.default_rng(seed).choice(open_ids, POOL, replace=False))
        X = matrix.X[np.searchsorted(matrix.ids, self.ids)].astype(np.float64)
        known = np.isfinite(X)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = np.where(known, X, 0).sum(axis=0) / count
        deviation = np.sqrt((np.where(known, X - self._mean, 0) ** 2).sum(axis=0) / count)
        self._scale = np.where(deviation > 0, deviation, 1)
        self._Z = self._scores(X)
        self.apart = np.full(len(self.ids), np.inf)
        for sound_id in asked:
            self.ask(sound_id)

    def ask(self, sound_id: int) -> None:
        """Count a sound as asked."""
        row = int(np.searchsorted(self._matrix.ids, sound_id))
        if row == len(self._matrix.ids) or self._matrix.ids[row] != sound_id:
            return
        away = self._Z - self._scores(self._matrix.X[row].astype(np.float64))
        self.apart = np.minimum(self.apart, np.sqrt(np.einsum("ij,ij->i", away, away)))

    def worth(self, p: Floats | None = None) -> Floats:
        """How useful it is to ask each sound of the pool, shape (m,).

        Parameters
        ----------
        p : (m,) float64, optional
            Probability of good, NaN where it is not known (taken for 1/2); None without a model.
        """
        if not len(self.ids) or np.isinf(self.apart[0]):
            return np.asarray(-np.sqrt(np.einsum("ij,ij->i", self._Z, self._Z)))
        if p is None:
            return self.apart
        uncertain = 1 - np.abs(2 * np.nan_to_num(p, nan=0.5) - 1)
        return np.asarray(uncertain * self.apart)

    def best(self, closed: Iterable[int] = (), p: Floats | None = None) -> int | None:
        """The most useful sound that is not among `closed`; None if there is none."""
        worth = np.where(np.isin(self.ids, np.fromiter(closed, np.int64)), -np.inf, self.worth(p))
        if not len(worth) or np.isneginf(worth.max()):
            return None
        return int(self.ids[worth.argmax()])

    def _scores(self, X: Floats) -> Floats:
        return np.asarray(np.nan_to_num((X - self._mean) / self._scale, nan=0.0, posinf=0.0, neginf=0.0))
