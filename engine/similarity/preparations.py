"""Preparations: what a space's matrix becomes before rows are compared, fitted on the whole space.

Each takes the matrix (n, d) float32 and gives one (n, d') float32. Rows that are alike to the last bit stay alike.
`FITS` has for each what it does to rows that are not of the space, as to a vector that is asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from engine.similarity.metrics import Floats, Matrix, as_is

COEFFICIENTS = 13
"""MFCCs, whose means are followed by as many variances."""
_FLOOR = 1e-3
_COMPONENTS = 10
_NOTHING = 1e-9
"""Share of the greatest variance below which a component is but rounding."""
_BLOCK = 1 << 14
"""Rows prepared at a time."""

Fitted = Callable[[Matrix], Matrix]


def standardise(X: Matrix) -> Matrix:
    """Z-scores of each column, with the population standard deviation; a column constant to float32 becomes zeros.

    A missing number (NaN) has no part in mean and deviation, and is then taken for the mean: 0.
    """
    return _standardised(X)(X)


def means(X: Matrix) -> Matrix:
    """The means alone, of means and variances of MFCCs."""
    return np.ascontiguousarray(X[:, :COEFFICIENTS])


def log_variances(X: Matrix) -> Matrix:
    """Z-scores of the means, and of log(variance + 1e-3), of MFCCs: variances span many powers of ten."""
    return _with_log_variances(X)(X)


def principal_components(X: Matrix) -> Matrix:
    """Z-scores projected on their first 10 principal components, each with variance 1.

    Fewer where the sounds have fewer, one column of zeros where all are alike. The sign of a component is such that
    its weight of greatest size is positive.
    """
    return _projected(X)(X)


def _standardised(X: Matrix) -> Fitted:
    return _Scores(X).of


def _with_log_variances(X: Matrix) -> Fitted:
    def wide(some: Matrix) -> Floats:
        numbers = some.astype(np.float64)
        numbers[:, COEFFICIENTS:] = np.log(numbers[:, COEFFICIENTS:] + _FLOOR)
        return numbers

    return _Scores(X, wide).of


def _projected(X: Matrix) -> Fitted:
    scores = _Scores(X)
    products = sum((Z.T @ Z for Z in scores.blocks(X)), np.zeros((X.shape[1], X.shape[1])))
    variances, axes = np.linalg.eigh(products / len(X))
    kept = np.flatnonzero(variances > _NOTHING * max(variances[-1], 1e-300))[::-1][:_COMPONENTS]
    if not len(kept):
        return lambda rows: np.zeros((len(rows), 1), np.float32)
    axes = axes[:, kept]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(kept))])
    weights = axes * signs / np.sqrt(variances[kept])
    # not by `@`, which does not treat all rows alike to the last bit
    return lambda rows: scores.of(rows, lambda Z: np.einsum("ij,jk->ik", Z, weights), len(kept))


FITS: dict[Callable[[Matrix], Matrix], Callable[[Matrix], Fitted]] = {
    as_is: lambda _: as_is,
    means: lambda _: means,
    standardise: _standardised,
    log_variances: _with_log_variances,
    principal_components: _projected,
}
"""What each makes of any rows, once it is fitted on a space's."""


class _Scores:
    """Z-scores of what `wide` makes of rows in float64, fitted on X; a block at a time, so that memory stays flat."""

    def __init__(self, X: Matrix, wide: Callable[[Matrix], Floats] = lambda some: some.astype(np.float64)) -> None:
        self._wide = wide
        count, total, squares = np.zeros(X.shape[1], np.int64), np.zeros(X.shape[1]), np.zeros(X.shape[1])
        for numbers in self._numbers(X):
            known = ~np.isnan(numbers)
            count += known.sum(axis=0)
            total += np.where(known, numbers, 0).sum(axis=0)
        self._mean = total / np.maximum(count, 1)
        for numbers in self._numbers(X):
            squares += np.nan_to_num((numbers - self._mean) ** 2, nan=0.0, posinf=np.inf).sum(axis=0)
        deviation = np.sqrt(squares / np.maximum(count, 1))
        self._varies = deviation > 1e-6 * np.abs(self._mean)
        self._deviation = np.where(self._varies, deviation, 1)

    def blocks(self, rows: Matrix) -> Iterator[Floats]:
        """The scores, in the rows' order."""
        for numbers in self._numbers(rows):
            yield np.where(self._varies & ~np.isnan(numbers), numbers - self._mean, 0) / self._deviation

    def of(self, rows: Matrix, then: Callable[[Floats], Floats] = lambda Z: Z, columns: int | None = None) -> Matrix:
        """All of them, or what `then` makes of them in so many columns, as float32."""
        made = np.empty((len(rows), columns or rows.shape[1]), np.float32)
        for number, Z in enumerate(self.blocks(rows)):
            made[number * _BLOCK : (number + 1) * _BLOCK] = then(Z)
        return made

    def _numbers(self, rows: Matrix) -> Iterator[Floats]:
        for first in range(0, len(rows), _BLOCK):
            yield self._wide(rows[first : first + _BLOCK])
