"""A multilayer perceptron as FluCoMa trains it: one hidden ReLU layer, one logit, plain SGD with momentum.

A fifth of the examples is held out. Training ends when their loss has not improved for ten epochs by more than
scikit-learn's tolerance (without one, classes that are easily told apart train for ever), and the best epoch's weights
are kept. The loss is scikit-learn's cross-entropy where FluCoMa has the squared error. scikit-learn's own MLPClassifier
stops on the held-out *accuracy*, which on eight sounds stands still from the start: it gave up after some thirty steps
and judged hardly better than chance.

Imports scikit-learn: to be imported where something is fitted only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y

from engine.agent.forms import Classes, Floats

Weights = list[Floats]
Shapes = list[tuple[int, ...]]


class Perceptron(ClassifierMixin, BaseEstimator):
    """A binary classifier for scikit-learn; the defaults are FluCoMa's settings in the paper.

    Attributes
    ----------
    classes_ : (2,)
        What is told apart.
    weights_ : list of arrays
        W1 (d, hidden), b1 (hidden,), W2 (hidden, 1), b2 (1,).
    n_iter_ : int
        Epochs that were trained.
    """

    def __init__(
        self,
        hidden: int = 14,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        batch: int = 10,
        validation: float = 0.2,
        patience: int = 10,
        tolerance: float = 1e-4,
        epochs: int = 10000,
        epochs_without_validation: int = 200,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.batch = batch
        self.validation = validation
        self.patience = patience
        self.tolerance = tolerance
        self.epochs = epochs
        self.epochs_without_validation = epochs_without_validation
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Perceptron:
        """Learn from X (n, d) and y (n,) of two classes."""
        X, y = check_X_y(X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            words = "1 class" if len(self.classes_) == 1 else f"{len(self.classes_)} classes"
            raise ValueError(f"Only binary classification is supported: the labels have {words}")
        self.n_features_in_ = X.shape[1]
        self._descend(X, codes)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Logit (n,) of the second class."""
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64)
        if X.shape[1] != self.n_features_in_:
            name, expected = type(self).__name__, self.n_features_in_
            raise ValueError(f"X has {X.shape[1]} features, but {name} is expecting {expected} features as input")
        return _logits(self.weights_, X)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Class (n,) of each row."""
        above = self.decision_function(X) > 0
        return np.asarray(self.classes_[above.astype(int)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _descend(self, X: Floats, y: Classes) -> None:
        generator = np.random.default_rng(self.random_state)
        held_out = _hold_out(y, self.validation, generator)
        train = np.setdiff1d(np.arange(len(y)), held_out)
        shapes = [(X.shape[1], self.hidden), (self.hidden,), (self.hidden, 1), (1,)]
        flat = _start(shapes, generator)
        weights = _parts(flat, shapes)
        gradient, speed = np.empty_like(flat), np.zeros_like(flat)
        gradients = _parts(gradient, shapes)
        best, best_loss, waited = flat, np.inf, 0
        for epoch in range(self.epochs if len(held_out) else self.epochs_without_validation):
            self.n_iter_ = epoch + 1
            order = generator.permutation(train)
            shuffled, wanted = X[order], y[order, None]
            for first in range(0, len(order), self.batch):
                some = slice(first, first + self.batch)
                _differentiate(weights, shuffled[some], wanted[some], gradients)
                speed *= self.momentum
                speed -= self.learning_rate * gradient
                flat += speed
            if not len(held_out):
                continue  # then `best` are the last weights
            loss = _loss(weights, X[held_out], y[held_out])
            if loss < best_loss - self.tolerance:
                best, best_loss, waited = flat.copy(), loss, 0
            elif (waited := waited + 1) >= self.patience:
                break
        self.weights_ = _parts(best, shapes)


def _hold_out(y: Classes, share: float, generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """A share of each class; nothing when a class would have no sound left to learn from, or none held out."""
    rows = [generator.permutation(np.flatnonzero(y == label)) for label in (0, 1)]
    counts = [max(1, round(share * len(some))) for some in rows]
    if any(count >= len(some) for some, count in zip(rows, counts, strict=True)):
        return np.empty(0, np.intp)
    return np.concatenate([some[:count] for some, count in zip(rows, counts, strict=True)])


def _start(shapes: Shapes, generator: np.random.Generator) -> Floats:
    """Uniform weights after X. Glorot and Y. Bengio, AISTATS 2010; zero biases. All in one array."""
    flat = np.zeros(sum(int(np.prod(shape)) for shape in shapes))
    for part in _parts(flat, shapes):
        if part.ndim == 2:
            most = np.sqrt(6 / sum(part.shape))
            part[:] = generator.uniform(-most, most, part.shape)
    return flat


def _parts(flat: Floats, shapes: Shapes) -> Weights:
    """Views of one array, so that a step moves all weights at once."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]


def _differentiate(weights: Weights, X: Floats, y: Classes, gradients: Weights) -> None:
    """Write the gradients of the cross-entropy over a batch, X (n, d) and y (n, 1), in their place."""
    w1, b1, w2, b2 = weights
    hidden = np.maximum(X @ w1 + b1, 0)
    error = (0.5 * (1 + np.tanh(0.5 * (hidden @ w2 + b2))) - y) / len(y)
    back = (error @ w2.T) * (hidden > 0)
    np.matmul(X.T, back, out=gradients[0])
    back.sum(axis=0, out=gradients[1])
    np.matmul(hidden.T, error, out=gradients[2])
    error.sum(axis=0, out=gradients[3])


def _loss(weights: Weights, X: Floats, y: Classes) -> float:
    z = _logits(weights, X)
    return float(np.logaddexp(0, np.where(y == 1, -z, z)).mean())


def _logits(weights: Weights, X: Floats) -> Floats:
    w1, b1, w2, b2 = weights
    return np.asarray((np.maximum(X @ w1 + b1, 0) @ w2 + b2)[:, 0])
