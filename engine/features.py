"""FeatureMatrix: the vectors of one space, or of several side by side, all sounds in ascending order of id.

The matrix of a space is a cache: read from the store once, then memory-mapped, with the state of the space for a stamp.
Where vectors were only added since it was stored, these alone are read. Its arrays are not to be written into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import FIRST_LOCAL_ID, Origin
from engine.errors import NoVectors

Ids = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float32]

_SPARSE = 64
"""How many ids there may be in the range for each that is looked up, for a table to be worth it."""


EMPTY = "the corpus is empty; `mirla adopt DIR` or `mirla harvest TEXT` fills it"


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
    state : str, optional
        Which state the space was in (see `corpus.store.vectors.Vectors.state`).
    """

    space: str
    ids: npt.NDArray[np.int64]
    X: npt.NDArray[np.float32]
    origin: Origin = "computed"
    parts: tuple[FeatureMatrix, ...] = ()
    state: str | None = None

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
        return among(self.ids, ids)

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
    state = corpus.vectors.state(space)
    if state is not None:
        matrix = corpus.caches.held(f"space {space}", state, lambda: _cached(corpus, space, state))
    else:
        matrix = _with_origin(corpus, space, None, corpus.vectors.matrix(space))
    if len(matrix.ids):
        return matrix
    origin = matrix.origin
    if origin == "api":
        raise NoVectors(f"no sound has a vector in space {space!r} yet; `mirla harvest TEXT` brings sounds with theirs")
    if stale := corpus.vectors.stale(space):
        vectors = "vector is" if stale == 1 else "vectors are"
        raise NoVectors(
            f"{stale} {vectors} in space {space!r} by another version of its extractor, none by this one; "
            f"`mirla analyse --space {space}`"
        )
    first = "" if len(corpus.sounds.ids(with_audio=True)) else "`mirla adopt DIR` or `mirla harvest TEXT`, then "
    raise NoVectors(f"no sound was analysed in space {space!r} yet; {first}`mirla analyse --space {space}`")


def _cached(corpus: Corpus, space: str, state: str) -> tuple[str, FeatureMatrix]:
    """The matrix in this state or, should the space change meanwhile, a later one; with its state."""
    key = f"space {space}"
    found = corpus.caches.find(key, state)
    if found is None:
        state, (ids, X) = _grown(corpus, space) or _read(corpus, space, state)
        found = corpus.caches.store(key, state, {"ids": ids, "X": X}) if len(ids) else {"ids": ids, "X": X}
    return state, _with_origin(corpus, space, state, (found["ids"], found["X"]))


def _read(corpus: Corpus, space: str, state: str) -> tuple[str, tuple[Ids, Rows]]:
    present, matrix = corpus.vectors.snapshot(space)
    return present or state, matrix


def _grown(corpus: Corpus, space: str) -> tuple[str, tuple[Ids, Rows]] | None:
    """A matrix stored earlier with the vectors that were added since, if nothing else happened in between."""
    for earlier, old in corpus.caches.others(f"space {space}"):
        if (added := corpus.vectors.added(space, earlier)) is not None:
            state, (ids, X) = added
            places = np.searchsorted(old["ids"], ids)
            if len(ids) and places[0] == len(old["ids"]):  # by far the fastest
                return state, (np.concatenate([old["ids"], ids]), np.concatenate([old["X"], X]))
            return state, (np.insert(old["ids"], places, ids), np.insert(old["X"], places, X, axis=0))
    return None


def _with_origin(corpus: Corpus, space: str, state: str | None, matrix: tuple[Ids, Rows]) -> FeatureMatrix:
    for array in matrix:
        array.flags.writeable = False  # as where it is memory-mapped: others hold it as well
    return FeatureMatrix(space, *matrix, corpus.origin(space), state=state)


def among(ids: Ids, some: Ids) -> npt.NDArray[np.bool_]:
    """Mask (n,) of those of `ids`, which ascend, that are in `some`, in any order.

    By a table of all ids from the first to the last where there are not many more of them than sounds, Freesound's and
    local ones each for themselves: a million are looked up in a few milliseconds, by bisection in a hundred.
    """
    border = int(np.searchsorted(ids, FIRST_LOCAL_ID))
    if 0 < border < len(ids):
        local = some >= FIRST_LOCAL_ID
        return np.concatenate([among(ids[:border], some[~local]), among(ids[border:], some[local])])
    mask = np.zeros(len(ids), bool)
    if not len(ids) or not len(some):
        return mask
    first, last = int(ids[0]), int(ids[-1])
    if last - first >= _SPARSE * len(some):
        rows = np.minimum(np.searchsorted(ids, some), len(ids) - 1)
        mask[rows[ids[rows] == some]] = True
        return mask
    if some.min() < first or some.max() > last:
        some = some[(some >= first) & (some <= last)]
    table = np.zeros(last - first + 1, bool)
    table[some - first] = True
    return table if len(table) == len(ids) else table[ids - first]


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
