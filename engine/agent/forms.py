"""Judging by kept arrays alone, in NumPy: a small network, or a quadratic form (linear where it has no squares).

X is (n, d), scores are (n,): logit-like, good when above 0. A number that is missing or infinite is taken for the mean
of the examples. A network folds into one matrix (standardising, projection and first layer) and one small layer. Rows
are judged in blocks that fit the processor's cache.

Arrays come from a database or a file and are checked before use: known names, shapes that fit one another, finite
numbers, not too many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Classes = npt.NDArray[np.int64]
Scores = Callable[[Floats], Floats]

NETWORK = {
    "mean": "d",
    "scale": "d",
    "pca_mean": "d",
    "components": "cd",
    "hidden_weights": "ch",
    "hidden_bias": "h",
    "output_weights": "h1",
    "output_bias": "1",
}
QUADRATIC = {"mean": "d", "scale": "d", "squares": "d", "weights": "d", "bias": "1"}
"""Shapes by name; a letter stands for the same number throughout. `squares` may be left out."""

_BLOCK = 2048
_MOST = 10**7
"""Numbers; a network over a thousand dimensions has fifty thousand."""


def logits(arrays: Mapping[str, Any], X: Matrix | Floats) -> Floats:
    """Score of each row of X (n, d).

    Raises
    ------
    ModelError
        The arrays are of neither form, do not fit one another or X, or are not finite.
    """
    form = NETWORK if "components" in arrays else QUADRATIC
    checked = _checked(arrays, form, X.shape[1])
    return _blockwise(_network(checked) if form is NETWORK else _quadratic(checked), checked["mean"], X)


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


def _network(a: dict[str, Floats]) -> Scores:
    first = (a["components"] / a["scale"]).T @ a["hidden_weights"]
    offset = a["hidden_bias"] - (a["pca_mean"] @ a["components"].T) @ a["hidden_weights"] - a["mean"] @ first
    second, bias = a["output_weights"][:, 0], a["output_bias"][0]

    def scores(block: Floats) -> Floats:
        hidden = block @ first
        hidden += offset
        np.maximum(hidden, 0, out=hidden)
        return np.asarray(hidden @ second + bias)

    return scores


def _quadratic(a: dict[str, Floats]) -> Scores:
    mean, scale, weights, bias = a["mean"], a["scale"], a["weights"], a["bias"][0]
    squares = a.get("squares")

    def scores(block: Floats) -> Floats:
        scaled = (block - mean) / scale
        linear = scaled @ weights + bias
        return np.asarray(linear if squares is None else linear + np.square(scaled) @ squares)

    return scores


def _blockwise(scores: Scores, mean: Floats, X: Matrix | Floats) -> Floats:
    z, ones = np.empty(len(X)), np.ones(X.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        for first in range(0, len(X), _BLOCK):
            block = X[first : first + _BLOCK].astype(np.float64)
            if not np.isfinite(block @ ones).all():
                block = np.where(np.isfinite(block), block, mean)
            z[first : first + _BLOCK] = scores(block)
    return z


def _checked(arrays: Mapping[str, Any], form: Mapping[str, str], dims: int) -> dict[str, Floats]:
    sizes = {"d": dims, "1": 1}
    found = {}
    for name, letters in form.items():
        if name == "squares" and name not in arrays:
            continue
        array = _numbers(name, arrays.get(name))
        shape = tuple(sizes.setdefault(letter, size) for letter, size in zip(letters, array.shape, strict=False))
        if len(letters) != array.ndim or shape != array.shape:
            raise ModelError(f"its {name!r} of shape {array.shape} does not fit the rest, or {dims} dimensions")
        found[name] = array
    if not found["scale"].all():
        raise ModelError("its 'scale' has a zero")
    return found


def _numbers(name: str, values: Any) -> Floats:
    if values is None:
        raise ModelError(f"it has no {name!r}")
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"its {name!r} is not an array of numbers") from None
    if array.size > _MOST:
        raise ModelError(f"its {name!r} has {array.size} numbers, more than any model of ours")
    if not np.isfinite(array).all():
        raise ModelError(f"its {name!r} has a number that is not finite")
    return array
