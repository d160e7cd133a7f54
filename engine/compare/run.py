"""`compare`: the same targets asked of several measures.

A target takes part where all the measures know it, so that every figure is of the same targets. Agreement is that of
the lists as they are; tag and category precision are of lists without sounds by the target's maker or from its pack,
unless told, since those are alike for other reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Sound
from engine.agent.evaluate import Estimate
from engine.agent.judging import judge
from engine.compare.figures import estimate, hubness, kendall_tau, overlap, rank_biased_overlap, shared
from engine.errors import NoVectors
from engine.similarity.measures import Surroundings, measure

Ids = npt.NDArray[np.int64]

COMMON_TAGS = 0.01
"""The most frequent tags that say nothing: this share of all tags."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Taste:
    """What an agent finds in a measure's order.

    Attributes
    ----------
    first_good : Estimate
        How often the first neighbour is good.
    rank_of_first_good : Estimate
        Rank of the first good neighbour; targets with none at all are left out.
    bad_to_good : Estimate
        How often a target that is bad has a good sound as its first neighbour.
    """

    first_good: Estimate | None
    rank_of_first_good: Estimate | None
    bad_to_good: Estimate | None


@dataclass(frozen=True)
class Quality:
    """How well one measure serves: share of sounds it knows, hubness, and precision at k."""

    name: str
    coverage: float
    hubness: float | None
    tag_precision: Estimate | None
    category_precision: Estimate | None
    taste: Taste | None


@dataclass(frozen=True)
class Agreement:
    """How far two measures agree: overlap at k, rank-biased overlap, Kendall's tau on what both have."""

    a: str
    b: str
    overlap: Estimate | None
    rbo: Estimate | None
    kendall: Estimate | None


@dataclass(frozen=True)
class Comparison:
    """What was compared: neighbours per target, how many targets, pairs of measures, each measure."""

    k: int
    sounds: int
    pairs: list[Agreement]
    measures: list[Quality]

    def as_json(self) -> dict[str, Any]:
        """As `mirla compare --json` answers it."""
        return {
            "k": self.k,
            "sounds": self.sounds,
            "pairs": [
                {"a": one.a, "b": one.b, **_json(overlap=one.overlap, rbo=one.rbo, kendall=one.kendall)}
                for one in self.pairs
            ],
            "measures": [
                {
                    "name": one.name,
                    "coverage": round(one.coverage, 4),
                    "hubness": None if one.hubness is None else round(one.hubness, 4),
                    **_json(tag_precision=one.tag_precision, category_precision=one.category_precision),
                    "agent": None if one.taste is None else _json(**vars(one.taste)),
                }
                for one in self.measures
            ],
        }


