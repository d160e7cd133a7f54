"""FeatureMatrix: the vectors of one space, or of several side by side, all sounds in ascending order of id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import FIRST_LOCAL_ID, Origin
from engine.errors import NoVectors


@dataclass(frozen=True)
class FeatureMatrix:
    """Vectors of a space.

    Attributes
    ----------
    space : str
        Name of the space.
    ids : (n,) int64
        Sounds, ascending.
    X : (n, d) float32
        A row for each.
    origin : str
        Whether vectors are `computed` here or served by the `api`.
    parts : tuple of FeatureMatrix
        The spaces that this one has side by side, where they are several.
    """

    space: str
    ids: npt.NDArray[np.int64]
    X: npt.NDArray[np.float32]
    origin: Origin = "computed"
    parts: tuple[FeatureMatrix, ...] = ()

    def rows(self, ids: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """Row numbers of sounds.

        Raises
        ------
        NoVectors
            One of them has no vector in this space.
        """
        for part in self.parts:
            part.rows(ids)
        wanted = np.asarray(ids, np.int64)
        rows = np.searchsorted(self.ids, wanted)
        for sound_id, row in zip(wanted, rows, strict=True):
            if row == len(self.ids) or self.ids[row] != sound_id:
                raise NoVectors(f"sound {sound_id} has no vector in space {self.space!r}; {self._remedy(sound_id)}")
        return rows

    def among(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Mask (n,) of the sounds that are in `ids`."""
        return np.isin(self.ids, ids)

    def _remedy(self, sound_id: int) -> str:
        if self.origin == "computed":
            return f"`mirla analyse --space {self.space} {sound_id}` makes it"
        if sound_id >= FIRST_LOCAL_ID:
            return "Freesound serves it for its own sounds alone"
        return "`mirla harvest --ids FILE` brings it, if Freesound has one"


def load(corpus: Corpus, space: str) -> FeatureMatrix:
    """All vectors of a space.

    Raises
    ------
    NoVectors
        There are none.
    """
    ids, X = corpus.vectors.matrix(space)
    origin = corpus.origin(space)
    if len(ids):
        return FeatureMatrix(space, ids, X, origin)
    if origin == "api":
        raise NoVectors(f"no sound has a vector in space {space!r} yet; `mirla harvest TEXT` brings sounds with theirs")
    first = "" if len(corpus.sounds.ids(with_audio=True)) else "`mirla adopt DIR` or `mirla harvest TEXT`, then "
    raise NoVectors(f"no sound was analysed in space {space!r} yet; {first}`mirla analyse --space {space}`")


def side_by_side(corpus: Corpus, spaces: Sequence[str]) -> FeatureMatrix:
    """The vectors of several spaces as one, for the sounds that have them all.

    Raises
    ------
    NoVectors
        There are none in one of them.
    """
    parts = tuple(load(corpus, space) for space in spaces)
    if len(parts) == 1:
        return parts[0]
    common = reduce(np.intersect1d, (part.ids for part in parts))
    X = np.hstack([part.X[np.searchsorted(part.ids, common)] for part in parts])
    return FeatureMatrix("+".join(spaces), common, X, parts=parts)
