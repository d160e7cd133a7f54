"""The sounds of one group and how they sound together: all at once, or one after another; each looped until stopped.

Conventions: parts are numbered from 0 in the order in which they came. A part is a sound in a group; it has a voice
while it sounds. All methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Literal

from corpus.errors import CorpusError
from corpus.model import Sound
from engine.errors import EngineError, VerbError
from engine.performing.clock import Clock, Timer
from engine.performing.journal import Journal, Playing
from engine.performing.rig import Rig

if TYPE_CHECKING:
    from engine.playback.clip import Clip

Order = Literal["parallel", "sequence"]
CUT_SECONDS = 0.010
GLIDE_SECONDS = 0.020
AHEAD_SECONDS = 0.1  # how early the next of a sequence is told to start at its exact frame
SHORTEST_SECONDS = 0.01  # of a turn in a sequence

Cut = Callable[[Sound], Sequence[tuple[float, float]]]
"""Where the slices of a sound begin and end, in seconds."""


@dataclass(eq=False)
class Part:
    """A sound in a group."""

    sound: Sound
    clip: Clip | None = None
    voice: int | None = None
    muted: bool = False
    soloed: bool = False
    playing: Playing | None = None


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
    """

    def __init__(self, name: str, rig: Rig, clock: Clock, journal: Journal, said: Callable[[str], None]) -> None:
        self.name = name
        self._rig, self._clock, self._journal, self._said = rig, clock, journal, said
        self._lock = threading.RLock()
        self._parts: list[Part] = []
        self._sounding = True
        self._rate = 1.0
        self._heard = True  # whether the bus lets anything through
        self._semitones = 0.0
        self._order: Order = "parallel"
        self._slice: int | None = None
        self._cut: Cut = lambda sound: ()
        self._turn = 0
        self._risen = 0.0  # when all are up that rise out of silence
        self._due: int | None = None  # the frame at which the sounding part of a sequence ends
        self._timer: Timer | None = None

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
                part.soloed = False
                self._parts.append(part)
                self._sounding = True
            self._load(part)

    def remove(self, parts: Iterable[Part], seconds: float = CUT_SECONDS) -> None:
        """Fade parts out and forget them."""
        with self._lock:
            for part in parts:
                self._silence(part, seconds)
                with contextlib.suppress(ValueError):
                    self._parts.remove(part)
            if self._order == "sequence" and not any(part.voice is not None for part in self._parts):
                self._forget_turn()
                if self._sounding:
                    self._take_turn()

    def begin(self) -> None:
        """Let all parts sound that do not."""
        with self._lock:
            self._sounding = True
            self._start_some()

    def rise(self, seconds: float) -> None:
        """Let all parts begin anew, out of silence; also those that are loaded meanwhile are up at the same time."""
        with self._lock:
            self._sounding = True
            self._risen = self._clock.now() + seconds
            self._restart()

    def halt(self, seconds: float = CUT_SECONDS) -> None:
        """Fade all parts out; they stay in the group."""
        with self._lock:
            self._sounding = False
            self._forget_turn()
            for part in self._parts:
                self._silence(part, seconds)

    def fade_out(self, seconds: float) -> None:
        """Fade the whole group out; its parts stay."""
        with self._lock:
            self._sounding = False
            self._forget_turn()
            if self._rig.opened:
                self._rig.instrument.fade_out(self.name, seconds)
            for part in self._parts:
                self._let_go(part, seconds)

    def set_rate(self, rate: float) -> None:
        """Play all parts at another rate, from where they are."""
        if isinstance(rate, bool) or not isinstance(rate, Real) or not math.isfinite(rate):
            raise VerbError(f"rate {rate!r} is no number to play at; say one such as 0.5, or -1 for backwards")
        with self._lock:
            before, self._rate = self._rate, float(rate)
            for part in self._parts:
                if part.voice is not None:
                    self._rig.instrument.change(part.voice, rate=self._rate, seconds=GLIDE_SECONDS)
            self._note_audible()
            if self._due is not None:
                now = self._rig.instrument.position
                due = now + round((self._due - now) * abs(before / self._rate)) if self._rate else None
                for part in self._parts:
                    if part.playing:
                        part.playing.most = None if due is None else self._time_of(due)
                self._expect(due)

    def set_order(self, order: Order) -> None:
        """Play the parts all at once or one after another."""
        with self._lock:
            if order == self._order:
                return
            self._order = order
            self._restart()

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
                if part.voice is not None:
                    self._rig.instrument.change(part.voice, gain=self._gain(part), seconds=GLIDE_SECONDS)
            self._note_audible()

    def hear(self, heard: bool) -> None:
        """Note whether the group's bus lets anything through."""
        with self._lock:
            self._heard = heard
            self._note_audible()

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
                    self._silence(part)
                part.clip = clip
                self._journal.event(self.name, "loaded", part.sound.id)
                if self._sounding:
                    self._start_some()
            except (CorpusError, EngineError) as error:
                if part.clip is None:
                    self._parts.remove(part)
                self._said(str(error))

    def _restart(self) -> None:
        self._forget_turn()
        for part in self._parts:
            self._silence(part)
        if self._sounding:
            self._start_some()

    def _start_some(self) -> None:
        """Start what should sound and does not."""
        if self._order == "parallel":
            for part in self._parts:
                if part.voice is None and part.clip is not None:
                    self._start(part, loop=True)
        elif self._due is None:
            self._take_turn()

    def _start(self, part: Part, *, loop: bool, frame: int | None = None, at: float | None = None) -> int:
        """Start one part, now or at a frame of the instrument and its time; the frames of clip that it plays."""
        clip = part.clip
        assert clip is not None
        begin, end = self._region(part, clip)
        now = self._clock.now()
        part.voice = self._rig.instrument.start(
            clip,
            fade_in=max(self._risen - now, 0.0),
            at=frame,
            group=self.name,
            gain=self._gain(part),
            rate=self._rate,
            loop=loop,
            begin=begin,
            end=end,
        )
        part.playing = self._journal.began(self.name, part.sound, now if at is None else at)
        self._note_audible()
        return (len(clip.frames) if end is None else end) - begin

    def _region(self, part: Part, clip: Clip) -> tuple[int, int | None]:
        if self._slice is None or not (cuts := self._cut(part.sound)):
            return 0, None
        begin, end = cuts[self._slice % len(cuts)]
        first, last = round(begin * clip.rate), min(round(end * clip.rate), len(clip.frames))
        return (first, last) if first < last else (0, None)

    def _gain(self, part: Part) -> float:
        unheard = part.muted or (not part.soloed and any(each.soloed for each in self._parts))
        return 0.0 if unheard else 1.0

    def _note_audible(self) -> None:
        """Have the journal know of each part whether it can be heard."""
        for part in self._parts:
            if part.playing:
                audible = self._heard and self._rate != 0.0 and self._gain(part) > 0.0
                self._journal.audible(part.playing, audible, self._clock.now())

    def _silence(self, part: Part, seconds: float = CUT_SECONDS) -> None:
        if part.voice is not None:
            self._rig.instrument.stop(part.voice, seconds)
            self._let_go(part, seconds)

    def _let_go(self, part: Part, seconds: float = 0.0) -> None:
        part.voice = None
        if part.playing:
            self._journal.ended(part.playing, self._clock.now() + seconds)
            part.playing = None

    # one after another

    def _take_turn(self, frame: int | None = None) -> None:
        """Start the next loaded part of a sequence, at a frame of the instrument."""
        ready = [part for part in self._parts if part.clip is not None]
        if not ready or not self._rate:
            self._due = None
            return
        part = ready[self._turn % len(ready)]
        self._turn += 1
        instrument = self._rig.instrument
        begun = instrument.position if frame is None else frame
        length = self._start(part, loop=False, frame=frame, at=self._time_of(begun)) / abs(self._rate)
        self._expect(begun + round(max(length, SHORTEST_SECONDS * instrument.rate)))
        if part.playing and self._due is not None:
            part.playing.most = self._time_of(self._due)

    def _expect(self, due: int | None) -> None:
        """Have the next part start at the frame at which the one that sounds is over."""
        self._forget_turn()
        self._due = due
        if due is not None:
            self._timer = self._clock.at(self._time_of(due) - AHEAD_SECONDS, self._go_on)

    def _time_of(self, frame: int) -> float:
        """The time of the clock at which the instrument comes to a frame."""
        instrument = self._rig.instrument
        return self._clock.now() + (frame - instrument.position) / instrument.rate

    def _go_on(self) -> None:
        with self._lock:
            due, self._due = self._due, None
            if due is None or not self._sounding:
                return
            for part in self._parts:
                if part.voice is not None:  # it ends by itself
                    self._let_go(part, AHEAD_SECONDS)
            self._take_turn(due)

    def _forget_turn(self) -> None:
        self._due = None
        if self._timer:
            self._timer.cancel()
