"""Fitting a classifier to examples: pure, no corpus.

X is (n, d) with NaN where something is missing, y is (n,) of 0 (bad) and 1 (good).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from engine.agent.classifiers import AUTO, Classifier, classifier
from engine.agent.forms import Classes, Floats, Matrix
from engine.errors import ModelError

_BLOCK = 1 << 14


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier.

    Attributes
    ----------
    classifier : Classifier
    estimator : scikit-learn estimator
    recipe : dict
        The classifier's name, its parameters and, of `auto`, why it was chosen (see `engine.agent.auto`).
    """

    classifier: Classifier
    estimator: Any
    recipe: dict[str, Any] = field(default_factory=dict)

    def scores(self, X: Matrix | Floats) -> Floats:
        """Score (n,) of each row of X (n, d), good when above 0; in blocks, so that memory stays flat.

        Raises
        ------
        ModelError
            It gives no number.
        """
        z = np.empty(len(X))
        for first in range(0, len(X), _BLOCK):
            block = X[first : first + _BLOCK]
            z[first : first + _BLOCK] = self.classifier.scores(self.estimator, known(block))
        if np.isnan(z).any():
            raise ModelError(f"classifier {self.classifier.name!r} gives no number for some sounds")
        return z

    @property
    def arrays(self) -> dict[str, Any]:
        """What the classifier keeps, as plain lists; empty where it is fitted anew when loaded."""
        kept = self.classifier.keep(self.estimator) if self.classifier.keep else {}
        return {name: values.tolist() for name, values in kept.items()}

    @property
    def notes(self) -> list[str]:
        """What the steps of a pipeline have to say of these examples."""
        steps = [step for _, step in getattr(self.estimator, "steps", [])]
        return [note for step in steps if (note := getattr(step, "note_", ""))]


def fit(name: str, X: Matrix | Floats, y: Classes, seed: int = 0, groups: Sequence[str] | None = None) -> Fitted:
    """Fit a classifier by name, or the one that `auto` chooses.

    Parameters
    ----------
    name : str
    X : (n, d)
        Not all rows alike.
    y : (n,)
        Both classes.
    seed : int
    groups : sequence of str, optional
        The uploader of each sound, by which `auto` deals its folds.

    Raises
    ------
    TrainingError
        There is no such classifier.
    """
    if name == AUTO:
        from engine.agent.auto import choose  # which fits many times itself

        return choose(X, y, groups, seed)
    found = classifier(name)
    estimator = found.build(seed)
    recipe = {"classifier": name, "parameters": _parameters(estimator)}
    return Fitted(found, _fitted(estimator, X, y), recipe)


def refit(recipe: dict[str, Any], X: Matrix | Floats, y: Classes, seed: int) -> Fitted:
    """Fit as a recipe says.

    Raises
    ------
    TrainingError
        There is no such classifier any more.
    ModelError
        It cannot be fitted with such parameters.
    """
    found = classifier(str(recipe.get("classifier")))
    try:
        estimator = found.build(seed)
        estimator.set_params(**recipe.get("parameters", {}))
        return Fitted(found, _fitted(estimator, X, y), recipe)
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"its recipe cannot be followed: {error}".splitlines()[0]) from error


def _fitted(estimator: Any, X: Matrix | Floats, y: Classes) -> Any:
    """Fitted by one thread, since several would but wait for one another over so few numbers, and round otherwise."""
    with _threads().limit(limits=1, user_api="blas"):
        return estimator.fit(known(X), y)


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def known(X: Matrix | Floats) -> Floats:
    """X in float64, with NaN for what is infinite."""
    X = X.astype(np.float64)
    return X if np.isfinite(X).all() else np.where(np.isfinite(X), X, np.nan)


def _parameters(estimator: Any) -> dict[str, Any]:
    """What can be written down of an estimator's parameters."""
    plain = (str, int, float, bool, type(None))
    return {
        name: value
        for name, value in sorted(estimator.get_params(deep=True).items())
        if isinstance(value, plain) and not (isinstance(value, float) and not np.isfinite(value))
    }
