"""Which of the sounds that a query finds are taken: all that are new, or only those unlike what was taken before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpus.freesound.wire import Record
from corpus.model import Sound
from corpus.wanted import Query

SPACE = "freesound_classic"
"""The space in which sounds are unlike: Freesound's own similarity."""

_Vector = npt.NDArray[np.float32]


@dataclass
class Taking:
    """What one query took so far."""

    query: Query
    sounds: list[Sound] = field(default_factory=list)
    vectors: list[_Vector | None] = field(default_factory=list)

    def add(self, sound: Sound, vector: _Vector | None) -> None:
        """Count a sound as taken."""
        self.sounds.append(sound)
        self.vectors.append(vector)

    def choose(self, records: Iterable[Record], room: int) -> list[Record]:
        """Take from a page, in its order, at most `room` sounds."""
        chosen: list[Record] = []
        for one in records:
            vector = one.vectors.get(SPACE)
            if len(chosen) < room and self._fits(one.sound, vector):
                chosen.append(one)
                self.add(one.sound, vector)
        return chosen

    def _fits(self, sound: Sound, vector: _Vector | None) -> bool:
        nearest = self.query.unlike
        if nearest is None:
            return True
        for other, its_vector in zip(self.sounds, self.vectors, strict=True):
            if sound.username and sound.username == other.username:  # and a pack has one maker
                return False
            if vector is not None and its_vector is not None and _cosine_distance(vector, its_vector) <= nearest:
                return False
        return True


def _cosine_distance(a: _Vector, b: _Vector) -> float:
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return 1 - float(a @ b) / lengths if lengths else 1.0
