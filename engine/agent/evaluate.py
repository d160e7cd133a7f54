"""Honest accuracy: repeated stratified cross-validation, with an interval over sounds, beside the majority baseline.

Sounds of one uploader never stand on both sides of a split where each class has at least two uploaders. How intervals
are made: see `engine.agent.estimates`. Two other protocols stand beside it: the paper's one split, and sounds that were
labelled for testing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.classifiers import AUTO
from engine.agent.estimates import Estimate as Estimate
from engine.agent.estimates import Members, resamples, share
from engine.agent.estimates import wilson as wilson
from engine.agent.fitting import fit
from engine.agent.forms import Classes, Floats, Matrix

FOLDS = 5
REPEATS = 10
REPEATS_OF_AUTO = 2
"""It fits every classifier five times for each fold."""
TRAINING_SHARE = 0.7
"""Of the paper's protocol."""

Rows = npt.NDArray[np.intp]
Split = tuple[Rows, Rows]
"""Rows to learn from, rows held out."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Folds:
    """How sounds are dealt: of each repeat its splits, of each sound its group, and that in words."""

    repeats: list[list[Split]]
    members: Members
    protocol: str


@dataclass(frozen=True)
class Evaluation:
    """Scores of one classifier on one agent's labels.

    Attributes
    ----------
    accuracy, balanced : Estimate
    auc : Estimate or None
        None where the scores are not on one scale, so that those of one fold cannot be held against another's.
    confusion : dict
        By true label, how many sounds were called good and bad, as a mean over repeats.
    baseline : float
        Share of the commoner label.
    protocol : str
    held_out : (repeats, n) float64
        Scores of the sounds when they were held out.
    """

    accuracy: Estimate
    balanced: Estimate
    auc: Estimate | None
    confusion: dict[str, dict[str, float]]
    baseline: float
    protocol: str
    held_out: Floats

    def as_json(self) -> dict[str, Any]:
        """As `mirla agent train --json` answers it."""
        return {
            "accuracy": self.accuracy.as_json(),
            "balanced": self.balanced.as_json(),
            "auc": self.auc.as_json() if self.auc else None,
            "confusion": self.confusion,
            "baseline": round(self.baseline, 4),
            "protocol": self.protocol,
        }


def folds_of(y: Classes, groups: Sequence[str], seed: int = 0, repeats: int = REPEATS) -> Folds | None:
    """Deal sounds into folds: the same for every classifier.

    Parameters
    ----------
    y : (n,) 0 or 1
    groups : sequence of str
        The uploader of each sound.
    seed, repeats : int

    Returns
    -------
    Folds or None
        None when a class has fewer than two sounds, so that nothing can be held out.
    """
    members = np.unique(np.asarray(groups), return_inverse=True)[1]
    count = len(np.unique(members))
    smallest = int(np.bincount(y, minlength=2).min())
    if smallest < 2:
        return None
    across = min(len(np.unique(members[y == label])) for label in (0, 1))
    grouped = across >= 2 and count < len(y)
    folds = min(FOLDS, smallest, count if grouped else len(y))
    drawn = "uploaders" if grouped else "sounds"
    return Folds(
        [_splits(y, members if grouped else None, folds, seed + repeat) for repeat in range(repeats)],
        members if grouped else np.arange(len(y)),
        f"{repeats} x {folds}-fold cross-validation, {_grouping(groups, count, grouped)}; "
        f"interval: bootstrap over {drawn}, Wilson's at least",
    )


def _grouping(groups: Sequence[str], count: int, grouped: bool) -> str:
    """How sounds of so many groups were kept together, in words."""
    unknown = sum(group.startswith("sound:") for group in groups)
    if grouped:
        alone = f" ({unknown} of unknown makers count as one each)" if unknown else ""
        return f"grouped by maker: no uploader or pack on both sides{alone}"
    if unknown == len(groups):
        return "ungrouped: makers unknown"
    if count == len(groups):
        return "ungrouped: no two are known to be by one maker"
    return "ungrouped: all of a label are from one uploader"


def cross_validate(
    X: Matrix | Floats,
    y: Classes,
    groups: Sequence[str],
    seed: int = 0,
    progress: Progress | None = None,
    classifier: str = "mlp",
    repeats: int | None = None,
) -> Evaluation | None:
    """Evaluate a classifier on X (n, d), y (n,) 0 or 1.

    Parameters
    ----------
    groups : sequence of str
        The uploader of each sound.
    seed : int
        Deals the folds and starts the networks.
    classifier : str
        A name, or `auto`: then each fold chooses anew, from what it may learn from alone.
    repeats : int, optional

    Returns
    -------
    Evaluation or None
        None when a class has fewer than two sounds, so that nothing can be held out.
    """
    folds = folds_of(y, groups, seed, repeats or usual_repeats(classifier))
    if folds is None:
        return None
    held_out = np.empty((len(folds.repeats), len(y)))
    dealt = [(repeat, split) for repeat, splits in enumerate(folds.repeats) for split in splits]
    for done, (repeat, split) in enumerate(dealt):
        held_out[repeat, split[1]] = held_out_scores(classifier, X, y, groups, split, seed + repeat)
        if progress:
            progress(done + 1, len(dealt))
    return scored(held_out, y, folds.members, folds.protocol, seed, one_scale=classifier != AUTO)


def usual_repeats(classifier: str) -> int:
    """How many times the folds are dealt."""
    return REPEATS_OF_AUTO if classifier == AUTO else REPEATS


def held_out_scores(
    classifier: str, X: Matrix | Floats, y: Classes, groups: Sequence[str], split: Split, seed: int
) -> Floats:
    """Scores of the held out of one split.

    Where what there is to learn from has one class alone (as grouped folds may), or sounds all alike, nothing is learnt
    but the commoner label.
    """
    train, test = split
    if y[train].min() == y[train].max() or alike(X[train]):
        return np.full(len(test), 1.0 if y[train].mean() > 0.5 else -1.0)
    return fit(classifier, X[train], y[train], seed, [groups[row] for row in train]).scores(X[test])


def alike(X: Matrix | Floats) -> bool:
    """Whether no column tells one row from another."""
    return not varying(X).any()


def varying(X: Matrix | Floats) -> npt.NDArray[np.bool_]:
    """Which columns (d,) are not the same number in all rows that have one."""
    known = np.isfinite(X)
    return np.asarray(np.where(known, X, -np.inf).max(axis=0) > np.where(known, X, np.inf).min(axis=0))


def split_as_the_paper(
    X: Matrix | Floats, y: Classes, groups: Sequence[str], seed: int = 0, classifier: str = "mlp"
) -> Evaluation | None:
    """One stratified split, 70 % to learn from, as the paper did it; None where a label has fewer than two sounds."""
    from sklearn.model_selection import train_test_split

    if np.bincount(y, minlength=2).min() < 2:
        return None
    held = min(len(y) - 2, max(2, round((1 - TRAINING_SHARE) * len(y))))
    split = train_test_split(np.arange(len(y)), test_size=held, stratify=y, random_state=seed)
    scores = held_out_scores(classifier, X, y, groups, (split[0], split[1]), seed)
    dealt = f"{len(split[0])} sounds to learn from and {held} held out, ungrouped"
    protocol = f"the paper's: one split, {dealt}; Wilson's interval"
    evaluation = scored(scores[None], y[split[1]], np.arange(held), protocol, seed)
    value = evaluation.accuracy.value
    return replace(evaluation, accuracy=Estimate(value, wilson(value, held), held))


def scored(
    held_out: Floats, y: Classes, members: Members, protocol: str, seed: int = 0, one_scale: bool = True
) -> Evaluation:
    """What held-out scores (repeats, n) are worth.

    There is no AUC of scores that are not on one scale, as where `auto` chose another classifier for each fold.
    """
    n = len(y)
    called = (held_out > 0).mean(axis=0)
    right = np.where(y == 1, called, 1 - called)
    good, bad = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    ranked = [_ranked(z) for z in held_out] if one_scale else []

    def accuracy(w: Floats) -> Floats:
        return np.asarray(w @ right / w.sum(axis=1))

    def balanced(w: Floats) -> Floats:
        rate = [w[:, some] @ right[some] / w[:, some].sum(axis=1) for some in (good, bad)]
        return np.asarray((rate[0] + rate[1]) / 2)

    def auc(w: Floats) -> Floats:
        total = w[:, good].sum(axis=1) * w[:, bad].sum(axis=1)
        return np.asarray(np.mean([_won(w, y, *ranks) for ranks in ranked], axis=0) / total)

    weights, independent = resamples(members, y, seed), len(np.unique(members))
    return Evaluation(
        accuracy=share(accuracy, weights, independent),
        balanced=share(balanced, weights, independent),
        auc=share(auc, weights, independent) if one_scale else None,
        confusion={
            label: {"good": round(float(called[rows].sum()), 2), "bad": round(float((1 - called[rows]).sum()), 2)}
            for label, rows in (("good", good), ("bad", bad))
        },
        baseline=max(len(good), len(bad)) / n,
        protocol=protocol,
        held_out=held_out,
    )


def _ranked(z: Floats) -> tuple[Rows, Rows, Rows]:
    """Rows by ascending score, and of each place the first and the last one with the same score."""
    order = np.argsort(z, kind="stable")
    ascending = z[order]
    return order, np.searchsorted(ascending, ascending, "left"), np.searchsorted(ascending, ascending, "right") - 1


def _won(w: Floats, y: Classes, order: Rows, first: Rows, last: Rows) -> Floats:
    """The weight (b,) of pairs in which the good is above the bad, half of it where they tie, of weights w (b, n)."""
    mine = w[:, order]
    bad = np.where(y[order] == 0, mine, 0)
    below = np.cumsum(bad, axis=1)
    half = (below[:, first] - bad[:, first] + below[:, last]) / 2
    return np.asarray(np.where(y[order] == 1, mine * half, 0).sum(axis=1))


def _splits(y: Classes, members: Members | None, folds: int, seed: int) -> list[Split]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if members is None else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter(folds, shuffle=True, random_state=seed).split(np.zeros((len(y), 1)), y, members))
