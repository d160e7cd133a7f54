"""Which sounds to listen to, and their lists by two measures side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.compare.results import Comparison
from engine.compare.run import known_to_all
from engine.errors import NoVectors
from engine.page.excerpts import Excerpt, excerpts
from engine.similarity.many import Many
from engine.similarity.measures import measure

MOST = 50
"""Sounds whose lists a page has, at most."""
LISTED = 5
"""Neighbours in each list, at most: excerpts are large."""
_EACH = 6
"""Sounds chosen for each reason where none are named."""

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Listened:
    """One sound and its neighbours by each measure, nearest first, and why it was chosen."""

    sound: Excerpt
    why: str
    lists: dict[str, list[Excerpt]]


def check(corpus: Corpus, names: Sequence[str], ids: Sequence[int]) -> None:
    """Whether all measures know these sounds.

    Raises
    ------
    UnknownMeasure, NoVectors
        There is no such measure; or one of them does not know one of the sounds.
    """
    lacking = np.setdiff1d(ids, known_to_all(corpus, names)).tolist()
    if lacking:
        raise NoVectors(f"sound {lacking[0]} is not known to all of {', '.join(names)}; leave it out of --listen")


def listened(
    corpus: Corpus,
    found: Comparison,
    ids: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Listened]:
    """The lists of the first two measures about some sounds.

    Parameters
    ----------
    ids : sequence of int
        Sounds that all measures know. Else of the targets that have audio those of whose lists the measures agree
        least, and as many drawn at random.
    """
    why = dict.fromkeys(ids, "asked for") if ids else _chosen(corpus, found)
    targets = np.array(list(why), np.int64)
    names = found.asked.measures[:2]
    k = min(found.k, LISTED)
    near = {name: Many(corpus, measure(name), found.known).nearest(targets, k) for name in names}
    wanted = np.unique(np.concatenate([targets, *(lists.ravel() for lists in near.values())]))
    sounds = corpus.sounds.many(wanted[wanted >= 0].tolist())
    heard = {one.sound.id: one for one in excerpts(sounds, progress)}
    return [
        Listened(
            heard[target],
            why[target],
            {name: [heard[one] for one in lists[place].tolist() if one >= 0] for name, lists in near.items()},
        )
        for place, target in enumerate(targets.tolist())
    ]


def _chosen(corpus: Corpus, found: Comparison) -> dict[int, str]:
    """Some targets, and why these."""
    audible = np.isin(found.targets, corpus.sounds.ids(with_audio=True))
    targets = found.targets[audible]
    order = np.random.default_rng(found.asked.seed).permutation(len(targets))
    least: list[int] = []
    if found.alike is not None:
        # which of those that agree as little is left to chance
        least = targets[order[np.argsort(found.alike[audible][order], kind="stable")[:_EACH]]].tolist()
    drawn = [target for target in targets[order].tolist() if target not in least][: 2 * _EACH - len(least)]
    return dict.fromkeys(least, "on whose neighbours the two agree least") | dict.fromkeys(drawn, "drawn at random")
