"""Near to several sounds, and away from others.

The score of a sound, less being better, is its mean squared distance to the likes minus half its mean squared distance
to the unlikes. For vectors x, likes l with mean L and unlikes u with mean U, and Euclidean distances, that is

    mean |x - l|^2 - 1/2 mean |x - u|^2  =  s |x - c|^2 + a constant

with s = 1, c = L where there are no unlikes, else s = 1/2, c = 2 L - U: one search around c. Cosine measures count the
squared distance of unit vectors, 2 - 2 cos, and so search for the largest inner product with L - 1/2 U, of unit likes
and unlikes; a zero vector is at right angles to all. Other metrics, and mixes, are measured between all allowed sounds
and all the likes and unlikes. References: completing the square is J. Rocchio's way, "Relevance feedback in information
retrieval", 1971.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.errors import QueryError
from engine.features import among
from engine.query.order import Floats, Ids, Order
from engine.similarity.compared import Compared, compared
from engine.similarity.measures import Measure
from engine.similarity.metrics import COSINE, EUCLIDEAN, unit

UNLIKED = 0.5
"""How much the unlikes count beside the likes."""
_NOTHING = 1e-12
"""Length of a mean of unit vectors below which it is but rounding."""

_Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Neighbourhood:
    """The sounds that a measure can put in order around others, these left out.

    Attributes
    ----------
    ids : (n,) int64
    nearest : callable
        Given k and which of `ids` are allowed, the first k of these.
    held : bool
        Whether all of `ids`, which then ascend, are held.
    """

    ids: Ids
    nearest: Callable[[int, Ids], Order]
    held: bool = False


def neighbourhood(corpus: Corpus, measure: Measure, likes: Sequence[int], unlikes: Sequence[int]) -> Neighbourhood:
    """What a measure finds near the likes and away from the unlikes; one like alone is ordered by distance.

    An id that is given twice counts once.

    Raises
    ------
    QueryError
        No like; a sound both liked and unliked; several sounds, and a measure without vectors.
    UnknownSound
        One of them is not held.
    NoVectors
        The measure knows nothing of one of them.
    """
    likes, unlikes = list(dict.fromkeys(map(index, likes))), list(dict.fromkeys(map(index, unlikes)))
    if not likes:
        raise QueryError("no sound to be similar to; name one at least")
    for sound_id in likes:
        if sound_id in unlikes:
            raise QueryError(f"sound {sound_id} is to be both like and unlike; leave out one of the two")
    corpus.sounds.many([*likes, *unlikes])
    if len(likes) == 1 and not unlikes:
        surroundings = measure.around(corpus, likes[0])
        return Neighbourhood(
            surroundings.ids, lambda k, allowed: Order(*surroundings.nearest(k, allowed)), surroundings.held
        )
    known = compared(corpus, measure, [*likes, *unlikes], "similarity to several sounds")
    given = known.rows(likes), known.rows(unlikes)
    others = np.delete(known.ids, np.concatenate(given))
    return Neighbourhood(others, lambda k, allowed: _nearest(known, *given, k, allowed), held=True)


def _nearest(known: Compared, likes: _Rows, unlikes: _Rows, k: int, allowed: Ids) -> Order:
    mask = among(known.ids, allowed)
    mask[likes] = mask[unlikes] = False
    if known.metric not in (EUCLIDEAN, COSINE):
        rows = np.flatnonzero(mask)
        scores = _scores(known, rows, likes, unlikes)
        first = np.lexsort((rows, scores))[:k]
        return Order(known.ids[rows[first]], scores=scores[first])
    centre, score_of = (_around if known.metric is EUCLIDEAN else _towards)(known.X, likes, unlikes)
    found, distances = known.index.nearest(centre, k, mask)
    return Order(known.ids[found], scores=score_of(distances))


def _around(X: npt.NDArray[Any], likes: _Rows, unlikes: _Rows) -> tuple[npt.NDArray[Any], Callable[[Floats], Floats]]:
    """The centre (d,) of the Euclidean search, and what makes scores of the distances from it."""
    liked, unliked = X[likes].astype(np.float64), X[unlikes].astype(np.float64)
    middle = liked.mean(axis=0)
    rest = _mean_square(liked - middle)
    if not len(unlikes):
        return middle, lambda distances: distances**2 + rest
    share = 1 - UNLIKED
    shift = UNLIKED / share * (middle - unliked.mean(axis=0))
    rest -= UNLIKED * _mean_square(unliked - middle) + share * float(shift @ shift)
    return middle + shift, lambda distances: share * distances**2 + rest


def _towards(X: npt.NDArray[Any], likes: _Rows, unlikes: _Rows) -> tuple[npt.NDArray[Any], Callable[[Floats], Floats]]:
    """The direction (d,) of the cosine search, and what makes scores of the distances from it."""
    direction = unit(X[likes].astype(np.float64)).mean(axis=0)
    share = 1.0
    if len(unlikes):
        direction = direction - UNLIKED * unit(X[unlikes].astype(np.float64)).mean(axis=0)
        share = 1 - UNLIKED
    length = float(np.sqrt(direction @ direction))
    if length < _NOTHING:  # they cancel out: nothing is nearer than anything else
        direction, length = np.zeros_like(direction), 0.0
    return direction, lambda distances: 2 * share - 2 * length * (1 - distances)


def _scores(known: Compared, rows: _Rows, likes: _Rows, unlikes: _Rows) -> Floats:
    """By the definition, for every row."""
    total = np.zeros(len(rows))
    for weight, given in ((1.0, likes), (-UNLIKED, unlikes)):
        for row in given.tolist():
            total += weight / len(given) * known.distances(rows, row) ** 2
    return total


def _mean_square(X: Floats) -> float:
    return float(np.einsum("ij,ij->i", X, X).mean())
