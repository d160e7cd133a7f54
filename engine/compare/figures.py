"""The figures by which lists of neighbours are compared; nothing here knows a corpus.

Lists are ids, nearest first, in the last axis of an array (..., k), -1 behind the end of a shorter one; targets are in
the axis before. A figure that a target does not have is NaN.

Every figure that is a mean over targets is an `Estimate`: the mean, a percentile bootstrap over targets (2.5 to 97.5 %
of the means of 1000 resamples, seeded), and how many targets it is of. No figure holds more than a few numbers for each
place of a list, so that memory grows with k alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine.agent.evaluate import Estimate

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Key = TypeVar("Key")

PERSISTENCE = 0.9
"""Of rank-biased overlap: how likely a reader goes on from one rank to the next."""
_RESAMPLES = 1000
_BLOCK = 1 << 20
"""Draws at a time."""


def estimates(values: Mapping[Key, Floats], seed: int = 0) -> dict[Key, Estimate | None]:
    """The mean of each of several figures (m,), None where no target has it; those of as many targets share draws."""
    known = {key: each[~np.isnan(each)] for key, each in values.items()}
    found: dict[Key, Estimate | None] = dict.fromkeys(values)
    for n in {len(each) for each in known.values()} - {0}:
        some = [key for key, each in known.items() if len(each) == n]
        bounds = _bounds(_means(np.column_stack([known[key] for key in some]), seed))
        for key, (low, high) in zip(some, bounds, strict=True):
            found[key] = Estimate(float(known[key].mean()), (low, high), n)
    return found


def _means(columns: Floats, seed: int) -> Floats:
    """Means (resamples, f) of columns (n, f) over rows drawn with replacement, a block of draws at a time."""
    n, generator = len(columns), np.random.default_rng(seed)
    at_once = max(1, _BLOCK // n)
    means = []
    for first in range(0, _RESAMPLES, at_once):
        size = min(at_once, _RESAMPLES - first)
        places = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        means.append(np.bincount(places.ravel(), minlength=size * n).reshape(size, n) @ columns / n)
    return np.concatenate(means)


def _bounds(drawn: Floats) -> list[tuple[float, float]]:
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0).tolist()
    return list(zip(low, high, strict=True))


def overlap(a: Ids, b: Ids) -> Floats:
    """The share of the longer list that both have; NaN where both are empty."""
    return _share((_places(a, b) >= 0).sum(-1), np.maximum((a >= 0).sum(-1), (b >= 0).sum(-1)))


def rank_biased_overlap(a: Ids, b: Ids, p: float = PERSISTENCE) -> Floats:
    """Rank-biased overlap of two lists as far as both go, extrapolated (RBO_EXT for lists of one length).

    Overlap at each depth d weighs p^(d-1); what lies beyond the lists is taken to agree as much as their whole length.
    W. Webber, A. Moffat, J. Zobel: A similarity measure for indefinite rankings. ACM TOIS 28(4), 2010, equation 30.
    """
    k = a.shape[-1]
    depth = np.minimum((a >= 0).sum(-1), (b >= 0).sum(-1))
    places = _places(a, b)
    seen = np.where(places >= 0, np.maximum(places, np.arange(k)), k)  # by which place both lists have it
    lists = (k + 1) * np.arange(depth.size).reshape(*depth.shape, 1)
    counts = np.bincount((seen + lists).ravel(), minlength=depth.size * (k + 1)).reshape(*depth.shape, k + 1)
    in_common = counts.cumsum(-1)[..., :k]
    ranks = np.arange(1, k + 1)
    agreement = np.where(ranks <= depth[..., None], in_common / ranks, 0)
    last = np.take_along_axis(agreement, np.maximum(depth - 1, 0)[..., None], -1)[..., 0]
    return np.where(depth > 0, last * p**depth + (1 - p) / p * (agreement * p**ranks).sum(-1), np.nan)


def kendall_tau(a: Ids, b: Ids) -> Floats:
    """Kendall's tau of the order in which two lists have what both have; NaN with fewer than two in common."""
    places = _places(a, b)
    common = (places >= 0).sum(-1)
    in_order_of_a = np.take_along_axis(places, np.argsort(places < 0, axis=-1, kind="stable"), -1)
    last = np.where(in_order_of_a >= 0, in_order_of_a, places.shape[-1])  # what only one list has disturbs no order
    pairs = common * (common - 1)
    return _share(pairs - 4 * _inversions(np.argsort(last, axis=-1, kind="stable")), pairs)


def hubness(counts: Ids) -> Estimate | None:
    """Skewness of how often each sound (n,) is among the neighbours of all others: 0 is even, large is a few hubs.

    Its interval is over sounds, 2.5 to 97.5 % of 1000 resamples of them. None where all have the same count.
    M. Radovanović, A. Nanopoulos, M. Ivanović: Hubs in space. JMLR 11, 2010, equation 1.
    """
    if not len(counts) or counts.min() == counts.max():
        return None
    apart = counts - counts.mean()
    powers = np.column_stack([apart, apart**2, apart**3])
    interval = _bounds(_skewness(_means(powers, 0))[:, None])[0]
    return Estimate(float(_skewness(powers.mean(0)[None])[0]), interval, len(counts))


def _skewness(moments: Floats) -> Floats:
    """Of the first three moments (r, 3) about any one point; NaN where nothing varies."""
    first, second, third = moments.T
    variance = np.maximum(second - first**2, 0)
    return _share(third - 3 * first * second + 2 * first**3, variance**1.5)


def running_shares(found: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_]) -> Floats:
    """Of lists (m, k) the share found among the first 1, 2, ... k that are there (m, k); NaN for empty lists."""
    return _share((found & there).cumsum(-1), there.cumsum(-1))


def _places(a: Ids, b: Ids) -> Ids:
    """Where in b each of a stands (..., k); -1 for what is not there."""
    lists = np.arange(a[..., 0].size).reshape(*a.shape[:-1], 1)
    ids, codes = np.unique(np.stack([a, b]), return_inverse=True)
    mine, theirs = codes.reshape(2, *a.shape) + lists * len(ids)  # a number for each id in each list
    order = np.argsort(theirs, axis=None)
    ascending = theirs.ravel()[order]
    at = np.minimum(np.searchsorted(ascending, mine), len(order) - 1)
    return np.where((ascending[at] == mine) & (a >= 0), order[at] % a.shape[-1], -1)


def _inversions(orders: Ids) -> Ids:
    """How many pairs of each permutation (..., k) of 0, 1, ... k-1 stand the wrong way round, a bit at a time.

    Of such a pair the numbers agree in the bits above one; there the first has 1 and the second 0.
    """
    k, lists = orders.shape[-1], orders.shape[:-1]
    bits = (k - 1).bit_length()
    behind = np.broadcast_to(np.arange(k, 1 << bits), (*lists, (1 << bits) - k))
    whole = np.concatenate([orders, behind], axis=-1)
    found = np.zeros(lists, np.int64)
    for bit in range(bits):
        alike_above = np.take_along_axis(whole, np.argsort(whole >> (bit + 1), axis=-1, kind="stable"), -1)
        ones = (alike_above >> bit & 1).reshape(*lists, -1, 2 << bit)
        found += ((1 - ones) * ones.cumsum(-1)).sum((-2, -1))
    return found


def _share(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    total = np.asarray(below, float)
    shares: Floats = np.divide(np.asarray(above, float), total, out=np.full(total.shape, np.nan), where=total > 0)
    return shares
