"""The listening test of the paper: blind pairs of a target and its first neighbour, half with the agent, half without.

Targets are drawn without replacement and the arms dealt at random before the first answer. Target and result are
labelled one after the other.

Reference: A. Xambó, G. Roma, "A Virtual Agent for Live Coding with Crowdsourced Sounds", NIME 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from corpus.library import Corpus
from corpus.model import Label
from corpus.store.trials import Part, Trial
from engine.agent.estimates import Estimate, wilson
from engine.errors import QueryError
from engine.similarity import DEFAULT
from engine.trial.arms import Arms
from engine.trial.figures import fisher, unpaired_difference

Answers = dict[tuple[int, Part], Label]
Pairs = dict[int, dict[str, Any]]

_PARTS: tuple[Part, ...] = ("target", "result")
_ARMS = ("with", "without")


@dataclass(frozen=True)
class Question:
    """One sound to be labelled: which pair, from 1, and which part of it. Nothing here tells the arm."""

    number: int
    part: Part
    sound_id: int


def start(corpus: Corpus, name: str, pairs: int, *, seed: int = 0, measure: str = DEFAULT) -> Trial:
    """Draw a trial and keep its plan; fewer pairs where there are fewer sounds.

    Raises
    ------
    QueryError
        Fewer than two pairs can be made, so that an arm would be empty; or as for `Arms`.
    UnknownAgent, TrainingError, NoVectors, UnknownMeasure
        As for `Arms`.
    """
    agent = corpus.agents.get(name)
    arms = Arms(corpus, agent, measure, with_audio=True)
    drawn = list(islice(arms.drawn(seed), pairs))
    if len(drawn) < 2:
        raise QueryError(f"{len(drawn)} pairs can be made and a trial needs 2 at least; ask for more, or adopt more")
    dealt = np.random.default_rng([seed, 1]).permutation(np.arange(len(drawn)) % 2)
    planned = [
        {"target": target, "result": firsts[arm], "arm": _ARMS[arm]}
        for (target, firsts), arm in zip(drawn, dealt.tolist(), strict=True)
    ]
    plan = {"version": arms.version, "measure": measure, "seed": seed, "pairs": planned}
    return corpus.trials.start(agent, plan)


def questions(corpus: Corpus, trial: Trial) -> list[Question]:
    """All that is asked, in order."""
    return [Question(number, part, pair[part]) for number, pair in _pairs(corpus, trial).items() for part in _PARTS]


def as_json(corpus: Corpus, trial: Trial, name: str) -> dict[str, Any]:
    """What came of a trial, as `mirla trial --json` answers it; without figures until every question is answered."""
    pairs, answers = _pairs(corpus, trial), corpus.trials.answers(trial)
    answers = {asked: label for asked, label in answers.items() if asked[0] in pairs}
    facts = {
        "trial": trial.id,
        "agent": name,
        "version": trial.plan["version"],
        "measure": trial.plan["measure"],
        "pairs": len(pairs),
        "answered": len(answers),
        "over": len(answers) == 2 * len(pairs),
    }
    return facts | (_figures(pairs, answers) if facts["over"] else {})


def _pairs(corpus: Corpus, trial: Trial) -> Pairs:
    """The pairs by number, without those of which a sound was forgotten before it was answered."""
    held, answers = set(corpus.sounds.ids().tolist()), corpus.trials.answers(trial)
    return {
        number: pair
        for number, pair in enumerate(trial.plan["pairs"], 1)
        if all(pair[part] in held or (number, part) in answers for part in _PARTS)
    }


def _figures(pairs: Pairs, answers: Answers) -> dict[str, Any]:
    arms = {arm: _Counts.of(_labels(pairs, arm, answers)) for arm in _ARMS}
    a, b = arms["with"], arms["without"]
    after_all = a.good_results, a.pairs, b.good_results, b.pairs
    after_bad = a.bad_to_good, a.bad_targets, b.bad_to_good, b.bad_targets
    return {
        "with": a.as_json(),
        "without": b.as_json(),
        "control": None,
        "difference": _json(unpaired_difference(*after_all)),
        "p": fisher(*after_all),
        "bad": {"difference": _json(unpaired_difference(*after_bad)), "p": fisher(*after_bad)},
    }


def _labels(pairs: Pairs, arm: str, answers: Answers) -> Iterator[tuple[Label, Label]]:
    """Of each pair of an arm, the labels of target and result."""
    for number, pair in pairs.items():
        if pair["arm"] == arm:
            yield answers[number, "target"], answers[number, "result"]


@dataclass(frozen=True)
class _Counts:
    """Of one arm."""

    pairs: int
    good_results: int
    bad_targets: int
    bad_to_good: int

    @classmethod
    def of(cls, labels: Iterator[tuple[Label, Label]]) -> _Counts:
        both = list(labels)
        after_bad = [result for target, result in both if target == "bad"]
        return cls(len(both), sum(r == "good" for _, r in both), len(after_bad), after_bad.count("good"))

    def as_json(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "good_targets": self.pairs - self.bad_targets,
            "good_results": self.good_results,
            "good": _json(_share(self.good_results, self.pairs)),
            "bad_to_good": _json(_share(self.bad_to_good, self.bad_targets)),
        }


def _share(good: int, of: int) -> Estimate | None:
    return Estimate(good / of, wilson(good / of, of), of) if of else None


def _json(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else one.as_json()
