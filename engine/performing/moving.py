"""What a group does by itself: every so often, so many times, until it is cancelled.

Each step says a verb of the group, so that it takes its turn and is in the journal like any other.
"""

from __future__ import annotations

import itertools
from typing import Any, Unpack

from engine.errors import VerbError
from engine.performing.bringing import Bringing
from engine.performing.handle import Handle
from engine.performing.times import Length
from engine.performing.verbs import handled, verbs_of
from engine.performing.wishes import Wish


class Moving(Bringing):
    """Verbs that go on by themselves; each returns a handle that cancels it, as `stop` does."""

    @handled
    def similarauto(self, target: int = 0, size: int = 3, tempo: Length = 30.0, **wish: Unpack[Wish]) -> Handle:
        """Bring one more similar sound every so often: like the target, then like what came."""
        places = itertools.count(target)
        return self._every(tempo, size, lambda: self._say_verb("similar", self._at_most(next(places)), 1, **wish))

    @handled
    def sameidauto(self, id: int, size: int = 3, tempo: Length = 30.0) -> Handle:
        """Bring the same sound again every so often."""
        return self._every(tempo, size, lambda: self._say_verb("id", id, again=True))

    @handled
    def playauto(self, times: int = 4, tempo: Length = 30.0) -> Handle:
        """Play at a random rate every so often, backwards and forwards in turn."""
        signs = itertools.cycle((-1.0, 1.0))
        return self._every(tempo, times, lambda: self._say_verb("play", next(signs) * self._some_rate()))

    @handled
    def playautodown(
        self, startspeed: float = 1.0, endspeed: float = 0.0, times: int = 5, tempo: Length = 10.0
    ) -> Handle:
        """Slow down step by step."""
        steps = max(_count(times) - 1, 1)
        rates = (startspeed + (endspeed - startspeed) * step / steps for step in itertools.count())
        return self._every(tempo, times, lambda: self._say_verb("play", next(rates)))

    @handled
    def autochopped(self, times: int = 4, tempo: Length = 1.0) -> Handle:
        """Play at random rates, and from onset to onset where there are any, at random multiples of the tempo."""
        beat = self._session.seconds(tempo)
        pauses = (beat * self._chance.choice((1, 2, 3, 4)) for _ in range(_count(times)))
        return self._begin(Handle(self._session.clock, pauses, self._chop))

    def _say_verb(self, name: str, *given: Any, **named: Any) -> None:
        self.perform(verbs_of(type(self))[name], given, named)

    def _at_most(self, target: int) -> int:
        return min(target, len(self._ensemble.parts) - 1)

    def _some_rate(self) -> float:
        return round(self._chance.uniform(0.25, 2.0), 3)

    def _chop(self) -> None:
        self._say_verb("slice", self._chance.randrange(64))
        self._say_verb("play", self._chance.choice((-1.0, 1.0)) * self._some_rate())

    def _every(self, tempo: Length, times: int, step: Any) -> Handle:
        pauses = itertools.repeat(self._session.seconds(tempo), _count(times))
        return self._begin(Handle(self._session.clock, iter(pauses), step))

    def _begin(self, handle: Handle) -> Handle:
        self._handles = [one for one in self._handles if not one.done] + [handle]
        return handle


def _count(times: int) -> int:
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= 100_000:
        raise VerbError(f"{times!r} times is no number of times; say one from 1 up")
    return times
