"""Space `mfcc_frames`: one Gaussian for the MFCCs of all frames of a sound.

13 + 91 numbers: the mean of coefficient 0..12, then the upper triangle of their population covariance, row by row. The
frames are those of `mfcc`; the statistics are summed in float64. A sound of one frame has covariance 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis import mfcc
from corpus.analysis.decode import Samples

COEFFICIENTS = mfcc.COEFFICIENTS
DIM = COEFFICIENTS + COEFFICIENTS * (COEFFICIENTS + 1) // 2
PARAMETERS: dict[str, Any] = mfcc.PARAMETERS | {"statistics": ["mean", "upper triangle of the population covariance"]}


def mfcc_frames(mono: Samples) -> npt.NDArray[np.float32]:
    """Compute the 104 numbers of mono samples at 44100 Hz, as `Audio.at_44100` gives them."""
    return gaussian(mfcc.coefficients(mono))


def mfcc_frames_of_file(path: Path, seconds: float | None = None) -> npt.NDArray[np.float32]:
    """Compute the 104 numbers of a file of any length in flat memory (see `mfcc.coefficients_of_file`)."""
    return gaussian(mfcc.coefficients_of_file(path, seconds))


def gaussian(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean, then upper triangle of the population covariance, of frames (n, d): (d + d (d + 1) / 2,)."""
    mean = frames.mean(axis=0, dtype=np.float64)
    centred = frames - mean
    covariance = centred.T @ centred / len(frames)
    return np.concatenate([mean, covariance[np.triu_indices(len(mean))]]).astype(np.float32)
