"""Search: words, filter, sort, targets and similarity become sounds in their order, by the engine's own queries.

Scores are such that more is better: (1 + cosine) / 2 for measures by cosine, as the API has it, 1 / (1 + distance) for
others, FTS5's BM25 for words. The API's own spaces give only what has a score of 0.7 at least, as the API does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from corpus.library import Corpus
from corpus.store.listing import NUMBERS, Columns
from corpus.store.texts import Matches
from engine.query.near import NUMBERS as TRAITS
from engine.query.order import Floats, Ids, Order
from engine.query.run import Choice, matching
from engine.server.freesound.shelf import Shelf
from engine.server.freesound.spaces import Around

_SORTS = {"duration": "duration", "created": "", "downloads": "num_downloads", "rating": "avg_rating"}
_TARGET = re.compile(r"\s*(\w+):(-?[0-9]+(?:\.[0-9]*)?|-?\.[0-9]+)\s*")
_MOST_TARGETS = 20


@dataclass(frozen=True)
class Wish:
    """What a list asks for, apart from pages and fields; `similar_to` is a sound or a vector, in `space`."""

    choice: Choice
    weights: tuple[tuple[str, int], ...] = ()
    sort: str = "score"
    similar_to: int | tuple[float, ...] | None = None
    space: str = ""


class Found:
    """The sounds of a list: how many, and the first of them.

    Parameters
    ----------
    count : int
    first : callable
        The first k of them in order; `scores` of the order, where it has any, are the API's.
    targeted : bool
        Whether `distances` of the order are those to a sort's target values.
    """

    def __init__(self, count: int, first: Callable[[int], Order], targeted: bool = False) -> None:
        self.count = count
        self.targeted = targeted
        self._first = first
        self._order: Order | None = None

    def at(self, first: int, stop: int) -> Order:
        """Those from one place to another."""
        stop = min(stop, self.count)
        order = self._order
        if order is None or len(order.ids) < stop:  # the next pages will be asked for as well
            order = self._order = self._first(min(self.count, 4 * stop))
        return order.at(slice(first, stop))


NONE = Found(0, lambda k: Order(np.empty(0, np.int64)))


def find(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    """Answer a search; what was found lately costs nothing.

    Raises
    ------
    FilterError, QueryError, UnknownAgent, TrainingError
        What is asked for cannot be read, or not be answered.
    BadSimilarTo
        The vector is none of the space's.
    """
    return shelf.get(wish, lambda: _find(corpus, shelf, wish))


def _find(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    found = _near(corpus, shelf, wish) if wish.similar_to is not None else _with_words(corpus, wish)
    return _sorted(corpus, shelf, wish, found)


def _with_words(corpus: Corpus, wish: Wish) -> Found:
    matches = matching(corpus, wish.choice)
    assert isinstance(matches, Matches)

    def first(k: int) -> Order:
        ids = matches.first(k)
        if matches.ranks is None:
            return Order(ids, scores=np.ones(len(ids)))
        return Order(ids, scores=-matches.ranks[np.searchsorted(matches.ids, ids)])

    return Found(len(matches.ids), first)


def _near(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    assert wish.similar_to is not None
    around = Around.of(corpus, shelf, wish.space, wish.similar_to)
    if around is None:
        return NONE
    allowed = matching(corpus, replace(wish.choice, text=""), around.ids, around.held).ids
    return Found(len(allowed), lambda k: around.first(k, allowed))


def _sorted(corpus: Corpus, shelf: Shelf, wish: Wish, found: Found) -> Found:
    """The same sounds in the order that the sort asks for; as they are where it is none."""
    field, _, direction = wish.sort.rpartition("_")
    targets = _targets(wish.sort)
    if field in _SORTS and direction in ("asc", "desc"):
        columns = shelf.get("columns", corpus.listing.columns)
        ids = np.sort(found.at(0, found.count).ids)
        places = np.searchsorted(columns.ids, ids)
        sign = -1 if direction == "desc" else 1
        keys = [np.nan_to_num(sign * key[places], nan=np.inf) for key in _keys(columns, field)]
        order = Order(ids[np.lexsort(keys)])
        return Found(found.count, lambda k: order.at(slice(k)))
    if targets:
        order = _by_targets(corpus, shelf, targets, found.at(0, found.count).ids)
        return Found(len(order.ids), lambda k: order.at(slice(k)), targeted=True)
    return found


def _keys(columns: Columns, field: str) -> list[Floats]:
    """What a sort goes by, the weightiest last."""
    if field == "created":
        return [columns.created]
    ties = [columns.numbers["num_ratings"]] if field == "rating" else []
    return [*ties, columns.numbers[_SORTS[field]]]


def _targets(sort: str) -> list[tuple[str, float]]:
    """The values that a sort wants to be near to; none where it is no such sort."""
    matches = [_TARGET.fullmatch(part) for part in sort.split(",")[:_MOST_TARGETS]]
    found = [(match[1], float(match[2])) for match in matches if match and match[1] in (*TRAITS, *NUMBERS)]
    sensible = all(math.isfinite(value) for _, value in found)
    return found if len(found) == len(matches) and sensible else []


def _by_targets(corpus: Corpus, shelf: Shelf, targets: list[tuple[str, float]], ids: Ids) -> Order:
    """By the Euclidean distance of the plain values; what lacks one is left out."""
    ids = np.sort(ids)
    squares = np.zeros(len(ids))
    for name, target in targets:
        if name in NUMBERS:
            columns = shelf.get("columns", corpus.listing.columns)
            known, values = columns.ids, columns.numbers[name]
        else:
            known, values = shelf.get(("trait", name), lambda name=name: _trait(corpus, name))  # type: ignore[misc]
        with np.errstate(over="ignore"):
            squares += (values[np.searchsorted(known, ids)] - target) ** 2
    distances = np.sqrt(squares)
    order = np.lexsort((ids, distances))
    order = order[np.isfinite(distances[order])]
    return Order(ids[order], distances[order])


def _trait(corpus: Corpus, name: str) -> tuple[Ids, Floats]:
    ids, values = corpus.descriptors.numbers([name])
    return ids, values[:, 0]
