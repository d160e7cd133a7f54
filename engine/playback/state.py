"""What a player was asked for, so that another audio process can be asked for it again.

Conventions: times are frames of the player's clock, which goes on when the audio process changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.playback.clip import Clip, Key
from engine.playback.effects import Chain


@dataclass
class Asked:
    """A voice: its clip, how it was started, when, and when it is over (infinite for a loop)."""

    key: Key
    options: dict[str, Any]
    start: int
    end: float

    @property
    def loops(self) -> bool:
        """Whether it is repeated."""
        return bool(self.options["loop"])


class State:
    """Clips, voices, buses and effects as they should be."""

    def __init__(self) -> None:
        self.clips: dict[Key, Clip] = {}
        self.voices: dict[int, Asked] = {}
        self._buses: dict[str, dict[str, float]] = {}
        self._chains: dict[str, Chain] = {}

    @property
    def sounding(self) -> set[Key]:
        """Keys of the clips that sound or wait for their frame."""
        return {voice.key for voice in list(self.voices.values())}

    def start(self, voice: int, clip: Clip, now: int, options: dict[str, Any]) -> None:
        """A voice starts; `now` is the clock's frame."""
        start = now if options["at"] is None else max(now, options["at"])
        self.voices[voice] = Asked(clip.key, options, start, start + _length(clip, options))

    def change(self, voice: int, values: Mapping[str, float]) -> None:
        """A voice has other values."""
        if voice in self.voices:
            self.voices[voice].options.update(values)

    def stop(self, voice: int) -> None:
        """A voice ends."""
        self.voices.pop(voice, None)

    def stop_group(self, group: str) -> None:
        """All voices of a group end."""
        self._keep(lambda asked: asked.options["group"] != group)

    def unload(self, key: Key) -> None:
        """A clip goes, and its voices end."""
        self.clips.pop(key, None)
        self._keep(lambda asked: asked.key != key)

    def mix(self, group: str, values: Mapping[str, float]) -> None:
        """A bus has other values."""
        self._buses.setdefault(group, {}).update(values)

    def effects(self, group: str, chain: Chain) -> None:
        """A group has another chain."""
        self._chains[group] = chain

    def seen(self, active: Collection[int], newest: int) -> None:
        """Of the voices up to number `newest`, only these sound or wait."""
        self.voices = {voice: asked for voice, asked in self.voices.items() if voice > newest or voice in active}

    def silent(self, now: int) -> None:
        """Nobody tells which voices are over: those are whose time is."""
        self._keep(lambda asked: asked.end > now)

    def again(self, now: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what another audio process is to do, clips apart: effects, buses, loops, and what waits for its frame.

        Parameters
        ----------
        now : int
            The frame of the clock at which its own begins.
        """
        for group, chain in self._chains.items():
            yield "effects", {"group": group, "chain": chain}
        for group, values in self._buses.items():
            yield "mix", {"group": group, **values, "seconds": 0.0}
        self._keep(lambda asked: asked.start > now or (asked.loops and asked.end > now))
        for voice, asked in self.voices.items():
            options = dict(asked.options, at=max(0, asked.start - now))
            if asked.start <= now and asked.end < math.inf:
                options["frames"] = round(asked.end - now)
            yield "start", {"voice": voice, "key": asked.key, **options}

    def _keep(self, wanted: Callable[[Asked], bool]) -> None:
        self.voices = {voice: asked for voice, asked in self.voices.items() if wanted(asked)}


def _length(clip: Clip, options: Mapping[str, Any]) -> float:
    """How many frames a voice sounds, if nothing changes it."""
    most = math.inf if options["frames"] is None else float(options["frames"])
    if options["loop"] or not options["rate"]:
        return most
    end = len(clip.frames) if options["end"] is None else min(options["end"], len(clip.frames))
    return min(most, float(max(0, end - options["begin"]) / abs(options["rate"])))
