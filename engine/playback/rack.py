"""A chain of effects, fed in blocks of any size.

Conventions: blocks are float32 of shape (frames, 2); a processor gets (2, frames), 1 to 1024 of them, and returns as
many. A rack lags by what its effects do, which is said where they are declared.

What goes in is finite and below +60 dBFS. An effect that returns anything else than as many finite numbers, or raises,
is bypassed from then on and counted: it cannot silence the others, nor can what is not a number stay in their memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.playback.limiter import LOUDEST_INPUT

Audio = npt.NDArray[np.float32]

MOST = 1024
MOST_RINGING = 8
SILENT = 1e-5


class Processor(Protocol):
    """What an effect does to a stream of blocks, shape (2, frames)."""

    def __call__(self, audio: Audio) -> Audio:
        """Process the next block, which is not to be written into."""
        ...


class _Slot:
    """A processor with what made it; bypassed once it failed."""

    def __init__(self, maker: Callable[[], Processor]) -> None:
        self.maker = maker
        self.processor = maker()
        self.broken = False

    def same(self, other: _Slot) -> bool:
        """Whether both are made alike."""
        one, two = self.maker, other.maker
        if isinstance(one, partial) and isinstance(two, partial):
            return (one.func, one.args, one.keywords) == (two.func, two.args, two.keywords)
        return one is two


@dataclass(eq=False)
class _Ringing:
    """What left the chain and dies away; it joins in before so many slots. Cut, it is over in `left` frames."""

    rack: Rack
    joins: int
    quiet: int = 0
    left: int | None = None

    def sound(self, count: int, fade: int) -> Audio:
        audio = self.rack.run(np.zeros((2, count), dtype=np.float32))
        loud = np.flatnonzero(np.abs(audio).max(axis=0) > SILENT)
        self.quiet = count - 1 - int(loud[-1]) if len(loud) else self.quiet + count
        if self.left is not None:
            audio = audio * np.clip((self.left - np.arange(count)) / fade, 0.0, 1.0).astype(np.float32)
            self.left = max(0, self.left - count)
        return audio


class Rack:
    """A chain of processors.

    Parameters
    ----------
    makers : sequence of callables
        Each makes one processor, its memory empty. What is slow about that is done here, not when sound is asked for.

    Attributes
    ----------
    faults : int
        Effects that are bypassed because they failed.
    """

    def __init__(self, makers: Sequence[Callable[[], Processor]] = ()) -> None:
        self.faults = 0
        self._slots = [_Slot(maker) for maker in makers]
        self._leaving: Rack | None = None  # crossfaded from, in the place of slots `first` to the `last` ones
        self._first = self._last = 0
        self._ringing: list[_Ringing] = []
        self._fade = 1

    @property
    def idle(self) -> bool:
        """Whether what comes out is what goes in."""
        return not self._slots and not self._ringing and self._leaving is None

    def reset(self) -> None:
        """Forget all sound: made anew, which takes a fraction of a block's time."""
        broken = [slot.broken for slot in self._slots]
        self._slots = [_Slot(slot.maker) for slot in self._slots]
        for slot, was in zip(self._slots, broken, strict=True):
            slot.broken = was
        self._leaving, self._ringing = None, []

    def follow(self, before: Rack) -> None:
        """Take the place of another, which is not used any more: what both have in front and behind goes on.

        What lies between is crossfaded from; then it rings out, as does what rang already, each where it was.
        """
        mine, theirs = self._slots, before._slots
        first = _alike(mine, theirs)
        last = _alike(mine[first:][::-1], theirs[first:][::-1])
        between = len(theirs) - last
        self._slots = theirs[:first] + mine[first : len(mine) - last] + theirs[between:]
        self._leaving = Rack()
        self._leaving._slots = theirs[first:between]
        self._first, self._last = first, last
        for one in before._ringing:
            if one.joins <= last:
                self._ringing.append(one)
            elif one.joins >= len(theirs) - first:
                one.joins += len(mine) - len(theirs)
                self._ringing.append(one)
            else:
                one.joins -= last
                self._leaving._ringing.append(one)

    def settle(self, fade: int) -> None:
        """The crossfade is over: what left rings out; if too much does, what is softest goes over so many frames."""
        self._fade = fade
        if self._leaving and not self._leaving.idle:
            self._ringing.append(_Ringing(self._leaving, self._last))
        self._leaving = None
        ringing = [one for one in self._ringing if one.left is None]
        for one in sorted(ringing, key=lambda one: -one.quiet)[: max(0, len(ringing) - MOST_RINGING)]:
            one.left = fade

    def fall_quiet(self, tail: int) -> None:
        """Forget what has died away: silent for so many frames, or cut."""
        self._ringing = [one for one in self._ringing if one.quiet < tail and one.left != 0]

    def process(self, block: Audio, left: Audio | None = None) -> Audio:
        """Return as many frames as came; `left`, shape (frames,), is the share that goes to what is faded from."""
        places = range(0, len(block), MOST)
        parts = (slice(place, place + MOST) for place in places)
        made = [self.run(sane(np.ascontiguousarray(block[p].T)), None if left is None else left[p]) for p in parts]
        return np.concatenate(made, axis=1).T

    def run(self, audio: Audio, left: Audio | None = None) -> Audio:
        """Process shape (2, frames), at most 1024 of them."""
        gone = None
        for place in range(len(self._slots) + 1):
            rest = len(self._slots) - place
            if left is not None and self._leaving and place == self._first:
                gone = self._leaving.run(audio * left)
                audio = audio * (np.float32(1.0) - left)  # what goes in fades, or the echoes of its start would click
            if gone is not None and rest == self._last:
                audio, gone = audio + gone, None
            for one in self._ringing:
                if one.joins == rest:
                    audio = audio + one.sound(audio.shape[1], self._fade)
            if rest:
                audio = self._pass(self._slots[place], audio)
        return audio

    def _pass(self, slot: _Slot, audio: Audio) -> Audio:
        if slot.broken:
            return audio
        try:
            made = slot.processor(audio)
            if made.shape == audio.shape and np.isfinite(made.sum(dtype=np.float64)):
                return sane(made)
        except Exception:  # another's code: whatever is wrong with it must not stop the sound
            pass
        slot.broken = True
        self.faults += 1
        return audio


def _alike(one: Sequence[_Slot], two: Sequence[_Slot]) -> int:
    """How many of the first of both are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0].same(pair[1]), zip(one, two, strict=False)))


def sane(audio: Audio) -> Audio:
    """Finite, and no louder than +60 dBFS; the same array if it was."""
    peak = max(audio.max(initial=0.0), -audio.min(initial=0.0))
    if peak <= LOUDEST_INPUT:
        return audio
    return np.clip(np.where(np.isfinite(audio), audio, np.float32(0.0)), -LOUDEST_INPUT, LOUDEST_INPUT)