def compare(
    corpus: Corpus,
    names: Sequence[str],
    k: int = 10,
    *,
    agent: str | None = None,
    sample: int | None = None,
    same_maker: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare measures on all sounds that they all know, or on a sample of those.

    Parameters
    ----------
    names : sequence of str
        Measures, or mixes of them.
    k : int
        How many neighbours count.
    agent : str, optional
        Whose taste is looked for in each measure's order.
    sample : int, optional
        At most so many targets, drawn at random.
    same_maker : bool
        Let the precisions count sounds by the target's own maker and from its own pack.

    Raises
    ------
    UnknownMeasure, UnknownAgent
        There is none of that name.
    NoVectors
        No sound is known to all the measures.
    """
    held = corpus.sounds.ids()
    chosen = {name: measure(name) for name in dict.fromkeys(names)}
    known = {name: one.knows(corpus) for name, one in chosen.items()}
    every = reduce(np.intersect1d, known.values())
    if not len(every):
        raise NoVectors(f"no sound is known to all of {', '.join(chosen)}; `mirla measures` says how many each knows")
    targets = every
    if sample is not None and sample < len(every):
        targets = np.sort(np.random.default_rng(seed).choice(every, sample, replace=False))
    facts = _Facts(corpus, every)
    good = np.empty(0, np.int64) if agent is None else judge(corpus, agent).good
    lists: dict[str, list[Ids]] = {name: [] for name in chosen}
    tags: dict[str, list[float | None]] = {name: [] for name in chosen}
    categories: dict[str, list[float | None]] = {name: [] for name in chosen}
    firsts: dict[str, list[int | None]] = {name: [] for name in chosen}
    for done, target in enumerate(targets.tolist(), 1):
        others = every[every != target]
        apart = others if same_maker else every[~facts.same(target)]
        for name, one in chosen.items():
            around = one.around(corpus, target)
            nearest = around.nearest(k, others)[0]
            unrelated = nearest if same_maker else around.nearest(k, apart)[0]
            lists[name].append(nearest)
            tags[name].append(facts.share("tags", target, unrelated))
            categories[name].append(facts.share("categories", target, unrelated))
            firsts[name].append(_first_good(around, others, good) if agent else None)
        if progress:
            progress(done, len(targets))
    return Comparison(
        k=k,
        sounds=len(targets),
        pairs=[_agreement(a, b, lists) for a, b in combinations(chosen, 2)],
        measures=[
            Quality(
                name=name,
                coverage=len(known[name]) / len(held),
                hubness=hubness(lists[name], every),
                tag_precision=estimate(tags[name]),
                category_precision=estimate(categories[name]),
                taste=_taste(firsts[name], targets, good) if agent else None,
            )
            for name in chosen
        ],
    )


class _Facts:
    """Of each sound its maker, its tags but the commonest, and the category that its maker gave it."""

    def __init__(self, corpus: Corpus, ids: Ids) -> None:
        sounds = corpus.sounds.many(ids.tolist())
        self._place = {sound.id: place for place, sound in enumerate(sounds)}
        common = _common_tags(sounds)
        self._shared: Mapping[str, list[frozenset[str]]] = {
            "tags": [frozenset(sound.tags) - common for sound in sounds],
            "categories": [_category(one) for one in corpus.sounds.records_of(ids.tolist())],
        }
        self._makers, self._packs = _codes([one.username for one in sounds]), _codes([one.pack for one in sounds])

    def same(self, target: int) -> npt.NDArray[np.bool_]:
        """Which sounds are by the target's maker or from its pack; the target is."""
        place = self._place[target]
        related = np.arange(len(self._makers)) == place
        for codes in (self._makers, self._packs):
            related |= (codes == codes[place]) & (codes[place] >= 0)
        return np.asarray(related)

    def share(self, what: str, target: int, others: Ids) -> float | None:
        """The share of `others` that have something of it in common with the target."""
        values = self._shared[what]
        return shared(values[self._place[target]], [values[self._place[other]] for other in others.tolist()])


def _codes(values: Sequence[str | None]) -> Ids:
    """A number for each value, -1 for none."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(v for v in values if v))}
    return np.array([numbers.get(value or "", -1) for value in values], np.int64)


def _common_tags(sounds: Sequence[Sound]) -> frozenset[str]:
    counts: dict[str, int] = {}
    for sound in sounds:
        for tag in sound.tags:
            counts[tag] = counts.get(tag, 0) + 1
    by_count = sorted(counts, key=lambda tag: (-counts[tag], tag))
    return frozenset(by_count[: int(COMMON_TAGS * len(by_count))])


def _category(record: Mapping[str, Any]) -> frozenset[str]:
    """The category that a maker gave; what a classifier guessed would favour measures like that classifier."""
    return frozenset([str(record["category"])] if record.get("category_is_user_provided") else [])


def _first_good(around: Surroundings, others: Ids, good: Ids) -> int | None:
    """Rank of the nearest good sound among all; None where there is none."""
    nearest = around.nearest(1, np.intersect1d(others, good))[0]
    if not len(nearest):
        return None
    order = around.nearest(len(others), others)[0]
    return int(np.flatnonzero(order == nearest[0])[0]) + 1


def _taste(ranks: Sequence[int | None], targets: Ids, good: Ids) -> Taste:
    first = [None if rank is None else float(rank == 1) for rank in ranks]
    bad = ~np.isin(targets, good)
    return Taste(
        first_good=estimate(first),
        rank_of_first_good=estimate(ranks),
        bad_to_good=estimate(value for value, is_bad in zip(first, bad, strict=True) if is_bad),
    )


def _agreement(a: str, b: str, lists: Mapping[str, Sequence[Ids]]) -> Agreement:
    both = list(zip(lists[a], lists[b], strict=True))
    return Agreement(
        a,
        b,
        estimate(overlap(x, y) for x, y in both),
        estimate(rank_biased_overlap(x, y) for x, y in both),
        estimate(kendall_tau(x, y) for x, y in both),
    )


def _json(**estimates: Estimate | None) -> dict[str, Any]:
    return {name: None if one is None else one.as_json() for name, one in estimates.items()}
