"""What a group does by itself: it says verbs to itself, every so often, so many times, until it is cancelled.

What it says goes the way of all that is said: in turn, into the journal, and what goes wrong is said in a line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Unpack

from engine.errors import VerbError
from engine.performing.grouped import Grouped
from engine.performing.handle import Handle
from engine.performing.times import Length
from engine.performing.verbs import Verb, handled
from engine.performing.wishes import Wish

_MOST = 100_000
_SHORTEST = 0.01


class Moving(Grouped):
    """Verbs that go on by themselves; each returns a handle that cancels it, as `stop` does."""

    @handled
    def similarauto(self, target: int = 0, size: int = 3, tempo: Length = 30.0, **wish: Unpack[Wish]) -> Handle:
        """Bring one more similar sound every so often: like the target, then like what came."""

        def step(number: int) -> None:
            self._say_oneself("similar", -1 if number else target, **wish)

        return self._every(tempo, size, step)

    @handled
    def sameidauto(self, id: int, size: int = 3, tempo: Length = 30.0) -> Handle:
        """Bring the same sound again every so often."""
        return self._every(tempo, size, lambda number: self._say_oneself("id", id, again=True))

    @handled
    def playauto(self, times: int = 4, tempo: Length = 30.0) -> Handle:
        """Play at a random rate every so often, backwards and forwards in turn."""
        return self._every(tempo, times, lambda number: self._say_oneself("play", self._some_rate(number)))

    @handled
    def playautodown(
        self, startspeed: float = 1.0, endspeed: float = 0.0, times: int = 5, tempo: Length = 10.0
    ) -> Handle:
        """Slow down step by step."""
        slower = (endspeed - startspeed) / max(_count(times) - 1, 1)
        return self._every(tempo, times, lambda number: self._say_oneself("play", startspeed + slower * number))

    @handled
    def autochopped(self, times: int = 4, tempo: Length = 1.0) -> Handle:
        """Play at random rates, and from onset to onset where there are any, at random multiples of the tempo."""

        def step(number: int) -> None:
            if any(self._session.slices(sound) for sound in self.sounds):
                self._say_oneself("slice", self._chance.randrange(_MOST))
            self._say_oneself("play", self._some_rate(self._chance.randrange(2)))

        return self._every(tempo, times, step, lambda: self._chance.choice((1, 2, 3, 4)))

    def _some_rate(self, number: int) -> float:
        """A rate by chance: backwards for even numbers, forwards for odd ones."""
        return round(self._chance.uniform(0.25, 2.0), 3) * (1.0 if number % 2 else -1.0)

    def _say_oneself(self, name: str, *given: Any, **named: Any) -> None:
        verb: Verb = getattr(type(self), name).verb
        self.perform(verb, given, named)

    def _every(
        self, tempo: Length, times: int, step: Callable[[int], None], beats: Callable[[], int] = lambda: 1
    ) -> Handle:
        """Take numbered steps, each after so many beats of a tempo, as long as beats are then."""
        if self._session.seconds(tempo) < _SHORTEST:
            raise VerbError(f"a tempo of {tempo!r} is too fast; say 0.01 seconds or more")
        numbers = itertools.count()
        pauses = (max(self._session.seconds(tempo), _SHORTEST) * beats() for _ in range(_count(times)))
        handle = Handle(self._session.clock, pauses, lambda: step(next(numbers)))
        self._handles = [one for one in self._handles if not one.done] + [handle]
        return handle


def _count(times: int) -> int:
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= _MOST:
        raise VerbError(f"{times!r} times is no number of times; say one from 1 up")
    return times
