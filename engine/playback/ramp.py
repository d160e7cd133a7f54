"""Values that glide.

Conventions: times are frames of the mixer's clock. A glide is a straight line: what it moves has no steps in it, and
depends on the clock alone, not on the size of the blocks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SIDES = np.array([-1.0, 1.0])


class Ramp:
    """A value and the glide to it.

    Parameters
    ----------
    value : float
        Where it stands.

    Attributes
    ----------
    target : float
        Where it stands or glides to.
    """

    def __init__(self, value: float) -> None:
        self.target = value
        self._origin = value
        self._start = 0
        self._end = 0

    def glide(self, target: float, now: int, frames: int) -> None:
        """Leave the present value at frame `now` and be at `target` so many frames later."""
        self._origin = self._value(now)
        self.target = target
        self._start, self._end = now, now + frames

    def over(self, now: int, count: int) -> float | npt.NDArray[np.float64]:
        """The value at `count` frames from `now` on, shape (count,); one number where it stands still."""
        if now >= self._end:
            return self.target
        share = (np.arange(now, now + count) - self._start) / (self._end - self._start)
        return self._origin + (self.target - self._origin) * np.minimum(share, 1.0)

    def _value(self, now: int) -> float:
        value = self.over(now, 1)
        return value if isinstance(value, float) else float(value[0])


def balance(pan: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The gains of left and right, last axis 2: towards one side the other falls in a line to 0, that side stays at 1.

    A balance, since sounds have two channels already: it leaves the centre untouched and moves nothing across.
    """
    gains: npt.NDArray[np.float64] = np.minimum(1.0, 1.0 + np.multiply.outer(pan, _SIDES))
    return gains
