"""One sounding of a clip, or of a part of it.

Conventions: times are frames on the mixer's clock; audio is float32 of shape (frames, 2).

No voice clicks: the gain of a frame depends on how far it is from the voice's edges. It falls to the last edge, and to
the seam of a loop, as a raised cosine over the fade. At the first edge it rises steeply and then ever more gently over
the same time, so that a drum keeps its attack: with a raised cosine there, one in ten real samples lost more than
3 dB of theirs. A fade-in that was asked for is a raised cosine too. How far the end of the clip is, is told in time at
the present rate, so that a rate that glides has no steps either. Stopping a voice only moves its last edge nearer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.playback.clip import Clip
from engine.playback.interpolation import hermite
from engine.playback.playhead import FOREVER, Playhead
from engine.playback.ramp import Ramp, balance

ATTACK_POWER = 8
SEAM_FRAMES = 32  # how much of either end tells whether a loop's seam is a jump

Gains = npt.NDArray[np.float64]


class Voice:
    """A clip that starts at an exact frame.

    Parameters
    ----------
    id : int
        The mixer's name for it.
    clip : Clip
        At the mixer's rate.
    start : int
        Frame of the mixer's clock.
    group : str
        The bus that it plays on; "" for none.
    gain, rate, pan : float
        As the instrument has them. At rate 0 it is silent and stays where it is.
    loop : bool
        Repeat until stopped.
    part : (int, int) or None
        The first frame of the clip that is played and the one after the last; None for all.
    frames : int or None
        How long to sound at most; None for no limit of its own.
    fade : int
        Frames of the fade at every edge, the least that a fade may have; a voice too short for two has shorter ones.
    fade_in, fade_out : int
        Longer ones, if they are asked for.
    """

    def __init__(
        self,
        id: int,
        clip: Clip,
        start: int,
        *,
        group: str = "",
        gain: float = 1.0,
        rate: float = 1.0,
        pan: float = 0.0,
        loop: bool = False,
        part: tuple[int, int] | None = None,
        frames: int | None = None,
        fade: int,
        fade_in: int = 0,
        fade_out: int = 0,
    ) -> None:
        self.id, self.clip, self.start, self.group = id, clip, start, group
        self.stopped = False
        begin, end = part or (0, len(clip.frames))
        self._source = np.ascontiguousarray(clip.frames[begin:end])
        self._length = length = end - begin
        self._loop = loop and length > 0
        self._head = Playhead(length - 1.0 if rate < 0.0 else 0.0, rate)
        self._gain, self._pan, self._present = Ramp(gain), Ramp(pan), Ramp(float(rate != 0.0))
        self._edge = FOREVER if frames is None else start + max(0, frames)  # by the clock, whatever the rate
        self._held = 1.0  # what earlier fade-outs had come down to when faster ones took over
        self._past: tuple[int, int, int] | None = None  # the last of these: its edge, its fade, when it was overtaken
        self.end = self._nearest_end()
        total = self.end - start
        self._steep = fade_in <= fade
        self._fade_in, self._fade_out = _both(max(fade_in, fade), max(fade_out, fade), total)
        self._edge_fade = self._fade_out
        # a loop whose ends meet runs through its seam; any other would click there, so each pass is faded
        goes_round = self._loop and total * abs(rate or 1.0) > length
        self._seam_fade = min(fade, length // 2) if goes_round and not ends_meet(self._source) else 0

    def stop(self, at: int, frames: int) -> None:
        """Fade out over so many frames from frame `at`; a voice that has not sounded by then never does."""
        self.stopped = True
        if at <= self.start:
            self._edge = self.end = self.start
        elif at + frames < self._edge:
            if self._past:
                edge, fade, overtaken = self._past
                self._held *= float(release(np.array((edge - overtaken) / fade)))
            self._past = (self._edge, self._edge_fade, at) if self._edge_fade else None
            self._edge, self._edge_fade = at + frames, frames
            self.end = min(self.end, self._edge)

    def change(self, now: int, frames: int, *, gain: float | None, rate: float | None, pan: float | None) -> None:
        """Glide to what is given, over so many frames; before its start, be there at once."""
        if now <= self.start:
            now, frames = self.start, 0
        if gain is not None:
            self._gain.glide(gain, now, frames)
        if pan is not None:
            self._pan.glide(pan, now, frames)
        if rate is not None:
            self._present.glide(float(rate != 0.0), now, frames)
            if now == self.start:
                self._head = Playhead(self._length - 1.0 if rate < 0.0 else 0.0, rate)
            else:
                self._head.change(rate, now - self.start, frames)
            self.end = self._nearest_end()

    def add_to(self, bus: npt.NDArray[np.float32], now: int) -> None:
        """Mix into `bus`, shape (n, 2), whose first frame is frame `now` of the mixer's clock."""
        first, last = max(self.start - now, 0), min(self.end - now, len(bus))
        if first >= last:
            return
        begin, count = now + first - self.start, last - first
        present = self._present.over(now + first, count)
        if isinstance(present, float) and not present:
            return
        position = self._head.whole(begin)
        if position is None:
            positions, speed = self._head.over(begin, count)
            sound = hermite(self._source.view(np.complex64)[:, 0], positions, loop=self._loop)
        else:
            positions, speed = None, self._head.rate
            sound = self._read(position, count)
        sound = sound * self._gains(now + first, count, present)
        envelope = self._envelope(begin, count, position, positions, speed)
        if envelope is not None:
            sound *= envelope[:, np.newaxis]
        bus[first:last] += sound

    def _nearest_end(self) -> int:
        own = FOREVER if self._loop else min(FOREVER, self.start + self._head.leaves(self._length))
        return min(own, self._edge)

    def _read(self, position: int, count: int) -> npt.NDArray[np.float32]:
        """Return `count` frames from a whole position on, at rate 1 or -1."""
        frames, step = self._source, int(self._head.rate)
        if self._loop:
            position %= self._length
        last = position + step * (count - 1)
        if 0 <= last < self._length:
            return frames[position : last + 1] if step > 0 else frames[last : position + 1][::-1]
        return np.take(frames, np.arange(position, last + step, step), axis=0, mode="wrap")

    def _gains(self, now: int, count: int, present: float | Gains) -> npt.NDArray[np.float32] | np.float32:
        """Return the gains of these frames: a number, or shape (2,), (count, 1) or (count, 2)."""
        level = self._gain.over(now, count) * self.clip.gain * present
        pan = self._pan.over(now, count)
        column = level if isinstance(level, float) else level[:, np.newaxis]
        if isinstance(pan, float) and not pan:
            return np.float32(column) if isinstance(column, float) else column.astype(np.float32)
        gains: npt.NDArray[np.float32] = (column * balance(pan)).astype(np.float32)
        return gains

    def _envelope(
        self, begin: int, count: int, position: int | None, positions: Gains | None, speed: float | Gains
    ) -> npt.NDArray[np.float32] | None:
        """Return the gains of the edges at these frames, shape (count,); None where all are 1."""
        gains: list[Gains] = [np.full(count, self._held)] if self._held != 1.0 else []
        if self._past and self._past[0] - self._past[2] < self._past[1]:
            edge, fade_before, overtaken = self._past
            frame = np.minimum(np.arange(count) + (self.start + begin + 0.5), overtaken)
            gains.append(release((edge - frame) / fade_before))
        if begin < self._fade_in:
            share = (np.arange(begin, begin + count) + 0.5) / self._fade_in
            gains.append(attack(share) if self._steep else release(share))
        rest = self._edge - self.start - begin  # by the clock
        fade = self._seam_fade if self._loop else self._fade_out
        near = self._near_ends(fade, count, position, positions, speed) if fade else None
        if self._edge_fade and rest - count < self._edge_fade:
            left = (rest - 0.5 - np.arange(count)) / self._edge_fade
            gains.append(release(left if near is None or self._loop else np.minimum(left, near)))
            near = near if self._loop else None
        if near is not None:
            gains.append(release(near))
        if not gains:
            return None
        gain = gains[0]
        for more in gains[1:]:
            gain = gain * more
        return gain.astype(np.float32)

    def _near_ends(
        self, fade: int, count: int, position: int | None, positions: Gains | None, speed: float | Gains
    ) -> Gains | None:
        """How far the ends of the clip are, as a share of the fade, shape (count,); None if all are farther."""
        length = self._length
        if positions is None:
            assert position is not None
            step = int(self._head.rate)
            last = position + step * (count - 1)
            if not self._loop and fade <= min(length - 1 - max(position, last), min(position, last)):
                return None
            positions = np.arange(position, last + step, step, dtype=np.float64)
        frame = positions + 0.5
        if self._loop:
            frame = frame % length
            distance = np.minimum(frame, length - frame)
        else:
            distance = np.where(np.asarray(speed) > 0.0, length - frame, frame)
        reach = np.minimum(np.maximum(np.abs(speed), 1e-9) * fade, length // 2)
        return None if np.all(distance >= reach) else distance / reach


def _both(first: int, last: int, total: int) -> tuple[int, int]:
    """Two fades that fit into `total` frames, in the proportion that they had."""
    if first + last <= total:
        return first, last
    return total * first // (first + last), total * last // (first + last)


def attack(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the gain at the share `x` of a fade-in: 0.57 at a tenth, 0.83 at a fifth, 1 from the end on."""
    rest: npt.NDArray[np.float64] = 1.0 - (1.0 - np.clip(x, 0.0, 1.0)) ** ATTACK_POWER
    return rest


def release(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the gain at the share `x` that is left of a fade-out: a raised cosine."""
    cosine: npt.NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0))
    return cosine


def ends_meet(frames: npt.NDArray[np.float32]) -> bool:
    """Tell whether the step from the last frame to the first is no larger than the steps around it."""
    around = np.concatenate([frames[-SEAM_FRAMES:], frames[:SEAM_FRAMES]])
    middle = min(len(frames), SEAM_FRAMES) - 1
    steps = np.abs(np.diff(around, axis=0))
    seam = steps[middle].copy()
    steps[middle] = 0.0
    return bool(np.all(seam <= steps.max(axis=0)))
