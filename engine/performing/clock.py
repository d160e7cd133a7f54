"""Time in a session: the computer's own, or a virtual one that runs as fast as sound can be rendered.

Times are seconds since the session began. Actions of a clock run one after another, in the order of their time. They
are short; what goes wrong in one is told to `failed`, and the clock goes on.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Protocol

_LATE_SECONDS = 1.0

Action = Callable[[], object]
Failed = Callable[[Exception], object]


class Timer:
    """An action that waits for its time."""

    def __init__(self, action: Action) -> None:
        self._action: Action | None = action

    def cancel(self) -> None:
        """Never do it; one that was done stays done."""
        self._action = None

    def run(self, failed: Failed) -> None:
        """Do it, once."""
        action, self._action = self._action, None
        if action is not None:
            try:
                action()
            except Exception as error:  # of whatever kind: the next action has its time too
                failed(error)


class Clock(Protocol):
    """What tells the time and does things at their time."""

    def now(self) -> float:
        """Seconds since the session began."""

    def at(self, when: float, action: Action) -> Timer:
        """Do something at a time; now, if that has passed."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def close(self) -> None:
        """Do nothing more."""


class _Agenda:
    """Timers in the order of their time, then of their making."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def add(self, when: float, action: Action) -> Timer:
        timer = Timer(action)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        return timer

    @property
    def first(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Timer:
        return heapq.heappop(self._heap)[-1]


class LiveClock:
    """The computer's clock; actions run in a thread of their own."""

    def __init__(self, failed: Failed) -> None:
        self._failed = failed
        self._began = time.monotonic()
        self._agenda = _Agenda()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mirla-clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Seconds since this clock was made."""
        return time.monotonic() - self._began

    def at(self, when: float, action: Action) -> Timer:
        """Do something at a time; now, if that has passed."""
        with self._changed:
            timer = self._agenda.add(when, action)
            self._changed.notify()
        return timer

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(max(seconds, 0.0))

    def close(self) -> None:
        """Do nothing more; what runs ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and ((first := self._agenda.first) is None or first > self.now()):
                    self._changed.wait(None if first is None else max(first - self.now(), 0.0))
                if self._closed:
                    return
                timer = self._agenda.pop()
            timer.run(self._failed)


class Rendering(Protocol):
    """What a virtual clock drives: an instrument that mixes when it is told to."""

    rate: int

    @property
    def position(self) -> int:
        """Frames mixed so far."""

    def advance(self, frames: int) -> None:
        """Mix so many frames more."""


class VirtualClock:
    """Time that passes when it is waited for, at the pace of rendering: what plays is the same every time."""

    def __init__(self, rendering: Rendering, failed: Failed) -> None:
        self._rendering, self._failed = rendering, failed
        self._agenda = _Agenda()

    def now(self) -> float:
        """Seconds rendered so far."""
        return self._rendering.position / self._rendering.rate

    def at(self, when: float, action: Action) -> Timer:
        """Do something at a time that `wait` comes to."""
        return self._agenda.add(when, action)

    def wait(self, seconds: float) -> None:
        """Render so much, and do on the way what has its time there."""
        until = self.now() + max(seconds, 0.0)
        while (first := self._agenda.first) is not None and first <= until:
            self._to(first)
            self._agenda.pop().run(self._failed)
        self._to(until)

    def close(self) -> None:
        """Nothing to end."""

    def _to(self, when: float) -> None:
        frames = round(when * self._rendering.rate) - self._rendering.position
        if frames > 0:
            self._rendering.advance(frames)


class Pace:
    """Waits of a script: each counts from the end of the one before, so that what is said between takes no time.

    After more than a second it counts from now, as somebody who types would have it. Threads have each their own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = threading.local()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        now = self._clock.now()
        before = getattr(self._last, "end", now)
        end = (before if now - before < _LATE_SECONDS else now) + max(seconds, 0.0)
        self._last.end = now  # if this is interrupted
        self._clock.wait(end - now)
        self._last.end = end
