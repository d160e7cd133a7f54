"""What a comparison finds. Every estimate but hubness is over targets; a figure that could not be had is None."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.evaluate import Estimate


@dataclass(frozen=True)
class Asked:
    """What a comparison was asked for, as `engine.compare.run.compare` takes it."""

    measures: tuple[str, ...]
    k: int
    agent: str | None = None
    sample: int | None = None
    same_maker: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Taste:
    """What an agent finds in a measure's order.

    A neighbour that the agent did not judge is not good, and takes its place in the order. Targets without any
    neighbour are left out.

    Attributes
    ----------
    first_good : Estimate
        How often the first neighbour is good, whatever the agent says of the target; also if it did not judge it.
    first_good_with_agent : Estimate
        The same where only good sounds are allowed: 1 by definition; targets with no good neighbour are left out.
    rank_of_first_good : Estimate
        Rank of the first good neighbour, of the same targets.
    bad_to_good : Estimate
        How often a target that the agent judged bad has a good sound as its first neighbour.
    ranks : tuple of int
        The ranks themselves, ascending.
    """

    first_good: Estimate | None
    first_good_with_agent: Estimate | None
    rank_of_first_good: Estimate | None
    bad_to_good: Estimate | None
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Quality:
    """How well one measure serves: share of sounds it knows, hubness, and precision.

    Attributes
    ----------
    hubness : Estimate
        Over sounds, not targets; None also where not all sounds were asked about.
    occurrences : tuple of int
        How many sounds are among the k nearest of 0, 1, 2, ... others; empty where not all sounds were asked about.
    tags, categories : tuple of Estimate
        Precision at 1, 2, ... k.
    """

    name: str
    coverage: float
    hubness: Estimate | None
    occurrences: tuple[int, ...]
    tags: tuple[Estimate | None, ...]
    categories: tuple[Estimate | None, ...]
    taste: Taste | None

    @property
    def tag_precision(self) -> Estimate | None:
        """At k."""
        return self.tags[-1]

    @property
    def category_precision(self) -> Estimate | None:
        """At k."""
        return self.categories[-1]


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
    """What was found.

    Attributes
    ----------
    asked : Asked
    pairs : list of Agreement
    measures : list of Quality
    known : (n,) int64
        The sounds that all measures know, ascending.
    targets : (m,) int64
        Those that were asked about.
    alike : (m,) float64, optional
        How far the first two measures agree about each target, by rank-biased overlap; None for one measure.
    """

    asked: Asked
    pairs: list[Agreement]
    measures: list[Quality]
    known: npt.NDArray[np.int64] = field(compare=False, repr=False)
    targets: npt.NDArray[np.int64] = field(compare=False, repr=False)
    alike: npt.NDArray[np.float64] | None = field(compare=False, repr=False)

    @property
    def k(self) -> int:
        """How many neighbours count."""
        return self.asked.k

    @property
    def sounds(self) -> int:
        """How many sounds were asked about."""
        return len(self.targets)

    @property
    def sampled(self) -> bool:
        """Whether only some of the sounds that could be were asked about."""
        return len(self.targets) < len(self.known)

    def as_json(self) -> dict[str, Any]:
        """As `mirla compare --json` answers it."""
        return {
            "k": self.k,
            "sounds": self.sounds,
            "pairs": [
                {"a": one.a, "b": one.b, **_json(overlap=one.overlap, rbo=one.rbo, kendall=one.kendall)}
                for one in self.pairs
            ],
            "measures": [_of_measure(one) for one in self.measures],
        }


def _of_measure(one: Quality) -> dict[str, Any]:
    taste = one.taste
    return {
        "name": one.name,
        "coverage": round(one.coverage, 4),
        **_json(hubness=one.hubness, tag_precision=one.tag_precision, category_precision=one.category_precision),
        "agent": None
        if taste is None
        else _json(
            first_good=taste.first_good,
            first_good_with_agent=taste.first_good_with_agent,
            rank_of_first_good=taste.rank_of_first_good,
            bad_to_good=taste.bad_to_good,
        ),
    }


def _json(**estimates: Estimate | None) -> dict[str, Any]:
    return {name: None if one is None else one.as_json() for name, one in estimates.items()}
