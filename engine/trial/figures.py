"""The figures of a trial. A label is 1 for good and 0 for bad; pairs stand in the order of their targets.

Intervals are of 95 %: percentile bootstraps over groups of targets (those of a maker, else of a pack, else each sound
by itself; seeded), since targets by one maker are no independent cases. They are never narrower than a closed form for
as many cases as there are groups, since a bootstrap of few cases, or of equal ones, finds too little doubt; but for
figures over several agents, which have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.estimates import Estimate, wilson

Floats = npt.NDArray[np.float64]

_RESAMPLES = 2000
_Z = 1.959964


def share(good: Floats, groups: Sequence[str]) -> Estimate | None:
    """The share of good among targets (n,); None where there are none. At least as wide as Wilson's."""
    if not len(good):
        return None
    value, low, high, independent = _resampled(good[:, None], groups)
    least, most = wilson(value, independent)
    return Estimate(value, (min(low, least), max(high, most)), len(good))


def paired_difference(a: Floats, b: Floats, groups: Sequence[str]) -> Estimate | None:
    """How much larger the share is in `a` than in `b` of the same targets (n,); None where there are none.

    At least as wide as the interval of Agresti and Min.

    References
    ----------
    A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in
    Medicine 24, 2005: half a case is added to each cell of the table.
    """
    if not len(a):
        return None
    value, low, high, independent = _resampled((a - b)[:, None], groups)
    cases = independent + 2.0
    gained = (np.maximum(a - b, 0).mean() * independent + 0.5) / cases
    lost = (np.maximum(b - a, 0).mean() * independent + 0.5) / cases
    half = _Z * float(np.sqrt((gained + lost - (gained - lost) ** 2) / cases))
    middle = float(gained - lost)
    return Estimate(value, (max(-1.0, min(low, middle - half)), min(1.0, max(high, middle + half))), len(a))


def over_agents(values: Floats, groups: Sequence[str]) -> Estimate | None:
    """The mean of values (n, agents) of the same targets asked of several agents, NaN where one was not asked.

    Agents are resampled as well as groups, since the luck of either is in every value. None where all are NaN.

    References
    ----------
    A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007.
    """
    asked = int((~np.isnan(values)).any(axis=1).sum())
    if not asked:
        return None
    value, low, high, _ = _resampled(values, groups)
    return Estimate(value, (low, high), asked)


def unpaired_difference(good: int, of: int, other_good: int, other_of: int) -> Estimate | None:
    """How much larger a share is than that of other cases; None where either has none.

    References
    ----------
    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
    17, 1998, method 10.
    """
    if not of or not other_of:
        return None
    a, b = good / of, other_good / other_of
    (low_a, high_a), (low_b, high_b) = wilson(a, of), wilson(b, other_of)
    down, up = np.hypot(a - low_a, high_b - b), np.hypot(high_a - a, b - low_b)
    return Estimate(a - b, (float(a - b - down), float(a - b + up)), of + other_of)


def mcnemar(a: Floats, b: Floats) -> float | None:
    """Exact two-sided p of McNemar's test of 0 and 1: only targets that differ count; None without targets.

    It takes targets for independent, also those of one maker, which the intervals here do not.
    """
    from scipy.stats import binomtest

    if not len(a):
        return None
    gained, lost = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def fisher(good: int, of: int, other_good: int, other_of: int) -> float | None:
    """Two-sided p of Fisher's exact test of two shares; None where either is of nothing."""
    from scipy.stats import fisher_exact

    if not of or not other_of:
        return None
    return float(fisher_exact([[good, of - good], [other_good, other_of - other_good]])[1])


def _resampled(values: Floats, groups: Sequence[str]) -> tuple[float, float, float, int]:
    """The mean of values (n, agents), the ends of its bootstrap interval, and how many groups were drawn from."""
    members = np.unique(np.asarray(groups), return_inverse=True)[1]
    if members.max() == 0:  # all by one maker: what can be said is said of that one
        members = np.arange(len(values))
    sums, counts = (_by_group(some, members) for some in (np.nan_to_num(values), ~np.isnan(values)))
    generator = np.random.default_rng(0)
    agents, cases = (
        generator.multinomial(size, np.full(size, 1 / size), size=_RESAMPLES).astype(float) for size in sums.shape
    )
    drawn, total = (((agents @ table) * cases).sum(axis=1) for table in (counts, sums))
    means = total[drawn > 0] / drawn[drawn > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(np.nanmean(values)), float(low), float(high), sums.shape[1]


def _by_group(values: npt.NDArray[Any], members: npt.NDArray[np.intp]) -> Floats:
    """Sums (agents, groups) of values (n, agents)."""
    return np.array([np.bincount(members, column, minlength=members.max() + 1) for column in values.T])
