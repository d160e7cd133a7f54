"""When each sound starts: one after another, or all together; once, or for a length of time.

Conventions: times and lengths are frames at the clips' common rate; the arrangement begins at frame 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import EngineError
from engine.playback.clip import Clip


class Placed(NamedTuple):
    """A clip at its place: from frame `start`, for `frames` at most (None: to its end), looped or once."""

    start: int
    clip: Clip
    frames: int | None = None
    loop: bool = False

    @property
    def end(self) -> int:
        """The frame at which it is over."""
        return self.start + (len(self.clip.frames) if self.frames is None else self.frames)


def arrange(clips: Sequence[Clip], *, together: bool = False, seconds: float | None = None) -> list[Placed]:
    """Place clips in time, in order of their start.

    Parameters
    ----------
    clips : sequence of Clip
        All at one rate.
    together : bool
        Start all at once instead of one after another.
    seconds : float or None
        Last exactly so long: the sequence goes round again (together, each clip loops), and what sounds
        at the end is cut there, with the mixer's fade. None: everything once, to its end.

    Raises
    ------
    EngineError
        If there is no clip, the rates differ, or `seconds` is not a positive number.
    """
    if not clips:
        raise EngineError("no sounds to play: name at least one")
    rates = sorted({clip.rate for clip in clips})
    if len(rates) > 1:
        raise EngineError(f"sounds at different rates {rates}: load all at one")
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise EngineError(f"cannot play for {seconds} seconds: give a positive number")
    total = None if seconds is None else max(1, round(seconds * rates[0]))
    if together or len(clips) == 1:
        return [_alone(clip, total) for clip in clips]
    return _in_turn(clips, total)


def _alone(clip: Clip, total: int | None) -> Placed:
    return Placed(0, clip, total, loop=total is not None and total > len(clip.frames))


def _in_turn(clips: Sequence[Clip], total: int | None) -> list[Placed]:
    placed: list[Placed] = []
    start = 0
    while True:
        for clip in clips:
            if total is not None and start + len(clip.frames) >= total:
                return [*placed, Placed(start, clip, total - start)]
            placed.append(Placed(start, clip))
            start += len(clip.frames)
        if total is None:
            return placed
        if start == 0:  # nothing but empty sounds: no number of rounds would fill the time
            return [_alone(clip, total) for clip in clips]
