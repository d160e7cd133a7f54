"""The mixer: voices in, one limited block of audio out.

Conventions: the clock counts frames rendered, from 0; audio is float32 of shape (frames, channels), never
above -1 dBFS. No I/O, no threads and no time of day: what it plays depends on its commands alone, not on the
size of the blocks, so a file rendered offline is what the loudspeakers get.
"""

from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.playback.clip import Clip
from engine.playback.limiter import Limiter
from engine.playback.voice import Voice

FADE_SECONDS = 0.010
MAX_VOICES = 64


class Mixer:
    """Play clips at exact frames.

    Parameters
    ----------
    rate : int
        In Hz; every clip must have it.
    channels : int
        Channels of the output: 1 is the mean of both sides, further ones than two are silent.
    max_voices : int
        When so many sound, a new one takes the place of the oldest, which fades out.

    Attributes
    ----------
    position : int
        Frames rendered so far.
    latency : int
        Frames by which the output lags the clock (the limiter looks ahead).
    """

    def __init__(self, rate: int, channels: int = 2, max_voices: int = MAX_VOICES) -> None:
        self.rate = rate
        self.channels = channels
        self.max_voices = max_voices
        self.position = 0
        self._fade = max(1, round(FADE_SECONDS * rate))
        self._limiter = Limiter(rate)
        self.latency = self._limiter.latency
        self._ids = itertools.count(1)
        self._waiting: list[tuple[int, int, Voice]] = []  # a heap by start, then by order of command
        self._sounding: list[Voice] = []  # oldest first

    @property
    def active(self) -> tuple[int, ...]:
        """Ids of the voices that sound or wait for their frame."""
        return tuple(voice.id for voice in self._everything())

    def start(
        self,
        clip: Clip,
        *,
        at: int | None = None,
        gain: float = 1.0,
        loop: bool = False,
        frames: int | None = None,
        voice: int | None = None,
    ) -> int:
        """Start a voice and return its id.

        Parameters
        ----------
        clip : Clip
            At the mixer's rate.
        at : int or None
            Frame of the clock at which it starts; None, or a frame that has passed, for now.
        gain : float
            Linear, on top of the clip's own.
        loop : bool
            Repeat the clip until it is stopped or `frames` are over.
        frames : int or None
            How long to sound at most, fade-out included.
        voice : int or None
            The id to use, unused so far; None for the next of the mixer's own.

        Raises
        ------
        EngineError
            If the clip has another rate, or the gain is not a finite number.
        """
        self.check(clip, gain)
        order = next(self._ids)
        start = self.position if at is None else max(at, self.position)
        new = Voice(
            order if voice is None else voice,
            clip,
            start,
            gain=gain,
            loop=loop,
            frames=frames,
            fade=self._fade,
        )
        heapq.heappush(self._waiting, (start, order, new))
        return new.id

    def check(self, clip: Clip, gain: float) -> None:
        """Raise the EngineError that `start` would."""
        if clip.rate != self.rate:
            raise EngineError(f"{clip.name!r} is at {clip.rate} Hz, the mixer at {self.rate} Hz: load it at that rate")
        if not math.isfinite(gain):
            raise EngineError(f"gain {gain} of {clip.name!r} is not a finite number: give one such as 0.5")

    def stop(self, voice: int) -> None:
        """Fade one voice out, from now; one that is over already stays over."""
        self._stop([v for v in self._everything() if v.id == voice])

    def stop_clip(self, clip_id: int) -> None:
        """Fade out every voice of a clip, from now."""
        self._stop([v for v in self._everything() if v.clip.id == clip_id])

    def fade_out_all(self) -> None:
        """Fade everything out over 10 ms, from now; what waits never starts."""
        self._stop(self._everything())

    def render(self, count: int) -> npt.NDArray[np.float32]:
        """Return the next `count` frames, shape (count, channels)."""
        now = self.position
        self._admit(now + count)
        bus = np.zeros((count, 2), dtype=np.float32)
        for voice in self._sounding:
            voice.add_to(bus, now)
        self._sounding = [voice for voice in self._sounding if voice.end > now + count]
        self.position = now + count
        return self._to_channels(self._limiter.process(bus))

    def _everything(self) -> list[Voice]:
        return self._sounding + [voice for *_, voice in self._waiting]

    def _stop(self, voices: list[Voice]) -> None:
        for voice in voices:
            voice.stop(self.position)
        self._waiting = [entry for entry in self._waiting if not entry[-1].stopped]
        heapq.heapify(self._waiting)

    def _admit(self, until: int) -> None:
        """Let the voices sound that start before frame `until`, stealing from the oldest at each start."""
        if not self._waiting or self._waiting[0][0] >= until:
            return
        holding = [voice for voice in self._sounding if not voice.stopped]
        while self._waiting and self._waiting[0][0] < until:
            start, _, voice = heapq.heappop(self._waiting)
            holding = [v for v in holding if v.end > start]
            if len(holding) >= self.max_voices:
                holding.pop(0).stop(start)
            holding.append(voice)
            self._sounding.append(voice)

    def _to_channels(self, stereo: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if self.channels == 2:
            return stereo
        if self.channels == 1:
            stereo = stereo.mean(axis=1, keepdims=True, dtype=np.float32)
        block = np.zeros((len(stereo), self.channels), dtype=np.float32)
        block[:, :2] = stereo
        return block
