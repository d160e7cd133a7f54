"""The instrument without a device: its clock goes only when it is told to, and as fast as the mixer can.

Conventions: as in `engine.playback.instrument`. The frame of the clock at which something sounds is the frame of what
is written: what the limiter holds back at the beginning is not written, and `close` writes what it still holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.playback.clip import Clip, Key
from engine.playback.mixer import MAX_VOICES, Mixer
from engine.playback.wav import WavFile

BLOCK_FRAMES = 4096

Write = Callable[[npt.NDArray[np.float32]], object]
"""Takes the blocks, shape (frames, channels), in order."""


class OfflinePlayer:
    """A mixer with a virtual clock. An `Instrument`.

    Parameters
    ----------
    rate : int
        In Hz; clips must have it.
    channels : int
    write : callable or None
        Given all that is rendered.
    max_voices : int
        As in `Mixer`.
    """

    name = "offline"
    latency = 0.0

    def __init__(
        self, rate: int = 44100, channels: int = 2, *, write: Write | None = None, max_voices: int = MAX_VOICES
    ) -> None:
        self.rate = rate
        self.channels = channels
        self._write = write
        self._mixer = Mixer(rate, channels, max_voices)
        self._held_back = self._mixer.latency  # of the beginning, not rendered yet
        self._position = 0
        self._keys: dict[int, Key] = {}
        self._file: WavFile | None = None
        self._recorded = 0.0
        self._blocks = 0
        self._peak = 0.0
        self._power = 0.0  # mean square of the last block
        self._closed = False

    def advance(self, frames: int) -> None:
        """Let so many frames pass, and write them."""
        self._position += frames
        self._render(frames)

    @property
    def position(self) -> int:
        """Frames that have passed."""
        return self._position

    @property
    def active(self) -> tuple[int, ...]:
        """Voices that sound or wait for their frame."""
        return self._mixer.active

    @property
    def sounding(self) -> set[Key]:
        """Keys of the clips that sound or wait for their frame."""
        active = set(self._mixer.active)
        self._keys = {voice: key for voice, key in self._keys.items() if voice in active}
        return set(self._keys.values())

    def load(self, clip: Clip) -> Clip:
        """Nothing to do: it is in memory."""
        return clip

    def unload(self, clip: Clip) -> None:
        """Fade its voices out."""
        self._mixer.stop_clip(clip.key)

    def start(
        self,
        clip: Clip,
        *,
        at: int | None = None,
        group: str = "",
        gain: float = 1.0,
        rate: float = 1.0,
        pan: float = 0.0,
        loop: bool = False,
        begin: int = 0,
        end: int | None = None,
        frames: int | None = None,
        fade_in: float = 0.0,
        fade_out: float = 0.010,
    ) -> int:
        """Start a voice and return its number. Arguments and errors as in `Instrument.start`."""
        voice = self._mixer.start(
            clip, at=at, group=group, gain=gain, rate=rate, pan=pan, loop=loop, begin=begin, end=end,
            frames=frames, fade_in=fade_in, fade_out=fade_out,
        )  # fmt: skip
        self._keys[voice] = clip.key
        return voice

    def change(
        self,
        voice: int,
        *,
        gain: float | None = None,
        rate: float | None = None,
        pan: float | None = None,
        seconds: float = 0.02,
    ) -> None:
        """Glide a voice to new values; None leaves one as it is."""
        self._mixer.change(voice, gain=gain, rate=rate, pan=pan, seconds=seconds)

    def stop(self, voice: int, seconds: float = 0.010) -> None:
        """Fade one voice out."""
        self._mixer.stop(voice, seconds)

    def mix(self, group: str, *, gain: float | None = None, pan: float | None = None, seconds: float = 0.02) -> None:
        """Glide a group's bus to a gain and a pan."""
        self._mixer.mix(group, gain=gain, pan=pan, seconds=seconds)

    def effects(self, group: str, chain: Sequence[tuple[str, Mapping[str, float]]]) -> None:
        """Give a group its whole chain of effects."""
        self._mixer.effects(group, chain)

    def fade_out(self, group: str, seconds: float) -> None:
        """Fade out all voices of a group; what waits in it never starts."""
        self._mixer.fade_out(group, seconds)

    def panic(self) -> None:
        """Silence everything within 10 ms."""
        self._mixer.fade_out_all()

    def record(self, path: str | Path | None) -> None:
        """Write what is rendered from now on to a WAV file too, as `Player.record` does; None ends it.

        Raises
        ------
        EngineError
            If the file exists or cannot be made.
        """
        file = None if path is None else WavFile(path, self.rate, self.channels)
        if self._file:
            self._recorded = self._file.seconds
            self._file.close()
        self._file = file

    def stats(self) -> dict[str, Any]:
        """What `Player.stats` tells; nothing here is late or lost."""
        return {
            "callbacks": self._blocks,
            "underruns": 0,
            "errors": 0,
            "faults": self._mixer.faults,
            "peak": self._peak,
            "level": 10.0 * math.log10(self._power) if self._power else None,
            "load": 0.0,
            "recorded": self._file.seconds if self._file else self._recorded,
            "lost": 0,
            "outages": 0,
            "device": False,
        }

    def close(self) -> None:
        """Write what the limiter still holds, and finish the recording; twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._render(self._mixer.latency)
        self.record(None)

    def _render(self, frames: int) -> None:
        while frames > 0:
            count = min(frames, BLOCK_FRAMES)
            frames -= count
            block = self._mixer.render(count)
            skipped = min(self._held_back, count)
            self._held_back -= skipped
            self._take(block[skipped:])

    def _take(self, block: npt.NDArray[np.float32]) -> None:
        if not len(block):
            return
        self._blocks += 1
        self._peak = max(self._peak, float(np.abs(block).max()))
        self._power = float(np.square(block).mean())
        if self._write:
            self._write(block)
        if self._file:
            try:
                self._file.write(block)
            except OSError as error:
                raise EngineError(
                    f"recording {self._file.path}: {error.strerror}; make room, or record to another place"
                ) from error
