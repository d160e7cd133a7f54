"""One query: filter first, then order. Text, tags, licences, filters and agents each give a set of allowed sounds.

`search` orders by rank or id, `random_sounds` by chance, `similar` by a measure over the intersection. Wanted values
of traits (`near`) order a search; what has an order of its own keeps to the tenth of what fits that is nearest to them.
A spread then chooses among the first of the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from corpus.filters import parse
from corpus.library import Corpus
from corpus.model import Grouping, Sound
from corpus.store.texts import Matches
from engine.agent.judging import Verdicts, judge
from engine.query.chance import evenly, farthest_tenth
from engine.query.near import by_traits
from engine.query.order import Ids, Order, tenth
from engine.query.path import passable, walk
from engine.query.several import Neighbourhood, neighbourhood
from engine.query.spread import candidates, spread
from engine.similarity import DEFAULT
from engine.similarity.compared import compared
from engine.similarity.measures import ListMeasure, measure


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
    fresh : bool
        Leave out what was returned lately (see `corpus.store.returned`), and remember what is returned now.
    spread : float, optional
        Between 1, near alone counts, and 0, only variety does (see `engine.query.spread`).
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
    fresh: bool = False
    spread: float | None = None
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
    stale : int
        How many sounds that fitted were left out since they were returned lately.
    lacking : str
        Where there is nothing to choose from, whatever is asked of it: what the corpus lacks, and how to get it.
    """

    hits: list[Hit]
    allowed: int
    refused: dict[str, int] = field(default_factory=dict)
    stale: int = 0
    lacking: str = ""


def search(corpus: Corpus, choice: Choice) -> Answer:
    """Sounds that fit: by nearness to the wanted traits, else by rank of their text, then id; without text by id.

    They are spread by the default measure.
    """
    varied = _spreading(corpus, choice, DEFAULT)
    fitting = _fitting(corpus, choice)
    if not choice.near:
        first = fitting.matches.first(choice.k if choice.spread is None else None)
        return _answer(corpus, choice, fitting, varied(Order(first)))
    order = by_traits(corpus, choice.near, fitting.ids)
    return _answer(corpus, choice, replace(fitting, matches=Matches(order.ids)), varied(order))


def random_sounds(
    corpus: Corpus,
    choice: Choice,
    even_by: Grouping | None = None,
    far_from: int | None = None,
    measure_name: str = DEFAULT,
) -> Answer:
    """Sounds that fit, drawn at random, none twice.

    Parameters
    ----------
    corpus : Corpus
    choice : Choice
    even_by : str, optional
        Draw a `user`, `pack` or `tag` first, each as likely as any other, then a sound of it (see
        `engine.query.chance`); else each sound is as likely as any other.
    far_from : int, optional
        Draw from the tenth, at least k, that is farthest from this sound, which is left out.
    measure_name : str
        What far means, and by what sounds are spread.

    Raises
    ------
    UnknownSound, NoVectors, UnknownMeasure
        As for `similar`, of `far_from`.
    QueryError
        The measure has only an order, or there is no such grouping.
    """
    varied = _spreading(corpus, choice, measure_name)
    far = None if far_from is None else neighbourhood(corpus, measure(measure_name), [far_from], [])
    fitting = _nearest_tenth(corpus, choice, _fitting(corpus, choice, None if far is None else far.ids))
    if far is not None:
        fitting = replace(
            fitting, matches=Matches(farthest_tenth(far.nearest(len(fitting.ids), fitting.ids), choice.k))
        )
    generator = np.random.default_rng(choice.seed)
    if even_by is None:
        drawn = generator.permutation(np.sort(fitting.ids))
    else:
        drawn = evenly(generator, corpus.sounds.groups(even_by), fitting.ids, _wanted(choice))
    answer = _answer(corpus, choice, fitting, varied(Order(drawn)))
    return answer if far is None else _explained(corpus, answer, measure_name, far)


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
        What near means, and by what sounds are spread.
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
    varied = _spreading(corpus, choice, measure_name)
    fitting = _nearest_tenth(corpus, choice, _fitting(corpus, choice, around.ids, around.held))
    answer = _answer(corpus, choice, fitting, varied(around.nearest(_wanted(choice), fitting.ids)))
    return _explained(corpus, answer, measure_name, around)


