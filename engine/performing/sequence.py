"""One sound after another: each starts at the frame at which the one before it is over.

That frame is computed from what sounds, from where it is and which way it goes, whenever either changes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from engine.performing.clock import Clock, Timer
from engine.performing.rig import Rig
from engine.performing.sounding import Sounding, time_of
from engine.playback.playhead import FOREVER

AHEAD_SECONDS = 0.1  # how early a sound is told to start at its exact frame


class Sequence:
    """What sounds, and what was told to follow it; whoever calls holds the lock of its group.

    Parameters
    ----------
    rig : Rig
    clock : Clock
    start : callable
        Given what the next one follows, or None, and its frame: starts it; None if there is none.
    tick : callable
        Called by the clock when it is time to `go_on`.
    """

    def __init__(
        self,
        rig: Rig,
        clock: Clock,
        start: Callable[[Sounding | None, int], Sounding | None],
        tick: Callable[[], object],
    ) -> None:
        self._rig, self._clock, self._start, self._tick = rig, clock, start, tick
        self._line: list[Sounding] = []
        self._timer: Timer | None = None

    def go_on(self, begin: int | None = None) -> None:
        """Start what is next, as far as it is time; `begin` is the first frame where nothing sounds."""
        self._unset()
        instrument = self._rig.instrument
        now, ahead = instrument.position, round(AHEAD_SECONDS * instrument.rate)
        self._keep(len(list(takewhile(lambda one: not one.leaving, self._line))))
        last = self._line[-1] if self._line else None
        for one in self._line:
            if one.start <= now:
                one.note()
            if one.due <= now:
                one.end()
        self._line = [one for one in self._line if one.due > now]
        while (due := max(last.due if last else begin or 0, now)) <= now + ahead:
            last = self._start(last, due)
            if last is None:
                return
            if last.start <= now:
                last.note()
            self._line.append(last)
        when = min([due - ahead, *(one.start for one in self._line if not one.begun)])
        if when < FOREVER - ahead:  # else what sounds stands still
            self._timer = self._clock.at(time_of(self._rig, self._clock, when), self._tick)

    def turn(self, rate: float) -> None:
        """Go at another rate; what was told to follow, is told anew."""
        if self._line:
            self._keep(1)
            self._line[0].change(rate=rate)
            self.go_on()

    def forget(self) -> None:
        """Have nothing follow; whoever calls stops what sounds."""
        self._unset()
        self._line = []

    def _keep(self, count: int) -> None:
        """Call off what was told to follow the first ones."""
        for one in self._line[count:]:
            one.stop()
        self._line = self._line[:count]

    def _unset(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
