"""The instrument of a session with its loader: a device that opens when something is to play, or a file."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING

from corpus.library import Corpus
from engine.errors import EngineError
from engine.performing.clock import Clock
from engine.performing.voices import Voices

if TYPE_CHECKING:
    from engine.loading import Loader
    from engine.playback.clip import Clip
    from engine.playback.instrument import Instrument

OVER = "the session is over: open another one"
Opener = Callable[[], "Instrument"]


class Rig:
    """What plays.

    Parameters
    ----------
    corpus : Corpus
    opener : callable
        Opens the instrument; called when it is first needed.
    clock : Clock
    memory : int
        Bytes of decoded sound to keep.
    target : float
        The common loudness, in LUFS.
    waiting : bool
        Wait for each sound that is loaded, as rendering does, where time stands still meanwhile.
    """

    def __init__(
        self, corpus: Corpus, opener: Opener, clock: Clock, *, memory: int, target: float, waiting: bool
    ) -> None:
        self._corpus, self._opener, self._memory, self._target = corpus, opener, memory, target
        self._clock = clock
        self._arrivals: dict[int, list[float]] = {}
        self._waiting = waiting
        self._opening = threading.Lock()
        self._opened: tuple[Instrument, Loader] | None = None
        self._closed = False
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
        if when := self._arrivals.get(id):
            return self._later(loading, when.pop(0))
        return loading

    def arrives(self, id: int, when: float) -> None:
        """Let a sound not be there before a time of the clock when it is loaded next; never, if that is infinite."""
        self._arrivals.setdefault(id, []).append(when)

    def ahead(self, ids: Sequence[int]) -> None:
        """Load what is likely next, if anything plays at all."""
        if self._opened:
            self._opened[1].ahead(ids)

    def prepare(self) -> None:
        """Open the instrument in the background, so that the first sound need not wait for it."""

        def open_it() -> None:
            with contextlib.suppress(EngineError):  # whoever needs it is told
                self._open()

        threading.Thread(target=open_it, name="mirla-opening", daemon=True).start()

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
            opened, self._opened, self._closed = self._opened, None, True
        if opened:
            instrument, loader = opened
            loader.close()
            instrument.close()

    def _later(self, loading: Future[Clip], when: float) -> Future[Clip]:
        """The same, but not done before a time."""
        later: Future[Clip] = Future()

        def arrive() -> None:
            loading.add_done_callback(partial(_hand_over, later))

        if math.isfinite(when):
            self._clock.at(when, arrive)
        return later

    def _open(self) -> tuple[Instrument, Loader]:
        from engine.loading import Loader

        with self._opening:
            if self._closed:
                raise EngineError(OVER)
            if self._opened is None:
                instrument = self._opener()
                self._opened = instrument, Loader(self._corpus, instrument, self._memory, target=self._target)
                for act in self._untold:
                    act(instrument)
                self._untold.clear()
            return self._opened


def _hand_over(later: Future[Clip], loaded: Future[Clip]) -> None:
    if loaded.cancelled():
        later.cancel()
    elif error := loaded.exception():
        later.set_exception(error)
    else:
        later.set_result(loaded.result())
