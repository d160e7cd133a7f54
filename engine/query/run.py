"""One query: filter first, then order. Text, tags, licences, filters and agents each give a set of allowed sounds.

`search` orders by rank or id, `random_sounds` by chance, `similar` by a measure over the intersection. Wanted values
of traits (`near`) order a search; what has an order of its own keeps to the tenth of what fits that is nearest to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np

from corpus.filters import parse
from corpus.library import Corpus
from corpus.model import Sound
from engine.agent.judging import Verdicts, judge
from engine.query.near import by_traits
from engine.query.order import Ids, Order, tenth
from engine.query.several import neighbourhood
from engine.similarity import DEFAULT
from engine.similarity.measures import measure


@dataclass(frozen=True)
class Choice:
    """What to choose from, and how much: the choosing options of the command line.

    Attributes
    ----------
    k : int
        At most so many sounds.
    text : str
        Words to find (see `corpus.store.sounds.Sounds.ids`).
    tags, licences : tuple of str
        All of the tags; one of the licences.
    filter : str
        A filter they must fit (see `corpus.filters`); none if empty.
    agents : tuple of str
        All of them must call a sound good.
    with_audio : bool
        Only sounds whose audio is here.
    near : tuple of (str, float)
        Traits, and the values to be near to (see `engine.query.near`).
    seed : int, optional
        Makes chance repeatable.
    """

    k: int = 10
    text: str = ""
    tags: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    filter: str = ""
    agents: tuple[str, ...] = ()
    with_audio: bool = False
    near: tuple[tuple[str, float], ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Hit:
    """One sound of an answer.

    `distance` is the measure's own, None for an order without distances; `score` is what else the order goes by, less
    being better: of several sounds (see `engine.query.several`), of wanted traits (see `engine.query.near`).
    """

    rank: int
    sound: Sound
    distance: float | None = None
    score: float | None = None
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `interfaces` promises a hit."""
        return {
            "rank": self.rank,
            "id": self.sound.id,
            "name": self.sound.name,
            "username": self.sound.username,
            "licence": str(self.sound.licence),
            "duration": self.sound.duration,
            "tags": list(self.sound.tags),
            "audio": self.sound.file is not None,
            "distance": self.distance,
            "score": self.score,
            "agents": self.agents,
        }


@dataclass(frozen=True)
class Answer:
    """The sounds found.

    Attributes
    ----------
    hits : list of Hit
        At most k, in order.
    allowed : int
        How many sounds there were to choose from.
    refused : dict
        By agent, how many sounds that fitted the rest it did not call good.
    """

    hits: list[Hit]
    allowed: int
    refused: dict[str, int] = field(default_factory=dict)


def search(corpus: Corpus, choice: Choice) -> Answer:
    """Sounds that fit: by nearness to the wanted traits, else by rank of their text, then id; without text by id."""
    fitting = _fitting(corpus, choice)
    if not choice.near:
        return _answer(corpus, choice, fitting, Order(fitting.ids))
    order = by_traits(corpus, choice.near, fitting.ids)
    return _answer(corpus, choice, replace(fitting, ids=order.ids), order)


def random_sounds(corpus: Corpus, choice: Choice) -> Answer:
    """Sounds that fit, drawn at random, each as likely as any other and none twice."""
    fitting = _nearest_tenth(corpus, choice, _fitting(corpus, choice))
    drawn = np.random.default_rng(choice.seed).permutation(np.sort(fitting.ids))
    return _answer(corpus, choice, fitting, Order(drawn))


def similar(
    corpus: Corpus,
    target: int | Sequence[int],
    choice: Choice,
    measure_name: str = DEFAULT,
    unlike: Sequence[int] = (),
) -> Answer:
    """The nearest sounds to one or several among those that fit, in the measure's order, ties by id; never these.

    Parameters
    ----------
    corpus : Corpus
    target : int or sequence of int
        What to be near to: one sound, by distance, or several, by score (see `engine.query.several`).
    choice : Choice
    measure_name : str
        What near means.
    unlike : sequence of int
        What to be away from; there is a score then.

    Raises
    ------
    UnknownSound
        One of them is not held.
    NoVectors
        The measure knows nothing of one.
    UnknownMeasure
        There is no such measure.
    QueryError
        No target, one that is also unlike, or several and a measure that has only an order.
    """
    likes = [target] if isinstance(target, int) else target
    around = neighbourhood(corpus, measure(measure_name), likes, unlike)
    fitting = _nearest_tenth(corpus, choice, _fitting(corpus, choice, around.ids))
    return _answer(corpus, choice, fitting, around.nearest(choice.k, fitting.ids))


@dataclass(frozen=True)
class _Fitting:
    """Sounds that fit, by rank of their text; the verdicts of the agents asked, and what each refused."""

    ids: Ids
    verdicts: list[Verdicts]
    refused: dict[str, int]


def _fitting(corpus: Corpus, choice: Choice, among: Ids | None = None) -> _Fitting:
    """What fits, of `among` alone."""
    narrow = parse(choice.filter) if choice.filter else None
    ids = corpus.sounds.ids(choice.text, choice.tags, choice.licences, choice.with_audio, narrow)
    if among is not None:
        ids = ids[np.isin(ids, among)]
    verdicts = [judge(corpus, name) for name in choice.agents]
    kept = [np.isin(ids, verdict.good) for verdict in verdicts]
    refused = {verdict.agent: int((~good).sum()) for verdict, good in zip(verdicts, kept, strict=True)}
    return _Fitting(ids[reduce(np.logical_and, kept, np.ones(len(ids), bool))], verdicts, refused)


def _nearest_tenth(corpus: Corpus, choice: Choice, fitting: _Fitting) -> _Fitting:
    """The tenth of what fits that is nearest to the wanted traits, at least k sounds; all where none are wanted."""
    if not choice.near:
        return fitting
    return replace(fitting, ids=tenth(by_traits(corpus, choice.near, fitting.ids), choice.k).ids)


def _answer(corpus: Corpus, choice: Choice, fitting: _Fitting, order: Order) -> Answer:
    """The first k of an order, looked up."""
    order = order.at(slice(choice.k))
    hits = [
        Hit(
            rank=place + 1,
            sound=sound,
            distance=None if order.distances is None else float(order.distances[place]),
            score=None if order.scores is None else float(order.scores[place]),
            agents={verdict.agent: verdict.of(sound.id) for verdict in fitting.verdicts},
        )
        for place, sound in enumerate(corpus.sounds.many(order.ids.tolist()))
    ]
    return Answer(hits, len(fitting.ids), fitting.refused)
