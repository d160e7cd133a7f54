"""Ways to draw sounds at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import QueryError
from engine.query.order import Ids, Order, tenth


def evenly(generator: np.random.Generator, groups: Sequence[Ids], among: Ids, k: int) -> Ids:
    """Draw sounds, none twice: each time a group first, then a sound of it.

    Groups that have sounds left are equally likely, and so are the sounds left in the group.

    Parameters
    ----------
    generator : numpy.random.Generator
    groups : sequence of (m,) int64
        Sounds that belong together; a sound may be in several.
    among : (n,) int64
        Only these are drawn.
    k : int
        At most so many.
    """
    left = _shuffled(generator, groups, among)
    drawn: dict[int, None] = {}
    while left and len(drawn) < k:
        place = int(generator.integers(len(left)))
        members = left[place]
        while members and members[-1] in drawn:
            members.pop()
        if members:
            drawn[members.pop()] = None
        else:  # all were drawn by other groups: this one never was a choice
            left[place] = left[-1]
            left.pop()
    return np.array(list(drawn), np.int64)


def _shuffled(generator: np.random.Generator, groups: Sequence[Ids], among: Ids) -> list[list[int]]:
    """What each group has of `among`, in an order of chance; groups without any left out."""
    if not len(groups):
        return []
    members, group = np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    kept = np.isin(members, among)
    members, group = members[kept], group[kept]
    order = np.lexsort((generator.random(len(members)), group))
    parts = np.split(members[order], np.flatnonzero(np.diff(group)) + 1)
    return [part.tolist() for part in parts if len(part)]


def farthest_tenth(order: Order, k: int) -> Ids:
    """The farthest tenth of an order by distance, at least k, ties by id.

    Raises
    ------
    QueryError
        The order has no distances.
    """
    if order.distances is None:
        raise QueryError("far needs a measure with distances, and this one is only an order; try --measure mfcc")
    return tenth(order.at(np.lexsort((order.ids, -order.distances))), k).ids
