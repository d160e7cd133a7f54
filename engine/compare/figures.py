"""The figures by which lists of neighbours are compared. Lists are ids, nearest first; nothing here knows a corpus.

Every figure that is a mean over targets is an `Estimate`: the mean, a percentile bootstrap over targets (2.5 to 97.5 %
of the means of 1000 resamples, seeded), and how many targets it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from engine.agent.evaluate import Estimate

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PERSISTENCE = 0.9
"""Of rank-biased overlap: how likely a reader goes on from one rank to the next."""
_RESAMPLES = 1000


def estimate(values: Iterable[float | None], seed: int = 0) -> Estimate | None:
    """The mean of what there is, with its interval; None where there is nothing.

    Parameters
    ----------
    values : iterable of float or None
        One for each target; None where a target has no such figure.
    """
    known = np.array([value for value in values if value is not None], float)
    if not len(known):
        return None
    draws = np.random.default_rng(seed).integers(len(known), size=(_RESAMPLES, len(known)))
    low, high = np.percentile(known[draws].mean(axis=1), [2.5, 97.5])
    return Estimate(float(known.mean()), (float(low), float(high)), len(known))


def overlap(a: Ids, b: Ids) -> float | None:
    """The share of the longer list that both have; None where both are empty."""
    longest = max(len(a), len(b))
    return len(np.intersect1d(a, b)) / longest if longest else None


def rank_biased_overlap(a: Ids, b: Ids, p: float = PERSISTENCE) -> float | None:
    """Rank-biased overlap of two lists as far as both go, extrapolated (RBO_EXT for lists of one length).

    Overlap at each depth d weighs p^(d-1); what lies beyond the lists is taken to agree as much as their whole length.
    W. Webber, A. Moffat, J. Zobel: A similarity measure for indefinite rankings. ACM TOIS 28(4), 2010, equation 30.
    """
    depth = min(len(a), len(b))
    if not depth:
        return None
    in_common = np.array([len(np.intersect1d(a[:d], b[:d])) for d in range(1, depth + 1)])
    ranks = np.arange(1, depth + 1)
    agreement = in_common / ranks
    return float(agreement[-1] * p**depth + (1 - p) / p * np.sum(agreement * p**ranks))


def kendall_tau(a: Ids, b: Ids) -> float | None:
    """Kendall's tau of the order in which two lists have what both have; None with fewer than two in common."""
    common, places_a, places_b = np.intersect1d(a, b, return_indices=True)
    if len(common) < 2:
        return None
    order_a, order_b = np.sign(places_a[:, None] - places_a), np.sign(places_b[:, None] - places_b)
    pairs = len(common) * (len(common) - 1)
    return float(np.sum(order_a * order_b) / pairs)


def hubness(lists: Sequence[Ids], ids: Ids) -> float | None:
    """Skewness of how often each sound is among the neighbours of the others: 0 is even, large is a few hubs.

    M. Radovanović, A. Nanopoulos, M. Ivanović: Hubs in space. JMLR 11, 2010, equation 1.
    """
    flat = np.concatenate([np.asarray(one, np.int64) for one in lists]) if lists else np.empty(0, np.int64)
    counts = np.bincount(np.searchsorted(ids, flat), minlength=len(ids)).astype(float)
    spread = counts.std()
    return float(np.mean((counts - counts.mean()) ** 3) / spread**3) if spread else None


def shared(target: frozenset[str], others: Sequence[frozenset[str]]) -> float | None:
    """The share of `others` that have something in common with the target; None where it has nothing to share."""
    return float(np.mean([bool(target & other) for other in others])) if target and others else None
