"""Labelled sets: what an agent was taught, or what makers say of their sounds by tag or category.

A set is asked for by name: `NAME` or `agent:NAME`, `tag:NAME`, `category:NAME`. Sounds that are not known to every
space asked for take no part, so that all classifiers have the same sounds and the same folds.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.agent.examples import Labelled
from engine.agent.forms import Classes
from engine.errors import TrainingError
from engine.features import among

Ids = npt.NDArray[np.int64]
Kind = Literal["agent", "tag", "category"]

MOST = 500
"""Sounds of each class that are drawn of a tag or a category."""
_AT_ONCE = 10_000
"""Records read at a time, so that memory stays flat."""
_SHOWN = 10
_NEEDED = "needs two of each at least, so that one can be held out"


@dataclass(frozen=True, kw_only=True)
class LabelledSet(Labelled):
    """Sounds with labels.

    Attributes
    ----------
    name, kind : str
        As it was asked for, and what that is.
    left_out : int
        Sounds labelled (good) that are not known to every space.
    drawn_from : tuple of int, optional
        How many good and how many bad sounds there were to draw from, where they were drawn.
    """

    name: str
    kind: Kind
    left_out: int
    drawn_from: tuple[int, int] | None = None


def labelled(corpus: Corpus, name: str, known: Ids, seed: int = 0, most: int = MOST) -> LabelledSet:
    """A labelled set by name.

    Parameters
    ----------
    name : str
    known : (m,) int64, ascending
        Sounds that may take part.
    seed : int
        Draws the sounds of a tag or a category.
    most : int
        How many of each class are drawn at most; of an agent all are taken.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    TrainingError
        It has fewer than two sounds of a class.
    """
    kind, colon, rest = name.partition(":")
    if not colon or kind not in _GATHER:
        kind, rest = "agent", name
    found = _GATHER[kind](corpus, name, rest, known, seed, most)
    if min(found.good, found.bad) < 2:
        raise TrainingError(
            f"{name!r} has {found.good} good and {found.bad} bad sounds known to every space asked for and {_NEEDED}; "
            f"{_remedy(found, rest)}"
        )
    return found


def _agent(corpus: Corpus, name: str, agent_name: str, known: Ids, seed: int, most: int) -> LabelledSet:
    agent = corpus.agents.get(agent_name)
    labels = [one for one in corpus.agents.annotations(agent) if not one.test]
    ids = np.array([one.sound_id for one in labels], np.int64)
    y = np.array([one.label == "good" for one in labels], np.int64)
    there = np.isin(ids, known)
    return _made(corpus, name, "agent", ids[there], y[there], int((~there).sum()))


def _tag(corpus: Corpus, name: str, tag: str, known: Ids, seed: int, most: int) -> LabelledSet:
    having = np.sort(corpus.sounds.ids(with_tags=[tag]))
    if not len(having):
        raise TrainingError(f"no sound has the tag {tag!r}; `mirla show ID` lists the tags of a sound")
    return _drawn(corpus, name, "tag", having, known, known, seed, most)


def _category(corpus: Corpus, name: str, category: str, known: Ids, seed: int, most: int) -> LabelledSet:
    """Good are the sounds of the category, bad those of others; what a classifier guessed counts as neither."""
    ids, given = _categories(corpus)
    having = ids[np.array([one.casefold() == category.casefold() for one in given], bool)]
    if not len(having):
        there = sorted(set(given))
        shown = f"; there are: {', '.join(there[:_SHOWN])}{', …' * (len(there) > _SHOWN)}" if there else " or any other"
        raise TrainingError(f"no maker gave a sound here the category {category!r}{shown}")
    return _drawn(corpus, name, "category", having, ids[among(ids, known)], known, seed, most)


def _categories(corpus: Corpus) -> tuple[Ids, list[str]]:
    """The sounds whose makers gave them a category, ascending, and that."""
    ids: list[int] = []
    given: list[str] = []
    every = corpus.sounds.ids().tolist()
    for first in range(0, len(every), _AT_ONCE):
        some = every[first : first + _AT_ONCE]
        for sound_id, record in zip(some, corpus.sounds.records_of(some), strict=True):
            if record.get("category_is_user_provided") and record.get("category"):
                ids.append(sound_id)
                given.append(str(record["category"]))
    return np.array(ids, np.int64), given


def _drawn(
    corpus: Corpus, name: str, kind: Kind, having: Ids, others: Ids, known: Ids, seed: int, most: int
) -> LabelledSet:
    """Good of those known that have it, bad as many of the others that have not."""
    good = having[among(having, known)]
    bad = others[~among(others, having)]
    generator = np.random.default_rng(seed)
    each = min(most, len(good))
    ids = np.concatenate([_some(generator, good, each), _some(generator, bad, each)])
    y = np.repeat([1, 0], [each, len(ids) - each]).astype(np.int64)
    order = np.argsort(ids)
    left_out = len(having) - len(good)
    return _made(corpus, name, kind, ids[order], y[order], left_out, (len(good), len(bad)))


def _some(generator: np.random.Generator, ids: Ids, count: int) -> Ids:
    return ids if len(ids) <= count else generator.choice(ids, count, replace=False)


def _made(
    corpus: Corpus,
    name: str,
    kind: Kind,
    ids: Ids,
    y: Classes,
    left_out: int,
    drawn_from: tuple[int, int] | None = None,
) -> LabelledSet:
    groups = [sound.uploader_group for sound in corpus.sounds.many(ids.tolist())]
    return LabelledSet(ids=ids, y=y, groups=groups, name=name, kind=kind, left_out=left_out, drawn_from=drawn_from)


def _remedy(found: LabelledSet, name: str) -> str:
    if found.kind == "agent":
        lacking = "good" if found.good < 2 else "bad"
        return f"`mirla agent label {shlex.quote(name)} --{lacking} ID…`"
    if found.left_out:
        return f"`mirla analyse` measures {found.left_out} more"
    return f"choose another {found.kind}"


_GATHER: dict[str, Callable[..., LabelledSet]] = {"agent": _agent, "tag": _tag, "category": _category}
