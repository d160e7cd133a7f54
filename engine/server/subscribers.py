"""Who wants to hear of events: addresses that said so, for as long as they go on saying anything.

UDP does not tell that nobody listens any more, so a subscription ends a minute after the last packet from its address.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.errors import VerbError

SECONDS = 60
"""How long a subscription lasts after the last packet."""
MOST = 64
Address = tuple[str, int]


class Subscribers:
    """The addresses, each with when it was last heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[Address, float] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._heard)

    def add(self, address: Address) -> None:
        """Begin, or go on.

        Raises
        ------
        VerbError
            There are too many.
        """
        with self._lock:
            if address not in self._heard and len(self._heard) == MOST:
                raise VerbError(f"{MOST} subscribe already; unsubscribe one first")
            self._heard[address] = self._clock()

    def remove(self, address: Address) -> None:
        """End; who did not subscribe may say so too."""
        with self._lock:
            self._heard.pop(address, None)

    def heard(self, address: Address) -> None:
        """Take note that an address is alive."""
        with self._lock:
            if address in self._heard:
                self._heard[address] = self._clock()

    def present(self) -> list[Address]:
        """All of them."""
        with self._lock:
            return list(self._heard)

    def expired(self) -> list[Address]:
        """Those that were not heard of for too long; they are forgotten."""
        with self._lock:
            late = [one for one, at in self._heard.items() if self._clock() - at > SECONDS]
            for one in late:
                del self._heard[one]
            return late
