"""What all verbs of a group build on: its sounds, its chance, its effects, and the session around it."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Sound
from engine.errors import EngineError, VerbError
from engine.performing.ahead import Ahead
from engine.performing.clock import Clock
from engine.performing.ensemble import Ensemble
from engine.performing.handle import Handle
from engine.performing.journal import Journal
from engine.performing.level import Level
from engine.performing.rig import Rig
from engine.performing.sounding import CUT_SECONDS
from engine.performing.times import Length
from engine.performing.turns import Turns
from engine.performing.verbs import Outcome, Verb
from engine.performing.wishes import Asking, Defaults, Wish
from engine.query.answer import Answer

_AHEAD = 3
"""How many neighbours of a sound are loaded ahead."""


class Around(Protocol):
    """What a group needs of its session."""

    corpus: Corpus
    seed: int
    raising: bool
    defaults: Defaults
    clock: Clock
    rig: Rig
    journal: Journal

    @property
    def measure_in_use(self) -> str:
        """What near means where nothing else is said."""

    def turns(self, name: str, at_rest: Callable[[], object] | None = None) -> Turns:
        """What keeps the order of what is said to one group."""

    def perform_for(
        self, owner: Any, name: str | None, turns: Turns, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]
    ) -> Future[Outcome]:
        """Do a verb, and write it down."""

    def say(self, words: str, group: str | None = None) -> None:
        """Say a line."""

    def seconds(self, length: Length) -> float:
        """A length of time in seconds."""

    def slices(self, sound: Sound) -> list[tuple[float, float]]:
        """Where the slices of a sound begin and end, in seconds."""

    def palette(self, name: str) -> list[int]:
        """The ids of a palette's sounds."""

    def check_agents(self, names: Sequence[str]) -> None:
        """Refuse agents that are not there."""

    def check_measure(self, name: str) -> None:
        """Refuse a measure that is not there."""


class Grouped:
    """One group: what its verbs share."""

    def __init__(self, session: Around, name: str) -> None:
        self.name = name
        self.raising = session.raising
        self._session = session
        self._rig = session.rig
        self._defaults = Defaults()
        defaults = self._defaults, session.defaults
        self._asking = Asking(session.corpus, random.Random(f"{session.seed}/{name}"), defaults)
        # each a chance of its own: when nothing is said, and how long, changes nothing of what is drawn
        self._guessing = Asking(session.corpus, random.Random(f"{session.seed}/{name}/ahead"), defaults)
        self._chance = random.Random(f"{session.seed}/{name}/moves")
        self._turns = session.turns(name, self._look_ahead)
        self._ensemble = Ensemble(
            name, self._rig, session.clock, session.journal, self._say, lambda: self._turns.overtaken
        )
        self._level = Level(name, self._rig, session.clock, self._ensemble.hear)
        self._effects: dict[str, dict[str, float]] = {}
        self._handles: list[Handle] = []
        self._palette: list[int] = []
        self._wish: Wish = {}
        self._ahead = Ahead(name)
        self._foreseen: tuple[list[int], list[int], Wish] | None = None

    def __repr__(self) -> str:
        held = ", ".join(str(part.sound.id) for part in self._ensemble.parts)
        return f"<group {self.name}: {held or 'empty'}>"

    @property
    def sounds(self) -> list[Sound]:
        """The sounds held, also those still loading, in order."""
        return [part.sound for part in self._ensemble.parts]

    @property
    def playing(self) -> list[Sound]:
        """The sounds that sound, in order."""
        return [part.sound for part in self._ensemble.parts if part.sounding]

    def perform(self, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]) -> Future[Outcome]:
        """Do a verb in its manner (see `engine.performing.verbs`). The future itself never raises."""
        self._ahead.drop()
        return self._session.perform_for(self, self.name, self._turns, verb, given, named)

    def settle(self) -> None:
        """Wait until all that was said has happened."""
        self._turns.take(Outcome).result()

    def close(self) -> None:
        """Stop, and end the thread of this group."""
        self._stop_moving()
        self._turns.close()
        self._ahead.close()

    def halted(self) -> None:
        """Stop, since everything does."""
        self._stop_moving()
        self._fall_silent()

    @property
    def _held(self) -> list[int]:
        return [sound.id for sound in self.sounds]

    def _say(self, words: str) -> None:
        self._session.say(words, self.name)

    def _bring(self, sounds: Sequence[Sound]) -> list[int]:
        self._ensemble.add(sounds)
        return [sound.id for sound in sounds]

    def _brought(self, answer: Answer) -> list[int]:
        if not answer.hits:
            here = f"all {answer.allowed} that fit are in group {self.name} already"
            raise VerbError(here if answer.allowed else answer.why_none())
        if answer.least_bad:
            self._say(f"{answer.refusals}; these are the least bad")
        return self._bring([hit.sound for hit in answer.hits])

    def _fall_silent(self, seconds: float = CUT_SECONDS) -> None:
        self._ensemble.halt(seconds)
        self._level.settle(seconds)

    def _look_ahead(self) -> None:
        """Load what may be asked for next, if anything came or went since it was done last."""
        state = self._held, self._palette, self._wish
        if state != self._foreseen:
            self._ahead.take(self._foresee(*state))

    def _foresee(self, held: list[int], palette: list[int], wish: Wish) -> Iterator[None]:
        """The nearest to the first sound and to the last, as was wished the last time, and a palette's rest."""
        likely = palette.copy()
        for target in dict.fromkeys(held[:1] + held[-1:]):
            with contextlib.suppress(CorpusError, EngineError):
                likely += [hit.sound.id for hit in self._guessing.near(_AHEAD, target, wish, held).hits]
            yield
        self._rig.ahead([each for each in likely if each not in held])
        self._foreseen = held, palette, wish

    def _stop_moving(self) -> None:
        """Forget what was said and has not happened yet, and cancel what goes on by itself."""
        self._cancel_handles()  # first, or they would say more
        self._turns.drop()

    def _cancel_handles(self) -> None:
        for handle in self._handles:
            handle.cancel()
        self._handles = []


def within(value: float, least: float, most: float, what: str) -> float:
    """A number within bounds.

    Raises
    ------
    VerbError
        It is none, or out of them.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise VerbError(f"{what} {value!r} is no number; say one from {least:g} to {most:g}")
    if not least <= value <= most:
        raise VerbError(f"{what} {value:g} is not from {least:g} to {most:g}")
    return float(value)
