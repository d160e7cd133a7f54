"""Similarity spaces: the API's own, and every measure of the engine by its name.

A sound's default space is the first that it has a vector in: the API's own first, then the measures in their order; a
vector's is the first of its dimension. A vector is prepared as the measure prepares those of its space; what only has
an order, or a preparation from elsewhere, can only be asked about sounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.errors import NoVectors, UnknownMeasure
from engine.features import load
from engine.query.order import Ids, Order
from engine.server.freesound.fields import SERVED_SPACES
from engine.server.freesound.shelf import VECTORS, Shelf
from engine.similarity.compared import Compared, compared
from engine.similarity.measures import MEASURES, ListMeasure, Measure, VectorMeasure, measure
from engine.similarity.metrics import COSINE, Matrix
from engine.similarity.preparations import FITS

NO_VECTOR = "The 'similar_to' parameter is not a valid serialized vector"
LEAST_SCORE = 0.7
_LEAST_COSINE = 2 * LEAST_SCORE - 1

Mask = npt.NDArray[np.bool_]


class BadSimilarTo(Exception):
    """`similar_to` is neither a sound nor a vector of the space."""


def names() -> list[str]:
    """All spaces, in the order in which they are tried."""
    return [*SERVED_SPACES, *(name for name in MEASURES if name not in SERVED_SPACES)]


def first_of(corpus: Corpus, similar_to: int | tuple[float, ...]) -> str:
    """The default space of a sound or a vector; the API's default where there is none."""
    for name in names():
        one = MEASURES[name]
        try:
            if isinstance(similar_to, tuple):
                if _takes(corpus, one, len(similar_to)):
                    return name
            elif isinstance(one, VectorMeasure):
                load(corpus, one.space).rows([similar_to])
                return name
            elif isinstance(one, ListMeasure) and corpus.similar_lists.of(similar_to) is not None:
                return name
        except NoVectors:
            continue
    return next(iter(SERVED_SPACES))


@dataclass(frozen=True)
class Around:
    """What a space can put in order around a sound or a vector.

    Attributes
    ----------
    ids : (n,) int64
    first : callable
        Given k and which of `ids` are allowed: the first k, with their scores.
    held : bool
        Whether all of `ids`, which then ascend, are held.
    """

    ids: Ids
    first: Callable[[int, Ids], Order]
    held: bool = True

    @classmethod
    def of(cls, corpus: Corpus, shelf: Shelf, space: str, similar_to: int | tuple[float, ...]) -> Around | None:
        """What is around a sound or a vector; None where there is no such space, or the sound has nothing in it.

        Raises
        ------
        BadSimilarTo
            The vector is none of the space's.
        """
        try:
            by = measure(space)
            if isinstance(similar_to, tuple):
                return _around_vector(corpus, shelf, by, np.array(similar_to, np.float32))
            return _around_sound(corpus, shelf, by, similar_to)
        except (UnknownMeasure, NoVectors):
            return None


def _around_sound(corpus: Corpus, shelf: Shelf, by: Measure, sound_id: int) -> Around:
    near = by.around(corpus, sound_id)
    ids = near.ids
    if by.name in SERVED_SPACES:
        known = compared(corpus, by, [sound_id], "a similar sound")
        row = int(known.rows([sound_id])[0])
        far = _far(shelf, by, known, known.X[row])
        far[row] = True
        ids = known.ids[~far]
    return Around(ids, lambda k, allowed: _scored(by, Order(*near.nearest(k, allowed))), near.held)


def _around_vector(corpus: Corpus, shelf: Shelf, by: Measure, vector: Matrix) -> Around:
    if not isinstance(by, VectorMeasure) or by.prepare not in FITS:
        fitting = [name for name in names() if _takes(corpus, MEASURES[name], len(vector))]
        advice = f"vectors of {len(vector)} numbers go with {', '.join(fitting)}"
        none = f"no space here has vectors of {len(vector)} numbers"
        raise BadSimilarTo(f"The similarity space {by.name} takes a sound ID; {advice if fitting else none}")
    matrix = load(corpus, by.space)
    known = compared(corpus, by, [], "a vector")
    if matrix.X.shape[1] != len(vector):
        raise BadSimilarTo(NO_VECTOR)
    fit, X = FITS[by.prepare], matrix.X
    fitted = shelf.get(("fitted", by.name), lambda: fit(X))
    with np.errstate(all="ignore"):  # of numbers that no sound has
        prepared = fitted(vector[None])[0]
    if not np.isfinite(prepared).all():
        raise BadSimilarTo(NO_VECTOR)
    ids = known.ids[~_far(shelf, by, known, prepared)] if by.name in SERVED_SPACES else known.ids

    def first(k: int, allowed: Ids) -> Order:
        mask = None if len(allowed) == len(known.ids) else np.isin(known.ids, allowed)
        try:
            rows, distances = known.index.nearest(prepared, k, mask)
        except np.linalg.LinAlgError:  # of a covariance that is none
            raise BadSimilarTo(NO_VECTOR) from None
        return _scored(by, Order(known.ids[rows], distances))

    return Around(ids, first)


def _takes(corpus: Corpus, by: Measure, dims: int) -> bool:
    """Whether a measure compares vectors of a dimension, and has some."""
    if not isinstance(by, VectorMeasure) or by.prepare not in FITS:
        return False
    covers = by.covers(corpus)
    return covers.dims == dims and covers.sounds > 0


def _far(shelf: Shelf, by: Measure, known: Compared, vector: Matrix) -> Mask:
    """Mask (n,) of what has a lower score than the API lets through."""
    lengths = shelf.get(("lengths", by.name), lambda: np.linalg.norm(known.X, axis=1), VECTORS)
    length = float(np.linalg.norm(vector))
    with np.errstate(invalid="ignore", divide="ignore"):
        near: Mask = known.X @ (vector / (length or 1.0)) >= _LEAST_COSINE * lengths
    return ~near


def _scored(by: Measure, order: Order) -> Order:
    if order.distances is None:
        return order
    cosine = isinstance(by, VectorMeasure) and by.metric is COSINE
    return Order(order.ids, scores=1 - order.distances / 2 if cosine else 1 / (1 + order.distances))
