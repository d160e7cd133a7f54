"""The journal of a session: what was said and what played, on disk within moments, and what plays on every few seconds.

Writing happens in a thread, so that a verb waits for no disk. What cannot be written is said once, kept, and tried
again with what comes next; the sound goes on. Times are seconds since the session began.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from corpus import __version__
from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Command, Sound
from engine.performing.clock import Clock

Say = Callable[[str], None]
_BATCH = 200
_MOST_UNWRITTEN = 100_000
EVERY = 3.0
"""Seconds after which it is written how long what plays has played."""
_PATIENCE = 1.0
"""Seconds in which the last of the log is waited for with no word."""


@dataclass(eq=False)
class Playing:
    """One sounding of a sound, in the journal; a new one counts as heard."""

    group: str
    sound: Sound
    at: float
    number: int | None = None
    over: float | None = None
    most: float | None = None
    """When it ends by itself, if it does."""
    heard: float = 0.0
    """Seconds that it was audible, up to `since`."""
    since: float = 0.0
    audible: bool = True
    untold: bool = False
    """Whether it began before it was on disk, and nobody was told yet."""

    def until(self, now: float) -> float:
        """When it was over, or how far it is."""
        at = now if self.over is None else self.over
        return max(at if self.most is None else min(at, self.most), self.at)

    def count(self, now: float, device: bool) -> None:
        """Count what was heard since that was done last."""
        until = self.until(now)
        if self.audible and device:
            self.heard += max(until - max(self.since, self.at), 0.0)
        self.since = until


_Entry = Playing | Command | Literal["facts"]


class Journal:
    """Writes a performance down.

    Parameters
    ----------
    corpus : Corpus
    clock : Clock
    seed : int or None
    title : str
        Stored with it.
    kept : bool
        Whether it is written down at all.
    said : callable
        Told, in a line, when it cannot be written.
    on_play : callable
        Told of each sounding when it begins.
    facts : mapping
        What it is played with, by name.
    """

    def __init__(
        self,
        corpus: Corpus,
        clock: Clock,
        seed: int | None,
        title: str,
        kept: bool,
        said: Say,
        on_play: Callable[[Playing], None],
        facts: Mapping[str, Any],
    ) -> None:
        self._corpus, self._clock, self._seed, self._title, self._kept = corpus, clock, seed, title, kept
        self._said, self._on_play = said, on_play
        self._facts = {"mirla": __version__, **facts}
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._played: dict[int, Sound] = {}
        self._open: set[Playing] = set()
        self._counting = threading.Lock()
        self._device = True
        self._failed = False
        self._unwritten: list[_Entry] = []
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False
        self.performance: Any = None

    def command(self, command: Command) -> None:
        """Note what was said, when, to whom, and what it answered."""
        self._put(command)

    def event(self, group: str | None, verb: str, *given: Any) -> None:
        """Note what happened by itself."""
        self._put(Command(self._clock.now(), group, verb, list(given), facts={"kind": "event"}))

    def note(self, **facts: Any) -> None:
        """Note what the performance is played on or with."""
        self._facts = {**self._facts, **facts}
        if self._thread:
            self._put("facts")

    def began(self, group: str, sound: Sound, at: float) -> Playing:
        """Note that a sound begins to play, now or soon."""
        playing = Playing(group, sound, at)
        with self._counting:
            self._open.add(playing)
        self._played.setdefault(sound.id, sound)
        self._put(playing)
        self._clock.at(at, lambda: self._tell(playing))
        return playing

    def ended(self, playing: Playing, at: float) -> None:
        """Note when it ended, or will."""
        at = max(at if playing.most is None else min(at, playing.most), playing.at)
        with self._counting:
            if playing.over is None:
                playing.over = at
                playing.count(at, self._device)
                self._open.discard(playing)
            elif at < playing.over:  # a fade that is cut ends sooner
                playing.heard = max(playing.heard - (playing.over - at) * (playing.audible and self._device), 0.0)
                playing.over = at
            else:
                return
        self._put(playing)

    def audible(self, playing: Playing, audible: bool, at: float) -> None:
        """Note from when on it can be heard, or cannot: muted, at volume 0, at rate 0."""
        with self._counting:
            if playing.over is None and audible != playing.audible:
                playing.count(at, self._device)
                playing.audible = audible

    def device(self, there: bool) -> None:
        """Note that nothing can be heard from now on, since no device is there; or that it can again."""
        with self._counting:
            for playing in self._open:
                playing.count(self._clock.now(), self._device)
            self._device = there

    def close(self) -> None:
        """Write the rest down; nothing is taken any more."""
        with self._starting:
            self._closed, thread = True, self._thread
        if thread:
            self._facts = {**self._facts, "seconds": round(self._clock.now(), 3)}
            self._entries.put("facts")
            self._entries.put(None)
            thread.join(_PATIENCE)
            if thread.is_alive():
                self._said("writing the log…")
                thread.join()

    @property
    def played(self) -> list[Sound]:
        """What played so far, each sound once, in order."""
        return list(self._played.values())

    def _tell(self, playing: Playing) -> None:
        """Tell of a sound that begins, unless it was stopped before: not before it is on disk, where that can be."""
        with self._counting:
            if self._kept and not self._failed and playing.number is None:
                playing.untold = True
                return
        if playing.over is None or playing.over > playing.at:
            self._on_play(playing)

    def _tell_late(self, playing: Playing) -> None:
        """Tell of one that began before it was on disk: when it is, or when it cannot be."""
        with self._counting:
            untold, playing.untold = playing.untold, False
        if untold and (playing.over is None or playing.over > playing.at):
            self._on_play(playing)

    def _put(self, entry: _Entry) -> None:
        if not self._kept:
            return
        with self._starting:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mirla-journal", daemon=True)
                self._thread.start()
        self._entries.put(entry)

    def _run(self) -> None:
        due = time.monotonic() + EVERY
        while True:
            entries: list[_Entry | None] = []
            with contextlib.suppress(queue.Empty):
                entries.append(self._entries.get(timeout=max(due - time.monotonic(), 0.0)))
                while len(entries) < _BATCH:
                    entries.append(self._entries.get_nowait())
            going_on: list[Playing] = []
            if time.monotonic() >= due:
                due = time.monotonic() + EVERY
                with self._counting:
                    going_on = list(self._open)
            if entries or going_on:
                self._write([entry for entry in entries if entry is not None], going_on)
            if None in entries:
                self._finish()
                return

    def _write(self, entries: list[_Entry], going_on: list[Playing]) -> None:
        entries = [*self._unwritten, *entries]
        try:
            if self.performance is None:
                self.performance = self._corpus.performances.begin(self._seed, self._title, self._facts)
            elif "facts" in entries:
                self._corpus.performances.note(self.performance, self._facts)
            self._write_plays([*(entry for entry in entries if isinstance(entry, Playing)), *going_on])
            self._corpus.performances.said(self.performance, [one for one in entries if isinstance(one, Command)])
            self._unwritten, self._failed = [], False
        except Exception as error:  # whatever it is, the set goes on
            self._unwritten = entries[-_MOST_UNWRITTEN:]
            if not self._failed:
                self._said(f"the journal of this set cannot be written just now: {error}")
            self._failed = True
            for entry in self._unwritten:
                if isinstance(entry, Playing):
                    self._tell_late(entry)

    def _write_plays(self, plays: list[Playing]) -> None:
        new = [playing for playing in dict.fromkeys(plays) if playing.number is None]
        rows = [(playing.at, playing.group, playing.sound) for playing in new]
        for playing, number in zip(new, self._corpus.performances.plays_began(self.performance, rows), strict=True):
            with self._counting:
                playing.number = number
            self._tell_late(playing)
        self._corpus.performances.plays_lasted(self._lasted(plays))

    def _lasted(self, plays: list[Playing]) -> dict[int, tuple[float, float]]:
        """How long plays lasted, or did so far, and how long of that they were heard."""
        now, lasted = self._clock.now(), {}
        with self._counting:
            for playing in plays:
                if playing.over is None:
                    playing.count(now, self._device)
                if playing.number is not None:
                    lasted[playing.number] = (playing.until(now) - playing.at, playing.heard)
        return lasted

    def _finish(self) -> None:
        lost = len(self._unwritten)
        try:
            if self.performance is not None:
                self._corpus.performances.end(self.performance)
        except CorpusError as error:
            self._said(f"the end of this set cannot be written: {error}")
        if lost:
            self._said(f"{lost} entries of this set's journal could not be written; its credits lack them")
