"""The mixer: voices in, by way of their groups' buses, one limited block of audio out.

Conventions: the clock counts frames rendered, from 0; audio is float32 of shape (frames, channels), never
above -1 dBFS. No I/O, no threads and no time of day: what it plays depends on its commands alone, not on the
size of the blocks, so a file rendered offline is what the loudspeakers get.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.playback.arguments import gain_of, pan_of, part_of, rate_of, seconds_of
from engine.playback.bus import Bus
from engine.playback.clip import Clip, Key
from engine.playback.effects import Chain, rack
from engine.playback.limiter import Limiter
from engine.playback.rack import Rack
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
        self._buses: dict[str, Bus] = {}

    @property
    def active(self) -> tuple[int, ...]:
        """Ids of the voices that sound or wait for their frame."""
        return tuple(voice.id for voice in self._everything())

    @property
    def silent(self) -> bool:
        """Whether no voice sounds or waits and all effects have died away."""
        return not self._sounding and not self._waiting and all(bus.asleep for bus in self._buses.values())

    @property
    def faults(self) -> int:
        """Effects that were bypassed since the start because they failed."""
        return sum(bus.faults for bus in self._buses.values())

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
        fade_out: float = FADE_SECONDS,
        voice: int | None = None,
    ) -> int:
        """Start a voice and return its id.

        Parameters
        ----------
        clip : Clip
            At the mixer's rate.
        at : int or None
            Frame of the clock at which it starts; None, or a frame that has passed, for now. In a group whose effects a
            panic is silencing, not before they are silent.
        group, gain, rate, pan, loop, begin, end, frames
            As in `Instrument.start`.
        fade_in, fade_out : float
            In seconds. Shorter ones than 10 ms take that long; a fade-in of that keeps the attack.
        voice : int or None
            The id to use, unused so far; None for the next of the mixer's own.

        Raises
        ------
        EngineError
            As in `check`.
        """
        options = self.check(clip, gain, rate=rate, pan=pan, begin=begin, end=end, fade_in=fade_in, fade_out=fade_out)
        order = next(self._ids)
        start = self.position if at is None else max(at, self.position)
        if group:
            start = max(start, self._bus(group).cut or 0)
        number = order if voice is None else voice
        new = Voice(number, clip, start, group=group, loop=loop, frames=frames, fade=self._fade, **options)
        heapq.heappush(self._waiting, (start, order, new))
        return new.id

    def check(
        self,
        clip: Clip,
        gain: float = 1.0,
        *,
        rate: float = 1.0,
        pan: float = 0.0,
        begin: int = 0,
        end: int | None = None,
        fade_in: float = 0.0,
        fade_out: float = FADE_SECONDS,
        **_: object,
    ) -> dict[str, Any]:
        """Return what of the arguments of `start` has limits, within them; others are not looked at.

        Raises
        ------
        EngineError
            The clip has another rate, a number is not finite, or the part of the clip has no frames.
        """
        if clip.rate != self.rate:
            raise EngineError(f"{clip.name!r} is at {clip.rate} Hz, the mixer at {self.rate} Hz: load it at that rate")
        whose = repr(clip.name)
        return {
            "gain": gain_of(gain, whose),
            "rate": rate_of(rate, whose),
            "pan": pan_of(pan, whose),
            "part": part_of(clip, begin, end),
            "fade_in": self._frames(fade_in, whose),
            "fade_out": self._frames(fade_out, whose),
        }

    def change(
        self,
        voice: int,
        *,
        gain: float | None = None,
        rate: float | None = None,
        pan: float | None = None,
        seconds: float = 0.02,
    ) -> None:
        """Glide a voice to new values, over 10 ms at least; one that is over already stays over.

        Raises
        ------
        EngineError
            A number is not finite.
        """
        whose = f"voice {voice}"
        values = {
            "gain": None if gain is None else gain_of(gain, whose),
            "rate": None if rate is None else rate_of(rate, whose),
            "pan": None if pan is None else pan_of(pan, whose),
        }
        frames = self._glide(seconds, whose)
        for one in self._everything():
            if one.id == voice:
                one.change(self.position, frames, **values)

    def mix(self, group: str, *, gain: float | None = None, pan: float | None = None, seconds: float = 0.02) -> None:
        """Glide the bus of a group to a gain and a pan, over 10 ms at least.

        Raises
        ------
        EngineError
            A number is not finite, or the group is "", which has no bus.
        """
        whose = f"group {group!r}"
        frames = self._glide(seconds, whose)
        bus = self._bus(group)
        if gain is not None:
            bus.gain.glide(gain_of(gain, whose), self.position, frames)
        if pan is not None:
            bus.pan.glide(pan_of(pan, whose), self.position, frames)

    def effects(self, group: str, chain: Chain) -> None:
        """Give a group its whole chain of effects, crossfaded in 20 ms; () is bypass.

        To make a chain takes milliseconds, and pedalboard's import more: what must be prompt makes it elsewhere with
        `rack` and gives it to `use`.

        Raises
        ------
        EngineError
            An effect or a parameter is unknown, a value is not a finite number, or the group is "", which has no bus.
        """
        self.use(group, rack(chain, self.rate))

    def use(self, group: str, made: Rack | None) -> None:
        """Give a group the effects that `engine.playback.effects.rack` made at this rate; None is bypass."""
        self._bus(group).use(made, self.position)

    def stop(self, voice: int, seconds: float = FADE_SECONDS) -> None:
        """Fade one voice out, from now, over 10 ms at least; one that is over already stays over."""
        self._stop([v for v in self._everything() if v.id == voice], self._glide(seconds, f"voice {voice}"))

    def stop_clip(self, key: Key) -> None:
        """Fade out every voice of a clip, from now."""
        self._stop([v for v in self._everything() if v.clip.key == key], self._fade)

    def fade_out(self, group: str, seconds: float) -> None:
        """Fade out all voices of a group, from now, over 10 ms at least; what waits in it never starts."""
        self._stop([v for v in self._everything() if v.group == group], self._glide(seconds, f"group {group!r}"))

    def fade_out_all(self) -> None:
        """Fade everything out over 10 ms, from now, the effects too; what waits never starts."""
        self._stop(self._everything(), self._fade)
        for bus in self._buses.values():
            bus.silence(self.position, self._fade)

    def render(self, count: int) -> npt.NDArray[np.float32]:
        """Return the next `count` frames, shape (count, channels)."""
        master = np.zeros((count, 2), dtype=np.float32)
        end = self.position + count
        self._admit(end)
        while self.position < end:
            now = self.position
            for bus in self._buses.values():
                bus.turn(now)
            # a second at most: no bus that wakes within falls asleep within too
            until = min([end, now + self.rate, *(bus.edge for bus in self._buses.values())])
            self._mix(master[now - end + count : until - end + count], now)
            self.position = until
        self._sounding = [voice for voice in self._sounding if voice.end > end]
        return self._to_channels(self._limiter.process(master))

    def _mix(self, master: npt.NDArray[np.float32], now: int) -> None:
        """Add to `master` what sounds from frame `now` on."""
        blocks = {name: np.zeros_like(master) for name, bus in self._buses.items() if not bus.asleep}
        for voice in self._sounding:
            if not voice.group:
                voice.add_to(master, now)
                continue
            if voice.group not in blocks:
                blocks[voice.group] = np.zeros_like(master)
            voice.add_to(blocks[voice.group], now)
        for name, block in blocks.items():
            master += self._buses[name].process(block, now)

    def _bus(self, group: str) -> Bus:
        if not group:
            raise EngineError("what plays in no group goes straight to the output: name a group")
        if group not in self._buses:
            used = {voice.group for voice in self._everything()}
            self._buses = {name: bus for name, bus in self._buses.items() if name in used or not bus.plain}
            self._buses[group] = Bus(self.rate)
        return self._buses[group]

    def _everything(self) -> list[Voice]:
        return self._sounding + [voice for *_, voice in self._waiting]

    def _frames(self, seconds: float, whose: str) -> int:
        return round(seconds_of(seconds, whose) * self.rate)

    def _glide(self, seconds: float, whose: str) -> int:
        return max(self._fade, self._frames(seconds, whose))

    def _stop(self, voices: list[Voice], frames: int) -> None:
        for voice in voices:
            voice.stop(self.position, frames)
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
                holding.pop(0).stop(start, self._fade)
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
