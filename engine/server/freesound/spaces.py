"""Similarity spaces: the API's own, and every measure of the engine by its name.

A sound's default space is the first that it has a vector in: the API's own first, then the measures in their order; a
vector's is the first of its dimension. Vectors are compared as they come in the API's own spaces, and in those that
leave vectors as they are; other measures prepare a space as a whole, so there only sounds can be asked about.
"""

from __future__ import annotations

import difflib
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
from engine.similarity.metrics import COSINE, Matrix, as_is

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
                fits = isinstance(one, VectorMeasure) and one.prepare is as_is
                if fits and one.covers(corpus).dims == len(similar_to):
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
    if not isinstance(by, VectorMeasure) or by.prepare is not as_is:
        closest = difflib.get_close_matches(by.name, _plain(), n=3, cutoff=0)
        raise BadSimilarTo(f"The similarity space {by.name} takes a sound ID; vectors go with {', '.join(closest)}")
    known = compared(corpus, by, [], "a vector")
    if known.X.shape[1] != len(vector) or not np.isfinite(vector).all():
        raise BadSimilarTo("The 'similar_to' parameter is not a valid serialized vector")
    ids = known.ids[~_far(shelf, by, known, vector)] if by.name in SERVED_SPACES else known.ids

    def first(k: int, allowed: Ids) -> Order:
        mask = None if len(allowed) == len(known.ids) else np.isin(known.ids, allowed)
        rows, distances = known.index.nearest(vector, k, mask)
        return _scored(by, Order(known.ids[rows], distances))

    return Around(ids, first)


def _plain() -> list[str]:
    return [name for name, one in MEASURES.items() if isinstance(one, VectorMeasure) and one.prepare is as_is]


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
