"""How loud a group is: its volume, its mute, and its rise out of silence, all on its bus."""

from __future__ import annotations

from collections.abc import Callable

from engine.performing.clock import Clock, Timer
from engine.performing.rig import Rig
from engine.performing.sounding import CUT_SECONDS, GLIDE_SECONDS


class Level:
    """The gain of a group's bus.

    Parameters
    ----------
    name : str
        The group's.
    rig : Rig
    clock : Clock
    hear : callable
        Told whether the bus lets anything through, whenever that may have changed.
    """

    def __init__(self, name: str, rig: Rig, clock: Clock, hear: Callable[[bool], object]) -> None:
        self._name, self._rig, self._clock, self._hear = name, rig, clock, hear
        self._volume = 1.0
        self._muted = False
        self._risen = 0.0  # when it is up
        self._waiting: Timer | None = None

    def set(self, volume: float, seconds: float) -> None:
        """Have another volume; while it rises, by when it would be up."""
        self._volume = volume
        self._glide(seconds)

    def mute(self, muted: bool) -> None:
        """Be silent, or not any more."""
        self._muted = muted
        self._glide(GLIDE_SECONDS)

    def rise(self, seconds: float) -> None:
        """Be silent in 10 ms, and up so many seconds later."""
        self._rig.instrument.mix(self._name, gain=0.0, seconds=CUT_SECONDS)
        self._risen = self._clock.now() + CUT_SECONDS + seconds
        self._wait(CUT_SECONDS)

    def settle(self, seconds: float) -> None:
        """Be up again once all has faded out that sounds, if it rises."""
        if self._clock.now() < self._risen:
            self._risen = 0.0
            self._wait(seconds)

    def resume(self) -> None:
        """Be up at once, if it waits for a fade-out to be over."""
        if self._waiting and not self._risen:
            self._waiting.cancel()
            self._go_on()

    def _wait(self, seconds: float) -> None:
        """Let nothing change before so many seconds have passed."""
        if self._waiting:
            self._waiting.cancel()
        self._waiting = self._clock.at(self._clock.now() + seconds, self._go_on)

    def _go_on(self) -> None:
        self._waiting = None
        self._glide(GLIDE_SECONDS)

    def _glide(self, seconds: float) -> None:
        if self._waiting:
            return
        gain = 0.0 if self._muted else self._volume
        self._hear(gain > 0.0)
        seconds = max(seconds, self._risen - self._clock.now()) if gain else seconds
        self._rig.tell(lambda instrument: instrument.mix(self._name, gain=gain, seconds=seconds))
