"""One query: filter first, then order. Text, tags, licences, filters and agents each give a set of allowed sounds.

`search` orders by rank or id, `random_sounds` by chance, `similar` by a measure over the intersection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.filters import parse
from corpus.library import Corpus
from corpus.model import Sound
from engine.agent.judging import Verdicts, judge
from engine.similarity import DEFAULT
from engine.similarity.measures import measure

Ids = npt.NDArray[np.int64]


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
    seed: int | None = None


@dataclass(frozen=True)
class Hit:
    """One sound of an answer; `distance` is the measure's own, None for an order without distances."""

    rank: int
    sound: Sound
    distance: float | None = None
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
            "score": None,
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
    """Sounds that fit, by rank of their text, then id; without text by id."""
    ids, verdicts, refused = _allowed(corpus, choice)
    return Answer(_hits(corpus, ids[: choice.k], None, verdicts), len(ids), refused)


def random_sounds(corpus: Corpus, choice: Choice) -> Answer:
    """Sounds that fit, drawn at random, each as likely as any other and none twice."""
    ids, verdicts, refused = _allowed(corpus, choice)
    drawn = np.random.default_rng(choice.seed).permutation(np.sort(ids))[: choice.k]
    return Answer(_hits(corpus, drawn, None, verdicts), len(ids), refused)


def similar(corpus: Corpus, target: int, choice: Choice, measure_name: str = DEFAULT) -> Answer:
    """The nearest sounds to `target` among those that fit, in the measure's order, ties by id; never the target.

    Raises
    ------
    UnknownSound
        The target is not held.
    NoVectors
        The measure knows nothing of it.
    UnknownMeasure
        There is no such measure.
    """
    chosen = measure(measure_name)
    corpus.sounds.get(target)
    surroundings = chosen.around(corpus, target)
    ids, verdicts, refused = _allowed(corpus, choice, surroundings.ids, surroundings.held)
    found, distances = surroundings.nearest(choice.k, ids)
    return Answer(_hits(corpus, found, distances, verdicts), len(ids), refused)


def _allowed(
    corpus: Corpus, choice: Choice, among: Ids | None = None, held: bool = False
) -> tuple[Ids, list[Verdicts], dict[str, int]]:
    """Ids that fit, of `among` alone, by rank of their text; the verdicts of the agents asked, what each refused.

    `held`: whether all of `among`, which then ascend, are held.
    """
    fitting = parse(choice.filter) if choice.filter else None
    if (
        among is not None
        and held
        and not (choice.text or choice.tags or choice.licences or choice.with_audio or fitting)
    ):
        ids = among
    else:
        ids = corpus.sounds.ids(choice.text, choice.tags, choice.licences, choice.with_audio, fitting)
        if among is not None:
            ids = ids[np.isin(ids, among)]
    verdicts = [judge(corpus, name) for name in choice.agents]
    kept = [np.isin(ids, verdict.good) for verdict in verdicts]
    refused = {verdict.agent: int((~good).sum()) for verdict, good in zip(verdicts, kept, strict=True)}
    return ids[reduce(np.logical_and, kept)] if kept else ids, verdicts, refused


def _hits(
    corpus: Corpus, ids: Ids, distances: npt.NDArray[np.float64] | None, verdicts: Iterable[Verdicts]
) -> list[Hit]:
    verdicts = list(verdicts)
    return [
        Hit(
            rank=place + 1,
            sound=sound,
            distance=None if distances is None else float(distances[place]),
            agents={verdict.agent: verdict.of(sound.id) for verdict in verdicts},
        )
        for place, sound in enumerate(corpus.sounds.many(ids.tolist()))
    ]
