"""`auto`: the classifier that cross-validation finds best, or a simpler one that is as good within one standard error.

All are tried on the same folds of the examples given, so that evaluating `auto` itself (see `engine.agent.evaluate`)
nests one cross-validation in another and the choice costs its estimate nothing.

Reference for the rule: L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.agent.classifiers import CLASSIFIERS
from engine.agent.estimates import Weights, bootstrapped, resamples
from engine.agent.evaluate import Folds, folds_of, held_out_scores
from engine.agent.fitting import Fitted, fit
from engine.agent.forms import Classes, Floats, Matrix
from engine.errors import TrainingError

_REPEATS = 1


def choose(X: Matrix | Floats, y: Classes, groups: Sequence[str] | None = None, seed: int = 0) -> Fitted:
    """Choose among all classifiers and fit that one.

    Its recipe has under `auto` the accuracy of each by name, the `best`, the `difference` of the best to the chosen
    with its 95 % interval, and what `failed`: those that raised are left out, with the reason. Where nothing can be
    held out the simplest is taken.

    Raises
    ------
    TrainingError
        All of them failed.
    """
    groups = groups or [str(row) for row in range(len(y))]
    names = sorted(CLASSIFIERS, key=lambda name: CLASSIFIERS[name].complexity)
    folds = folds_of(y, groups, seed, _REPEATS)
    fitted: dict[str, Fitted] = {}
    right: dict[str, Floats] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:
            fitted[name] = fit(name, X, y, seed)
            if folds is None:
                break
            right[name] = _right(name, X, y, groups, folds, seed)
        except Exception as error:  # another package's may throw anything
            failed[name] = " ".join(f"{type(error).__name__}: {error}".split())
    able = [name for name in fitted if name not in failed]
    if not able:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise TrainingError(f"no classifier can learn from these examples: {reasons}")
    chosen, why = able[0], _unknown()
    if folds is not None:
        chosen, why = _simplest(able, np.array([right[name] for name in able]), resamples(folds.members, y, seed))
    return replace(fitted[chosen], recipe=fitted[chosen].recipe | {"auto": why | {"failed": failed}})


def _right(name: str, X: Matrix | Floats, y: Classes, groups: Sequence[str], folds: Folds, seed: int) -> Floats:
    """Of each sound (n,), in which share of the repeats it was judged right when held out."""
    held_out = np.empty((len(folds.repeats), len(y)))
    for repeat, splits in enumerate(folds.repeats):
        for split in splits:
            held_out[repeat, split[1]] = held_out_scores(name, X, y, groups, split, seed + repeat)
    return np.asarray(((held_out > 0) == (y == 1)).mean(axis=0))


def _simplest(names: list[str], right: Floats, weights: Weights) -> tuple[str, dict[str, Any]]:
    """The first of the names, simplest first, that is as good as the best within one standard error of that one."""
    accuracies = right.mean(axis=1)
    best = int(np.argmax(accuracies))
    error = float((weights @ right[best] / weights.sum(axis=1)).std())
    chosen = int(np.argmax(accuracies >= accuracies[best] - error))
    apart = right[best] - right[chosen]
    value, interval = bootstrapped(lambda w: np.asarray(w @ apart / w.sum(axis=1)), weights)
    return names[chosen], {
        "accuracies": {name: round(float(one), 4) for name, one in zip(names, accuracies, strict=True)},
        "best": names[best],
        "difference": {
            "value": round(value, 4),
            "interval": [round(end, 4) for end in interval],
            "n": right.shape[1],
        },
        "standard_error": round(error, 4),
    }


def _unknown() -> dict[str, Any]:
    return {"accuracies": {}, "best": None, "difference": None, "standard_error": None}
