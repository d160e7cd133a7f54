"""What sounds: a voice of the instrument from its first frame to its last, and where in its sound it is.

Conventions: frames are those of the instrument's clock, but for `length`, which counts frames of the clip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.model import Sound
from engine.performing.clock import Clock
from engine.performing.journal import Journal, Playing
from engine.performing.rig import Rig
from engine.playback.playhead import FOREVER, Playhead

if TYPE_CHECKING:
    from engine.playback.clip import Clip

CUT_SECONDS = 0.010
GLIDE_SECONDS = 0.020
SHORTEST_SECONDS = 0.01  # of a turn in a sequence


class Sounding:
    """A voice, started; it is stopped, or over by itself at a frame that is known.

    Parameters
    ----------
    group : str
    sound : Sound
    clip : Clip
    region : (int, int)
        What of the clip is played: its first frame, and the one after its last.
    gain, rate : float
    loop : bool
    at : int or None
        The frame at which it starts; None, or one that has passed, for now.

    Attributes
    ----------
    start, over : int
        Its first frame, and the one after its last; FOREVER for a loop, or one that stands still.
    leaving : bool
        Whether it was told to stop, or is over.
    """

    def __init__(
        self,
        rig: Rig,
        clock: Clock,
        journal: Journal,
        group: str,
        sound: Sound,
        clip: Clip,
        region: tuple[int, int],
        *,
        gain: float,
        rate: float,
        loop: bool,
        at: int | None = None,
    ) -> None:
        self._rig, self._clock, self._journal = rig, clock, journal
        self.group, self.sound = group, sound
        self.start = max(at or 0, rig.instrument.position)
        self.leaving = False
        self._length = region[1] - region[0]
        self._loop = loop
        self._head = self._headed(rate)
        self._stopped = FOREVER
        self._playing: Playing | None = None
        self._audible = True
        self._voice = rig.instrument.start(
            clip, at=at, group=group, gain=gain, rate=rate, loop=loop, begin=region[0], end=region[1]
        )

    @property
    def over(self) -> int:
        """The frame after its last, as far as it is known now."""
        own = FOREVER if self._loop else min(FOREVER, self.start + self._head.leaves(self._length))
        return min(own, self._stopped)

    @property
    def due(self) -> int:
        """The frame at which another one may follow it."""
        return max(self.over, self.start + round(SHORTEST_SECONDS * self._rig.instrument.rate))

    @property
    def begun(self) -> bool:
        """Whether it is noted as one that plays."""
        return self._playing is not None

    def note(self) -> None:
        """Note that it plays, from its first frame on."""
        if self._playing is None:
            self._playing = self._journal.began(self.group, self.sound, time_of(self._rig, self._clock, self.start))
            self._note_end()
            self.hear(self._audible)

    def hear(self, audible: bool) -> None:
        """Note whether it can be heard from now on."""
        self._audible = audible
        if self._playing:
            self._journal.audible(self._playing, audible, self._clock.now())

    def change(self, *, rate: float | None = None, gain: float | None = None) -> None:
        """Glide to another rate or gain."""
        instrument = self._rig.instrument
        if rate is not None:
            now, frames = instrument.position, round(GLIDE_SECONDS * instrument.rate)
            if now <= self.start:
                self._head = self._headed(rate)
            else:
                self._head.change(rate, now - self.start, frames)
            self._note_end()
        instrument.change(self._voice, rate=rate, gain=gain, seconds=GLIDE_SECONDS)

    def stop(self, seconds: float = CUT_SECONDS) -> None:
        """Fade out; one that fades already, sooner if this is sooner."""
        instrument = self._rig.instrument
        end = instrument.position + round(seconds * instrument.rate)
        if end < self._stopped:
            instrument.stop(self._voice, seconds)
            self._stopped = end
        self.end()

    def end(self) -> None:
        """Note when it is over; it counts no more from now on."""
        self.leaving = True
        if self._playing:
            self._journal.ended(self._playing, time_of(self._rig, self._clock, self.over))

    def _headed(self, rate: float) -> Playhead:
        return Playhead(self._length - 1.0 if rate < 0.0 else 0.0, rate)

    def _note_end(self) -> None:
        if self._playing:
            self._playing.most = None if self.over == FOREVER else time_of(self._rig, self._clock, self.over)


def time_of(rig: Rig, clock: Clock, frame: int) -> float:
    """The time of the clock at which the instrument comes to a frame."""
    instrument = rig.instrument
    return clock.now() + (frame - instrument.position) / instrument.rate
