"""A chain of effects, fed in blocks of any size.

Conventions: blocks are float32 of shape (frames, 2); a processor gets (2, frames), 1 to 1024 of them, and returns as
many. A rack lags by what its effects do, which is said where they are declared.

What goes in is finite and below +60 dBFS. An effect that returns anything else than as many finite numbers, or raises,
is bypassed from then on and counted: it cannot silence the others, nor can what is not a number stay in their memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.playback.limiter import LOUDEST_INPUT

Audio = npt.NDArray[np.float32]

MOST = 1024


class Processor(Protocol):
    """What an effect does to a stream of blocks, shape (2, frames)."""

    def __call__(self, audio: Audio) -> Audio:
        """Process the next block, which is not to be written into."""
        ...


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

    def __init__(self, makers: Sequence[Callable[[], Processor]]) -> None:
        self.faults = 0
        self._makers = tuple(makers)
        self._processors: list[Processor] = []
        self._broken: set[int] = set()
        self.reset()

    def reset(self) -> None:
        """Forget all sound: made anew, which takes a fraction of a block's time."""
        self._processors = [make() for make in self._makers]

    def process(self, block: Audio) -> Audio:
        """Return as many frames as came."""
        parts = np.array_split(block, -(-len(block) // MOST)) if len(block) > MOST else [block]
        return np.concatenate([self._run(part) for part in parts])

    def _run(self, block: Audio) -> Audio:
        audio = sane(np.ascontiguousarray(block.T))
        for place, processor in enumerate(self._processors):
            if place not in self._broken:
                audio = self._pass(place, processor, audio)
        return audio.T

    def _pass(self, place: int, processor: Processor, audio: Audio) -> Audio:
        try:
            made = processor(audio)
            if made.shape == audio.shape and np.isfinite(made.sum(dtype=np.float64)):
                return sane(made)
        except Exception:  # another's code: whatever is wrong with it must not stop the sound
            pass
        self._broken.add(place)
        self.faults += 1
        return audio


def sane(audio: Audio) -> Audio:
    """Finite, and no louder than +60 dBFS; the same array if it was."""
    peak = max(audio.max(initial=0.0), -audio.min(initial=0.0))
    if peak <= LOUDEST_INPUT:
        return audio
    return np.clip(np.where(np.isfinite(audio), audio, np.float32(0.0)), -LOUDEST_INPUT, LOUDEST_INPUT)
