"""Measures: named definitions of similarity. Each is a space, a preparation and a metric, in one short definition.

A preparation is fitted on the whole space, never on the sounds that a filter left. `distance` is the metric's own:
Euclidean, not squared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import UnknownMeasure

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """A named definition of similarity.

    Attributes
    ----------
    name, about
        What it is called, and one line for people.
    space : str
        The space it compares in.
    prepare : callable
        The space's matrix (n, d) to the matrix (n, d') that is compared.
    metric : str
        `euclidean`.
    """

    name: str
    space: str
    about: str
    prepare: Callable[[Matrix], Matrix]
    metric: str = "euclidean"


MEASURES: dict[str, Measure] = {}


def register(measure: Measure) -> Measure:
    """Add a measure."""
    MEASURES[measure.name] = measure
    return measure


def measure(name: str) -> Measure:
    """One measure by name.

    Raises
    ------
    UnknownMeasure
        There is none.
    """
    if name not in MEASURES:
        raise UnknownMeasure(f"no measure {name!r}; known are {', '.join(MEASURES)}")
    return MEASURES[name]


def standardise(X: Matrix) -> Matrix:
    """Z-scores of each column, with the population standard deviation; a column constant to float32 becomes zeros."""
    wide = X.astype(np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    varies = deviation > 1e-6 * np.abs(mean)
    return np.asarray(np.where(varies, wide - mean, 0) / np.where(varies, deviation, 1), np.float32)


register(Measure("mfcc", "mfcc", "timbre: standardised MFCC statistics by Essentia", standardise))
register(Measure("mfcc_librosa", "mfcc_librosa", "timbre: standardised MFCC statistics by librosa", standardise))
