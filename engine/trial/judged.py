"""A trial without a listener: a rule says what is good, each target is asked in both arms, shuffled labels control.

The rule is a filter (see `corpus.filters`): what fits is good. The control is the mean of several agents of the same
classifier that learnt from the same examples with their labels shuffled, asked of the same targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.filters import parse
from corpus.library import Corpus
from engine.agent.estimates import Estimate
from engine.errors import ModelError, QueryError
from engine.similarity import DEFAULT
from engine.trial.arms import Arms
from engine.trial.control import good_by_shuffled_labels
from engine.trial.figures import Floats, mcnemar, over_agents, paired_difference, share

SHUFFLES = 10
"""Agents with shuffled labels."""

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """What a trial by rule brought, target by target: 1 for what fits the rule, 0 for what does not.

    Attributes
    ----------
    agent, version, measure, rule
        What was tried.
    targets : (n,) int64
    groups : list of str
        Whose each target is.
    fits : (n,) float64
        Of the targets themselves.
    with_agent, without : (n,) float64
        Of their first neighbours.
    control : (n, shuffles) float64 or None
        Of those with agents of shuffled labels, NaN where such an agent calls nothing good; None for an agent
        without its examples here.
    control_missing : str or None
        Why there is no control.
    """

    agent: str
    version: int
    measure: str
    rule: str
    targets: Ids
    groups: list[str]
    fits: Floats
    with_agent: Floats
    without: Floats
    control: Floats | None
    control_missing: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As `mirla trial --judge --json` answers it.

        The intervals take the targets of one maker for one case; `p`, by McNemar's test, takes each target for a case
        of its own, so with many targets by one maker it is too small.
        """
        bad = self.fits == 0
        p, p_bad = (mcnemar(self.with_agent[some], self.without[some]) for some in (slice(None), bad))
        return {
            "trial": None,
            "agent": self.agent,
            "version": self.version,
            "measure": self.measure,
            "rule": self.rule,
            "pairs": len(self.targets),
            "with": self._arm(self.with_agent),
            "without": self._arm(self.without),
            "control": self._controlled(),
            "control_missing": self.control_missing,
            "difference": _json(paired_difference(self.with_agent, self.without, self.groups)),
            "p": p,
            "bad": {"difference": _json(self._difference_where(bad)), "p": p_bad},
        }

    def _arm(self, good: Floats) -> dict[str, Any]:
        bad = self.fits == 0
        return {"good": _json(share(good, self.groups)), "bad_to_good": _json(share(good[bad], self._groups_of(bad)))}

    def _controlled(self) -> dict[str, Any] | None:
        if self.control is None:
            return None
        bad = self.fits == 0
        return {
            "shuffles": self.control.shape[1],
            "good": _json(over_agents(self.control, self.groups)),
            "bad_to_good": _json(over_agents(self.control[bad], self._groups_of(bad))),
            "difference": _json(over_agents(self.with_agent[:, None] - self.control, self.groups)),
        }

    def _difference_where(self, some: Mask) -> Estimate | None:
        return paired_difference(self.with_agent[some], self.without[some], self._groups_of(some))

    def _groups_of(self, some: Mask) -> list[str]:
        return [group for group, one in zip(self.groups, some.tolist(), strict=True) if one]


def judged(
    corpus: Corpus,
    name: str,
    rule: str,
    pairs: int,
    *,
    seed: int = 0,
    measure: str = DEFAULT,
    shuffles: int = SHUFFLES,
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Try an agent by a rule.

    Parameters
    ----------
    rule : str
        A filter that good sounds fit.
    pairs : int
        How many targets, drawn without replacement; all where there are no more.
    seed : int
        Draws them, and shuffles labels.
    shuffles : int
        How many agents to teach shuffled labels.

    Raises
    ------
    FilterError
        The rule cannot be read.
    QueryError
        It fits all that is in play, or none; or as for `Arms`.
    UnknownAgent, TrainingError, NoVectors, UnknownMeasure
        As for `Arms`.
    """
    fitting = corpus.sounds.ids(fitting=parse(rule))
    agent = corpus.agents.get(name)
    arms = Arms(corpus, agent, measure)
    fit = len(np.intersect1d(arms.pool, fitting))
    if not 0 < fit < len(arms.pool):
        raise QueryError(
            f"the rule {rule!r} fits {fit} of the {len(arms.pool)} sounds in play, so it tells nothing apart; "
            "`mirla search --filter RULE` shows what a rule fits"
        )
    shuffled, missing = [], None
    try:
        shuffled = [np.intersect1d(arms.pool, good) for good in good_by_shuffled_labels(corpus, agent, seed, shuffles)]
    except ModelError as error:
        missing = str(error)
    asked: list[tuple[int, list[int | None]]] = []
    total = min(pairs, len(arms.targets))
    for one in islice(arms.drawn(seed, shuffled), pairs):
        asked.append(one)
        if progress:
            progress(len(asked), total)
    targets = np.array([target for target, _ in asked], np.int64)
    found = np.array([[-1 if first is None else first for first in firsts] for _, firsts in asked], np.int64)
    found = found.reshape(len(asked), 2 + len(shuffled))
    good = np.where(found < 0, np.nan, np.isin(found, fitting))
    return Judged(
        agent=name,
        version=arms.version,
        measure=measure,
        rule=rule,
        targets=targets,
        groups=[sound.uploader_group for sound in corpus.sounds.many(targets.tolist())],
        fits=np.isin(targets, fitting).astype(float),
        with_agent=good[:, 0],
        without=good[:, 1],
        control=good[:, 2:] if shuffled else None,
        control_missing=missing,
    )


def _json(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else one.as_json()
