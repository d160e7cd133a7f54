"""Integrated loudness (EBU R128, ITU-R BS.1770-5) and sample peak, block by block.

Loudness in LUFS of what will be heard: a mono file counts in both loudspeakers (+3.01 LU over one), more than two
channels as their mean in both. A sound too short for a gating block of 400 ms is measured as if silence followed, so
that short sounds have a loudness too. pyloudnorm and Essentia measure the same, but want the whole signal in memory, or
five times as long.

The filter is given in BS.1770 for 48 kHz only; its analogue form for other rates is from B. De Man, "Evaluation of
Implementations of the EBU R128 Loudness Measurement", AES 145, 2018.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import Samples

_SILENCE = -70.0
_OFFSET = -0.691
_STEPS_A_BLOCK = 4


class LevelMeter:
    """Measures loudness and peak of audio given in blocks `(frames, channels)` at `rate` Hz."""

    def __init__(self, rate: int) -> None:
        self.peak = 0.0
        self._step = max(1, round(rate / 10))
        self._filter = _k_weighting(rate)
        self._state = np.zeros((len(self._filter), 2, 2))
        self._open = np.zeros((0, 2))
        self._energies: list[npt.NDArray[np.float64]] = []

    def add(self, samples: Samples) -> None:
        """Take in the next block."""
        from scipy.signal import sosfilt

        if not len(samples):
            return
        self.peak = max(self.peak, float(np.abs(samples).max()))
        heard = samples if samples.shape[1] == 2 else np.repeat(samples.mean(axis=1, keepdims=True), 2, axis=1)
        weighted, self._state = sosfilt(self._filter, heard, axis=0, zi=self._state)
        weighted = np.concatenate([self._open, weighted])
        whole = len(weighted) // self._step * self._step
        steps = weighted[:whole].reshape(-1, self._step * 2)
        self._energies.append(np.einsum("ij,ij->i", steps, steps))
        self._open = weighted[whole:]

    def loudness(self) -> float | None:
        """Integrated loudness in LUFS so far; None for silence (nothing above -70 LUFS)."""
        energies = np.concatenate([*self._energies, np.zeros(0)])
        heard = self._heard(energies)
        if not len(heard):  # too short for a block, or heard only in an end that fills none
            heard = self._heard(np.concatenate([energies, [np.sum(self._open**2)], np.zeros(_STEPS_A_BLOCK - 1)]))
        if not len(heard):
            return None
        relative_gate = heard.mean() / 10  # 10 LU below
        return _OFFSET + 10 * math.log10(heard[heard > relative_gate].mean())

    def _heard(self, energies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Mean power of each overlapping block of four steps that is above the absolute gate."""
        if len(energies) < _STEPS_A_BLOCK:
            return np.empty(0)
        power = np.convolve(energies, np.ones(_STEPS_A_BLOCK), "valid") / (_STEPS_A_BLOCK * self._step)
        return np.asarray(power[power > _power(_SILENCE)])


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))


def _k_weighting(rate: int) -> npt.NDArray[np.float64]:
    """Second-order sections of the K filter: a shelf for the head, a high pass for the ear."""
    gain, frequency, quality = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * min(frequency / rate, 0.49))
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    norm = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / quality + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / quality + k * k) / norm,
    ]
    frequency, quality = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * min(frequency / rate, 0.49))
    norm = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / quality + k * k) / norm]
    return np.array([shelf, high_pass])
