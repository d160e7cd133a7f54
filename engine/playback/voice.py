"""One sounding of a clip.

Conventions: times are frames on the mixer's clock; audio is float32 of shape (frames, 2).

No voice clicks: the gain of a frame depends on how far it is from the voice's edges. It falls to the last edge, and to
the seam of a loop, as a raised cosine over the fade. At the first edge it rises steeply and then ever more gently over
the same time, so that a drum keeps its attack: with a raised cosine there, one in ten real samples lost more than
3 dB of theirs. Stopping a voice only moves its last edge nearer.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from engine.playback.clip import Clip

FOREVER = sys.maxsize
ATTACK_POWER = 8
SEAM_FRAMES = 32  # how much of either end tells whether a loop's seam is a jump


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
    gain : float
        Linear, on top of the clip's own.
    loop : bool
        Repeat the clip until stopped.
    frames : int or None
        How long to sound at most; None for the whole clip.
    fade : int
        Frames of the fade at every edge; a voice too short for two of them has shorter ones.
    """

    def __init__(
        self, id: int, clip: Clip, start: int, *, gain: float, loop: bool, frames: int | None, fade: int
    ) -> None:
        self.id = id
        self.clip = clip
        self.start = start
        self.gain = gain * clip.gain
        self.stopped = False
        length = len(clip.frames)
        longest = FOREVER if loop and length else length
        total = longest if frames is None else max(0, min(frames, longest))
        self.end = min(start + total, FOREVER)
        self.fade = min(fade, total // 2)
        # a loop whose ends meet runs through its seam; any other would click there, so each pass is faded
        self._seam_fade = min(fade, length // 2) if loop and total > length and not ends_meet(clip.frames) else 0

    def stop(self, at: int) -> None:
        """Fade out from frame `at`; a voice that has not sounded by then never does."""
        self.stopped = True
        self.end = min(self.end, at + self.fade if at > self.start else self.start)

    def add_to(self, bus: npt.NDArray[np.float32], now: int) -> None:
        """Mix into `bus`, shape (n, 2), whose first frame is frame `now` of the mixer's clock."""
        first, last = max(self.start - now, 0), min(self.end - now, len(bus))
        if first >= last:
            return
        begin, count = now + first - self.start, last - first
        sound = self._read(begin, count) * np.float32(self.gain)
        envelope = self._envelope(begin, count)
        if envelope is not None:
            sound *= envelope[:, np.newaxis]
        bus[first:last] += sound

    def _read(self, begin: int, count: int) -> npt.NDArray[np.float32]:
        """Return `count` frames of the (looped) clip from frame `begin` of this voice."""
        frames = self.clip.frames
        begin %= len(frames)
        if begin + count <= len(frames):
            return frames[begin : begin + count]
        return np.take(frames, np.arange(begin, begin + count), axis=0, mode="wrap")

    def _envelope(self, begin: int, count: int) -> npt.NDArray[np.float32] | None:
        """Return the gains of these frames, shape (count,); None where all are 1."""
        total = self.end - self.start
        inside = begin >= self.fade and begin + count <= total - self.fade
        if inside and not self._seam_fade:
            return None
        frame = np.arange(begin, begin + count) + 0.5
        gain = np.ones(count)
        if self.fade:
            gain = attack(frame / self.fade) * release((total - frame) / self.fade)
        if self._seam_fade:
            length = len(self.clip.frames)
            turn = frame % length
            gain *= release(np.minimum(turn, length - turn) / self._seam_fade)
        return gain.astype(np.float32)


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
