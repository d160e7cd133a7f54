"""Honest accuracy: repeated stratified cross-validation, with an interval over sounds, beside the majority baseline.

Sounds of one uploader never stand on both sides of a split where each class has at least two uploaders. The interval is
a percentile bootstrap over sounds (over uploaders where grouped), never the spread over folds or repeats, which tells
only how the same sounds were dealt. A bootstrap knows nothing of how another training set would have turned out, and
finds no doubt at all where all were right: so the interval is never narrower than Wilson's for a share of as many
sounds (uploaders).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.classifiers import Matrix, Mlp
from engine.agent.judging import logits
from engine.agent.network import Classes, Floats

FOLDS = 5
REPEATS = 10
_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of sounds behind it."""

    value: float
    interval: tuple[float, float]
    n: int

    def as_json(self) -> dict[str, Any]:
        """`{"value", "interval", "n"}`, to four decimals."""
        low, high = self.interval
        return {"value": round(self.value, 4), "interval": [round(low, 4), round(high, 4)], "n": self.n}


@dataclass(frozen=True)
class Evaluation:
    """Scores of one classifier on one agent's labels; `logits` (repeats, n) are those of the held-out sounds."""

    accuracy: Estimate
    balanced: Estimate
    auc: Estimate
    baseline: float
    protocol: str
    logits: Floats

    def as_json(self) -> dict[str, Any]:
        """As `mirla agent train --json` answers it."""
        return {
            "accuracy": self.accuracy.as_json(),
            "balanced": self.balanced.as_json(),
            "auc": self.auc.as_json(),
            "baseline": round(self.baseline, 4),
            "protocol": self.protocol,
        }


def cross_validate(
    X: Matrix,
    y: Classes,
    groups: Sequence[str],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation | None:
    """Evaluate the classifier on X (n, d), y (n,) 0 or 1.

    Parameters
    ----------
    groups : sequence of str
        The uploader of each sound.
    seed : int
        Deals the folds and starts the networks.

    Returns
    -------
    Evaluation or None
        None when a class has fewer than two sounds, so that nothing can be held out.
    """
    members = np.unique(np.asarray(groups), return_inverse=True)[1]
    smallest = int(np.bincount(y, minlength=2).min())
    if smallest < 2:
        return None
    across = min(len(np.unique(members[y == label])) for label in (0, 1))
    grouped = across >= 2 and len(np.unique(members)) < len(y)
    folds = min(FOLDS, smallest, len(np.unique(members)) if grouped else len(y))
    held_out = np.empty((REPEATS, len(y)))
    for repeat in range(REPEATS):
        for train, test in _splits(X, y, members if grouped else None, folds, seed + repeat):
            held_out[repeat, test] = _held_out_logits(X, y, train, test, seed + repeat)
        if progress:
            progress(repeat + 1, REPEATS)
    how = ", no uploader on both sides" if grouped else ""
    drawn = "uploaders" if grouped else "sounds"
    protocol = f"{REPEATS} x {folds}-fold cross-validation{how}; interval: bootstrap over {drawn}, Wilson's at least"
    return _scored(held_out, y, members if grouped else np.arange(len(y)), protocol, seed)


def inverse_temperature(held_out: Floats, y: Classes) -> float:
    """The factor a that makes `1 / (1 + exp(-a z))` likeliest for held-out logits z (repeats, n); ~0 if they are noise.

    References
    ----------
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (temperature scaling).
    """
    from scipy.optimize import minimize_scalar

    sign = np.where(y == 1, 1.0, -1.0)
    # searched by its logarithm, since logits may be any size
    found = minimize_scalar(
        lambda t: np.logaddexp(0, -np.exp(t) * held_out * sign).mean(), bounds=(-7, 5), method="bounded"
    )
    return float(np.exp(found.x))


def _splits(X: Matrix, y: Classes, members: npt.NDArray[np.intp] | None, folds: int, seed: int) -> Any:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if members is None else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter(folds, shuffle=True, random_state=seed).split(X, y, members))


def _held_out_logits(X: Matrix, y: Classes, train: Any, test: Any, seed: int) -> Floats:
    present = np.unique(y[train])
    if len(present) == 1:  # grouped folds may leave one class only: then nothing is learnt but its name
        return np.full(len(test), 1.0 if present[0] == 1 else -1.0)
    return logits(Mlp(seed).fit(X[train], y[train]).arrays_, X[test])


def _scored(held_out: Floats, y: Classes, members: npt.NDArray[np.intp], protocol: str, seed: int) -> Evaluation:
    n = len(y)
    right = ((held_out > 0) == (y == 1)).mean(axis=0)
    good, bad = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    above = held_out[:, good, None] - held_out[:, None, bad]
    pairs = ((above > 0) + 0.5 * (above == 0)).mean(axis=0)

    def accuracy(w: Floats) -> Floats:
        return np.asarray(w @ right / w.sum(axis=1))

    def balanced(w: Floats) -> Floats:
        rate = [w[:, some] @ right[some] / w[:, some].sum(axis=1) for some in (good, bad)]
        return np.asarray((rate[0] + rate[1]) / 2)

    def auc(w: Floats) -> Floats:
        total = w[:, good].sum(axis=1) * w[:, bad].sum(axis=1)
        return np.asarray(np.einsum("bi,ij,bj->b", w[:, good], pairs, w[:, bad], optimize=True) / total)

    weights = _resamples(members, y, seed)
    independent = len(np.unique(members))
    return Evaluation(
        accuracy=_estimate(accuracy, weights, n, independent),
        balanced=_estimate(balanced, weights, n, independent),
        auc=_estimate(auc, weights, n, independent),
        baseline=max(len(good), len(bad)) / n,
        protocol=protocol,
        logits=held_out,
    )


def _resamples(members: npt.NDArray[np.intp], y: Classes, seed: int) -> Floats:
    """How often each sound is drawn, shape (resamples, n): whole groups are drawn, and both classes are there."""
    generator = np.random.default_rng(seed)
    count = members.max() + 1
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)[:, members].astype(float)
    return np.asarray(drawn[(drawn[:, y == 1].sum(axis=1) > 0) & (drawn[:, y == 0].sum(axis=1) > 0)])


def _estimate(figure: Callable[[Floats], Floats], weights: Floats, n: int, independent: int) -> Estimate:
    value = float(figure(np.ones((1, n)))[0])
    low, high = np.percentile(figure(weights), [2.5, 97.5])
    least, most = wilson(value, independent)
    return Estimate(value, (min(float(low), least), max(float(high), most)), n)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n independent cases.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.
    """
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
