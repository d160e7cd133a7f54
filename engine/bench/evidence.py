"""Paired differences of classifiers that were evaluated on the same folds, and what chance has to do with them.

The interval of a difference is a bootstrap over sounds (over uploaders where folds are grouped). The test is over
folds: Student's t with the variance corrected for training sets that overlap, and p adjusted by Holm's method over the
family, which is all pairs of one labelled set. Folds weigh by their sounds, since grouped ones differ in size: so the
mean over folds is the difference itself.

References
----------
C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
R. Bouckaert, E. Frank, "Evaluating the Replicability of Significance Tests for Comparing Learning Algorithms", PAKDD
2004 (the same for repeated cross-validation).
S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Stat. 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from engine.agent.estimates import Estimate, Weights, bootstrapped, resamples
from engine.agent.evaluate import Folds
from engine.agent.forms import Classes, Floats


@dataclass(frozen=True)
class Difference:
    """How much more accurate the first of two cells is than the second, both by their numbers.

    `t` and `p` are None where all folds differ by the same amount, but for 0: then there is no variance to hold it
    against.
    """

    first: int
    second: int
    accuracy: Estimate
    t: float | None
    df: int
    p: float | None
    p_holm: float | None

    def as_json(self) -> dict[str, Any]:
        """`{"difference", "t", "df", "p", "p_holm"}`."""
        numbers = {"t": self.t, "p": self.p, "p_holm": self.p_holm}
        short = {name: None if one is None else float(f"{one:.4g}") for name, one in numbers.items()}
        return {"difference": self.accuracy.as_json(), "t": short["t"], "df": self.df} | {
            name: short[name] for name in ("p", "p_holm")
        }


def differences(held_out: Sequence[Floats], y: Classes, folds: Folds, seed: int = 0) -> list[Difference]:
    """Differences of all pairs of cells.

    Parameters
    ----------
    held_out : sequence of (repeats, n)
        Of each cell, the scores of the sounds when they were held out.
    y : (n,) 0 or 1
    folds : Folds
        By which all of them were held out.
    seed : int
        Draws the resamples.
    """
    right = [(scores > 0) == (y == 1) for scores in held_out]
    weights = resamples(folds.members, y, seed)
    tests = [(repeat, test) for repeat, splits in enumerate(folds.repeats) for _, test in splits]
    size = right[0].size / len(tests)
    by_fold = np.array([[one[repeat, test].sum() / size for repeat, test in tests] for one in right])
    by_sound = np.array([one.mean(axis=0) for one in right])
    ratio = held_to_learnt(folds)
    pairs = list(combinations(range(len(held_out)), 2))
    tested = [corrected_t(by_fold[a] - by_fold[b], ratio) for a, b in pairs]
    adjusted = iter(holm([p for _, p in tested if p is not None]))
    found = []
    for (a, b), (t, p) in zip(pairs, tested, strict=True):
        value, interval = _paired(by_sound[a] - by_sound[b], weights)
        holmed = None if p is None else next(adjusted)
        found.append(Difference(a, b, Estimate(value, interval, len(y)), t, len(tests) - 1, p, holmed))
    return found


def held_to_learnt(folds: Folds) -> float:
    """How many sounds are held out for each that is learnt from, on average."""
    splits = [split for splits in folds.repeats for split in splits]
    return sum(len(test) for _, test in splits) / sum(len(train) for train, _ in splits)


def corrected_t(apart: Floats, ratio: float) -> tuple[float | None, float | None]:
    """The corrected t and its two-sided p, by as many degrees of freedom as there are folds, less one.

    Parameters
    ----------
    apart : (folds,)
        Differences, one of each fold.
    ratio : float
        See `held_to_learnt`.
    """
    from scipy.stats import t as student

    mean, variance = float(apart.mean()), float(apart.var(ddof=1))
    if variance <= 1e-24:
        return (0.0, 1.0) if abs(mean) <= 1e-12 else (None, None)
    t = mean / float(np.sqrt((1 / len(apart) + ratio) * variance))
    return t, float(2 * student.sf(abs(t), len(apart) - 1))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p in the order given: each is to be held against the level for the whole family."""
    adjusted = np.empty(len(p))
    least = 0.0
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        least = max(least, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = least
    return [float(one) for one in adjusted]


def _paired(apart: Floats, weights: Weights) -> tuple[float, tuple[float, float]]:
    return bootstrapped(lambda w: np.asarray(w @ apart / w.sum(axis=1)), weights)
