"""Search: words, filter, sort, targets and similarity become sounds in their order, by the engine's own queries.

Scores are such that more is better: (1 + cosine) / 2 for measures by cosine, as the API has it, 1 / (1 + distance) for
others, FTS5's BM25 for words. The API's own spaces give only what has a score of 0.7 at least, as the API does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from corpus.errors import FilterError
from corpus.filters import All, Between, Either, Match, Node, Not, parse
from corpus.library import Corpus
from corpus.moments import Moment
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
_TARGET = re.compile(r"\s*(\w+):(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*")
_MOST_TARGETS = 20
UNSORTED = "score"
_DIRECTIONS = ("asc", "desc")
_AHEAD = 1200
"""How many of the first are kept in order with what was found; the order as a whole is kept for itself, if wanted."""
_FEW = 500
"""Up to so many sounds are looked up one by one, rather than all that fit a filter listed."""


@dataclass(frozen=True)
class Search:
    """What a list asks for, apart from pages and fields; `similar_to` is a sound or a vector, in `space`.

    Equal ones find the same as long as the corpus stays as it is, so filters name no NOW (see `without_now`).
    """

    choice: Choice
    weights: tuple[tuple[str, int], ...] = ()
    sort: str = UNSORTED
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


def find(corpus: Corpus, shelf: Shelf, search: Search) -> Found:
    """Answer a search; what was found lately costs nothing.

    Raises
    ------
    FilterError, QueryError, UnknownAgent, TrainingError
        What is asked for cannot be read, or not be answered.
    BadSimilarTo
        The vector is none of the space's.
    """
    of = AGENTS if search.choice.agents else SOUNDS if search.similar_to is None else VECTORS

    def kept(make: Callable[[], Order]) -> Order:
        return shelf.get(("order", search), make, of, slow=True)

    return shelf.get(search, lambda: _find(corpus, shelf, search).keep(kept), of)


def _find(corpus: Corpus, shelf: Shelf, search: Search) -> Found:
    found = _near(corpus, shelf, search) if search.similar_to is not None else _with_words(corpus, shelf, search)
    return _sorted(corpus, shelf, search, found)


def _with_words(corpus: Corpus, shelf: Shelf, search: Search) -> Found:
    matches = fitting(corpus, shelf, search.choice, weights=search.weights)

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


def _near(corpus: Corpus, shelf: Shelf, search: Search) -> Found:
    assert search.similar_to is not None
    similar_to = search.similar_to

    def allowed() -> tuple[Around, Ids] | None:
        around = Around.of(corpus, shelf, search.space, similar_to)
        return None if around is None else (around, fitting(corpus, shelf, search.choice, around).ids)

    def first(k: int) -> Order:  # asks again, for nothing in the corpus changed; to keep it takes far more memory
        again = allowed()
        return again[0].first(k, again[1]) if again else NONE.at(0, 0)

    if (now := allowed()) is None:
        return NONE
    found = Found(len(now[1]), first)
    found.begin(now[0].first(min(60, found.count), now[1]))
    return found


def _sorted(corpus: Corpus, shelf: Shelf, search: Search, found: Found) -> Found:
    """The same sounds, with their scores, in the order that the sort asks for."""
    if search.sort == UNSORTED:
        return found
    order = found.at(0, found.count)
    order = order.at(np.argsort(order.ids))
    targets = targets_of(search.sort)
    if targets:
        order = _by_targets(corpus, shelf, targets, order)
        return _in(order, each=24, targeted=True)
    field, _, direction = search.sort.rpartition("_")
    sign = -1 if direction == "desc" else 1
    keys = [np.nan_to_num(sign * column(corpus, shelf, name).of(order.ids), nan=np.inf) for name in _SORTS[field]]
    order = order.at(np.lexsort(keys))
    return _in(order, each=16)


def _in(order: Order, each: int, targeted: bool = False) -> Found:
    found = Found(len(order.ids), lambda k: order.at(slice(k)), each=each, targeted=targeted)
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


def sort_read(text: str) -> str:
    """A sort as it is done: by score where it is none that is known.

    Raises
    ------
    FilterError
        It names target values, and one of them cannot be read.
    """
    field, _, direction = text.rpartition("_")
    if ":" in text:
        targets_of(text)
    elif field not in _SORTS or direction not in _DIRECTIONS:
        return UNSORTED
    return text


def targets_of(sort: str) -> list[tuple[str, float]]:
    """The values that a sort wants to be near to; none where it is no such sort.

    Raises
    ------
    FilterError
        One of them cannot be read.
    """
    parts = sort.split(",") if ":" in sort else []
    if len(parts) > _MOST_TARGETS:
        raise FilterError(f"the sort has {len(parts)} target values; at most {_MOST_TARGETS} are taken")
    found = []
    for part in parts:
        match = _TARGET.fullmatch(part)
        if not match or not math.isfinite(float(match[2])):
            raise FilterError(f"the sort {part[:80]!r} is no descriptor:number")
        if match[1] not in (*TRAITS, *NUMBERS):
            raise FilterError(f"the sort has a field {match[1][:40]!r}, which is not known or has no numbers")
        found.append((match[1], float(match[2])))
    return found


def without_now(text: str) -> str:
    """A filter with dates in the place of all that begins with NOW; it may then be kept.

    Raises
    ------
    FilterError
        It cannot be read.
    """
    return str(_at(parse(text), datetime.now(UTC))) if "NOW" in text else text


def _at(node: Node, now: datetime) -> Node:
    """A part of a filter, with the moments that it means `now`."""

    def told(value: object) -> object:
        return Moment(value.span(now)[0]) if isinstance(value, Moment) and value.text.startswith("NOW") else value

    match node:
        case All(parts) | Either(parts):
            return replace(node, parts=tuple(_at(part, now) for part in parts))
        case Not(part):
            return Not(_at(part, now))
        case Match(field, values):
            return Match(field, tuple(map(told, values)))  # type: ignore[arg-type]  # each of its own kind
        case Between(field, low, high):
            return Between(field, told(low), told(high))  # type: ignore[arg-type]  # each of its own kind
    return node


def _by_targets(corpus: Corpus, shelf: Shelf, targets: list[tuple[str, float]], found: Order) -> Order:
    """By the Euclidean distance of the plain values; what lacks one is left out. `found` is by id."""
    squares = np.zeros(len(found.ids))
    for name, target in targets:
        with np.errstate(over="ignore"):
            squares += (column(corpus, shelf, name).of(found.ids) - target) ** 2
    distances = np.sqrt(squares)
    order = np.lexsort((found.ids, distances))
    order = order[np.isfinite(distances[order])]
    return replace(found.at(order), distances=distances[order])