def path(corpus: Corpus, first: int, last: int, choice: Choice, measure_name: str = DEFAULT) -> Answer:
    """Walk from one sound to another in even steps: k sounds, the two included (see `engine.query.path`).

    What lies between fits; the two need not. There are fewer where fewer fit.

    Raises
    ------
    UnknownSound, NoVectors, UnknownMeasure
        As for `similar`, of the two.
    QueryError
        The two are one, k is below 2, or the measure has no straight lines.
    """
    known = passable(corpus, measure(measure_name), first, last, choice.k)
    others = known.ids[~np.isin(known.ids, [first, last])]
    fitting = _nearest_tenth(corpus, choice, _fitting(corpus, choice, others))
    return _answer(corpus, choice, fitting, Order(walk(known, first, last, choice.k, fitting.ids)))


@dataclass(frozen=True)
class _Fitting:
    """Sounds that fit, with the ranks of their text; the verdicts of the agents asked, and what each refused."""

    matches: Matches
    verdicts: list[Verdicts]
    refused: dict[str, int]
    stale: int = 0

    @property
    def ids(self) -> Ids:
        """The sounds alone."""
        return self.matches.ids


def _fitting(corpus: Corpus, choice: Choice, among: Ids | None = None, held: bool = False) -> _Fitting:
    """What fits, of `among` alone; `held`: all of `among`, which then ascend, are held."""
    narrow = parse(choice.filter) if choice.filter else None
    anything = not (choice.text or choice.tags or choice.licences or choice.with_audio or narrow)
    if among is not None and held and anything:
        matches = Matches(among)
    else:
        matches = corpus.sounds.matching(choice.text, choice.tags, choice.licences, choice.with_audio, narrow)
        matches = matches if among is None else matches.at(np.isin(matches.ids, among))
    verdicts = [judge(corpus, name) for name in choice.agents]
    kept = [np.isin(matches.ids, verdict.good) for verdict in verdicts]
    refused = {verdict.agent: int((~good).sum()) for verdict, good in zip(verdicts, kept, strict=True)}
    if kept:
        matches = matches.at(np.logical_and.reduce(kept))
    if not choice.fresh:
        return _Fitting(matches, verdicts, refused)
    stale = np.isin(matches.ids, corpus.returned.lately())
    return _Fitting(matches.at(~stale), verdicts, refused, int(stale.sum()))


def _nearest_tenth(corpus: Corpus, choice: Choice, fitting: _Fitting) -> _Fitting:
    """The tenth of what fits that is nearest to the wanted traits, at least k sounds; all where none are wanted."""
    if not choice.near:
        return fitting
    return replace(fitting, matches=Matches(tenth(by_traits(corpus, choice.near, fitting.ids), choice.k).ids))


def _wanted(choice: Choice) -> int:
    """How many sounds to put in order: more than k where they are to be spread."""
    return choice.k if choice.spread is None else candidates(choice.k)


def _spreading(corpus: Corpus, choice: Choice, measure_name: str) -> Callable[[Order], Order]:
    """What spreads an order by a measure, if that is wanted."""
    if choice.spread is None:
        return lambda order: order
    share = choice.spread
    known = compared(corpus, measure(measure_name), [], "a spread")
    return lambda order: spread(order, choice.k, share, known)


def _answer(corpus: Corpus, choice: Choice, fitting: _Fitting, order: Order) -> Answer:
    """The first k of an order, looked up; remembered where fresh ones are wanted."""
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
    if choice.fresh:
        corpus.returned.remember(order.ids.tolist())
    lacking = "" if hits else _untold(corpus, choice)
    return Answer(hits, len(fitting.ids), fitting.refused, fitting.stale, lacking)


def _untold(corpus: Corpus, choice: Choice) -> str:
    """What to say where no sound has the wanted traits."""
    names = [name for name, _ in choice.near]
    if not names or np.isfinite(corpus.descriptors.numbers(names)[1]).all(axis=1).any():
        return ""
    return f"no sound has {' and '.join(names)}; `mirla analyse --traits` measures what it can"


def _explained(corpus: Corpus, answer: Answer, measure_name: str, around: Neighbourhood) -> Answer:
    """With what is to be said where a measure has no other sound to put in order."""
    some = len(around.ids) and (around.held or np.isin(around.ids, corpus.sounds.ids()).any())
    if answer.hits or answer.lacking or some:
        return answer
    if not isinstance(measure(measure_name), ListMeasure):
        lacking = f"measure {measure_name!r} knows no other; `mirla measures` says how many sounds each knows"
    elif len(around.ids):
        lacking = f"none of the {len(around.ids)} on Freesound's list is held; `mirla harvest` brings more"
    else:
        lacking = "Freesound's list is empty for this one; try another --measure"
    return replace(answer, lacking=lacking)
