"""Where the sounds of a lesson come from.

A source has an order of its own, of chance for `random` and `tag`, of rank for `search`, of distance for `like`, and of
use for `useful` (see `engine.agent.useful`). It is worked out once, when the source is chosen, so that the next sound
is at hand at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.agent.useful import Pool
from engine.errors import QueryError
from engine.query.several import neighbourhood
from engine.similarity.measures import measure

Ids = npt.NDArray[np.int64]

NEAREST = 5000
"""How many sounds likeness brings at most."""
SOURCES = "random, useful, tag:T, search:T, like:ID, like (this sound) or id:ID"


class Source(Protocol):
    """An order of sounds."""

    name: str

    def first(self, closed: Collection[int]) -> int | None:
        """The first sound that is not closed; what was closed once need not be looked at again."""


class Ordered:
    """Sounds in an order that is known beforehand."""

    def __init__(self, name: str, ids: Ids) -> None:
        self.name = name
        self._ids = ids
        self._place = 0

    def first(self, closed: Collection[int]) -> int | None:
        """The first that is not closed."""
        while self._place < len(self._ids) and int(self._ids[self._place]) in closed:
            self._place += 1
        return int(self._ids[self._place]) if self._place < len(self._ids) else None


class Useful:
    """The most useful sound of a pool, by the newest model."""

    name = "useful"

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._p: npt.NDArray[np.float64] | None = None

    def first(self, closed: Collection[int]) -> int | None:
        """The most useful that is not closed."""
        return self.pool.best(closed, self._p)

    def judged(self, p: Mapping[int, float] | None) -> None:
        """Take the probabilities of a newer model; None if there is no model any more."""
        unknown = float("nan")
        self._p = None if p is None else np.array([p.get(sound_id, unknown) for sound_id in self.pool.ids.tolist()])


def tagged(corpus: Corpus, tag: str, open_ids: Ids, seed: int | None) -> Ordered:
    """Sounds with a tag, in an order of chance."""
    return by_chance(f"tag:{tag}", _kept(corpus.sounds.ids(with_tags=[tag]), open_ids), seed)


def found(corpus: Corpus, text: str, open_ids: Ids) -> Ordered:
    """What a search finds, by rank."""
    return Ordered(f"search:{text}", _kept(corpus.sounds.ids(text), open_ids))


def near(corpus: Corpus, sound_id: int, measure_name: str, open_ids: Ids) -> Ordered:
    """The nearest to a sound, at most 5000.

    Raises
    ------
    UnknownSound, NoVectors, UnknownMeasure
        As for `engine.query.run.similar`.
    """
    around = neighbourhood(corpus, measure(measure_name), [sound_id], [])
    allowed = np.intersect1d(around.ids, open_ids)
    return Ordered(f"like:{sound_id}", around.nearest(min(NEAREST, len(allowed)), allowed).ids)


def by_chance(name: str, ids: Ids, seed: int | None) -> Ordered:
    """Sounds in an order of chance."""
    return Ordered(name, np.random.default_rng(seed).permutation(ids))


def _kept(ids: Ids, open_ids: Ids) -> Ids:
    return ids[np.isin(ids, open_ids)]


def parse(text: str) -> tuple[str, str]:
    """Kind and object of a source in words, such as `("tag", "water")`.

    Raises
    ------
    QueryError
        There is no such source.
    """
    kind, _, what = (part.strip() for part in text.strip().partition(":"))
    if kind in ("random", "useful", "like") and not what:
        return kind, ""
    if kind in ("tag", "search") and what:
        return kind, what
    if kind in ("like", "id") and what.isascii() and what.isdecimal():
        return kind, what
    raise QueryError(f"no source {text!r}; there are {SOURCES}")
