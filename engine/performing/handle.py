"""Handles: what a verb began and goes on by itself, until it is over or cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from engine.performing.clock import Clock, Timer


class Handle:
    """Steps at their times.

    Parameters
    ----------
    clock : Clock
    pauses : iterator of float
        Seconds before each step; when there are no more it is over.
    step : callable
        Called at each; if it raises, that was the last.

    Examples
    --------
    >>> h = a.similarauto(tempo=10)  # doctest: +SKIP
    >>> h.cancel()
    """

    def __init__(self, clock: Clock, pauses: Iterator[float], step: Callable[[], object]) -> None:
        self._clock, self._pauses, self._step = clock, pauses, step
        self._lock = threading.RLock()  # held in a step, so that none is taken once it is cancelled
        self._timer: Timer | None = None
        self._over = threading.Event()
        self._when = clock.now()
        self._next()

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._over.is_set()

    def cancel(self) -> None:
        """End it; what it did stays."""
        with self._lock:
            self._over.set()
            if self._timer:
                self._timer.cancel()

    def __repr__(self) -> str:
        return f"<{'over' if self.done else 'going on'}>"

    def _next(self) -> None:
        with self._lock:
            if self._over.is_set():
                return
            pause = next(self._pauses, None)
            if pause is None:
                self._over.set()
                return
            self._when += pause  # from when it should have been: it does not drift
            self._timer = self._clock.at(self._when, self._do)

    def _do(self) -> None:
        with self._lock:
            if self._over.is_set():
                return
            try:
                self._step()
            except BaseException:
                self.cancel()
                raise
            self._next()
