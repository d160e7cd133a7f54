"""Variety: not the first k of an order, but k among its first that differ from one another.

Maximal marginal relevance (J. Carbonell, J. Goldstein, "The use of MMR, diversity-based reranking for reordering
documents and producing summaries", 1998): after the first sound of the order, always the one with the greatest

    L * near - (1 - L) * nearest already chosen

where both are the negative distance by one measure, to what was asked for and to the nearest sound chosen. So L = 1 is
the plain order, and with L = 0 each sound is as far as can be from those before it. Where the order has no distances,
its scores, or else its places, count instead, stretched to go from 0 for the first candidate to the greatest distance
of any candidate from the first. Candidates are the first 10 k of the order, at least 100, that have a vector; ties go
to the earlier place.
"""

from __future__ import annotations

import numpy as np

from engine.errors import QueryError
from engine.query.order import Floats, Order
from engine.similarity.compared import Compared

AHEAD = 10
"""Candidates for each sound wanted."""
LEAST = 100
"""Candidates at least."""


def candidates(k: int) -> int:
    """Among how many sounds k are chosen."""
    return max(AHEAD * k, LEAST)


def spread(order: Order, k: int, share: float, known: Compared) -> Order:
    """Choose k sounds of an order for nearness and variety.

    Parameters
    ----------
    order : Order
    k : int
    share : float
        L, from 0 to 1.
    known : Compared
        What the distances between sounds are measured by.

    Raises
    ------
    QueryError
        `share` is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        raise QueryError(f"a spread of {share:g} is not from 0 (variety alone) to 1 (the plain order)")
    order = order.at(np.flatnonzero(np.isin(order.ids, known.ids))[: candidates(k)])
    if not len(order.ids):
        return order
    rows = known.rows(order.ids)
    chosen = [0]
    from_chosen = known.distances(rows, int(rows[0]))
    away = _away(order, float(from_chosen.max()))
    while len(chosen) < min(k, len(rows)):
        worth = (1 - share) * from_chosen - share * away
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        from_chosen = np.minimum(from_chosen, known.distances(rows, int(rows[chosen[-1]])))
    return order.at(np.array(chosen))


def _away(order: Order, farthest: float) -> Floats:
    """How far each candidate is from what was asked for."""
    if order.distances is not None:
        return order.distances
    given = np.arange(len(order.ids), dtype=np.float64) if order.scores is None else order.scores - order.scores[0]
    return np.asarray(given / (given[-1] or 1.0) * farthest)
