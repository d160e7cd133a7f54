"""One query: filter first, then order. Text, tags, licences, filters and agents each give a set of allowed sounds.

`search` orders by rank or id, `random_sounds` by chance, `similar` by a measure over the intersection. Wanted values
of traits (`near`) order a search; what has an order of its own keeps to the tenth of what fits that is nearest to them.
A spread then chooses among the first of the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from corpus.filters import parse
from corpus.library import Corpus
from corpus.licences import KNOWN, from_text
from corpus.model import Grouping
from corpus.store.texts import Matches
from engine.errors import QueryError
from engine.features import EMPTY
from engine.query.answer import Answer, Hit
from engine.query.chance import evenly, farthest_tenth
from engine.query.choice import Choice
from engine.query.judged import Asked, allowed, least_bad, unjudged, verdicts_of
from engine.query.near import by_traits, lacking
from engine.query.order import Ids, Order, tenth
from engine.query.path import passable, walk
from engine.query.several import Neighbourhood, neighbourhood
from engine.query.spread import candidates, spread
from engine.similarity import DEFAULT
from engine.similarity.compared import compared
from engine.similarity.measures import ListMeasure, measure

__all__ = ["Answer", "Choice", "Hit", "matching", "path", "random_sounds", "search", "similar"]

_BEGINNING = 3
"""Letters of a tag that no sound has by which others are named, so many at most:"""
_OTHERS = 5


def search(corpus: Corpus, choice: Choice) -> Answer:
    """Sounds that fit: by nearness to the wanted traits, else by rank of their text, then id; without text by id.

    They are spread by the default measure.
    """
    varied = _spreading(corpus, choice, DEFAULT)
    fitting = _fitting(corpus, choice)
    found = fitting.found
    if isinstance(found, Matches):
        found = Order(found.first(choice.k if choice.spread is None else None))
    return _answer(corpus, choice, fitting, varied(found))


def matching(corpus: Corpus, choice: Choice, among: Ids | None = None, held: bool = False) -> Order | Matches:
    """All sounds that fit, of `among` alone, before they are cut to k and looked up; `held`: as for a Neighbourhood."""
    return _fitting(corpus, choice, among, held).found


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
    fitting = _nearest_tenth(choice, _fitting(corpus, choice, None if far is None else far.ids))
    if far is not None:
        fitting = replace(fitting, found=Matches(farthest_tenth(far.nearest(len(fitting.ids), fitting.ids), choice.k)))
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
    target : int or sequence of int, NumPy's among them
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
    likes = [int(target)] if isinstance(target, (int, Integral)) else target
    around = neighbourhood(corpus, measure(measure_name), likes, unlike)
    varied = _spreading(corpus, choice, measure_name)
    fitting = _nearest_tenth(choice, _fitting(corpus, choice, around.ids, around.held))
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
    others = np.delete(known.ids, known.rows([first, last]))
    fitting = _nearest_tenth(choice, _fitting(corpus, choice, others, held=True))
    return _answer(corpus, choice, fitting, Order(walk(known, first, last, choice.k, fitting.ids)))


@dataclass(frozen=True)
class _Fitting:
    """Sounds that fit, by nearness to the wanted traits, else with the ranks of their text; the rest as in `Answer`."""

    found: Order | Matches
    verdicts: Asked
    fitted: int
    refused: dict[str, int]
    unjudged: dict[str, int]
    stale: int = 0
    least_bad: bool = False
    lacking: str = ""

    @property
    def ids(self) -> Ids:
        """The sounds alone."""
        return self.found.ids


def _fitting(corpus: Corpus, choice: Choice, among: Ids | None = None, held: bool = False) -> _Fitting:
    """What fits, of `among` alone; `held`: all of `among`, which then ascend, are held."""
    matches = _without_agents(corpus, choice, among, held)
    found = by_traits(corpus, choice.near, matches.ids) if choice.near else matches
    asked = verdicts_of(corpus, choice)
    mask, refused = allowed(choice, asked, found.ids)
    fresh = np.ones(len(mask), bool) if not choice.fresh else ~np.isin(found.ids, corpus.returned.lately())
    stale = int((mask & ~fresh).sum())
    mask &= fresh
    none = bool(asked) and not mask.any()
    if none and choice.best:
        free = np.flatnonzero(fresh)
        mask[free[least_bad(choice, asked, found.ids[free])]] = True
    unknown = unjudged(asked, found.ids) if none else {}
    kept = found if mask.all() else found.at(mask)
    lack = "" if len(mask) else _untold(corpus, choice, matches.ids)
    return _Fitting(kept, asked, len(mask), refused, unknown, stale, none and bool(mask.any()), lack)


def _without_agents(corpus: Corpus, choice: Choice, among: Ids | None, held: bool) -> Matches:
    """What fits but for wanted traits, for agents and for being fresh."""
    _check_licences(corpus, choice.licences)
    narrow = parse(choice.filter) if choice.filter else None
    anything = not (choice.text or choice.tags or choice.licences or choice.with_audio or narrow)
    if among is not None and held and anything:
        return Matches(among)
    matches = corpus.sounds.matching(choice.text, choice.tags, choice.licences, choice.with_audio, narrow)
    return matches if among is None else matches.at(np.isin(matches.ids, among))


def _check_licences(corpus: Corpus, licences: Sequence[str]) -> None:
    """Refuse words that are no licence's; one that is not Freesound's may still be in a catalogue."""
    for licence in licences:
        if from_text(licence).name not in KNOWN and not len(corpus.sounds.ids(licences=[licence])):
            raise QueryError(f"no sound has the licence {licence!r}; Freesound's are {', '.join(KNOWN)}")


def _nearest_tenth(choice: Choice, fitting: _Fitting) -> _Fitting:
    """The tenth of what fits that is nearest to the wanted traits, at least k sounds; all where none are wanted."""
    return replace(fitting, found=tenth(fitting.found, choice.k)) if isinstance(fitting.found, Order) else fitting


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
            agents={name: verdicts.of(sound.id) for name, verdicts in fitting.verdicts.items()},
        )
        for place, sound in enumerate(corpus.sounds.many(order.ids.tolist()))
    ]
    if choice.fresh:
        corpus.returned.remember(order.ids.tolist())
    return Answer(
        hits,
        allowed=len(fitting.ids),
        fitted=fitting.fitted,
        refused=fitting.refused,
        unjudged=fitting.unjudged,
        stale=fitting.stale,
        least_bad=fitting.least_bad,
        lacking=fitting.lacking,
    )


def _untold(corpus: Corpus, choice: Choice, fitting: Ids) -> str:
    """What to say where no sound fits, or none of those that fit has all the wanted traits."""
    if not len(fitting):
        return _no_tag(corpus, choice) if len(corpus.sounds.ids()) else EMPTY
    if not choice.near:
        return ""
    counts = lacking(corpus, [name for name, _ in choice.near], fitting)
    each = " and ".join(f"{name} is lacking in {count}" for name, count in counts.items() if count)
    return f"of {len(fitting)} that fit the rest, {each}; `mirla analyse --traits` measures what it can"


def _no_tag(corpus: Corpus, choice: Choice) -> str:
    """What to say of the first tag that no sound has."""
    for tag in choice.tags:
        if not len(corpus.sounds.ids(with_tags=[tag])):
            near = ", ".join(corpus.sounds.tags(tag[:_BEGINNING], _OTHERS))
            return f"none has the tag {tag!r}" + (f"; others that begin so: {near}" if near else "")
    return ""


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
