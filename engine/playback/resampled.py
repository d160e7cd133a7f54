"""What is mixed at one rate, at that of a device that does not take it.

Conventions: audio is float32 of shape (frames, channels), rates are in Hz. pedalboard loads only where it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Render = Callable[[int], npt.NDArray[np.float32]]
"""Makes the next frames, so many as asked for, shape (count, channels)."""


class Resampled:
    """What is rendered at one rate, heard at another.

    Parameters
    ----------
    render : callable
        Makes the next frames.
    rate, heard : int
        That of what it makes, and that of the device.
    channels : int

    Attributes
    ----------
    latency : float
        What this takes, in seconds.
    """

    def __init__(self, render: Render, rate: int, heard: int, channels: int) -> None:
        from pedalboard.io import StreamResampler

        self._render, self._step = render, rate / heard
        self._resampler = StreamResampler(rate, heard, channels)
        self._made = np.zeros((0, channels), np.float32)  # and not heard yet
        self.latency = float(self._resampler.input_latency) / rate

    def render(self, count: int) -> npt.NDArray[np.float32]:
        """The next frames, shape (count, channels)."""
        while len(self._made) < count:
            block = self._render(math.ceil((count - len(self._made)) * self._step))
            self._made = np.concatenate([self._made, self._resampler.process(np.ascontiguousarray(block.T)).T])
        heard, self._made = self._made[:count], self._made[count:]
        return heard
