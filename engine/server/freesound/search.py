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

from corpus.filters import All, Between, Node, parse
from corpus.library import Corpus
from corpus.store.listing import NUMBERS, Column
from corpus.store.texts import Matches
from engine.query.judged import within
from engine.query.near import NUMBERS as TRAITS
from engine.query.order import Ids, Order
from engine.query.run import Choice, matching
from engine.server.freesound.shelf import AGENTS, SOUNDS, VECTORS, Shelf
from engine.server.freesound.spaces import Around

_SORTS = {"duration": ["duration"], "created": ["created"], "downloads": ["num_downloads"]}
_SORTS["rating"] = ["num_ratings", "avg_rating"]
"""What each sort goes by, the weightiest last."""
_TARGET = re.compile(r"\s*(\w+):(-?[0-9]+(?:\.[0-9]*)?|-?\.[0-9]+)\s*")
_MOST_TARGETS = 20
_AHEAD = 1200
"""How many of the first are kept in order with what was found; the order as a whole is kept for itself, if wanted."""
_FEW = 500
"""Up to so many sounds are looked up one by one, rather than all that fit a filter listed."""


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
    each : int
        Bytes that `first` holds for each sound.
    targeted : bool
        Whether `distances` of the order are those to a sort's target values.
    """

    def __init__(self, count: int, first: Callable[[int], Order], each: int = 0, targeted: bool = False) -> None:
        self.count = count
        self.targeted = targeted
        self.nbytes = 1000 + 24 * _AHEAD + each * count
        self._first = first
        self._order: Order | None = None
        self._kept: Callable[[Callable[[], Order]], Order] = lambda make: make()

    def keep(self, kept: Callable[[Callable[[], Order]], Order]) -> Found:
        """Take what keeps the whole order, given what makes it, once somebody asks for a place far behind."""
        self._kept = kept
        return self

    def begin(self, order: Order) -> None:
        """Take the first of them, already in order."""
        self._order = order

    def at(self, first: int, stop: int) -> Order:
        """Those from one place to another."""
        stop = min(stop, self.count)
        order = self._order
        if order is None or len(order.ids) < stop:
            if stop > _AHEAD:
                return self._kept(self.whole).at(slice(first, stop))
            # the next pages will be asked for as well
            order = self._order = self._first(min(self.count, max(4 * stop, 60), _AHEAD))
        return order.at(slice(first, stop))

    def whole(self) -> Order:
        """All of them."""
        return self._first(self.count)


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
    if not _is_sort(wish.sort):
        wish = replace(wish, sort="score")
    of = AGENTS if wish.choice.agents else SOUNDS if wish.similar_to is None else VECTORS

    def kept(make: Callable[[], Order]) -> Order:
        return shelf.get(("order", wish), make, of, slow=True)

    return shelf.get(wish, lambda: _find(corpus, shelf, wish).keep(kept), of)


def _is_sort(sort: str) -> bool:
    field, _, direction = sort.rpartition("_")
    return (field in _SORTS and direction in ("asc", "desc")) or bool(_targets(sort))


def _find(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    found = _near(corpus, shelf, wish) if wish.similar_to is not None else _with_words(corpus, shelf, wish)
    return _sorted(corpus, shelf, wish, found)


def _with_words(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    matches = fitting(corpus, shelf, wish.choice, weights=wish.weights)

    def first(k: int) -> Order:
        ids = matches.first(k)
        if matches.ranks is None:
            return Order(ids, scores=np.ones(len(ids)))
        return Order(ids, scores=-matches.ranks[np.searchsorted(matches.ids, ids)])

    return Found(len(matches.ids), first, each=16)


def fitting(
    corpus: Corpus,
    shelf: Shelf,
    choice: Choice,
    around: Around | None = None,
    weights: tuple[tuple[str, int], ...] = (),
) -> Matches:
    """The sounds that fit, of those around something alone.

    Parts of a filter come again in one search after another, so what fits each is kept.
    """
    if around is not None:
        found = Matches(around.ids)
    elif choice.text.strip():
        weighted = corpus.sounds.weighted(choice.text, dict(weights)) if weights else None
        found = corpus.sounds.matching(choice.text) if weighted is None else weighted
    else:
        found = Matches(every(corpus, shelf))
    rest = replace(choice, text="", filter="", with_audio=False)
    if around is not None and not around.held:  # in an order of their own, not all of them here
        found = found.at(np.isin(found.ids, every(corpus, shelf)))
    node = parse(choice.filter) if choice.filter else None
    for part in node.parts if isinstance(node, All) else [node] if node else []:
        found = found.at(within(found.ids, _of_part(corpus, shelf, part, found.ids)))
    if choice.with_audio:
        found = found.at(within(found.ids, shelf.get("audio", lambda: corpus.sounds.ids(with_audio=True), slow=True)))
    if rest.asked or rest.strict is not None:
        found = found.at(np.isin(found.ids, matching(corpus, rest, found.ids, held=True).ids))
    return found


def every(corpus: Corpus, shelf: Shelf) -> Ids:
    """All sounds, ascending."""
    return shelf.get("all", corpus.sounds.ids, slow=True)


def _of_part(corpus: Corpus, shelf: Shelf, part: Node, some: Ids) -> Ids:
    """What fits a part of a filter, of `some` at least."""
    if len(some) <= _FEW and not shelf.has(part):
        return corpus.sounds.fitting(some, part)
    if isinstance(part, Between) and part.field in NUMBERS:
        low, high = part.ends()
        numbers = column(corpus, shelf, part.field)
        fits = ~np.isnan(numbers.values)
        fits &= (numbers.values >= (-np.inf if low is None else low)) & (
            numbers.values <= (np.inf if high is None else high)
        )
        return numbers.ids[fits]
    return shelf.get(part, lambda: corpus.sounds.ids(fitting=part), slow=True)


def _near(corpus: Corpus, shelf: Shelf, wish: Wish) -> Found:
    assert wish.similar_to is not None
    similar_to = wish.similar_to

    def allowed() -> tuple[Around, Ids] | None:
        around = Around.of(corpus, shelf, wish.space, similar_to)
        return None if around is None else (around, fitting(corpus, shelf, wish.choice, around).ids)

    def first(k: int) -> Order:  # asks again, for nothing in the corpus changed; to keep it takes far more memory
        again = allowed()
        return again[0].first(k, again[1]) if again else NONE.at(0, 0)

    if (now := allowed()) is None:
        return NONE
    found = Found(len(now[1]), first)
    found.begin(now[0].first(min(60, found.count), now[1]))
    return found


def _sorted(corpus: Corpus, shelf: Shelf, wish: Wish, found: Found) -> Found:
    """The same sounds in the order that the sort asks for; as they are where it is none."""
    field, _, direction = wish.sort.rpartition("_")
    targets = _targets(wish.sort)
    if field in _SORTS and direction in ("asc", "desc"):
        ids = np.sort(found.whole().ids)
        sign = -1 if direction == "desc" else 1
        keys = [np.nan_to_num(sign * column(corpus, shelf, name).of(ids), nan=np.inf) for name in _SORTS[field]]
        order = Order(ids[np.lexsort(keys)])
        return _in(order)
    if targets:
        order = _by_targets(corpus, shelf, targets, found.whole().ids)
        return _in(order, targeted=True)
    return found


def _in(order: Order, targeted: bool = False) -> Found:
    found = Found(len(order.ids), lambda k: order.at(slice(k)), each=16, targeted=targeted)
    found.begin(order)
    return found


def column(corpus: Corpus, shelf: Shelf, name: str) -> Column:
    """A number of all sounds: one that lists are sorted by, or a trait."""

    def make() -> Column:
        if name in NUMBERS or name == "created":
            return corpus.listing.numbers(name)
        ids, values = corpus.descriptors.numbers([name])
        return Column(ids, values[:, 0].copy())

    return shelf.get(("column", name), make, slow=True)


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
        with np.errstate(over="ignore"):
            squares += (column(corpus, shelf, name).of(ids) - target) ** 2
    distances = np.sqrt(squares)
    order = np.lexsort((ids, distances))
    order = order[np.isfinite(distances[order])]
    return Order(ids[order], distances[order])
