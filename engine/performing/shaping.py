"""How the sounds of a group play: at which rate, how loud, where, in which order."""

from __future__ import annotations

from typing import Any

from engine.errors import VerbError
from engine.performing.grouped import Grouped, within
from engine.performing.times import Length
from engine.performing.verbs import chained, immediate
from engine.playback.clip import MOST_SEMITONES

_LOUDEST = 2.0


class Shaping(Grouped):
    """Verbs that shape how a group plays."""

    @chained
    def play(self, rate: float = 1.0) -> None:
        """Play all sounds, at a rate: 0.5 is an octave down, -1 backwards."""
        self._ensemble.set_rate(rate)
        self._ensemble.begin()
        self._level.resume()

    @chained
    def reverse(self) -> None:
        """Play in the other direction."""
        self._ensemble.set_rate(-self._ensemble.rate)

    @chained
    def sequence(self, rate: float | None = None) -> None:
        """Play the sounds one after another, round and round."""
        self._in_order("sequence", rate)

    @chained
    def parallel(self, rate: float | None = None) -> None:
        """Play the sounds all at once, each looped."""
        self._in_order("parallel", rate)

    @chained
    def volume(self, volume: float = 0.5, seconds: Length = 0.02) -> None:
        """Set the group's volume: 1 is as loud as the sounds are, 0 is silence."""
        self._level.set(within(volume, 0.0, _LOUDEST, "volume"), self._session.seconds(seconds))

    @chained
    def pan(self, pan: float = 0.0, seconds: Length = 0.02) -> None:
        """Move the group from left, -1, to right, 1."""
        at, gliding = within(pan, -1.0, 1.0, "pan"), self._session.seconds(seconds)
        self._rig.tell(lambda instrument: instrument.mix(self.name, pan=at, seconds=gliding))

    @chained
    def fadein(self, seconds: Length = 1.0) -> None:
        """Let the sounds begin anew, out of silence."""
        rising = self._session.seconds(seconds)
        self._ensemble.rise()
        self._level.rise(rising)

    @chained
    def fadeout(self, seconds: Length = 1.0) -> None:
        """Fade the group out; its sounds stay, and `play` brings them back."""
        fading = self._session.seconds(seconds)
        self._cancel_handles()
        self._fall_silent(fading)

    @immediate
    def stop(self) -> None:
        """Stop now, and forget what was said and has not happened yet; the sounds stay, and `play` brings them back."""
        self._stop_moving()
        self._fall_silent()

    @chained
    def solo(self, number: int) -> None:
        """Hear one sound of the group alone, or with others that are solo."""
        self._ensemble.part(number).soloed = True
        self._ensemble.level()

    @chained
    def mute(self, number: int) -> None:
        """Do not hear one sound of the group."""
        self._ensemble.part(number).muted = True
        self._ensemble.level()

    @chained
    def muteall(self) -> None:
        """Hear nothing of the group, which plays on."""
        self._level.mute(True)

    @chained
    def unmute(self, number: int | None = None) -> None:
        """Hear one sound again, or all, as before mute and solo."""
        parts = self._ensemble.parts if number is None else (self._ensemble.part(number),)
        for part in parts:
            part.muted = False
            part.soloed = part.soloed and number is not None
        self._ensemble.level()
        self._level.mute(False)

    @chained
    def slice(self, number: int | None = None) -> None:
        """Loop only from onset `number` to the next one; without a number the whole sound again."""
        if number is not None and not any(self._session.slices(sound) for sound in self.sounds):
            raise VerbError(f"no onsets in group {self.name}: `mirla analyse --onsets` finds where slices begin")
        self._ensemble.set_slice(number, self._session.slices)

    @chained
    def pitchshift(self, semitones: float = 0.0) -> None:
        """Shift the pitch of the sounds, not their length."""
        self._ensemble.set_semitones(within(semitones, -MOST_SEMITONES, MOST_SEMITONES, "a shift in semitones"))

    def _in_order(self, order: Any, rate: float | None) -> None:
        if rate is not None:
            self._ensemble.set_rate(rate)
        self._ensemble.set_order(order)
