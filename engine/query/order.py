"""Order: sounds as a query put them, before they are cut to k and looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """Sounds, the first choice first.

    Attributes
    ----------
    ids : (n,) int64
    distances : (n,) float64, optional
        The measure's own, where the order comes from one sound.
    scores : (n,) float64, optional
        What the order goes by where that is no distance; less is better.
    """

    ids: Ids
    distances: Floats | None = None
    scores: Floats | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(array.nbytes for array in (self.ids, self.distances, self.scores) if array is not None)

    def at(self, places: slice | npt.NDArray[Any]) -> Order:
        """Those at some places, in the order of these."""
        distances = None if self.distances is None else self.distances[places]
        return Order(self.ids[places], distances, None if self.scores is None else self.scores[places])


def tenth(order: Order, k: int) -> Order:
    """The first tenth, rounded up, and no less than k."""
    return order.at(slice(max(k, -(-len(order.ids) // 10))))
