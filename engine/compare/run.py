"""`compare`: the same targets asked of several measures.

A target takes part where all the measures know it, so that every figure is of the same targets. Agreement is that of
the lists as they are; tag and category precision are of lists without sounds by the target's maker or from its pack,
unless told, since those are alike for other reasons.

Targets are taken in blocks: lists are arrays (m, k) of ids, nearest first, -1 behind the end of a short one. What is
kept of a block is a number or a few for each target (of precision k), so that memory stays flat.

Hubness is of all sounds' lists: with a sample there is none, as the same figure of fewer lists is another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import combinations

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.agent.judging import Verdicts, judge
from engine.compare import figures
from engine.compare.facts import Facts
from engine.compare.results import Agreement, Asked, Comparison, Quality, Taste
from engine.errors import NoVectors
from engine.features import EMPTY
from engine.similarity.many import Many
from engine.similarity.measures import Measure, measure

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_TARGETS = 512
"""In a block, at most."""
_PLACES = 1 << 18
"""Of lists, in a block at most."""

Progress = Callable[[int, int], None]


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
        No sound is known to all the measures, or none to one of them.
    """
    chosen = {name: measure(name) for name in dict.fromkeys(names)}
    known = {name: one.knows(corpus) for name, one in chosen.items()}
    every = _known_to_all(corpus, chosen, known)
    targets = every
    if sample is not None and sample < len(every):
        targets = np.sort(np.random.default_rng(seed).choice(every, sample, replace=False))
    verdicts = None if agent is None else judge(corpus, agent)
    there = min(k, max(len(every) - 1, 1))
    asking = _Asking(corpus, chosen, every, there, verdicts, same_maker)
    at_once = max(1, min(_TARGETS, _PLACES // there))
    for first in range(0, len(targets), at_once):
        asking.ask(targets[first : first + at_once])
        if progress:
            progress(min(first + at_once, len(targets)), len(targets))
    held = len(corpus.sounds.ids())
    return Comparison(
        Asked(tuple(chosen), k, agent, sample, same_maker, seed),
        pairs=asking.agreements(),
        measures=[asking.quality(name, len(known[name]) / held, targets) for name in chosen],
        known=every,
        targets=targets,
        alike=asking.alike(),
    )


def known_to_all(corpus: Corpus, names: Sequence[str]) -> Ids:
    """The sounds that several measures know, ascending.

    Raises
    ------
    UnknownMeasure
        There is none of that name.
    NoVectors
        There are no such sounds, or one of the measures knows none at all.
    """
    chosen = {name: measure(name) for name in names}
    return _known_to_all(corpus, chosen, {name: one.knows(corpus) for name, one in chosen.items()})


def _known_to_all(corpus: Corpus, measures: Mapping[str, Measure], known: Mapping[str, Ids]) -> Ids:
    every: Ids = reduce(np.intersect1d, known.values())
    if not len(every):
        held = corpus.sounds.ids()
        if not len(held):
            raise NoVectors(EMPTY)
        for name, one in measures.items():
            if not len(known[name]):
                one.around(corpus, int(held[0]))  # raises, and says how to get what it compares
        raise NoVectors(f"no sound is known to all of {', '.join(known)}; `mirla measures` says how many each knows")
    return every


class _Asking:
    """The same questions to several measures, and what they answered so far."""

    def __init__(
        self,
        corpus: Corpus,
        measures: Mapping[str, Measure],
        every: Ids,
        k: int,
        verdicts: Verdicts | None,
        same_maker: bool,
    ) -> None:
        self._every, self._k, self._verdicts, self._same_maker = every, k, verdicts, same_maker
        self._facts = Facts(corpus, every)
        self._measures = {name: Many(corpus, one, every) for name, one in measures.items()}
        self._occurrences = {name: np.zeros(len(every), np.int64) for name in measures}
        self._values: defaultdict[tuple[str, ...], list[Floats]] = defaultdict(list)

    def ask(self, targets: Ids) -> None:
        """Ask about a block of targets."""
        lists = {}
        for name, many in self._measures.items():
            # a few more are asked for, since those of the same maker are left out
            order = many.nearest(targets, self._k if self._same_maker else 2 * self._k)
            lists[name] = order[:, : self._k]
            there = lists[name][lists[name] >= 0]
            self._occurrences[name] += np.bincount(np.searchsorted(self._every, there), minlength=len(self._every))
            unrelated = lists[name] if self._same_maker else self._unrelated(many, targets, order)
            for what, share in (("tag", self._facts.share_tag), ("category", self._facts.share_category)):
                found, has = share(targets, unrelated)
                shares = figures.running_shares(found, unrelated >= 0)
                self._values[what, name].append(np.where(has[:, None], shares, np.nan))
            if self._verdicts is not None:
                self._values["rank", name].append(self._ranks(many, targets, order, self._verdicts.good))
        for a, b in combinations(lists, 2):
            for what, figure in _AGREEMENTS.items():
                self._values[what, a, b].append(figure(lists[a], lists[b]))

    def _unrelated(self, many: Many, targets: Ids, order: Ids) -> Ids:
        """The k nearest (m, k) that are neither by the maker nor from the pack of their target."""
        kept = self._facts.unrelated(targets, order)
        first = np.argsort(~kept, axis=1, kind="stable")[:, : self._k]
        lists = np.where(np.take_along_axis(kept, first, 1), np.take_along_axis(order, first, 1), -1)
        short = (lists[:, -1] < 0) & (order[:, -1] >= 0)  # there may be more than were asked for
        for some, apart in self._facts.groups(targets[short]):
            lists[np.searchsorted(targets, some)] = many.nearest(some, self._k, apart)
        return lists

    def _ranks(self, many: Many, targets: Ids, order: Ids, good: Ids) -> Floats:
        """The rank of each target's nearest good sound (m,); inf where no neighbour is good, NaN where none is near."""
        is_good = np.isin(order, good)
        ranks = np.where(is_good.any(axis=1), is_good.argmax(axis=1) + 1.0, np.nan)
        deeper = np.isnan(ranks) & (order[:, -1] >= 0)
        ranks[deeper] = many.ranks_of_nearest(targets[deeper], good)
        ranks[np.isnan(ranks) & (order[:, 0] >= 0)] = np.inf
        return ranks

    def agreements(self) -> list[Agreement]:
        """How far each two agree."""
        pairs = list(combinations(self._measures, 2))
        found = figures.estimates(
            {(what, *pair): np.concatenate(self._values[what, *pair]) for what in _AGREEMENTS for pair in pairs}
        )
        return [Agreement(*pair, *(found[what, *pair] for what in _AGREEMENTS)) for pair in pairs]

    def alike(self) -> Floats | None:
        """How far the first two agree about each target, by rank-biased overlap."""
        names = list(self._measures)[:2]
        return np.concatenate(self._values["rbo", *names]) if len(names) == 2 else None

    def quality(self, name: str, coverage: float, targets: Ids) -> Quality:
        """How well one serves."""
        counts = self._occurrences[name] if len(targets) == len(self._every) else np.empty(0, np.int64)
        curves = {what: np.concatenate(self._values[what, name]).T for what in ("tag", "category")}
        found = figures.estimates({(what, at): each for what, curve in curves.items() for at, each in enumerate(curve)})
        taste = None
        if self._verdicts is not None:
            taste = _taste(np.concatenate(self._values["rank", name]), targets, self._verdicts)
        return Quality(
            name=name,
            coverage=coverage,
            hubness=figures.hubness(counts),
            occurrences=tuple(np.bincount(counts).tolist()),
            tags=tuple(found["tag", at] for at in range(self._k)),
            categories=tuple(found["category", at] for at in range(self._k)),
            taste=taste,
        )


_AGREEMENTS = {"overlap": figures.overlap, "rbo": figures.rank_biased_overlap, "kendall": figures.kendall_tau}


def _taste(ranks: Floats, targets: Ids, verdicts: Verdicts) -> Taste:
    first = np.where(np.isnan(ranks), np.nan, ranks == 1)
    ranks = np.where(np.isinf(ranks), np.nan, ranks)
    judged_bad = np.isin(targets, verdicts.ids[~verdicts.is_good])
    found = figures.estimates(
        {"first": first, "with": np.where(np.isnan(ranks), np.nan, 1), "rank": ranks, "bad": first[judged_bad]}
    )
    return Taste(
        first_good=found["first"],
        first_good_with_agent=found["with"],
        rank_of_first_good=found["rank"],
        bad_to_good=found["bad"],
        ranks=tuple(np.sort(ranks[~np.isnan(ranks)]).astype(int).tolist()),
    )
