"""A multilayer perceptron as FluCoMa trains it: one hidden ReLU layer, one logit, plain SGD with momentum.

A fifth of the examples is held out. Training ends when their loss has not improved for ten epochs by more than
scikit-learn's tolerance (without one, classes that are easily told apart train for ever), and the best epoch's weights
are kept. The loss is scikit-learn's cross-entropy where FluCoMa has the squared error. scikit-learn's own MLPClassifier
stops on the held-out *accuracy*, which on eight sounds stands still from the start: it gave up after some thirty steps
and judged hardly better than chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]
Weights = list[Floats]


@dataclass(frozen=True)
class Manner:
    """How a network is built and trained; FluCoMa's settings in the paper."""

    hidden: int = 14
    learning_rate: float = 0.01
    momentum: float = 0.9
    batch: int = 10
    validation: float = 0.2
    patience: int = 10
    tolerance: float = 1e-4
    epochs: int = 10000
    epochs_without_validation: int = 200


class Perceptron:
    """A binary classifier: `fit` learns `weights_` = [W1 (d, hidden), b1, W2 (hidden, 1), b2]."""

    def __init__(self, manner: Manner | None = None, seed: int = 0) -> None:
        self.manner = manner or Manner()
        self.seed = seed

    def fit(self, X: Floats, y: Classes) -> Perceptron:
        """Learn from X (n, d) and y (n,) 0 or 1."""
        generator = np.random.default_rng(self.seed)
        held_out = _hold_out(y, self.manner.validation, generator)
        train = np.setdiff1d(np.arange(len(y)), held_out)
        weights = _start(X.shape[1], self.manner.hidden, generator)
        speeds = [np.zeros_like(w) for w in weights]
        best, best_loss, waited = weights, np.inf, 0
        for _ in range(self.manner.epochs if len(held_out) else self.manner.epochs_without_validation):
            order = generator.permutation(train)
            for first in range(0, len(order), self.manner.batch):
                some = order[first : first + self.manner.batch]
                _step(weights, speeds, X[some], y[some], self.manner)
            if not len(held_out):
                best = weights
                continue
            loss = _loss(weights, X[held_out], y[held_out])
            if loss < best_loss - self.manner.tolerance:
                best, best_loss, waited = [w.copy() for w in weights], loss, 0
            elif (waited := waited + 1) >= self.manner.patience:
                break
        self.weights_ = best
        return self


def _hold_out(y: Classes, share: float, generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """A share of each class; nothing when a class would have no sound left to learn from, or none held out."""
    rows = [generator.permutation(np.flatnonzero(y == label)) for label in (0, 1)]
    counts = [max(1, round(share * len(some))) for some in rows]
    if any(count >= len(some) for some, count in zip(rows, counts, strict=True)):
        return np.empty(0, np.intp)
    return np.concatenate([some[:count] for some, count in zip(rows, counts, strict=True)])


def _start(inputs: int, hidden: int, generator: np.random.Generator) -> Weights:
    """Uniform weights after X. Glorot and Y. Bengio, AISTATS 2010; zero biases."""
    first, second = np.sqrt(6 / (inputs + hidden)), np.sqrt(6 / (hidden + 1))
    return [
        generator.uniform(-first, first, (inputs, hidden)),
        np.zeros(hidden),
        generator.uniform(-second, second, (hidden, 1)),
        np.zeros(1),
    ]


def _step(weights: Weights, speeds: Weights, X: Floats, y: Classes, manner: Manner) -> None:
    """One step of gradient descent on the cross-entropy, in place."""
    w1, b1, w2, b2 = weights
    hidden = np.maximum(X @ w1 + b1, 0)
    z = hidden @ w2 + b2
    error = (0.5 * (1 + np.tanh(0.5 * z)) - y[:, None]) / len(y)
    back = (error @ w2.T) * (hidden > 0)
    gradients = (X.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0))
    for weight, speed, gradient in zip(weights, speeds, gradients, strict=True):
        speed *= manner.momentum
        speed -= manner.learning_rate * gradient
        weight += speed


def _loss(weights: Weights, X: Floats, y: Classes) -> float:
    w1, b1, w2, b2 = weights
    z = (np.maximum(X @ w1 + b1, 0) @ w2 + b2)[:, 0]
    return float(np.logaddexp(0, np.where(y == 1, -z, z)).mean())
