"""The journal of a session: what was said and what played, on disk before anybody is told of it.

Writing happens in a thread, so that a verb waits for no disk. What cannot be written is said once, kept, and tried
again with what comes next; the sound goes on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Command, Sound

Say = Callable[[str], None]
_BATCH = 200
_MOST_UNWRITTEN = 100_000


@dataclass(eq=False)
class Playing:
    """One sounding of a sound, in the journal."""

    group: str
    sound: Sound
    at: float
    number: int | None = None
    over: float | None = None
    most: float | None = None
    """When it ends by itself, if it does."""


class Journal:
    """Writes a performance down.

    Parameters
    ----------
    corpus : Corpus
    seed : int or None
    title : str
        Stored with it.
    kept : bool
        Whether it is written down at all.
    said : callable
        Told, in a line, when it cannot be written.
    on_play : callable
        Told of each sounding when it is on disk.
    """

    def __init__(
        self,
        corpus: Corpus,
        seed: int | None,
        title: str,
        kept: bool,
        said: Say,
        on_play: Callable[[Playing], None],
    ) -> None:
        self._corpus, self._seed, self._title, self._kept = corpus, seed, title, kept
        self._said, self._on_play = said, on_play
        self._entries: queue.SimpleQueue[Playing | Command | None] = queue.SimpleQueue()
        self._played: dict[int, Sound] = {}
        self._failed = False
        self._unwritten: list[Playing | Command] = []
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.performance: Any = None

    def command(
        self,
        at: float,
        group: str | None,
        verb: str,
        given: Sequence[Any],
        named: Mapping[str, Any],
        answer: Any,
        error: str | None,
    ) -> None:
        """Note what was said, when, to whom, and what it answered."""
        self._put(Command(at, group, verb, list(given), dict(named), answer, error))

    def began(self, group: str, sound: Sound, at: float) -> Playing:
        """Note that a sound begins to play."""
        playing = Playing(group, sound, at)
        self._put(playing)
        return playing

    def ended(self, playing: Playing, at: float) -> None:
        """Note when it ended, or will."""
        at = max(at if playing.most is None else min(at, playing.most), playing.at)
        if playing.over is None or at < playing.over:  # a fade that is cut ends sooner
            playing.over = at
            self._put(playing)

    def close(self) -> None:
        """Write the rest down."""
        with self._starting:
            thread = self._thread
        if thread:
            self._entries.put(None)
            thread.join()

    @property
    def played(self) -> list[Sound]:
        """What played so far, each sound once, in order."""
        return list(self._played.values())

    def _put(self, entry: Playing | Command) -> None:
        if isinstance(entry, Playing):
            self._played.setdefault(entry.sound.id, entry.sound)
        if not self._kept:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mirla-journal", daemon=True)
                self._thread.start()
        self._entries.put(entry)

    def _run(self) -> None:
        while True:
            entries = [self._entries.get()]
            while len(entries) < _BATCH and not self._entries.empty():
                entries.append(self._entries.get())
            self._write([entry for entry in entries if entry is not None])
            if None in entries:
                self._finish()
                return

    def _write(self, entries: list[Playing | Command]) -> None:
        entries = [*self._unwritten, *entries]
        try:
            if self.performance is None:
                self.performance = self._corpus.performances.begin(self._seed, self._title)
            self._write_plays([entry for entry in entries if isinstance(entry, Playing)])
            self._corpus.performances.said(self.performance, [one for one in entries if isinstance(one, Command)])
            self._unwritten, self._failed = [], False
        except Exception as error:  # whatever it is, the set goes on
            self._unwritten = entries[-_MOST_UNWRITTEN:]
            if not self._failed:
                self._said(f"the journal of this set cannot be written just now: {error}")
            self._failed = True

    def _write_plays(self, plays: list[Playing]) -> None:
        new = [playing for playing in dict.fromkeys(plays) if playing.number is None]
        rows = [(playing.at, playing.group, playing.sound) for playing in new]
        for playing, number in zip(new, self._corpus.performances.plays_began(self.performance, rows), strict=True):
            playing.number = number
            self._on_play(playing)
        over = {p.number: p.over - p.at for p in plays if p.over is not None and p.number is not None}
        self._corpus.performances.plays_over(over)

    def _finish(self) -> None:
        lost = len(self._unwritten)
        try:
            if self.performance is not None:
                self._corpus.performances.end(self.performance)
        except CorpusError as error:
            self._said(f"the end of this set cannot be written: {error}")
        if lost:
            self._said(f"{lost} entries of this set's journal could not be written; its credits lack them")
