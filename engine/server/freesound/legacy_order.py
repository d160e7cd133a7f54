"""The order of the old API's lists: what fits, nearest to the target first, and then the nearest of the others.

Its clients cannot do with less than they need, so nothing but ordinary conditions, agents and a lack of audio leaves a
sound out, and nothing a sound that is itself the target: it is the first. Distances to a target: of a sound, those of
its similarity space, without a bound; of values, the root of their sum of squares, each over the deviation in the
corpus (see `engine.query.near`). What lacks a value comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.store.listing import Column
from engine.errors import NoVectors
from engine.features import among, load
from engine.query.near import squares
from engine.query.order import Ids, Order
from engine.query.run import Choice
from engine.server.freesound.legacy_filters import Coefficient, Quantity, Wish
from engine.server.freesound.search import Found, Search, column, every, find, fitting
from engine.server.freesound.shelf import AGENTS, VECTORS, Shelf
from engine.server.freesound.spaces import first_of
from engine.similarity.measures import measure

MFCC_SPACES = ("mfcc", "api_mfcc")
"""Where MFCCs are: what was computed here goes before what was served."""
_MFCC = {"mfcc": 0, "mfcc_var": 13}
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """What a list of the old API asks for.

    Attributes
    ----------
    search : Search
        Words, sort and what must hold.
    wishes : tuple
        What comes first.
    target : int or tuple, optional
        A sound, or quantities and their values.
    space : str
        Similarity space of a sound; its default if empty.
    analysed : bool
        Whether to leave out sounds without MFCCs.
    """

    search: Search
    wishes: tuple[Wish, ...] = ()
    target: int | tuple[tuple[Quantity, float], ...] | None = None
    space: str = ""
    analysed: bool = False


def listed(corpus: Corpus, shelf: Shelf, asked: Asked) -> Found:
    """All sounds that may be served, with their distances to the target if there is one (infinite where unknown)."""
    of = AGENTS if asked.search.choice.agents else VECTORS

    def kept(make: Callable[[], Order]) -> Order:
        return shelf.get(("order", asked), make, of, slow=True)

    def make() -> Found:
        found = Found(len(_served(corpus, shelf, asked)), lambda k: _first(corpus, shelf, asked, k))
        found.at(0, min(60, found.count))
        return found.keep(kept)

    return shelf.get(asked, make, of)


def _first(corpus: Corpus, shelf: Shelf, asked: Asked, k: int) -> Order:
    """The first k: what fits, then the others."""
    ids = _served(corpus, shelf, asked)
    ranked, fits = _matching(corpus, shelf, asked, ids)
    for wish in asked.wishes:
        fits &= _granted(corpus, shelf, wish, ids)
    if asked.target is None:
        first = ranked[_mask(ids, fits, ranked)][:k]
        if not (left := k - len(first)):
            return Order(first)
        near = _near_sound(corpus, shelf, int(first[0]), "") if len(first) else _as_they_are
        return Order(np.concatenate([first, near(ids[~fits], left).ids]))
    if isinstance(asked.target, int):
        fits |= ids == asked.target
        near = _near_sound(corpus, shelf, asked.target, asked.space)
    else:
        near = _near_values(corpus, shelf, asked.target)
    parts = [near(ids if fits.all() else ids[fits], k)]
    if left := k - len(parts[0].ids):
        parts.append(near(ids[~fits], left))
    distances = [np.empty(0) if part.distances is None else part.distances for part in parts]
    return Order(np.concatenate([part.ids for part in parts]), np.concatenate(distances))


def _served(corpus: Corpus, shelf: Shelf, asked: Asked) -> Ids:
    """All sounds that are on the list at all, ascending."""
    choice = replace(asked.search.choice, text="")

    def make() -> Ids:
        ids = fitting(corpus, shelf, choice).ids
        return ids[among(ids, analysed(corpus, shelf))] if asked.analysed else ids

    ids = shelf.get(("served", choice, asked.analysed), make, AGENTS if choice.agents else VECTORS)
    if not isinstance(asked.target, int) or (place := int(np.searchsorted(ids, asked.target))) == len(ids):
        return ids if not isinstance(asked.target, int) else np.append(ids, asked.target)
    return ids if ids[place] == asked.target else np.insert(ids, place, asked.target)


def _matching(corpus: Corpus, shelf: Shelf, asked: Asked, ids: Ids) -> tuple[Ids, Mask]:
    """The sounds that have the words, in their order, and which of `ids` these are."""
    search = asked.search
    if search.choice.text.strip() and search.sort == "score":
        matches = fitting(corpus, shelf, Choice(text=search.choice.text), weights=search.weights)
        matches = matches.at(among(matches.ids, ids))
        return matches.first(), among(ids, matches.ids)
    ranked = find(corpus, shelf, search).whole().ids
    return ranked, among(ids, ranked)


def _mask(ids: Ids, fits: Mask, ranked: Ids) -> Mask:
    """Which of some ranked sounds (m,) are among those of `ids` (n,) that fit."""
    return np.isin(ranked, ids[fits], assume_unique=True) if len(ranked) != fits.sum() else np.ones(len(ranked), bool)


def analysed(corpus: Corpus, shelf: Shelf) -> Ids:
    """The sounds whose MFCCs are known, ascending."""

    def make() -> Ids:
        found = []
        for space in MFCC_SPACES:
            try:
                found.append(load(corpus, space).ids)
            except NoVectors:
                continue
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)

    return shelf.get("analysed", make, VECTORS)


def _granted(corpus: Corpus, shelf: Shelf, wish: Wish, ids: Ids) -> Mask:
    if not isinstance(wish, Coefficient):
        return among(ids, shelf.get(wish, lambda: corpus.sounds.ids(fitting=wish), slow=True))
    values = _column(corpus, shelf, wish.quantity).of(ids)
    return ((wish.low <= values) & (values <= wish.high)) ^ wish.negated


_Near = Callable[[Ids, int], Order]
"""Given some sounds, ascending: the k nearest of them, with their distances; infinite where that is not known."""


def _as_they_are(some: Ids, k: int) -> Order:
    return Order(some[:k])


def _near_values(corpus: Corpus, shelf: Shelf, target: tuple[tuple[Quantity, float], ...]) -> _Near:
    every_one = every(corpus, shelf)
    total = np.zeros(len(every_one))
    for quantity, value in target:
        total += squares(quantity.name, _column(corpus, shelf, quantity).of(every_one), value)
    known = Column(every_one, np.nan_to_num(np.sqrt(total), nan=np.inf))

    def near(some: Ids, k: int) -> Order:
        distances = known.of(some)
        places = np.arange(len(some))
        if 0 < k < len(some):
            places = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
        places = places[np.lexsort((places, distances[places]))][:k]
        return Order(some[places], distances[places])

    return near


def _near_sound(corpus: Corpus, shelf: Shelf, target: int, space: str) -> _Near:
    """The target itself is the first, where it is one of the sounds."""
    around = None
    with suppress(NoVectors):
        around = measure(space or shelf.get(("space of", target), lambda: first_of(corpus, target), VECTORS)).around(
            corpus, target
        )
    ids = np.empty(0, np.int64) if around is None else around.ids

    def near(some: Ids, k: int) -> Order:
        itself = some[some == target][:k]
        known = among(some, ids)
        found, distances = (ids[:0], None) if around is None else around.nearest(k - len(itself), some[known])
        if distances is None:  # of a list that has none: the place on it
            distances = 1.0 + np.array([np.flatnonzero(ids == one)[0] for one in found.tolist()], np.float64)
        rest = some[~known & (some != target)][: max(0, k - len(itself) - len(found))]
        parts = [np.zeros(len(itself)), distances, np.full(len(rest), np.inf)]
        return Order(np.concatenate([itself, found, rest]), np.concatenate(parts))

    return near


def _column(corpus: Corpus, shelf: Shelf, quantity: Quantity) -> Column:
    """One number of each sound; NaN where it is not known."""
    if quantity.place is None:
        return column(corpus, shelf, quantity.name)
    place = _MFCC[quantity.name] + quantity.place
    return shelf.get(("coefficient", place), lambda: _coefficients(corpus, place, every(corpus, shelf)), VECTORS)


def _coefficients(corpus: Corpus, place: int, ids: Ids) -> Column:
    values = np.full(len(ids), np.nan)
    for space in reversed(MFCC_SPACES):  # what was computed here goes before what was served
        try:
            matrix = load(corpus, space)
        except NoVectors:
            continue
        rows = matrix.among(ids)
        values[np.searchsorted(ids, matrix.ids[rows])] = matrix.X[rows, place]
    return Column(ids, values)
