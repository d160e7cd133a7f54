"""Space `traits9`: pitch, rhythm, brightness and noisiness in nine traits, the first set of descriptors of the paper.

18 numbers: the mean of each of `TRAITS`, then the population variance of each. All but the onset rate are taken over
frames (see `corpus.analysis.frames`), with the algorithms and parameters of Essentia's FreesoundExtractor.

* Pitch in Hz is by YIN. A frame without a pitch counts as 0 Hz, as Freesound has it; where no frame has one, mean and
  variance are *missing*: NaN. Essentia's `PitchYin` spends more time than all else together on the difference function,
  which is computed here by FFT, in float64 where Essentia sums in float32; its minimum is found by Essentia.
* Confidence, salience and dissonance are from 0 to 1, flatness is Essentia's `FlatnessDB` over 27 Bark bands (0 tonal,
  1 noise), the centroid (in Hz) is of the power spectrum, the spread (in Hz²) of the magnitude spectrum, and the zero
  crossing rate is a share of the samples.
* The onset rate (1/s) is that of each second from the start; the last, if shorter, counts as much less as it is
  shorter. So its mean is the number of onsets by the duration. Onsets are those of Essentia's `OnsetRate`.

Digital silence is left as it is, where FreesoundExtractor adds noise.

References: A. Xambó, G. Roma, "A Virtual Agent for Live Coding with Crowdsourced Sounds", NIME 2021; A. de
Cheveigné, H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4), 2002; Essentia's
source, FreesoundLowlevelDescriptors.cpp, pitchyin.cpp and onsetrate.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis import frames
from corpus.analysis.decode import RATE, Samples, essentia, mono_blocks
from corpus.analysis.frames import FRAMES, SPECTRUM, WINDOW, once

Floats = npt.NDArray[np.float64]

TRAITS = (
    "pitch",
    "pitch confidence",
    "pitch salience",
    "spectral centroid",
    "spectral spread",
    "spectral flatness",
    "zero crossing rate",
    "dissonance",
    "onset rate",
)
DIM = 2 * len(TRAITS)
MAY_MISS = (TRAITS.index("pitch"), len(TRAITS) + TRAITS.index("pitch"))
"""Which of the numbers may be NaN."""

_SIZE = FRAMES["frameSize"]
_NYQUIST = RATE / 2
_YIN = {"tolerance": 0.15, "minFrequency": 20, "maxFrequency": 22050, "interpolate": True}
_SALIENCE = {"lowBoundary": 100, "highBoundary": 5000, "sampleRate": RATE}
_PEAKS = {
    "orderBy": "frequency",
    "maxPeaks": 100,
    "minFrequency": 0,
    "maxFrequency": 5000,
    "magnitudeThreshold": 0,
    "sampleRate": RATE,
}
_BARK = {"numberBands": 27, "sampleRate": RATE}
_MOMENTS = {"mode": "pdf", "range": _NYQUIST}
_CROSSINGS = {"threshold": 0}
_ONSET_SIZE, _ONSET_HOP = 1024, 512
_ONSET_WINDOW = {"type": "hann", "size": _ONSET_SIZE, "normalized": True, "zeroPhase": True, "zeroPadding": 0}
_ONSETS = {"alpha": 0.1, "delay": 5, "silenceThreshold": 0.02, "frameRate": RATE / _ONSET_HOP}
_METHODS = ("hfc", "complex")
PARAMETERS: dict[str, Any] = {
    "frames": FRAMES,
    "window": WINDOW,
    "spectrum": SPECTRUM,
    "yin": _YIN,
    "pitch salience": _SALIENCE,
    "centroid": {"range": _NYQUIST, "of": "power spectrum"},
    "spread": _MOMENTS,
    "flatness": _BARK,
    "zero crossing rate": _CROSSINGS,
    "dissonance": _PEAKS,
    "onsets": {"window": _ONSET_WINDOW, "hop": _ONSET_HOP, "methods": _METHODS, **_ONSETS, "block": 1},
    "statistics": ["mean", "population variance"],
}
_AT_ONCE = 256
"""Frames of which the difference function is computed at a time."""


def traits(mono: Samples) -> npt.NDArray[np.float32]:
    """Compute the 18 numbers of mono samples at 44100 Hz, as `Audio.at_44100` gives them."""
    return _statistics(of_mono(mono), _onset_rates(_onsets([mono]), len(mono)))


def traits_of_file(path: Path, seconds: float | None = None) -> npt.NDArray[np.float32]:
    """Compute the 18 numbers of a file of any length, or of its first seconds, in flat memory.

    libsndfile decodes it, so that the numbers of a lossy file may differ in their last digits from those of `traits`.
    """
    window, spectrum = frames.algorithms()
    numbers = [
        of_frames(some, [spectrum(window(frame)) for frame in some])
        for some in frames.centred(mono_blocks(path, seconds))
    ]
    return _statistics(np.concatenate(numbers), _onset_rates(*onsets_of(mono_blocks(path, seconds))))


@once
def of_mono(mono: Samples) -> Floats:
    """The first eight traits of each frame of mono samples: (frames, 8)."""
    return of_frames(frames.stacked(mono), frames.spectra(mono))


def onsets_of(blocks: Iterable[Samples], *, centred: bool = False) -> tuple[Floats, int]:
    """Times (s) of the onsets in blocks of samples that follow one another, and how many samples there are.

    Parameters
    ----------
    blocks : iterable of (m,) float32
    centred : bool
        The first frame is centred on sample 0, as in Essentia's streaming mode and so in FreesoundExtractor, instead of
        beginning there: it may have an onset more or less in the first or the last frame.
    """
    samples = 0

    def counted() -> Iterator[Samples]:
        nonlocal samples
        for block in blocks:
            samples += len(block)
            yield block

    return _onsets(counted(), centred), samples


def _statistics(numbers: Floats, onset_rates: tuple[Floats, Floats]) -> npt.NDArray[np.float32]:
    """Means and variances, of `numbers` (frames, 8) and of onset rates with the seconds that each is of."""
    mean, variance = numbers.mean(axis=0), numbers.var(axis=0)
    if not numbers[:, 0].any():
        mean[0] = variance[0] = np.nan
    rates, seconds = onset_rates
    rate = np.average(rates, weights=seconds)
    spread = np.average((rates - rate) ** 2, weights=seconds)
    return np.concatenate([mean, [rate], variance, [spread]]).astype(np.float32)


def of_frames(some: Samples, spectra: list[Samples]) -> Floats:
    """The first eight traits of frames (n, 2048) with their spectra: (n, 8)."""
    salience, centroid, moments, shape, bark, flatness, crossings, peaks, dissonance = _algorithms()
    rest = [
        (
            salience(spectrum),
            centroid(spectrum * spectrum),
            shape(moments(spectrum))[0],
            flatness(bark(spectrum)),
            crossings(frame),
            dissonance(*peaks(spectrum)),
        )
        for frame, spectrum in zip(some, spectra, strict=True)
    ]
    return np.hstack([yin(some), np.array(rest, np.float64)])


def yin(some: Samples) -> Floats:
    """Pitch (Hz, 0 for none) and its confidence (0 to 1) of each frame (n, 2048): (n, 2)."""
    return np.array([_best_period(row) for row in _normalised_differences(some)])


def _normalised_differences(some: Samples) -> Iterator[Samples]:
    """For each frame, the cumulative mean normalised difference function at lags 0..1024."""
    half = _SIZE // 2
    lags = np.arange(1, half + 1)
    for first in range(0, len(some), _AT_ONCE):
        x = np.array(some[first : first + _AT_ONCE], np.float64)
        start = np.where(np.arange(_SIZE) < half, x, 0)
        # a lag of at most 1024 takes the first half to no sample beyond the frame: the circle never closes
        products = np.fft.irfft(np.conj(np.fft.rfft(start)) * np.fft.rfft(x), _SIZE)[:, 1 : half + 1]
        energy = np.cumsum(np.pad(x * x, ((0, 0), (1, 0))), axis=1)
        differences = energy[:, half, None] + energy[:, half + 1 :] - energy[:, 1 : half + 1] - 2 * products
        differences = np.maximum(differences, 0)
        sums = np.cumsum(differences, axis=1)
        normalised = np.divide(differences * lags, sums, out=np.ones_like(sums), where=sums > 0)
        yield from np.pad(normalised, ((0, 0), (1, 0)), constant_values=1).astype(np.float32)


def _best_period(differences: Samples) -> tuple[float, float]:
    """Pitch and confidence: the first minimum below the tolerance, else the least of all."""
    for detector in _minima():
        positions, heights = detector(-differences)
        if len(positions):
            break
    if not len(positions) or not positions[0]:
        return 0.0, 0.0
    return RATE / float(positions[0]), max(0.0, 1 + float(heights[0]))


@cache
def _minima() -> tuple[Any, Any]:
    essentia()
    from essentia.standard import PeakDetection

    half = _SIZE // 2
    common = {
        "interpolate": _YIN["interpolate"],
        "range": half + 1,
        "maxPeaks": 1,
        "minPosition": min(int(RATE // _YIN["maxFrequency"]), half),
        "maxPosition": min(int(np.ceil(RATE / _YIN["minFrequency"])), half),
    }
    below = PeakDetection(orderBy="position", threshold=-_YIN["tolerance"], **common)
    return below, PeakDetection(orderBy="amplitude", **common)


@cache
def _algorithms() -> tuple[Any, ...]:
    essentia()
    from essentia import standard

    return (
        standard.PitchSalience(**_SALIENCE),
        standard.Centroid(range=_NYQUIST),
        standard.CentralMoments(**_MOMENTS),
        standard.DistributionShape(),
        standard.BarkBands(**_BARK),
        standard.FlatnessDB(),
        standard.ZeroCrossingRate(**_CROSSINGS),
        standard.SpectralPeaks(**_PEAKS),
        standard.Dissonance(),
    )


def _onset_rates(onsets: Floats, samples: int) -> tuple[Floats, Floats]:
    """Onsets per second in each second of so many samples, and how long each is (s)."""
    duration = samples / RATE
    starts = np.arange(np.ceil(duration), dtype=np.float64)
    seconds = np.minimum(duration - starts, 1)
    counts = np.bincount(np.minimum(onsets.astype(np.int64), len(seconds) - 1), minlength=len(seconds))
    return counts / seconds, seconds


def _onsets(blocks: Iterable[Samples], centred: bool = False) -> Floats:
    """Times (s) of onsets."""
    essentia()
    from essentia import standard

    window, fft, polar = (
        standard.Windowing(**_ONSET_WINDOW),
        standard.FFT(size=_ONSET_SIZE),
        standard.CartesianToPolar(),
    )
    detectors = [standard.OnsetDetection(method=method, sampleRate=RATE) for method in _METHODS]
    detections = []
    some_frames = frames.centred(blocks, _ONSET_SIZE) if centred else frames.cut(blocks, _ONSET_SIZE, _ONSET_HOP)
    for some in some_frames:
        for frame in some:
            magnitude, phase = polar(fft(window(frame)))
            detections.append([detector(magnitude, phase) for detector in detectors])
    weights = np.ones(len(_METHODS), np.float32)
    return np.asarray(standard.Onsets(**_ONSETS)(np.array(detections, np.float32).T.copy(), weights), np.float64)
