"""The instrument of a session with its loader: a device that opens when something is to play, or a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from corpus.library import Corpus
from engine.performing.voices import Voices

if TYPE_CHECKING:
    from engine.loading import Loader
    from engine.playback.clip import Clip
    from engine.playback.instrument import Instrument

Event = Callable[[str, str], None]
Opener = Callable[[], "Instrument"]


class Rig:
    """What plays.

    Parameters
    ----------
    corpus : Corpus
    opener : callable
        Opens the instrument; called when it is first needed.
    memory : int
        Bytes of decoded sound to keep.
    target : float
        The common loudness, in LUFS.
    waiting : bool
        Wait for each sound that is loaded, as rendering does, where time stands still meanwhile.
    """

    def __init__(self, corpus: Corpus, opener: Opener, *, memory: int, target: float, waiting: bool) -> None:
        self._corpus, self._opener, self._memory, self._target = corpus, opener, memory, target
        self._waiting = waiting
        self._opening = threading.Lock()
        self._opened: tuple[Instrument, Loader] | None = None
        self._untold: list[Callable[[Instrument], object]] = []
        self.voices = Voices()

    @property
    def instrument(self) -> Instrument:
        """The instrument, open."""
        return self._open()[0]

    def load(self, id: int, semitones: float = 0.0) -> Future[Clip]:
        """A sound, loaded into the instrument; its pitch shifted (see `engine.loading.Loader.get`)."""
        loading = self._open()[1].get(id, semitones)
        if self._waiting:
            wait([loading])
        return loading

    def ahead(self, ids: Sequence[int]) -> None:
        """Load what is likely next, if anything plays at all."""
        if self._opened:
            self._opened[1].ahead(ids)

    def tell(self, act: Callable[[Instrument], object]) -> None:
        """Tell the instrument something: now, or as soon as it is open."""
        with self._opening:
            if self._opened is None:
                self._untold.append(act)
                return
            instrument = self._opened[0]
        act(instrument)

    @property
    def opened(self) -> bool:
        """Whether the instrument is open."""
        return self._opened is not None

    def close(self) -> None:
        """Fade out and let go."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened:
            instrument, loader = opened
            loader.close()
            instrument.close()

    def _open(self) -> tuple[Instrument, Loader]:
        from engine.loading import Loader

        with self._opening:
            if self._opened is None:
                instrument = self._opener()
                self._opened = instrument, Loader(self._corpus, instrument, self._memory, target=self._target)
                for act in self._untold:
                    act(instrument)
                self._untold.clear()
            return self._opened
