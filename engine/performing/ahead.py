"""Looking ahead: what is done while nobody says anything, so that what may be said next is sooner there."""

from __future__ import annotations

import threading
from collections.abc import Iterator


class Ahead:
    """Takes steps in a thread of their own, until they are dropped.

    What goes wrong in a step was nobody's wish: it ends there, and is not said.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._dropped = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, steps: Iterator[object]) -> None:
        """Take these steps instead of any others; each begins only if they were not dropped before."""
        self.drop()
        self._dropped = dropped = threading.Event()

        def run() -> None:
            try:
                while not dropped.is_set():
                    next(steps)
            except Exception:  # also StopIteration, when all are taken
                return

        self._thread = threading.Thread(target=run, name=f"mirla-ahead-{self._name}", daemon=True)
        self._thread.start()

    def drop(self) -> None:
        """Take no further step."""
        self._dropped.set()

    def close(self) -> None:
        """Take no further step, and wait for the one that is under way."""
        self.drop()
        if self._thread:
            self._thread.join()
