"""The order of the old API's lists: what fits, nearest to the target first, and then the nearest of the others.

Its clients cannot do with less than they need, so nothing but ordinary conditions, agents and a lack of audio leaves a
sound out, and nothing a sound that is itself the target: it is the first. Distances to a target: of a sound, those of
its similarity space, without a bound; of values, the root of their sum of squares, each over the deviation in the
corpus (see `engine.query.near`). What lacks a value comes last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from corpus.library import Corpus
from engine.errors import NoVectors
from engine.features import load
from engine.query.near import squares
from engine.query.order import Floats, Ids, Order
from engine.query.several import neighbourhood
from engine.server.freesound.legacy_filters import Coefficient, Quantity, Wish
from engine.server.freesound.search import Found, Search, column, find
from engine.server.freesound.shelf import Shelf
from engine.server.freesound.spaces import first_of
from engine.similarity.measures import measure

_MFCC = {"mfcc": 0, "mfcc_var": 13}
MFCC_SPACES = ("mfcc", "api_mfcc")
"""Where MFCCs are: what was computed here goes before what was served."""
_AHEAD = 1200
"""How many of the first are kept in order."""


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

    def make() -> Found:
        order = _ordered(corpus, shelf, asked)
        found = Found(len(order.ids), lambda k: _ordered(corpus, shelf, asked).at(slice(k)))
        found.begin(order.at(np.arange(min(_AHEAD, found.count))))  # a copy: of a slice all would be kept
        return found

    return shelf.get(asked, make)


def _ordered(corpus: Corpus, shelf: Shelf, asked: Asked) -> Order:
    ids = np.sort(_all_of(find(corpus, shelf, Search(replace(asked.search.choice, text="")))))
    if asked.analysed:
        ids = ids[np.isin(ids, analysed(corpus))]
    itself = [asked.target] if isinstance(asked.target, int) else []
    ids = np.union1d(ids, np.array(itself, np.int64))
    matches = _all_of(find(corpus, shelf, asked.search))
    fits = np.isin(ids, matches)
    for wish in asked.wishes:
        fits &= _granted(corpus, shelf, wish, ids)
    if asked.target is not None:
        fits |= np.isin(ids, itself)
        distances = _distances(corpus, shelf, asked, ids)
        order = np.lexsort((ids, distances, ~fits))
        return Order(ids[order], distances[order])
    places = np.searchsorted(ids, matches[np.isin(matches, ids[fits])])
    first = int(ids[places[0]]) if len(places) else None
    others = np.flatnonzero(~fits)
    far = np.zeros(len(others)) if first is None else _from_sound(corpus, first, "", ids)[others]
    return Order(ids[np.concatenate([places, others[np.lexsort((ids[others], far))]])])


def _all_of(found: Found) -> Ids:
    return found.at(0, found.count).ids


def analysed(corpus: Corpus) -> Ids:
    """The sounds whose MFCCs are known, ascending."""
    return np.unique(np.concatenate([corpus.vectors.ids(space) for space in MFCC_SPACES]))


def _granted(corpus: Corpus, shelf: Shelf, wish: Wish, ids: Ids) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not isinstance(wish, Coefficient):
        return np.isin(ids, shelf.get(wish, lambda: corpus.sounds.ids(fitting=wish)))
    values = _column(corpus, shelf, wish.quantity, ids)
    return ((wish.low <= values) & (values <= wish.high)) ^ wish.negated


def _distances(corpus: Corpus, shelf: Shelf, asked: Asked, ids: Ids) -> Floats:
    """How far each of `ids` (n,), which ascend, is from the target; infinite where that is not known."""
    if isinstance(asked.target, int):
        return _from_sound(corpus, asked.target, asked.space, ids)
    total = np.zeros(len(ids))
    for quantity, value in asked.target or ():
        total += squares(quantity.name, _column(corpus, shelf, quantity, ids), value)
    return np.nan_to_num(np.sqrt(total), nan=np.inf)


def _from_sound(corpus: Corpus, target: int, space: str, ids: Ids) -> Floats:
    distances = np.full(len(ids), np.inf)
    distances[ids == target] = 0.0
    try:
        around = neighbourhood(corpus, measure(space or first_of(corpus, target)), [target], [])
    except NoVectors:
        return distances
    allowed = ids[np.isin(ids, around.ids)]
    near = around.nearest(len(allowed), allowed)
    ranks = np.arange(1.0, len(near.ids) + 1)  # of a list that has no distances
    distances[np.searchsorted(ids, near.ids)] = ranks if near.distances is None else near.distances
    return distances


def _column(corpus: Corpus, shelf: Shelf, quantity: Quantity, ids: Ids) -> Floats:
    """One number of each of `ids` (n,), which ascend; NaN where it is not known."""
    if quantity.place is not None:
        return _coefficients(corpus, _MFCC[quantity.name] + quantity.place, ids)
    return column(corpus, shelf, quantity.name).of(ids)


def _coefficients(corpus: Corpus, place: int, ids: Ids) -> Floats:
    column = np.full(len(ids), np.nan)
    for space in reversed(MFCC_SPACES):  # what was computed here goes before what was served
        try:
            matrix = load(corpus, space)
        except NoVectors:
            continue
        rows = matrix.among(ids)
        column[np.searchsorted(ids, matrix.ids[rows])] = matrix.X[rows, place]
    return column
