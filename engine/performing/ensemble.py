"""The sounds of one group and how they sound together: all at once, or one after another; each looped until stopped.

Conventions: parts are numbered from 0 in the order in which they came. A part is a sound in a group; what it sounds
is told by its soundings, which are kept until they are over, so that what fades can still be cut. A part sounds only
while it is `wanted`: since it was brought, or since `begin` or `rise`, until it is halted; nothing else makes it so.
All methods may be called from any thread.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Literal

from corpus.errors import CorpusError
from corpus.model import Sound
from engine.errors import EngineError, VerbError
from engine.performing import sequence
from engine.performing.clock import Clock
from engine.performing.journal import Journal
from engine.performing.rig import Rig
from engine.performing.sounding import CUT_SECONDS, Sounding

if TYPE_CHECKING:
    from engine.playback.clip import Clip

Order = Literal["parallel", "sequence"]

Cut = Callable[[Sound], Sequence[tuple[float, float]]]
"""Where the slices of a sound begin and end, in seconds."""


@dataclass(eq=False)
class Part:
    """A sound in a group."""

    sound: Sound
    clip: Clip | None = None
    wanted: bool = True
    muted: bool = False
    soloed: bool = False
    soundings: list[Sounding] = field(default_factory=list)

    @property
    def sounding(self) -> bool:
        """Whether it sounds now and is to go on."""
        return any(one.begun for one in self.staying)

    @property
    def staying(self) -> list[Sounding]:
        """What was started of it, is not over and was not told to stop."""
        return [one for one in self.soundings if not one.leaving]


class Ensemble:
    """The parts of one group.

    Parameters
    ----------
    name : str
        The group's, and that of its bus.
    rig : Rig
    clock : Clock
    journal : Journal
    said : callable
        Told, in a line, of what goes wrong with one sound.
    overtaken : callable, optional
        Tells whether a stop came since that was said which is being done now: it must make nothing sound any more.
    """

    def __init__(
        self,
        name: str,
        rig: Rig,
        clock: Clock,
        journal: Journal,
        said: Callable[[str], None],
        overtaken: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = name
        self._rig, self._clock, self._journal, self._said, self._overtaken = rig, clock, journal, said, overtaken
        self._lock = threading.RLock()
        self._parts: list[Part] = []
        self._rate = 1.0
        self._heard = True  # whether the bus lets anything through
        self._semitones = 0.0
        self._order: Order = "parallel"
        self._slice: int | None = None
        self._cut: Cut = lambda sound: ()
        self._place = 0  # of the part that a sequence begins with
        self._sequence = sequence.Sequence(rig, clock, self._take_turn, self._tick)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in order."""
        with self._lock:
            return tuple(self._parts)

    @property
    def rate(self) -> float:
        """Of all parts; negative is backwards."""
        return self._rate

    def part(self, number: int) -> Part:
        """One part.

        Raises
        ------
        VerbError
            There is no such part.
        """
        parts = self.parts
        if not parts:
            raise VerbError(f"group {self.name} is empty: bring a sound first, as with tag or random")
        if isinstance(number, bool) or not isinstance(number, int) or not -len(parts) <= number < len(parts):
            held = "sound 0 alone" if len(parts) == 1 else f"sounds 0 to {len(parts) - 1}"
            raise VerbError(f"group {self.name} has no sound {number!r}; it holds {held}")
        return parts[number]

    def add(self, sounds: Iterable[Sound]) -> None:
        """Load sounds; each plays as soon as it is there."""
        for sound in sounds:
            part = Part(sound)
            with self._lock:
                self._require_current()
                self._parts.append(part)
            self._load(part)

    def remove(self, parts: Iterable[Part]) -> None:
        """Fade parts out and forget them."""
        with self._lock:
            for part in parts:
                if part in self._parts:
                    if part.sounding:
                        self._place = self._parts.index(part)
                    self._stop(part)
                    self._parts.remove(part)
            self._start_wanted()

    def begin(self) -> None:
        """Let all parts sound that do not."""
        with self._lock:
            self._require_current()
            for part in self._parts:
                part.wanted = True
            self._start_wanted()

    def rise(self) -> None:
        """Let all parts begin anew, once what sounded of them is silent."""
        with self._lock:
            self._require_current()
            for part in self._parts:
                part.wanted = True
            self._restart(round(CUT_SECONDS * self._rig.instrument.rate))

    def halt(self, seconds: float = CUT_SECONDS) -> None:
        """Fade all parts out; they stay in the group."""
        with self._lock:
            for part in self._parts:
                part.wanted = False
            self._silence(seconds)

    def set_rate(self, rate: float) -> None:
        """Play all parts at another rate, from where they are."""
        if isinstance(rate, bool) or not isinstance(rate, Real) or not math.isfinite(rate):
            raise VerbError(f"rate {rate!r} is no number to play at; say one such as 0.5, or -1 for backwards")
        with self._lock:
            self._rate = float(rate)
            if self._order == "sequence":
                self._sequence.turn(self._rate)
            else:
                for part in self._parts:
                    for one in part.staying:
                        one.change(rate=self._rate)
            self._note_audible()

    def set_order(self, order: Order) -> None:
        """Play the parts all at once or one after another."""
        with self._lock:
            if order != self._order:
                self._silence()
                self._order = order
                self._start_wanted()

    def set_slice(self, number: int | None, cut: Cut) -> None:
        """Play of each part only one slice; None plays all of it again."""
        with self._lock:
            self._slice, self._cut = number, cut
            self._restart()

    def set_semitones(self, semitones: float) -> None:
        """Load all parts anew, at another pitch; each sounds on until it is there."""
        with self._lock:
            self._semitones = semitones
            for part in self._parts:
                self._load(part)

    def level(self) -> None:
        """Give each part the level that its mute and the others' solo leave it."""
        with self._lock:
            for part in self._parts:
                for one in part.staying:
                    one.change(gain=self._gain(part))
            self._note_audible()

    def hear(self, heard: bool) -> None:
        """Note whether the group's bus lets anything through."""
        with self._lock:
            self._heard = heard
            self._note_audible()

    def _require_current(self) -> None:
        if self._overtaken():
            raise VerbError("dropped: a stop came before it was done")

    def _load(self, part: Part) -> None:
        semitones = self._semitones
        future = self._rig.load(part.sound.id, semitones)
        future.add_done_callback(lambda loaded: self._loaded(part, semitones, loaded))

    def _loaded(self, part: Part, semitones: float, loaded: Future[Clip]) -> None:
        with self._lock:
            if loaded.cancelled() or part not in self._parts or semitones != self._semitones:
                return
            try:
                clip = loaded.result()
                if self._order == "parallel":  # in a sequence what sounds goes on to its end
                    self._stop(part)
                part.clip = clip
                self._journal.event(self.name, "loaded", part.sound.id)
                self._start_wanted()
            except (CorpusError, EngineError) as error:
                if part.clip is None:
                    self._parts.remove(part)
                self._said(str(error))

    def _restart(self, frames: int = 0) -> None:
        """Let what sounds, or is wanted to, begin anew, so many frames from now."""
        self._silence()
        self._start_wanted(frames)

    def _start_wanted(self, frames: int = 0) -> None:
        """Start what is wanted and does not sound: the one place at which anything starts."""
        if not any(part.wanted and part.clip for part in self._parts):
            return
        at = self._rig.instrument.position + frames if frames else None
        if self._order == "sequence":
            self._sequence.go_on(at)
            return
        for part in self._parts:
            if part.wanted and part.clip and not part.staying:
                self._start(part, part.clip, at, loop=True).note()

    def _take_turn(self, before: Sounding | None, frame: int) -> Sounding | None:
        """Start the part of the sequence after that which sounded `before`, at a frame of the instrument."""
        after = (place + 1 for place, part in enumerate(self._parts) if before in part.soundings)
        first = next(after, self._place)
        for part in self._parts[first:] + self._parts[:first]:
            if part.wanted and part.clip:
                return self._start(part, part.clip, frame, loop=False)
        return None

    def _tick(self) -> None:
        with self._lock:
            self._sequence.go_on()

    def _start(self, part: Part, clip: Clip, at: int | None, *, loop: bool) -> Sounding:
        one = Sounding(
            self._rig, self._clock, self._journal, self.name, part.sound, clip, self._region(part, clip),
            gain=self._gain(part), rate=self._rate, loop=loop, at=at,
        )  # fmt: skip
        one.hear(self._audible(part))
        now = self._rig.instrument.position
        part.soundings = [*(each for each in part.soundings if each.over > now), one]
        self._rig.voices.hold(one, now, self._said)
        return one

    def _region(self, part: Part, clip: Clip) -> tuple[int, int]:
        whole = 0, len(clip.frames)
        if self._slice is None or not (cuts := self._cut(part.sound)):
            return whole
        begin, end = cuts[self._slice % len(cuts)]
        first, last = round(begin * clip.rate), min(round(end * clip.rate), len(clip.frames))
        return (first, last) if first < last else whole

    def _gain(self, part: Part) -> float:
        unheard = part.muted or (not part.soloed and any(each.soloed for each in self._parts))
        return 0.0 if unheard else 1.0

    def _audible(self, part: Part) -> bool:
        return self._heard and self._rate != 0.0 and self._gain(part) > 0.0

    def _note_audible(self) -> None:
        """Have the journal know of each part whether it can be heard."""
        for part in self._parts:
            for one in part.staying:
                one.hear(self._audible(part))

    def _silence(self, seconds: float = CUT_SECONDS) -> None:
        """Fade out all that sounds; nothing of a sequence follows."""
        self._sequence.forget()
        self._place = 0
        for part in self._parts:
            self._stop(part, seconds)

    def _stop(self, part: Part, seconds: float = CUT_SECONDS) -> None:
        for one in part.soundings:
            one.stop(seconds)
