"""Which sound is asked, and which comes next: what was put back first, then what the source has."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Set

from corpus.errors import UnknownSound
from corpus.library import Corpus
from corpus.model import Sound
from engine.errors import QueryError
from engine.teaching.sources import SOURCES, Source, Useful


class Asking:
    """The sounds of a lesson in their order; not for several threads at once.

    What is `closed` to its methods is not to be asked: labelled, or skipped.

    Attributes
    ----------
    source : Source or None
    sound, coming : Sound or None
        What is asked, and what comes next.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._held: list[int] = []  # to come before the source's own
        self.source: Source | None = None
        self.sound: Sound | None = None
        self.coming: Sound | None = None

    @property
    def present(self) -> Sound:
        """What is asked.

        Raises
        ------
        QueryError
            Nothing is.
        """
        if self.sound is None:
            raise QueryError(f"no sound is being asked; choose a source: {SOURCES}")
        return self.sound

    @property
    def pool(self) -> list[int]:
        """The sounds whose probabilities decide what comes next."""
        return self.source.pool.ids.tolist() if isinstance(self.source, Useful) else []

    def begin(self, source: Source, closed: Set[int]) -> None:
        """Take another source; what was asked and what was put back are dropped.

        Raises
        ------
        QueryError
            It has nothing; all stays as it was.
        """
        first = self._first(source, closed)
        if first is None:
            raise QueryError(f"no sound to ask from {source.name}: none has audio and vectors and is not labelled yet")
        self.source, self.sound, self._held = source, first, []

    def instead(self, sound: Sound) -> None:
        """Ask a sound in place of the present one, which comes again after it."""
        present = [self.sound.id] if self.sound else []
        self._held = [*present, *(sound_id for sound_id in self._held if sound_id != sound.id)]
        self.sound = sound

    def go_on(self, closed: Set[int]) -> None:
        """Ask what comes next, or what comes then where that was closed meanwhile."""
        if self.source and self.coming and self.coming.id in closed and not self._held:
            self.coming = self._first(self.source, closed)
        self.sound = self.coming
        self._held = self._held[1:]

    def look_ahead(self, closed: Set[int]) -> None:
        """Choose what comes next."""
        if isinstance(self.source, Useful) and self.sound:
            self.source.pool.ask(self.sound.id)
        self.coming = self._put_back() or (self._first(self.source, closed) if self.source else None)

    def judged(self, p: Mapping[int, float] | None) -> None:
        """Take the probabilities of a newer model; None if there is no model any more."""
        if isinstance(self.source, Useful):
            self.source.judged(p)

    def _put_back(self) -> Sound | None:
        while self._held:
            with contextlib.suppress(UnknownSound):
                return self._corpus.sounds.get(self._held[0])
            del self._held[0]
        return None

    def _first(self, source: Source, closed: Set[int]) -> Sound | None:
        """The first of a source; one that was deleted meanwhile is passed over."""
        gone: set[int] = set()
        while True:
            present = {self.sound.id} if self.sound else set()
            chosen = source.first(closed | present | gone)
            if chosen is None:
                return None
            try:
                return self._corpus.sounds.get(chosen)
            except UnknownSound:
                gone.add(chosen)
