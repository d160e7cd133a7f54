"""Preparations: what a space's matrix becomes before rows are compared, fitted on the whole space.

Each takes the matrix (n, d) float32 and gives one (n, d') float32. Rows that are alike to the last bit stay alike.
"""

from __future__ import annotations

import numpy as np

from engine.similarity.metrics import Floats, Matrix

COEFFICIENTS = 13
"""MFCCs, whose means are followed by as many variances."""
_FLOOR = 1e-3
_COMPONENTS = 10
_NOTHING = 1e-9
"""Share of the greatest variance below which a component is but rounding."""


def standardise(X: Matrix) -> Matrix:
    """Z-scores of each column, with the population standard deviation; a column constant to float32 becomes zeros.

    A missing number (NaN) has no part in mean and deviation, and is then taken for the mean: 0.
    """
    return _z_scores(X.astype(np.float64)).astype(np.float32)


def means(X: Matrix) -> Matrix:
    """The means alone, of means and variances of MFCCs."""
    return np.ascontiguousarray(X[:, :COEFFICIENTS])


def log_variances(X: Matrix) -> Matrix:
    """Z-scores of the means, and of log(variance + 1e-3), of MFCCs: variances span many powers of ten."""
    wide = X.astype(np.float64)
    wide[:, COEFFICIENTS:] = np.log(wide[:, COEFFICIENTS:] + _FLOOR)
    return _z_scores(wide).astype(np.float32)


def principal_components(X: Matrix) -> Matrix:
    """Z-scores projected on their first 10 principal components, each with variance 1.

    Fewer where the sounds have fewer, one column of zeros where all are alike. The sign of a component is such that
    its weight of greatest size is positive.
    """
    Z = _z_scores(X.astype(np.float64))
    variances, axes = np.linalg.eigh(Z.T @ Z / len(Z))
    kept = np.flatnonzero(variances > _NOTHING * max(variances[-1], 1e-300))[::-1][:_COMPONENTS]
    if not len(kept):
        return np.zeros((len(X), 1), np.float32)
    axes = axes[:, kept]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(kept))])
    # not by `@`, which does not treat all rows alike to the last bit
    return np.asarray(np.einsum("ij,jk->ik", Z, axes * signs / np.sqrt(variances[kept])), np.float32)


def _z_scores(wide: Floats) -> Floats:
    known = ~np.isnan(wide)
    if known.all():
        mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    else:
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, wide, 0).sum(axis=0) / count
        deviation = np.sqrt((np.where(known, wide - mean, 0) ** 2).sum(axis=0) / count)
    varies = deviation > 1e-6 * np.abs(mean)
    return np.where(varies & known, wide - mean, 0) / np.where(varies, deviation, 1)
