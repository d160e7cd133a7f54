"""What voices and buses can be told, checked where it can be answered.

Conventions: gains are linear, times seconds. What has no meaning (not a number, infinite, a part that ends before it
begins) is refused in one line; what is only beyond the instrument is brought back to its limit without a word, as a
knob stops at its end: a hand that overshoots in mid-set shall not get an error.
"""

from __future__ import annotations

import math
from numbers import Real

from engine.errors import EngineError
from engine.playback.clip import Clip

MOST_GAIN = 100.0  # +40 dB; the limiter holds what comes of it
MOST_RATE = 100.0
MOST_SECONDS = 3600.0


def gain_of(value: float, whose: str) -> float:
    """A gain, -100 to 100; negative ones turn the phase."""
    return _number(value, f"gain {value} of {whose}", "0.5", -MOST_GAIN, MOST_GAIN)


def rate_of(value: float, whose: str) -> float:
    """A rate, -100 to 100."""
    return _number(value, f"rate {value} of {whose}", "1 or -0.5", -MOST_RATE, MOST_RATE)


def pan_of(value: float, whose: str) -> float:
    """A pan, -1 to 1."""
    return _number(value, f"pan {value} of {whose}", "-1 to 1", -1.0, 1.0)


def seconds_of(value: float, whose: str) -> float:
    """A length of time, 0 to an hour."""
    return _number(value, f"time {value} of {whose}", "0.5", 0.0, MOST_SECONDS)


def part_of(clip: Clip, begin: int, end: int | None) -> tuple[int, int]:
    """The first frame of a part of a clip and the one after its last: an `end` beyond the clip is the clip's.

    Raises
    ------
    EngineError
        There is nothing in it though the clip is not empty.
    """
    length = len(clip.frames)
    last = length if end is None else min(end, length)
    if begin < 0 or (begin >= last and not (length == 0 and begin == 0)):
        raise EngineError(
            f"frames {begin} to {length if end is None else end} of {clip.name!r} are none of its {length}: "
            "begin before you end"
        )
    return begin, last


def _number(value: float, what: str, such_as: str, low: float, high: float) -> float:
    if not isinstance(value, Real) or not math.isfinite(value):
        raise EngineError(f"{what} is not a finite number: give one such as {such_as}")
    return min(max(float(value), low), high)
