"""A look-ahead peak limiter: nothing that leaves it is above the ceiling.

Conventions: audio is (frames, channels), full scale at +-1.0; attenuations are in dB, 0 or positive. The
limiter holds sample peaks, not the true peaks between samples; a ceiling of -1 dBFS leaves those their room.

The attenuation that each frame needs (the channels are linked, so the stereo image stays) is held over the
look-ahead, released linearly in dB and averaged over the look-ahead. The average is smooth, and since every
value that it averages at the instant of a peak is at least what that peak needs, so is the average. See
D. Giannoulis et al., "Digital Dynamic Range Compressor Design", J. Audio Eng. Soc. 60(6), 2012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CEILING_DBFS = -1.0
LOOKAHEAD_SECONDS = 0.0015
RELEASE_DB_PER_SECOND = 60.0
LOUDEST_INPUT = 1000.0  # +60 dBFS: a broken sample beyond it must not duck the music for minutes


class Limiter:
    """Hold the sample peak of a stream below a ceiling, in blocks of any size.

    Parameters
    ----------
    rate : int
        In Hz.
    channels : int
        Channels of every block; all get the same gain.
    ceiling : float
        In dBFS.

    Attributes
    ----------
    latency : int
        Frames by which the output lags the input.
    """

    def __init__(self, rate: int, channels: int = 2, *, ceiling: float = CEILING_DBFS) -> None:
        self.latency = max(1, round(LOOKAHEAD_SECONDS * rate))
        # rounded down, so that the float32 ceiling is not above the one that was asked for
        self._ceiling = np.nextafter(np.float32(10.0 ** (ceiling / 20.0)), np.float32(0.0))
        self._release = RELEASE_DB_PER_SECOND / rate
        self._audio = np.zeros((self.latency, channels), dtype=np.float32)  # not yet played
        self._needed = np.zeros(self.latency)  # attenuation each frame of _audio needs
        self._released = np.zeros(self.latency)  # attenuation before it is averaged

    def process(self, block: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Limit the next block.

        Parameters
        ----------
        block : ndarray, shape (n, channels)
            Any values; NaN and infinity count as silence.

        Returns
        -------
        ndarray of float32, shape (n, channels)
            The input of `latency` frames ago, never above the ceiling.
        """
        count = len(block)
        if count == 0:
            return np.zeros(block.shape, dtype=np.float32)
        finite = np.where(np.isfinite(block), block, 0.0)
        audio = np.concatenate([self._audio, np.clip(finite, -LOUDEST_INPUT, LOUDEST_INPUT).astype(np.float32)])
        attenuation = self._attenuate(np.abs(audio[self.latency :]).max(axis=1))
        self._audio = audio[count:].copy()
        if attenuation is None:
            return audio[:count]
        gain = 10.0 ** (attenuation / -20.0)
        # the averages are exact to 1e-12 dB and float32 rounds: the clip takes off that last bit, no more
        limited = np.clip(audio[:count] * gain[:, np.newaxis], -self._ceiling, self._ceiling)
        return limited.astype(np.float32)

    def _attenuate(self, peaks: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
        """Return the attenuation in dB of the block that leaves, shape (n,); None where none is needed."""
        if not self._released.any() and peaks.max() <= self._ceiling:
            return None
        over = np.maximum(peaks.astype(np.float64) / self._ceiling, 1.0)
        needed = np.concatenate([self._needed, 20.0 * np.log10(over)])
        held = np.lib.stride_tricks.sliding_window_view(needed, self.latency + 1).max(axis=1)

        # the largest of "held, and the one before less one step": a running maximum on a rising slope
        slope = self._release * np.arange(len(peaks) + 1)
        falling = np.maximum.accumulate(np.concatenate([self._released[-1:], held]) + slope) - slope
        released = np.concatenate([self._released, falling[1:]])

        sums = np.concatenate([[0.0], np.cumsum(released)])
        width = self.latency + 1
        self._needed = needed[-self.latency :].copy()
        self._released = released[-self.latency :].copy()
        average: npt.NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
        return average
