"""Metrics: how far apart two prepared vectors are, and how FAISS finds which may be near.

FAISS compares what `embed` makes of the vectors, in float32; its order must be the metric's own up to rounding. What it
finds is measured by `distances`, in float64, and that alone is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A distance between vectors.

    Attributes
    ----------
    name : str
        What it is called.
    distances : callable
        Rows (n, d) and a query (d,), both float64, to their distances (n,). Rows that are the same to the last bit must
        have the same distance, since ties go by id.
    embed : callable
        Vectors (n, d) float32 to those (n, d') that FAISS compares, rows and query alike.
    inner_product : bool
        Whether FAISS takes the largest inner products; else the smallest Euclidean distances.
    """

    name: str
    distances: Callable[[Floats, Floats], Floats]
    embed: Callable[[Matrix], Matrix]
    inner_product: bool = False


def as_is(X: Matrix) -> Matrix:
    """Vectors as they are."""
    return X


def _euclidean(rows: Floats, query: Floats) -> Floats:
    difference = rows - query
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))


def _cosine(rows: Floats, query: Floats) -> Floats:
    """1 - cosine as half the squared distance of the unit vectors, which is 0 for equal ones and never below."""
    difference = _unit(rows) - _unit(query[None])
    distances = 0.5 * np.einsum("ij,ij->i", difference, difference)
    return np.where(rows.any(axis=1) & query.any(), distances, 1.0)  # a zero vector is at right angles to all


def _unit(X: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows at length 1, in the type of X; a zero vector stays what it is."""
    lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    units = np.empty_like(X)
    np.divide(X, np.where(lengths > 0, lengths, 1)[:, None], out=units, casting="same_kind")
    return units


EUCLIDEAN = Metric("euclidean", _euclidean, as_is)
COSINE = Metric("cosine", _cosine, _unit, inner_product=True)
"""The unit vectors' inner product, unlike their distance, has zero vectors where the metric has them too."""
