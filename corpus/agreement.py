"""Agreement: how far the MFCCs measured here (space `mfcc`) are from those that Freesound serves (space `api_mfcc`).

Both are the mean and the population variance of MFCC 0..12 over all frames. They differ because a harvest keeps
previews, compressed with loss, where Freesound has the originals; and far more where a preview is not the same audio.

For sound i and coefficient j, with m_ij measured here and s_ij as served, d_ij = m_ij - s_ij. The *spread* sigma_j is
the population standard deviation of s_ij over the sounds compared: the served numbers are the yardstick, since a wrong
file would stretch the others. A *deviation* is |d_ij| / sigma_j.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.errors import AnalysisError
from corpus.store.vectors import Vectors

MEASURED, SERVED = "mfcc", "api_mfcc"
COEFFICIENTS = tuple(f"mfcc {number} {statistic}" for statistic in ("mean", "variance") for number in range(13))
"""What the 26 numbers are, in their order."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """How one number agrees over all sounds.

    Attributes
    ----------
    bias : float
        Mean of d: above 0 where it comes out higher here.
    median, p95, max : float
        Median, 95th percentile (linear interpolation) and greatest of |d|.
    correlation : float or None
        Pearson's r of m and s; None for less than two sounds, or where either never changes.
    """

    name: str
    bias: float
    median: float
    p95: float
    max: float
    correlation: float | None


@dataclass(frozen=True)
class Farthest:
    """Where one sound disagrees most: the row, the coefficient, d, and its deviation (None without a spread)."""

    row: int
    coefficient: str
    difference: float
    deviations: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of a corpus: the sounds compared (ascending), how many files of each source, and the figures.

    `typical` is the median deviation over sounds and coefficients, None without a spread.
    """

    ids: npt.NDArray[np.int64]
    by_source: dict[str, int]
    coefficients: list[Coefficient]
    typical: float | None
    farthest: list[Farthest]


def agreement(vectors: Vectors, k: int = 5) -> Agreement:
    """Compare all sounds that have both vectors, and find the `k` that disagree most.

    Raises
    ------
    AnalysisError
        No sound has both.
    """
    ids, ours = vectors.matrix(MEASURED)
    served_ids, served = vectors.matrix(SERVED)
    both, here, there = np.intersect1d(ids, served_ids, assume_unique=True, return_indices=True)
    if not len(served_ids):
        raise AnalysisError(
            "there are no MFCCs by Freesound to compare with; run `mirla harvest` and then `mirla analyse`"
        )
    if not len(both):
        raise AnalysisError(
            f"none of the {len(served_ids)} sounds with MFCCs by Freesound is measured here; run `mirla analyse`,"
            " before it `mirla harvest` for those without audio"
        )
    measured, given = ours[here].astype(np.float64), served[there].astype(np.float64)
    sources = vectors.sources(MEASURED)
    return Agreement(
        ids=both,
        by_source=dict(sorted(Counter(sources[int(sound_id)] for sound_id in both).items())),
        coefficients=coefficients(measured, given),
        typical=typical(measured, given),
        farthest=farthest(measured, given, k),
    )


def coefficients(measured: Matrix, served: Matrix) -> list[Coefficient]:
    """How each number agrees.

    Parameters
    ----------
    measured, served : (n, 26) float64, n > 0
        The same sounds in the same order.
    """
    difference = measured - served
    size = np.abs(difference)
    columns = zip(
        COEFFICIENTS,
        difference.mean(axis=0),
        np.median(size, axis=0),
        np.percentile(size, 95, axis=0),
        size.max(axis=0),
        strict=True,
    )
    return [
        Coefficient(name, float(bias), float(median), float(p95), float(most), _correlation(*pair))
        for (name, bias, median, p95, most), pair in zip(columns, zip(measured.T, served.T, strict=True), strict=True)
    ]


def typical(measured: Matrix, served: Matrix) -> float | None:
    """Median deviation over all sounds and all coefficients that have a spread; None if none has."""
    deviations = _deviations(measured, served)
    return float(np.nanmedian(deviations)) if np.isfinite(deviations).any() else None


def farthest(measured: Matrix, served: Matrix, k: int) -> list[Farthest]:
    """The `k` sounds that disagree most, by their greatest deviation; ties go to the earlier row.

    A coefficient without a spread counts only where none has one: then the greatest |d| decides.
    """
    difference = measured - served
    deviations = _deviations(measured, served)
    spread = np.isfinite(deviations).any()
    scores = np.nan_to_num(deviations, nan=-1.0) if spread else np.abs(difference)
    order = np.argsort(-scores.max(axis=1), kind="stable")[:k]
    return [
        Farthest(
            row=int(row),
            coefficient=COEFFICIENTS[column],
            difference=float(difference[row, column]),
            deviations=float(deviations[row, column]) if spread else None,
        )
        for row, column in zip(order, scores[order].argmax(axis=1), strict=True)
    ]


def _deviations(measured: Matrix, served: Matrix) -> Matrix:
    """|d| / sigma, shape (n, 26); NaN in columns where the served number never changes."""
    spread = np.where(np.ptp(served, axis=0) > 0, served.std(axis=0), np.nan)
    return np.asarray(np.abs(measured - served) / spread)


def _correlation(x: Matrix, y: Matrix) -> float | None:
    if not (np.ptp(x) > 0 and np.ptp(y) > 0):  # a constant's computed deviation need not be 0
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
