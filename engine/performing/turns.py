"""What is said to one group happens in order, in a thread of its own, so that saying it takes no time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from engine.errors import EngineError, VerbError
from engine.performing.verbs import Outcome

Turn = Callable[[], Outcome]


class Turns(Protocol):
    """A queue of what is to be done."""

    @property
    def overtaken(self) -> bool:
        """Whether `drop` was called since that was given which is being done."""

    def take(self, turn: Turn) -> Future[Outcome]:
        """Do it after all that was given before."""

    def drop(self) -> None:
        """Forget what still waits."""

    def close(self) -> None:
        """Forget what still waits, and end."""


class InTurn:
    """Done by a thread, which begins with the first turn and ends when it is closed.

    `at_rest` is called whenever nothing waits any more; it must not raise.
    """

    def __init__(self, name: str, at_rest: Callable[[], object] | None = None) -> None:
        self._name = name
        self._at_rest = at_rest or (lambda: None)
        self._waiting: deque[tuple[Turn, Future[Outcome]]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._overtaken = False

    @property
    def overtaken(self) -> bool:
        """Whether `drop` was called since that was given which is being done."""
        return self._overtaken

    def take(self, turn: Turn) -> Future[Outcome]:
        """Do it after all that was given before."""
        future: Future[Outcome] = Future()
        with self._changed:
            if self._closed:
                future.set_result(Outcome(error=VerbError("the session is over: open another one")))
                return future
            self._waiting.append((turn, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"mirla-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def drop(self) -> None:
        """Forget what still waits."""
        with self._changed:
            dropped, self._waiting = self._waiting, deque()
            self._overtaken = True
        for _, future in dropped:
            if future.set_running_or_notify_cancel():
                future.set_result(Outcome(error=VerbError("dropped: a stop came before its turn")))

    def close(self) -> None:
        """Forget what still waits, and end after what is being done."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.drop()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                turn, future = self._waiting.popleft()
                self._overtaken = False
            if future.set_running_or_notify_cancel():
                future.set_result(_done(turn))
            if not self._waiting:
                self._at_rest()


class AtOnce:
    """Done while one says it: for rendering, where time stands still meanwhile."""

    overtaken = False

    def take(self, turn: Turn) -> Future[Outcome]:
        """Do it."""
        future: Future[Outcome] = Future()
        future.set_result(turn())
        return future

    def drop(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing to end."""


def _done(turn: Turn) -> Outcome:
    """What became of a turn, whatever it raised: somebody waits for that, and the next ones must have their turn."""
    try:
        return turn()
    except BaseException as error:
        return Outcome(error=EngineError(f"unexpected {type(error).__name__}: {error}; please report it"))
