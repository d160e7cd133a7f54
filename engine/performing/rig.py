"""The instrument of a session with its loader: a device that opens when something is to play, or a file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from corpus.library import Corpus

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
    waits : bool
        Wait for each sound that is to be loaded, as rendering needs it, whose time stands still meanwhile.
    loudness : float, optional
        That of all sounds, in LUFS.
    """

    def __init__(
        self, corpus: Corpus, opener: Opener, memory: int, *, waits: bool = False, loudness: float | None = None
    ) -> None:
        self._corpus, self._opener, self._memory = corpus, opener, memory
        self._waits, self._loudness = waits, loudness
        self._opening = threading.Lock()
        self._opened: tuple[Instrument, Loader] | None = None
        self._untold: list[Callable[[Instrument], object]] = []

    @property
    def instrument(self) -> Instrument:
        """The instrument, open."""
        return self._open()[0]

    @property
    def loader(self) -> Loader:
        """What loads sounds into it."""
        return self._open()[1]

    def clip(self, sound_id: int, semitones: float = 0.0) -> Future[Clip]:
        """A sound, loaded into the instrument."""
        future = self.loader.get(sound_id, semitones)
        if self._waits:
            wait([future])
        return future

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
        from engine.playback.clip import TARGET_LUFS

        with self._opening:
            if self._opened is None:
                instrument = self._opener()
                target = TARGET_LUFS if self._loudness is None else self._loudness
                self._opened = instrument, Loader(self._corpus, instrument, self._memory, target=target)
                for act in self._untold:
                    act(instrument)
                self._untold.clear()
            return self._opened
