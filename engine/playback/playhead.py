"""Where a voice reads, at a rate that may glide and change its sign.

Conventions: times are frames since the voice's start; positions are frames of what it plays, from 0, with a fraction.
A position is computed from the last change of rate and never summed up block by block, so that it neither drifts nor
depends on the size of the blocks.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

FOREVER = sys.maxsize


class Playhead:
    """A position that moves at a rate.

    Parameters
    ----------
    position : float
        Where it is at time 0.
    rate : float
        Frames of what is played for each frame of time.

    Attributes
    ----------
    rate : float
        What it moves at, or glides to.
    """

    def __init__(self, position: float, rate: float) -> None:
        self.rate = rate
        self._since = 0
        self._position = position
        self._before = rate
        self._glide = 0

    def change(self, rate: float, now: int, frames: int) -> None:
        """Glide in a line to another rate, from time `now`, over so many frames."""
        positions, speed = self.over(now, 1)
        self._before = speed if isinstance(speed, float) else float(speed[0])
        self._position = float(positions[0])
        self._since, self._glide, self.rate = now, frames, rate

    def whole(self, now: int) -> int | None:
        """The position at `now` if from there on it moves by whole frames, one at a time; or None."""
        if abs(self.rate) != 1.0 or now - self._since < self._glide:
            return None
        position = self._landing() + self.rate * (now - self._since - self._glide)
        return int(position) if position.is_integer() else None

    def over(self, now: int, count: int) -> tuple[npt.NDArray[np.float64], float | npt.NDArray[np.float64]]:
        """Positions at `count` frames from `now` on, shape (count,), and the rate there: one number if constant."""
        passed = np.arange(now - self._since, now - self._since + count, dtype=np.float64)
        if now - self._since >= self._glide:
            return self._landing() + self.rate * (passed - self._glide), self.rate
        gliding = np.minimum(passed, self._glide)
        speed = self._before + (self.rate - self._before) / self._glide * gliding
        return self._position + 0.5 * (self._before + speed) * gliding + self.rate * (passed - gliding), speed

    def leaves(self, length: int) -> int:
        """The first time since the last change at which it is outside of frames 0 to `length` - 1, or FOREVER."""
        low, high = -1.0, float(length)
        if not low < self._position < high:
            return self._since
        times = [time for edge in (low, high) for time in self._meets(edge) if time <= self._glide]
        if times:
            return self._since + math.ceil(min(times))
        landing = self._landing()
        if self.rate == 0.0:
            return FOREVER
        rest = ((high if self.rate > 0.0 else low) - landing) / self.rate
        return min(FOREVER, self._since + self._glide + math.ceil(rest))

    def _landing(self) -> float:
        return self._position + 0.5 * (self._before + self.rate) * self._glide

    def _meets(self, edge: float) -> list[float]:
        """Times after the change at which the parabola of the glide crosses an edge."""
        if not self._glide:
            return []
        a, b, c = (self.rate - self._before) / (2 * self._glide), self._before, self._position - edge
        if a == 0.0:
            return [-c / b] if b and -c / b > 0.0 else []
        inside = b * b - 4.0 * a * c
        if inside < 0.0:
            return []
        q = -0.5 * (b + math.copysign(math.sqrt(inside), b))  # the root that loses no digits; c / q is the other
        return [time for time in (q / a, c / q if q else 0.0) if time > 0.0]
