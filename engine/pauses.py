"""How long Python may keep a process from answering: the pauses of its collector, and the turns of its threads."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH_SECONDS = 0.0005
"""How long one thread computes before another that wants to has its turn; Python's own is 5 ms."""
_FULL_COLLECTIONS = 1000
"""Every how many collections of younger objects all are walked, which takes a fifth of a second for a million."""


def shorten() -> None:
    """From now on pause seldom and shortly: for what is played, or asked by others.

    What is there by now stays uncollected, and whatever is no cycle is freed at once, as ever.
    """
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _FULL_COLLECTIONS)
    sys.setswitchinterval(_SWITCH_SECONDS)


@contextmanager
def shortened() -> Iterator[None]:
    """The same for a while."""
    turn, thresholds = sys.getswitchinterval(), gc.get_threshold()
    shorten()
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
