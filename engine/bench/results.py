"""What a bench found, and its JSON.

    {"classifiers", "spaces", "seed", "repeats", "most",
     "sets": [{"name", "kind", "good", "bad", "left_out", "drawn_from", "uploaders", "baseline", "protocol",
               "labels_hash",
               "cells": [{"classifier", "space", "accuracy", "balanced", "auc", "confusion", "fit_seconds",
                          "judging": {"sounds", "good", "judged", "seconds", "seconds_per_million"},
                          "curve": [{"labels", "accuracy", "balanced"}]}],
               "differences": [{"first": {"classifier", "space"}, "second": {...},
                                "difference", "t", "df", "p", "p_holm"}]}],
     "provenance": {"date", "command", "sounds", "fingerprints", "versions", "python", "platform", "processes"}}

Each estimate (`accuracy`, `balanced`, `auc`, `difference`) is `{"value", "interval", "n"}`, n sounds. Cells stand in
the order asked for: spaces, and in each its classifiers. `drawn_from` is how many good and bad sounds there were to
draw from; null of an agent. `fit_seconds` is for all labels. `sounds` are those of the corpus that are known to the
space; a corpus of few is `judged` several times over for the time's sake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.agent.curve import Point
from engine.agent.evaluate import Evaluation, Folds
from engine.bench.evidence import Difference
from engine.bench.sets import MOST, LabelledSet

REPEATS = 20


@dataclass(frozen=True)
class Asked:
    """What is to be compared on what.

    Attributes
    ----------
    names : tuple of str
        Labelled sets (see `engine.bench.sets`).
    classifiers : tuple of str
        All that are known, where there are none.
    spaces : tuple of str
        `A`, or `A+B` for several side by side; `mfcc` where there are none.
    seed : int
        Draws sounds, deals folds, starts what learns.
    repeats : int
        Of the cross-validation.
    most : int
        Sounds of each class drawn of a tag or a category.
    curves : bool
        Whether to make learning curves, which takes most of the time.
    """

    names: tuple[str, ...]
    classifiers: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()
    seed: int = 0
    repeats: int = REPEATS
    most: int = MOST
    curves: bool = True


@dataclass(frozen=True)
class Judging:
    """How long it took to learn from all labels and to judge the whole corpus.

    Attributes
    ----------
    fit_seconds : float
    sounds, good : int
        Sounds in the corpus, and how many of them it calls good.
    judged, seconds : int, float
        How many were judged in that time: a small corpus several times over.
    """

    fit_seconds: float
    sounds: int
    good: int
    judged: int
    seconds: float

    @property
    def per_million(self) -> float:
        """Seconds to judge as many as a million sounds."""
        return self.seconds * 1e6 / self.judged


@dataclass(frozen=True)
class Cell:
    """What was found of one classifier on one space."""

    classifier: str
    space: str
    evaluation: Evaluation
    curve: list[Point]
    judging: Judging

    @property
    def name(self) -> dict[str, str]:
        """Its classifier and its space."""
        return {"classifier": self.classifier, "space": self.space}

    def as_json(self) -> dict[str, Any]:
        """Its part of the JSON."""
        found = self.evaluation.as_json()
        return {
            **self.name,
            **{name: found[name] for name in ("accuracy", "balanced", "auc", "confusion")},
            "fit_seconds": round(self.judging.fit_seconds, 6),
            "judging": {
                "sounds": self.judging.sounds,
                "good": self.judging.good,
                "judged": self.judging.judged,
                "seconds": round(self.judging.seconds, 6),
                "seconds_per_million": round(self.judging.per_million, 4),
            },
            "curve": [point.as_json() for point in self.curve],
        }


@dataclass(frozen=True)
class SetResult:
    """What was found on one labelled set."""

    given: LabelledSet
    folds: Folds
    cells: list[Cell]
    differences: list[Difference]

    @property
    def baseline(self) -> float:
        """Accuracy of always saying the commoner label."""
        return max(self.given.good, self.given.bad) / len(self.given.y)

    @property
    def order(self) -> list[int]:
        """Numbers of the cells, the most accurate first."""
        return sorted(range(len(self.cells)), key=lambda one: -self.cells[one].evaluation.accuracy.value)

    def between(self, first: int, second: int) -> Difference:
        """The difference of two cells, in whichever order it was taken."""
        return next(one for one in self.differences if {one.first, one.second} == {first, second})

    def as_json(self) -> dict[str, Any]:
        """Its part of the JSON."""
        given = self.given
        return {
            "name": given.name,
            "kind": given.kind,
            "good": given.good,
            "bad": given.bad,
            "left_out": given.left_out,
            "drawn_from": None if given.drawn_from is None else list(given.drawn_from),
            "uploaders": len(set(given.groups)),
            "baseline": round(self.baseline, 4),
            "protocol": self.folds.protocol,
            "labels_hash": given.hash,
            "cells": [cell.as_json() for cell in self.cells],
            "differences": [
                {"first": self.cells[one.first].name, "second": self.cells[one.second].name, **one.as_json()}
                for one in self.differences
            ],
        }


@dataclass(frozen=True)
class Bench:
    """All that was found; `resumed` is how many cells were taken over from an earlier run."""

    asked: Asked
    sets: list[SetResult]
    provenance: dict[str, Any]
    resumed: int = 0

    def as_json(self) -> dict[str, Any]:
        """As `mirla bench --json` answers it (see above)."""
        return {
            "classifiers": list(self.asked.classifiers),
            "spaces": list(self.asked.spaces),
            "seed": self.asked.seed,
            "repeats": self.asked.repeats,
            "most": self.asked.most,
            "sets": [one.as_json() for one in self.sets],
            "provenance": self.provenance,
        }
