"""Hearing one sound at a time, as in a lesson or a trial: loaded ahead in a thread; silent without a device."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from engine.errors import DeviceError

if TYPE_CHECKING:
    from corpus.cli.app import App
    from corpus.library import Corpus
    from corpus.model import Sound
    from engine.playback.clip import Clip
    from engine.playback.player import Player

_RATE = 44100
"""In Hz, of what is only looked at."""


def player(app: App, corpus: Corpus, device: str | None, instead: str) -> Player | None:
    """The player on a device; None, said once, where there is none and none was asked for."""
    from engine.playback.player import Player

    try:
        return Player(device or corpus.settings.device)
    except DeviceError as error:
        if device:
            raise
        what, _, _ = str(error).partition(";")
        app.say(f"{what}; sounds are {instead}, not played")
        return None


class Hearing:
    """Loads and plays.

    Parameters
    ----------
    corpus : Corpus
    player : Player or None
        None to play nothing.
    seconds : float or None
        Play at most so much of each sound.
    warn : callable
        Told when the device fails; it goes on in silence.
    """

    def __init__(
        self, corpus: Corpus, player: Player | None, seconds: float | None, warn: Callable[[str], None]
    ) -> None:
        self._corpus, self._player, self._seconds, self._warn = corpus, player, seconds, warn
        self._failing = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "loading")
        self._loading: dict[int, Future[Clip]] = {}

    @property
    def plays(self) -> bool:
        """Whether there is a device, and it has not failed."""
        return self._player is not None

    def close(self) -> None:
        """Fade out, and let go of all."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._player:
            self._player.close()

    def keep(self, *wanted: Sound | None) -> None:
        """Begin to load some sounds, and forget the others."""
        sounds = [sound for sound in wanted if sound]
        for sound in sounds:
            if sound.id not in self._loading:
                self._loading[sound.id] = self._thread.submit(self._load, sound)
        for sound_id in self._loading.keys() - {sound.id for sound in sounds}:
            forgotten = self._loading.pop(sound_id)
            forgotten.cancel()
            forgotten.add_done_callback(self._unload)  # no key waits for one that is being loaded

    def clip(self, sound: Sound) -> Clip:
        """A sound in memory.

        Raises
        ------
        UnknownSound, AudioError
            It has no audio, or none that can be decoded.
        EngineError
            There is not enough shared memory.
        """
        if sound.id not in self._loading:
            self._loading[sound.id] = self._thread.submit(self._load, sound)
        return self._loading[sound.id].result()

    def play(self, clip: Clip | None) -> None:
        """Play a sound; None ends what plays."""
        if clip is None:
            self._with_player(lambda player: player.panic())
        else:
            frames = None if self._seconds is None else round(self._seconds * clip.rate)
            self._with_player(lambda player: player.start(clip, frames=frames))

    def _load(self, sound: Sound) -> Clip:
        from engine.clips import load

        [clip] = load(self._corpus, [sound.id], self._player.rate if self._player else _RATE)
        self._with_player(lambda player: player.load(clip))
        return clip

    def _unload(self, loading: Future[Clip]) -> None:
        if not loading.cancelled() and not loading.exception():
            self._with_player(lambda player: player.unload(loading.result()))

    def _with_player(self, act: Callable[[Player], object]) -> None:
        player = self._player
        if player is None:
            return
        try:
            act(player)
        except DeviceError as error:
            with self._failing:  # the thread that loads may meet it too
                failed, self._player = self._player, None
            if failed:
                self._warn(f"{error}; going on in silence")
