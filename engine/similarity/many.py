"""One measure asked about many sounds at once: the answers of `around(...).nearest(...)`, in a fraction of the time.

Sounds are ids. A measure of vectors is searched as a whole; one that is neither that nor a mix is asked sound by sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.library import Corpus
from engine.features import among
from engine.similarity.index import ExactIndex
from engine.similarity.measures import Ids, Measure, VectorMeasure
from engine.similarity.metrics import Floats
from engine.similarity.mix import Mix


class Many:
    """A measure's answers about many sounds, among some of those that it knows.

    Parameters
    ----------
    corpus : Corpus
    measure : Measure
    allowed : (n,) int64
        The sounds that can be answered, ascending. A sound is never in its own answer.

    Raises
    ------
    NoVectors
        The measure has nothing to compare.
    """

    def __init__(self, corpus: Corpus, measure: Measure, allowed: Ids) -> None:
        self._corpus, self._measure, self._allowed = corpus, measure, allowed
        self._search = _search(corpus, measure)

    def nearest(self, targets: Ids, k: int, among_them: Ids | None = None) -> Ids:
        """The k nearest to each target (m, k), nearest first; -1 where there are no more.

        Parameters
        ----------
        targets : (m,) int64
            Sounds that the measure knows.
        k : int
        among_them : (n',) int64, optional
            Those of the allowed sounds that count.
        """
        allowed = self._allowed if among_them is None else among_them
        if self._search is None:
            return _padded([self._order(target, allowed, k) for target in targets.tolist()], k)
        ids, index = self._search
        mask = None if len(allowed) == len(ids) else among(ids, allowed)
        return _padded([ids[rows] for rows in index.nearest_each(np.searchsorted(ids, targets), k, mask)], k)

    def ranks_of_nearest(self, targets: Ids, some: Ids) -> Floats:
        """The rank, from 1, of each target's nearest of `some` among all that are allowed (m,); NaN where it has none.

        Parameters
        ----------
        targets : (m,) int64
            Sounds that the measure knows.
        some : (n',) int64
            Sounds, not all of which need be allowed.
        """
        if self._search is None:
            return np.array([self._rank_in_order(target, some) for target in targets.tolist()], float)
        ids, index = self._search
        allowed = among(ids, self._allowed)
        wanted = allowed & among(ids, some)
        rows = np.searchsorted(ids, targets)
        ranks = np.full(len(rows), np.nan)
        for place, near in enumerate(index.nearest_each(rows, 1, wanted)):
            if len(near):
                ranks[place] = 1 + index.place(int(rows[place]), int(near[0]), allowed)
        return ranks

    def _rank_in_order(self, target: int, some: Ids) -> float:
        places = np.flatnonzero(np.isin(self._order(target, self._allowed, len(self._allowed)), some))
        return float(places[0]) + 1 if len(places) else np.nan

    def _order(self, target: int, allowed: Ids, k: int) -> Ids:
        return self._measure.around(self._corpus, target).nearest(k, allowed[allowed != target])[0]


def _search(corpus: Corpus, measure: Measure) -> tuple[Ids, ExactIndex] | None:
    if isinstance(measure, VectorMeasure):
        matrix, index = measure.searchable(corpus)
        return matrix.ids, index
    return measure.searchable(corpus) if isinstance(measure, Mix) else None


def _padded(lists: Sequence[Ids], k: int) -> Ids:
    made = np.full((len(lists), k), -1, np.int64)
    for row, ids in zip(made, lists, strict=True):
        row[: len(ids)] = ids
    return made
