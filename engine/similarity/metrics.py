"""Metrics: how far apart two prepared vectors are, and how FAISS finds which may be near.

FAISS compares what an `Embedding` makes of rows and query, in float32; its order must be the metric's own up to
rounding. What it finds is measured by `distances`, in float64, and that alone is answered. A metric without an
embedding is measured against every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ROUNDING = 1e-4
"""More than float32 can change a Euclidean distance, relative to it, or an inner product of unit vectors, as it is."""
_BLOCK = 1 << 14
"""Rows embedded at a time, so that memory stays flat."""
RIDGE = 1.0
"""Added to the diagonal of every covariance: a sound of one frame has none, and near silence hardly any."""


@dataclass(frozen=True)
class Embedding:
    """What FAISS compares.

    Attributes
    ----------
    rows : (n, d') float32
    of_query : callable
        A prepared vector (d,) float32 to its counterpart (d',).
    rounding : callable
        Given the latter, by how much distances may have to differ for FAISS to have their order right.
    """

    rows: Matrix
    of_query: Callable[[Matrix], Matrix]
    rounding: Callable[[Matrix], float] = lambda _: ROUNDING


@dataclass(frozen=True)
class Metric:
    """A distance between vectors.

    Attributes
    ----------
    name : str
        What it is called.
    distances : callable
        Rows (n, d) and a query (d,) or one for each row (n, d), all float64, to their distances (n,). Rows that are the
        same to the last bit must have the same distance, since ties go by id.
    embedding : callable, optional
        Prepared vectors (n, d) float32 to their Embedding; a second argument, where there is one, is its rows, as
        `rows` made them of these vectors.
    rows : callable, optional
        Prepared vectors (n, d) float32 to the rows of their embedding, where these are worth being kept.
    by_row : bool
        Whether each of these rows comes from one vector alone.
    inner_product : bool
        Whether FAISS takes the largest inner products; else the smallest Euclidean distances.
    ahead : int
        How many times k to measure at least, of what FAISS finds.
    """

    name: str
    distances: Callable[[Floats, Floats], Floats]
    embedding: Callable[..., Embedding] | None = None
    inner_product: bool = False
    ahead: int = 1
    rows: Callable[[Matrix], Matrix] | None = None
    by_row: bool = False


def alike(embed: Callable[[Matrix], Matrix]) -> Callable[..., Embedding]:
    """Embed rows and query by the same function of matrices."""

    def embedding(X: Matrix, rows: Matrix | None = None) -> Embedding:
        return Embedding(embed(X) if rows is None else rows, lambda query: embed(query[None])[0], rounding)

    def rounding(query: Matrix) -> float:
        """Also of a query that is no row, such as a centre: FAISS has it as float32, which moves it by so much."""
        moved = np.sqrt(len(query)) * np.abs(query).max(initial=0) * 2.0**-24
        return ROUNDING + 2 * float(moved)

    return embedding


def as_is(X: Matrix) -> Matrix:
    """Vectors as they are."""
    return X


def _euclidean(rows: Floats, query: Floats) -> Floats:
    difference = rows - query
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))


def _cosine(rows: Floats, query: Floats) -> Floats:
    """1 - cosine as half the squared distance of the unit vectors, which is 0 for equal ones and never below."""
    difference = unit(rows) - unit(np.atleast_2d(query))
    distances = 0.5 * np.einsum("ij,ij->i", difference, difference)
    # a zero vector is at right angles to all
    return np.where(rows.any(axis=1) & query.any(axis=-1), distances, 1.0)


def unit(X: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows at length 1, in the type of X; a zero vector stays what it is."""
    lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    units = np.empty_like(X)
    np.divide(X, np.where(lengths > 0, lengths, 1)[:, None], out=units, casting="same_kind")
    return units


def _divergence(rows: Floats, query: Floats) -> Floats:
    """KL(a, b) + KL(b, a) of Gaussians, each a mean and the upper triangle of a covariance.

    With the covariances A and B, ridge included, and the difference m of the means this is

        1/2 [tr((A - B) (B^-1 - A^-1)) + m' (A^-1 + B^-1) m]

    since the logarithms of the determinants cancel; written so, it is 0 for equal ones. References: S. Kullback, R. A.
    Leibler, "On information and sufficiency", 1951; for MFCCs, M. Mandel, D. Ellis, "Song-level features and support
    vector machines for music classification", ISMIR 2005.
    """
    (mean, covariance), (other_mean, other_covariance) = _gaussians(rows), _gaussians(np.atleast_2d(query))
    precision, other_precision = np.linalg.inv(covariance), np.linalg.inv(other_covariance)
    apart = mean - other_mean
    traces = np.einsum("nij,nij->n", covariance - other_covariance, other_precision - precision)
    means = np.einsum("ni,nij,nj->n", apart, precision + other_precision, apart)
    return np.asarray(np.maximum(0.5 * (traces + means), 0))


def _gaussians(X: Floats) -> tuple[Floats, Floats]:
    """Means (n, c), and covariances with the ridge (n, c, c), of rows with c (c + 3) / 2 numbers."""
    size = round((np.sqrt(9 + 8 * X.shape[1]) - 3) / 2)
    upper = np.triu_indices(size)
    covariances = np.empty((len(X), size, size))
    covariances[:, upper[0], upper[1]] = covariances[:, upper[1], upper[0]] = X[:, size:]
    return X[:, :size], covariances + RIDGE * np.eye(size)


def _gaussian_embedding(X: Matrix, rows: Matrix | None = None) -> Embedding:
    """The divergence from a query as an inner product, smallest first: 210 numbers for means of 13.

    Multiplied out, with a = (A, m) the query and b = (B, n) a row, it is

        1/2 [<B^-1, A + m m'> + <A^-1, B + n n'> - 2 m' (B^-1 n) - 2 (A^-1 m)' n + n' B^-1 n + m' A^-1 m] - c

    where each term is a product of something of the query and something of the row. Both sides have the same numbers in
    another order. Two things make them small, and so float32's rounding: the corpus's mean is taken off all means,
    which changes no divergence, and each number of the rows is centred, which adds the same to all products of a query.

    A product of d numbers is wrong by at most (d + 2) 2^-24 times the sum of their absolute products: d for summing in
    any order, 2 for rounding each side to float32 (N. Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
    section 3.1). For a query, that sum is bounded by the largest of each number among the rows. A row that FAISS ranks
    behind the last it found is nearer than that by at most twice as much, and than the farthest it found by four times.
    """
    rows = _gaussian_rows(X) if rows is None else rows
    middle = _middle(X)
    largest = np.maximum(rows.max(axis=0), -rows.min(axis=0)).astype(np.float64)
    upper = np.triu_indices(len(middle))
    twice = np.where(upper[0] == upper[1], 1.0, 2.0)  # the lower triangle counts as well

    def of_query(query: Matrix) -> Matrix:
        precision, moments, turned, mean, length, one = _gaussian_parts(query[None], middle)
        factors = np.hstack([moments * twice, precision * twice, -2 * mean, -2 * turned, one, length])
        return np.asarray(-0.5 * factors[0], np.float32)

    def rounding(embedded: Matrix) -> float:
        return float(4 * (len(largest) + 2) * 2.0**-24 * (np.abs(embedded) @ largest)) + ROUNDING

    return Embedding(rows, of_query, rounding)


def _gaussian_rows(X: Matrix) -> Matrix:
    """The rows' side of the products, each number centred."""
    middle = _middle(X)
    rows = np.concatenate(
        [np.hstack(_gaussian_parts(X[first : first + _BLOCK], middle)) for first in range(0, len(X), _BLOCK)],
        dtype=np.float64,
    )
    rows -= rows.mean(axis=0)
    return rows.astype(np.float32)


def _gaussian_parts(X: Matrix, middle: Floats) -> list[Floats]:
    """What the products are of: precisions, second moments, and so on, with `middle` (c,) taken off all means."""
    mean, covariance = _gaussians(X.astype(np.float64))
    mean = mean - middle
    upper = np.triu_indices(len(middle))
    precision = np.linalg.inv(covariance)
    turned = np.einsum("nij,nj->ni", precision, mean)
    moments = covariance + mean[:, :, None] * mean[:, None, :]
    length = np.einsum("ni,ni->n", mean, turned)[:, None]
    triangles = precision[:, upper[0], upper[1]], moments[:, upper[0], upper[1]]
    return [*triangles, turned, mean, length, np.ones_like(length)]


def _middle(X: Matrix) -> Floats:
    """The mean (c,) of all means."""
    size = _gaussians(X[:1].astype(np.float64))[0].shape[1]
    return np.asarray(X[:, :size].mean(axis=0, dtype=np.float64))


EUCLIDEAN = Metric("euclidean", _euclidean, alike(as_is))
COSINE = Metric("cosine", _cosine, alike(unit), inner_product=True, rows=unit, by_row=True)
"""The unit vectors' inner product, unlike their distance, has zero vectors where the metric has them too."""
DIVERGENCE = Metric(
    "symmetrised KL", _divergence, _gaussian_embedding, inner_product=True, ahead=4, rows=_gaussian_rows
)
