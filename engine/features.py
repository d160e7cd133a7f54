"""FeatureMatrix: the vectors of one space, all sounds in ascending order of id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    """

    space: str
    ids: npt.NDArray[np.int64]
    X: npt.NDArray[np.float32]

    def rows(self, ids: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """Row numbers of sounds.

        Raises
        ------
        NoVectors
            One of them has no vector in this space.
        """
        wanted = np.asarray(ids, np.int64)
        rows = np.searchsorted(self.ids, wanted)
        for sound_id, row in zip(wanted, rows, strict=True):
            if row == len(self.ids) or self.ids[row] != sound_id:
                raise NoVectors(
                    f"sound {sound_id} has no vector in space {self.space!r}; "
                    f"`mirla analyse --space {self.space} {sound_id}` makes it"
                )
        return rows

    def among(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Mask (n,) of the sounds that are in `ids`."""
        return np.isin(self.ids, ids)
