"""Space `mfcc_librosa`: the statistics of `mfcc` by librosa's defaults; the way out where Essentia has no wheel.

librosa's MFCCs differ from Essentia's in mel scale (Slaney), bands (128), level (power in dB) and window (Hann), so the
two spaces are not interchangeable: comparing them shows what the extractor alone changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import RATE, Samples

PARAMETERS: dict[str, Any] = {
    "sr": RATE,
    "n_mfcc": 13,
    "n_fft": 2048,
    "hop_length": 512,
    "n_mels": 128,
    "norm": "ortho",
}


def mfcc_librosa(mono: Samples) -> npt.NDArray[np.float32]:
    """Compute mean and population variance of 13 MFCCs of mono samples at 44100 Hz, by librosa's defaults."""
    import warnings

    import librosa

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large for input signal")
        frames = librosa.feature.mfcc(y=mono, sr=RATE, n_mfcc=PARAMETERS["n_mfcc"])
    return np.concatenate([frames.mean(axis=1), frames.var(axis=1)]).astype(np.float32)
