"""The bus of a group: what its voices add up to, through its effects, at its gain and pan.

Conventions: times are frames of the mixer's clock; audio is float32 of shape (frames, 2).

A bus sleeps, and costs nothing, once nothing has gone in or come out above -100 dBFS for 2 s: its effects then have
died away, and forget the rest. At an `edge` the bus changes; the mixer divides its blocks there, so that what is heard
depends on the clock alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.playback.playhead import FOREVER
from engine.playback.rack import SILENT, Rack
from engine.playback.ramp import Ramp, balance
from engine.playback.voice import release

CROSSFADE_SECONDS = 0.020
TAIL_SECONDS = 2.0  # longer than any echo waits


class Bus:
    """A group's bus.

    Parameters
    ----------
    rate : int
        In Hz.

    Attributes
    ----------
    gain, pan : Ramp
    asleep : bool
        Whether nothing comes out until something goes in.
    cut : int or None
        The frame at which a panic will have silenced it.
    """

    def __init__(self, rate: int) -> None:
        self.asleep = True
        self.cut: int | None = None
        self.gain, self.pan = Ramp(1.0), Ramp(0.0)
        self._crossfade = round(CROSSFADE_SECONDS * rate)
        self._tail = round(TAIL_SECONDS * rate)
        self._rack = Rack()
        self._crossed = 0  # when it is crossfaded from what was before
        self._next: Rack | None = None  # what was asked for during a crossfade
        self._cut_fade = 1
        self._quiet_from = 0
        self._past_faults = 0

    @property
    def faults(self) -> int:
        """Effects that were bypassed since the start because they failed."""
        return self._past_faults + self._rack.faults

    @property
    def plain(self) -> bool:
        """Whether a new one would do as well."""
        settings = self.gain.target, self.pan.target, self._past_faults
        return self.asleep and self._rack.idle and settings == (1.0, 0.0, 0)

    @property
    def edge(self) -> int:
        """The next frame at which it changes by itself; FOREVER if there is none."""
        if self.asleep:
            return FOREVER
        edges = [self._quiet_from + self._tail]
        if self._crossed:
            edges.append(self._crossed)
        if self.cut is not None:
            edges.append(self.cut)
        return min(edges)

    def use(self, rack: Rack | None, now: int) -> None:
        """Crossfade to other effects, or to none (see `Rack.follow`); of those that come meanwhile the last is next."""
        rack = Rack() if rack is None else rack
        if self._crossed and not self.asleep:
            self._next = rack
            return
        if not self.asleep:
            rack.follow(self._rack)
            self._crossed = now + self._crossfade
        self._past_faults += self._rack.faults
        self._rack = rack

    def silence(self, now: int, fade: int) -> None:
        """Fade out over so many frames and forget all sound; what enters from `cut` on is heard again."""
        if not self.asleep and self.cut is None and not self._rack.idle:
            self.cut, self._cut_fade = now + fade, fade

    def turn(self, now: int) -> None:
        """Change at an edge, if frame `now` is one."""
        if self._crossed and now >= self._crossed:
            self._crossed = 0
            self._rack.settle(self._crossfade)
            if self._next:
                rack, self._next = self._next, None
                self.use(rack, now)
        if not self.asleep and (now == self.cut or now >= self._quiet_from + self._tail):
            self._sleep()

    def process(self, block: npt.NDArray[np.float32], now: int) -> npt.NDArray[np.float32]:
        """Return what comes out for what goes in from frame `now` on."""
        if not self.asleep:
            return self._mixed(block, now)
        sounding = np.flatnonzero(block)
        if not len(sounding):
            return block
        self.asleep = False  # from the first frame that sounds, whatever the block
        first = int(sounding[0]) // 2
        return np.concatenate([block[:first], self._mixed(block[first:], now + first)])

    def _mixed(self, block: npt.NDArray[np.float32], now: int) -> npt.NDArray[np.float32]:
        wet, left = block, None
        if self._crossed:
            share = (self._crossed - now - 0.5 - np.arange(len(block))) / self._crossfade
            left = release(share).astype(np.float32)
        if not self._rack.idle:
            wet = self._rack.process(block, left)
            self._rack.fall_quiet(self._tail)
        loud = np.flatnonzero((np.abs(wet) > SILENT) | (block != 0.0))
        if len(loud):
            self._quiet_from = now + int(loud[-1]) // 2 + 1
        return self._levelled(wet, now)

    def _levelled(self, block: npt.NDArray[np.float32], now: int) -> npt.NDArray[np.float32]:
        count = len(block)
        gain, pan = self.gain.over(now, count), self.pan.over(now, count)
        if self.cut is not None:
            gain = gain * release((self.cut - now - 0.5 - np.arange(count)) / self._cut_fade)
        column = gain if isinstance(gain, float) else gain[:, np.newaxis]
        if isinstance(pan, float) and not pan:
            return block if isinstance(column, float) and column == 1.0 else block * np.asarray(column, np.float32)
        return block * (column * balance(pan)).astype(np.float32)

    def _sleep(self) -> None:
        self.asleep, self.cut = True, None
        self._crossed = 0
        if self._next:
            rack, self._next = self._next, None
            self.use(rack, 0)
        else:
            self._rack.reset()
