"""How `live` and `serve` end when the system asks them to: as with Ctrl-D and Ctrl-C, with a fade and a whole log."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

FADE = 1.0
"""Seconds in which the sound ends."""


class Told(KeyboardInterrupt):
    """The system asks to end; a Ctrl-C to all who know no better."""


class Ending:
    """Whether the system has asked to end, and what happens then, once: `leave`, in the main thread."""

    def __init__(self, leave: Callable[[], object]) -> None:
        self.leave = leave
        self.told = False
        self._terminals = [number for number in range(3) if _is_terminal(number)]

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        if number == signal.SIGHUP:
            self._forget_terminals()
        if not self.told:
            self.told = True
            self.leave()

    def _forget_terminals(self) -> None:
        """Say no more to a terminal that is gone: writing to it fails."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in self._terminals:
            if not _is_terminal(number):
                os.dup2(nowhere, number)
        os.close(nowhere)


@contextlib.contextmanager
def ending(leave: Callable[[], object]) -> Iterator[Ending]:
    """Leave when SIGTERM or SIGHUP comes; one that was ignored stays so, as under `nohup`."""
    end = Ending(leave)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt() -> None:
    """End what is being done."""
    raise Told


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
