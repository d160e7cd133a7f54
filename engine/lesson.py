"""Lesson: teaching an agent on stage. Each sound that is asked plays alone, in a group of the lesson's own.

The verbs are those of `engine.teaching.Teacher`, which see; here they return at once, and say where the lesson stands.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from corpus.model import Sound
from engine.performing.ensemble import Ensemble
from engine.performing.grouped import Around
from engine.performing.verbs import Outcome, Verb, answered, chained
from engine.teaching.status import Status
from engine.teaching.teacher import Teacher


class Lesson:
    """A lesson of one agent. Made by `Session.teach`.

    Examples
    --------
    >>> t = s.teach("water")  # doctest: +SKIP
    >>> t.random()
    >>> t.ok().ko().skip().undo()
    >>> t.stop()
    """

    kind = "lesson"

    def __init__(self, session: Around, agent: str, who: str | None = None) -> None:
        self.name = f"teach-{agent}"
        self.raising = session.raising
        self._session = session
        self._teacher = Teacher(
            session.corpus, agent, who=who or getpass.getuser(), measure=session.measure_in_use, seed=session.seed
        )
        self._ensemble = Ensemble(self.name, session.rig, session.clock, session.journal, self._say)
        self._turns = session.turns(self.name)
        self._heard: Sound | None = None

    def __repr__(self) -> str:
        return f"<lesson of {self._teacher.status.agent}>"

    def perform(self, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]) -> Future[Outcome]:
        """Do a verb in its manner (see `engine.performing.verbs`). The future itself never raises."""
        return self._session.perform_for(self, self.name, self._turns, verb, given, named)

    @chained
    def random(self) -> int | None:
        """Ask sounds in an order of chance."""
        return self._ask(self._teacher.random())

    @chained
    def tag(self, tag: str) -> int | None:
        """Ask sounds with a tag."""
        return self._ask(self._teacher.tag(tag))

    @chained
    def search(self, text: str) -> int | None:
        """Ask what words find, the best first."""
        return self._ask(self._teacher.search(text))

    @chained
    def like(self, id: int) -> int | None:
        """Ask the nearest to a sound, the nearest first."""
        return self._ask(self._teacher.like(id))

    @chained
    def id(self, id: int) -> int | None:
        """Ask one sound, then go on as before."""
        return self._ask(self._teacher.id(id))

    @chained
    def useful(self) -> int | None:
        """Ask the sounds whose answers teach most."""
        return self._ask(self._teacher.useful())

    @chained
    def ok(self) -> int | None:
        """Call the sound good, and go on."""
        return self._ask(self._teacher.ok())

    @chained
    def ko(self) -> int | None:
        """Call the sound bad, and go on."""
        return self._ask(self._teacher.ko())

    @chained
    def skip(self) -> int | None:
        """Say nothing of the sound, and go on."""
        return self._ask(self._teacher.skip())

    @chained
    def again(self) -> int | None:
        """Play the same sound from its beginning."""
        self._heard = None
        return self._ask(self._teacher.again())

    @chained
    def undo(self) -> int | None:
        """Take the last answer back, and ask that sound again."""
        return self._ask(self._teacher.undo())

    @answered
    def status(self) -> dict[str, Any]:
        """Say where the lesson stands."""
        return self._teacher.status.as_json()

    @answered
    def stop(self) -> dict[str, Any]:
        """End the lesson; what the agent learnt is kept, and judges from now on."""
        self._ensemble.remove(self._ensemble.parts)
        report = self._teacher.stop()
        self._say(report["problem"] or f"{report['good']} good, {report['bad']} bad, version {report['version']}")
        return report

    @property
    def playing(self) -> list[Sound]:
        """The sound that sounds, if one does."""
        return [part.sound for part in self._ensemble.parts if part.sounding]

    def settle(self) -> None:
        """Wait until all that was said has happened."""
        self._turns.take(Outcome).result()

    def halted(self) -> None:
        """Stop, since everything does."""
        self._ensemble.halt()

    def close(self) -> None:
        """End the lesson without training; answers are kept."""
        self._turns.close()
        self._teacher.close()

    def _ask(self, status: Status) -> int | None:
        """Play what is asked, and say so."""
        sound = status.sound
        if sound != self._heard:
            self._ensemble.remove(self._ensemble.parts)
            self._heard = sound
            if sound:
                self._ensemble.add([sound])
        said = f"{status.good} good, {status.bad} bad · {status.source}"
        self._say(f"{sound.id} {sound.name} · {said}" if sound else f"no more sounds · {said}")
        return sound.id if sound else None

    def _say(self, words: str) -> None:
        self._session.say(words, self.name)
