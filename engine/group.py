"""Group: sounds playing together, and what a performer says to them.

Numbers of sounds count from 0, in the order in which they came. Lengths of time are seconds, or beats of the session's
tempo as text (`"4b"`). Options of queries (`wish`): `agent`, `any_agent`, `not_agent`, `strict`, `best`, `measure`,
`filter`, `tags`, `licence`, `near`, `fresh`, `spread`, `seed`, as on the command line.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Unpack

from corpus.model import Sound
from engine.errors import VerbError
from engine.performing.ensemble import Ensemble, Part
from engine.performing.handle import Handle
from engine.performing.times import Length
from engine.performing.verbs import Outcome, Verb, answered, chained, handled, immediate
from engine.performing.wishes import Asking, Defaults, Wish
from engine.query.answer import Answer

if TYPE_CHECKING:
    from engine.session import Session

FEATURES = {"dur": "duration", "diss": "dissonance", "key": "tonality"}
"""The original's short names of traits."""
_LOUDEST = 2.0


class Group:
    """Sounds playing together. Made by `Session.group`; every verb returns at once.

    Examples
    --------
    >>> a = s.group("a")  # doctest: +SKIP
    >>> a.tag("metal", 3)
    >>> a.similar(agent="water").play(rate=0.5).volume(0.3)
    """

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.raising = session.raising
        self._session = session
        self._rig = session.rig
        self._defaults = Defaults()
        self._asking = Asking(
            session.corpus, random.Random(f"{session.seed}/{name}"), (self._defaults, session.defaults)
        )
        self._chance = random.Random(f"{session.seed}/{name}/moves")
        self._ensemble = Ensemble(name, self._rig, session.clock, session.journal, self._say)
        self._turns = session.turns(name)
        self._effects: dict[str, dict[str, float]] = {}
        self._handles: list[Handle] = []
        self._volume = 1.0
        self._muted = False

    def __repr__(self) -> str:
        held = ", ".join(str(part.sound.id) for part in self._ensemble.parts)
        return f"<group {self.name}: {held or 'empty'}>"

    @property
    def sounds(self) -> list[Sound]:
        """The sounds held, also those still loading, in order."""
        return [part.sound for part in self._ensemble.parts]

    def perform(self, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]) -> Future[Outcome]:
        """Do a verb in its manner (see `engine.performing.verbs`). The future itself never raises."""
        return self._session.perform_for(self, self.name, self._turns, verb, given, named)

    # bringing sounds

    @chained
    def id(self, *ids: int, again: bool = False) -> list[int]:
        """Bring sounds by their ids; one that is in the group already only if asked to come `again`."""
        if not ids:
            raise VerbError("id of what? name one sound at least, as in id(31362)")
        sounds = self._asking.held(ids)
        twice = set() if again else {sound.id for sound in self.sounds}
        fresh = [sound for sound in dict.fromkeys(sounds) if sound.id not in twice]
        if not fresh:
            raise VerbError(f"sound {sounds[0].id} is in group {self.name} already; again=True brings it once more")
        return self._bring(sounds if again else fresh)

    @chained
    def random(
        self, size: int = 1, even_by: Any = None, far_from: int | None = None, **wish: Unpack[Wish]
    ) -> list[int]:
        """Bring sounds by chance."""
        return self._brought(self._asking.drawn(size, wish, self._held, even_by=even_by, far_from=far_from))

    @chained
    def tag(self, tag: str, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring sounds with a tag, drawn by chance; several tags in one text are all wanted."""
        tags = (*str(tag).split(), *_several(wish.pop("tags", ())))
        return self._brought(self._asking.drawn(size, {**wish, "tags": tags}, self._held))

    @chained
    def search(self, text: str, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds that words find, the best first."""
        return self._brought(self._asking.found(size, wish, self._held, text))

    @chained
    def similar(self, target: int = 0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to one of the group."""
        return self._similar(target, size, wish)

    @chained
    def filter(self, target: int = 0, size: int = 1, fits: str = "", **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to one of the group among those that fit a filter, such as `"duration:[0 TO 2]"`."""
        return self._similar(target, size, {**wish, "filter": fits})

    @chained
    def near(self, /, size: int = 1, filter: str = "", agent: Any = None, **traits: float) -> list[int]:
        """Bring the sounds nearest to values of traits, as in `near(pitch=440, bpm=120)`."""
        if not traits:
            raise VerbError("near what? name a trait at least, as in near(pitch=440)")
        wanted = {FEATURES.get(name, name): value for name, value in traits.items()}
        wish: Wish = {"filter": filter} if agent is None else {"filter": filter, "agent": agent}
        return self._near(size, wanted, wish)

    @chained
    def content(self, feature: str = "dur", size: int = 1, value: float = 1.0, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a value of one trait: dur, pitch, bpm, diss or any other by Freesound's name."""
        return self._near(size, {FEATURES.get(feature, feature): value}, wish)

    @chained
    def pitch(self, value: float = 440.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a pitch in Hz."""
        return self._near(size, {"pitch": value}, wish)

    @chained
    def bpm(self, value: float = 60.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a tempo in beats a minute."""
        return self._near(size, {"bpm": value}, wish)

    @chained
    def dur(self, value: float = 10.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a duration in seconds."""
        return self._near(size, {"duration": value}, wish)

    @chained
    def diss(self, value: float = 1.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a dissonance, from 0 to 1."""
        return self._near(size, {"dissonance": value}, wish)

    @chained
    def remove(self, *numbers: int) -> None:
        """Let sounds of the group go, with a short fade."""
        self._ensemble.remove([self._ensemble.part(number) for number in numbers])

    @immediate
    def clear(self) -> None:
        """Let all sounds of the group go, with a short fade."""
        self._stop_moving()
        self._ensemble.remove(self._ensemble.parts)

    # how they play

    @chained
    def play(self, rate: float = 1.0) -> None:
        """Play all sounds, at a rate: 0.5 is an octave down, -1 backwards."""
        self._ensemble.set_rate(rate)
        self._ensemble.begin()

    @chained
    def reverse(self) -> None:
        """Play in the other direction."""
        self._ensemble.set_rate(-self._ensemble.rate)

    @chained
    def sequence(self, rate: float | None = None) -> None:
        """Play the sounds one after another, round and round."""
        self._in_order("sequence", rate)

    @chained
    def parallel(self, rate: float | None = None) -> None:
        """Play the sounds all at once, each looped."""
        self._in_order("parallel", rate)

    @chained
    def volume(self, volume: float = 0.5, seconds: Length = 0.02) -> None:
        """Set the group's volume: 1 is as loud as the sounds are, 0 is silence."""
        self._volume = _within(volume, 0.0, _LOUDEST, "volume")
        self._level(seconds)

    @chained
    def pan(self, pan: float = 0.0, seconds: Length = 0.02) -> None:
        """Move the group from left, -1, to right, 1."""
        at = _within(pan, -1.0, 1.0, "pan")
        self._rig.instrument.mix(self.name, pan=at, seconds=self._session.seconds(seconds))

    @chained
    def fadein(self, seconds: Length = 1.0) -> None:
        """Let the group come in from silence."""
        instrument = self._rig.instrument
        instrument.mix(self.name, gain=0.0, seconds=0.0)
        self._ensemble.begin()
        self._level(seconds)

    @chained
    def fadeout(self, seconds: Length = 1.0) -> None:
        """Fade the group out; its sounds stay, and `play` brings them back."""
        self._stop_moving()
        self._ensemble.fade_out(self._session.seconds(seconds))

    @immediate
    def stop(self) -> None:
        """Stop now, and forget what was said and has not happened yet; the sounds stay, and `play` brings them back."""
        self._stop_moving()
        self._ensemble.halt()

    @chained
    def solo(self, number: int) -> None:
        """Hear one sound of the group alone, or with others that are solo."""
        self._ensemble.part(number).soloed = True
        self._ensemble.level()

    @chained
    def mute(self, number: int) -> None:
        """Do not hear one sound of the group."""
        self._ensemble.part(number).muted = True
        self._ensemble.level()

    @chained
    def muteall(self) -> None:
        """Hear nothing of the group, which plays on."""
        self._muted = True
        self._level(0.02)

    @chained
    def unmute(self, number: int | None = None) -> None:
        """Hear one sound again, or all, as before mute and solo."""
        parts = self._ensemble.parts if number is None else (self._ensemble.part(number),)
        for part in parts:
            part.muted = False
            part.soloed = part.soloed and number is not None
        self._muted = False
        self._ensemble.level()
        self._level(0.02)

    @chained
    def slice(self, number: int | None = None) -> None:
        """Loop only from onset `number` to the next one; without a number the whole sound again."""
        self._ensemble.set_slice(number, self._session.slices)

    @chained
    def pitchshift(self, semitones: float = 0.0) -> None:
        """Shift the pitch of the sounds, not their length."""
        self._ensemble.set_semitones(_within(semitones, -24.0, 24.0, "a shift in semitones"))

    # what goes on by itself

    @handled
    def similarauto(self, target: int = 0, size: int = 3, tempo: Length = 30.0, **wish: Unpack[Wish]) -> Handle:
        """Bring one more similar sound every so often: like the target, then like what came."""
        places = itertools.count(target)
        return self._every(tempo, size, lambda: self._similar_or_last(next(places), wish))

    @handled
    def sameidauto(self, id: int, size: int = 3, tempo: Length = 30.0) -> Handle:
        """Bring the same sound again every so often."""
        return self._every(tempo, size, lambda: self._bring(self._asking.held([id])))

    @handled
    def playauto(self, times: int = 4, tempo: Length = 30.0) -> Handle:
        """Play at a random rate every so often, backwards and forwards in turn."""
        signs = itertools.cycle((-1.0, 1.0))
        return self._every(tempo, times, lambda: self._moved(next(signs) * self._some_rate()))

    @handled
    def playautodown(
        self, startspeed: float = 1.0, endspeed: float = 0.0, times: int = 5, tempo: Length = 10.0
    ) -> Handle:
        """Slow down step by step."""
        steps = max(_count(times) - 1, 1)
        rates = (startspeed + (endspeed - startspeed) * step / steps for step in itertools.count())
        return self._every(tempo, times, lambda: self._moved(next(rates)))

    @handled
    def autochopped(self, times: int = 4, tempo: Length = 1.0) -> Handle:
        """Play at random rates, and from onset to onset where there are any, at random multiples of the tempo."""
        beat = self._session.seconds(tempo)
        pauses = (beat * self._chance.choice((1, 2, 3, 4)) for _ in range(_count(times)))
        return self._begin(Handle(self._session.clock, pauses, lambda: self._take(self._chop)))

    # what it is

    @answered
    def info(self) -> list[dict[str, Any]]:
        """Say of each sound what it is, who made it and how it sounds."""
        return [
            {
                "number": number,
                "id": part.sound.id,
                "name": part.sound.name,
                "username": part.sound.username,
                "licence": str(part.sound.licence),
                "duration": part.sound.duration,
                "state": _state(part),
            }
            for number, part in enumerate(self._ensemble.parts)
        ]

    @answered
    def whatid(self) -> list[int]:
        """Say the ids of the sounds."""
        return [part.sound.id for part in self._ensemble.parts]

    @answered
    def whatdur(self) -> list[float | None]:
        """Say the durations of the sounds in seconds."""
        return [part.sound.duration for part in self._ensemble.parts]

    @answered
    def whatpitch(self) -> list[Any]:
        """Say the pitches of the sounds in Hz; None where none was measured or found."""
        return self._traits("pitch")

    @answered
    def whatbpm(self) -> list[Any]:
        """Say the tempos of the sounds in beats a minute; None where none was measured or found."""
        return self._traits("bpm")

    @answered
    def whatkey(self) -> list[Any]:
        """Say the keys of the sounds; None where none was measured or found."""
        return self._traits("tonality")

    @answered
    def credits(self) -> list[str]:
        """Say whose sounds these are."""
        return [part.sound.credit for part in self._ensemble.parts]

    # who chooses

    @immediate
    def agent(self, *names: str) -> None:
        """Have agents choose for this group from now on; without a name none does."""
        self._session.check_agents(names)
        self._defaults.agents = names

    @immediate
    def measure(self, name: str) -> None:
        """Say what near means to this group from now on."""
        self._session.check_measure(name)
        self._defaults.measure = name

    # effects

    @chained
    def effect(self, /, name: str, *values: float, **named: float) -> None:
        """Put an effect into the group's chain, or change it; `bypass` takes it out."""
        from engine.playback.effects import settle

        self._set_effects({**self._effects, name: dict(settle(name, values, named))})

    @chained
    def bypass(self, name: str | None = None) -> None:
        """Take one effect out of the chain, or all."""
        if name is not None and name not in self._effects:
            there = ", ".join(self._effects) or "none"
            raise VerbError(f"group {self.name} has no effect {name!r}; it has {there}")
        self._set_effects({} if name is None else {one: how for one, how in self._effects.items() if one != name})

    def close(self) -> None:
        """Stop, and end the thread of this group."""
        self._stop_moving()
        self._turns.close()

    def halted(self) -> None:
        """Take note that everything was silenced at once."""
        self._stop_moving()
        self._ensemble.halt(0.0)

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
            raise VerbError(answer.why_none())
        if answer.least_bad:
            self._say(f"{answer.refusals}; these are the least bad")
        return self._bring([hit.sound for hit in answer.hits])

    def _similar(self, target: int, size: int, wish: Wish) -> list[int]:
        sound = self._ensemble.part(target).sound
        return self._brought(self._asking.near(size, sound.id, wish, self._held))

    def _similar_or_last(self, target: int, wish: Wish) -> list[int]:
        return self._similar(min(target, len(self._ensemble.parts) - 1), 1, wish)

    def _near(self, size: int, traits: Mapping[str, float], wish: Wish) -> list[int]:
        return self._brought(self._asking.found(size, {**wish, "near": traits}, self._held))

    def _in_order(self, order: Any, rate: float | None) -> None:
        if rate is not None:
            self._ensemble.set_rate(rate)
        self._ensemble.set_order(order)
        self._ensemble.begin()

    def _level(self, seconds: Length) -> None:
        gain = 0.0 if self._muted else self._volume
        self._rig.instrument.mix(self.name, gain=gain, seconds=self._session.seconds(seconds))

    def _set_effects(self, chain: dict[str, dict[str, float]]) -> None:
        self._rig.instrument.effects(self.name, list(chain.items()))
        self._effects = chain

    def _traits(self, name: str) -> list[Any]:
        corpus = self._session.corpus
        return [corpus.traits(sound.id).get(name, {}).get("value") for sound in self.sounds]

    def _some_rate(self) -> float:
        return round(self._chance.uniform(0.25, 2.0), 3)

    def _moved(self, rate: float) -> float:
        self._ensemble.set_rate(rate)
        return rate

    def _chop(self) -> float:
        self._ensemble.set_slice(self._chance.randrange(64), self._session.slices)
        return self._moved(self._chance.choice((-1.0, 1.0)) * self._some_rate())

    def _every(self, tempo: Length, times: int, step: Any) -> Handle:
        pauses = itertools.repeat(self._session.seconds(tempo), _count(times))
        return self._begin(Handle(self._session.clock, iter(pauses), lambda: self._take(step)))

    def _take(self, step: Any) -> None:
        """Have a step of what goes on by itself take its turn; what goes wrong is said."""
        self._turns.take(lambda: self._session.done(self.name, step))

    def _begin(self, handle: Handle) -> Handle:
        self._handles = [one for one in self._handles if not one.done] + [handle]
        return handle

    def _stop_moving(self) -> None:
        self._turns.drop()
        for handle in self._handles:
            handle.cancel()
        self._handles = []


def _several(given: Any) -> Iterator[str]:
    return iter([given] if isinstance(given, str) else given)


def _state(part: Part) -> str:
    if part.clip is None:
        return "loading"
    return "muted" if part.muted else "silent" if part.voice is None else "playing"


def _count(times: int) -> int:
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= 100_000:
        raise VerbError(f"{times!r} times is no number of times; say one from 1 up")
    return times


def _within(value: float, least: float, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise VerbError(f"{what} {value!r} is no number; say one from {least:g} to {most:g}")
    if not least <= value <= most:
        raise VerbError(f"{what} {value:g} is not from {least:g} to {most:g}")
    return float(value)
