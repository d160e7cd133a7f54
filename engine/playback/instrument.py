"""What performers play on: one protocol for a real device and for a virtual clock.

`Player` is the one with loudspeakers (its mixer lives in the audio process), `OfflinePlayer` the one that renders
(its mixer lives here, and its clock runs as fast as it can).

Conventions: what is named `at`, `frames`, `begin` or `end` counts frames, at the instrument's rate; all other times are
seconds. Gains are linear, pans -1 (left) to 1 (right): a balance, which leaves the centre untouched. Voices are
numbered from 1. The group "" is none: its voices go straight to the master. Every call returns at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from engine.playback.clip import Clip, Key


class Instrument(Protocol):
    """Voices, grouped on buses with effects, on a clock that counts frames.

    Attributes
    ----------
    name : str
        The device's.
    rate : int
        In Hz; clips must have it.
    channels : int
    latency : float
        From a command to what is heard, in seconds, the current block aside.
    """

    name: str
    rate: int
    channels: int
    latency: float

    @property
    def position(self) -> int:
        """Frames mixed so far."""
        ...

    @property
    def active(self) -> tuple[int, ...]:
        """Voices that sound or wait for their frame."""
        ...

    @property
    def sounding(self) -> set[Key]:
        """Keys of the clips that sound or wait for their frame."""
        ...

    def load(self, clip: Clip) -> Clip:
        """Hand a clip over; one that is there already is not handed over again.

        Returns
        -------
        Clip
            The same as the instrument holds it: whoever keeps that one keeps no second copy in memory.
        """
        ...

    def unload(self, clip: Clip) -> None:
        """Forget a clip; its voices fade out."""
        ...

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
        """Start a voice and return its number; loads the clip if it is not.

        Parameters
        ----------
        clip : Clip
        at : int or None
            Frame of the clock; None, or one that has passed, for now.
        group : str
            The bus it plays on.
        gain, pan : float
        rate : float
            Speed: 2 is an octave up, negative backwards from `end`, 0 silence until it is changed.
        loop : bool
            Repeat from `begin` to `end` until it is stopped or `frames` are over.
        begin, end : int, int or None
            The part of the clip that is played, in its frames; None for the clip's end.
        frames : int or None
            How long to sound at most, fades included.
        fade_in, fade_out : float
            In seconds.

        Raises
        ------
        EngineError
            An argument has no meaning, such as a rate that is not a number.
        """
        ...

    def change(
        self,
        voice: int,
        *,
        gain: float | None = None,
        rate: float | None = None,
        pan: float | None = None,
        seconds: float = 0.02,
    ) -> None:
        """Glide a voice to new values; None leaves one as it is. A voice that is over stays over."""
        ...

    def stop(self, voice: int, seconds: float = 0.010) -> None:
        """Fade one voice out."""
        ...

    def mix(self, group: str, *, gain: float | None = None, pan: float | None = None, seconds: float = 0.02) -> None:
        """Glide a group's bus to a gain and a pan."""
        ...

    def effects(self, group: str, chain: Sequence[tuple[str, Mapping[str, float]]]) -> None:
        """Give a group its whole chain of effects, by name and values, crossfaded in 20 ms; () is bypass.

        Raises
        ------
        EngineError
            An effect or a parameter is unknown, or a value is not a number.
        """
        ...

    def fade_out(self, group: str, seconds: float) -> None:
        """Fade out all voices of a group; what waits in it never starts."""
        ...

    def panic(self) -> None:
        """Silence everything, effects' tails too, 10 ms after the next block begins."""
        ...

    def record(self, path: str | Path | None) -> None:
        """Write what is heard to a file from now on; None ends it."""
        ...

    def stats(self) -> dict[str, Any]:
        """How it runs: callbacks, underruns, errors, peak, level, load, recorded seconds and lost frames."""
        ...

    def close(self) -> None:
        """Fade everything out and let the device go. Never raises; a second time does nothing."""
        ...
