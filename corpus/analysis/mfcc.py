"""Space `mfcc`: mean and population variance of 13 MFCCs, bit for bit what Essentia's FreesoundExtractor gives.

26 numbers: mean of coefficient 0..12, then variance of coefficient 0..12, over all frames including silence. Every
parameter is pinned, since Essentia's defaults have changed between versions. The statistics are summed frame after
frame in float32, as Essentia's PoolAggregator does, so that the last bit agrees.

Reference: `FreesoundExtractor` of Essentia, src/essentia/utils/extractor_freesound/FreesoundLowlevelDescriptors.cpp.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import RATE, Samples, essentia, read_by_essentia, samples_in
from corpus.analysis.frames import FRAMES, SPECTRUM, WINDOW, once, spectra

COEFFICIENTS = 13
_MFCC = {
    "numberCoefficients": COEFFICIENTS,
    "numberBands": 40,
    "lowFrequencyBound": 0,
    "highFrequencyBound": 11000,
    "sampleRate": RATE,
    "inputSize": 1025,
    "warpingFormula": "htkMel",
    "weighting": "warping",
    "normalize": "unit_sum",
    "type": "power",
    "logType": "dbamp",
    "silenceThreshold": 1e-10,
    "dctType": 2,
    "liftering": 0,
}
PARAMETERS: dict[str, Any] = {
    "loader": {"algorithm": "EasyLoader", "sampleRate": RATE, "replayGain": -6, "resampleQuality": 1},
    "frames": FRAMES,
    "window": WINDOW,
    "spectrum": SPECTRUM,
    "mfcc": _MFCC,
    "statistics": ["mean", "population variance"],
}


def mfcc(mono: Samples) -> npt.NDArray[np.float32]:
    """Compute the 26 numbers of mono samples at 44100 Hz, as `Audio.at_44100` gives them."""
    return _statistics(coefficients(mono))


def mfcc_of_file(path: Path, seconds: float | None = None) -> npt.NDArray[np.float32]:
    """Compute the 26 numbers of a file of any length in flat memory (see `coefficients_of_file`)."""
    return _statistics(coefficients_of_file(path, seconds))


@once
def coefficients(mono: Samples) -> npt.NDArray[np.float32]:
    """MFCCs of each frame, shape (frames, 13)."""
    algorithm = _algorithm()
    return np.array([algorithm(spectrum)[1] for spectrum in spectra(mono)])


@once
def coefficients_of_file(path: Path, seconds: float | None = None) -> npt.NDArray[np.float32]:
    """MFCCs of each frame of a file of any length, shape (frames, 13): the whole chain runs inside Essentia.

    What Essentia cannot read is first copied block by block to a temporary WAV file of floats.

    Parameters
    ----------
    path : Path
        The file.
    seconds : float, optional
        Only so much of it, to the nearest sample at 44100 Hz; behind the first six minutes to the nearest few, since
        Essentia's parameters are float32.
    """
    with read_by_essentia(path) as readable:
        return _streamed(readable, seconds)


def _streamed(path: Path, seconds: float | None) -> npt.NDArray[np.float32]:
    library = essentia()
    from essentia import streaming

    loader = streaming.EasyLoader(filename=str(path), sampleRate=RATE, replayGain=-6)
    cutter = streaming.FrameCutter(silentFrames="noise", **FRAMES)
    window, spectrum = streaming.Windowing(**WINDOW), streaming.Spectrum(**SPECTRUM)
    algorithm, pool = streaming.MFCC(**_MFCC), library.Pool()
    if seconds is None:
        loader.audio >> cutter.signal
    else:  # not by EasyLoader's `endTime`, which rounds down
        trimmer = streaming.Trimmer(sampleRate=1, endTime=samples_in(seconds, RATE))
        loader.audio >> trimmer.signal
        trimmer.signal >> cutter.signal
    cutter.frame >> window.frame
    window.frame >> spectrum.frame
    spectrum.spectrum >> algorithm.spectrum
    algorithm.bands >> None
    algorithm.mfcc >> (pool, "mfcc")
    library.run(loader)
    return np.asarray(pool["mfcc"], np.float32)


@cache
def _algorithm() -> Any:
    essentia()
    from essentia import standard

    return standard.MFCC(**_MFCC)


def _statistics(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    count = np.float32(len(frames))
    mean = np.add.reduce(frames, axis=0, dtype=np.float32) / count
    variance = np.add.reduce((frames - mean) ** 2, axis=0, dtype=np.float32) / count
    return np.concatenate([mean, variance])
