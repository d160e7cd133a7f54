"""Which sounds the agents of a choice allow.

A sound is allowed when all of `agents` call it good, one at least of `any_agents` does, where there are any, and all of
`not_agents` call it bad. With `strict`, good means a probability of good of so much at least; bad is by the label
alone. A sound without a verdict, since it was not analysed, is neither good nor bad.

Where none is allowed, `best` allows the k least bad: those on which the least sure agent is surest. An agent is as sure
as its probability of what it is to say; of `any_agents` the surest counts; one that gives labels alone has 1 or 0. A
sound without a verdict is never among them. Ties go to the smaller id.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.agent.judging import Verdicts, judge
from engine.errors import QueryError
from engine.features import among
from engine.query.choice import Choice
from engine.query.order import Floats, Ids

Mask = npt.NDArray[np.bool_]
Asked = dict[str, Verdicts]


def verdicts_of(corpus: Corpus, choice: Choice) -> Asked:
    """The verdicts of every agent that has a say.

    Raises
    ------
    QueryError
        `strict` is no probability, no agent is to call anything good, or one of these gives labels alone.
    UnknownAgent, TrainingError, NoVectors
        As `engine.agent.judging.judge` does.
    """
    strict = choice.strict
    if strict is not None:
        if not 0 <= strict <= 1:
            raise QueryError(f"a probability of {strict:g} is not from 0 to 1; strict wants one")
        if not (choice.agents or choice.any_agents):
            raise QueryError("strict is about what agents call good; name one by --agent or --any-agent")
    asked = {name: judge(corpus, name) for name in choice.asked}
    for name in (*choice.agents, *choice.any_agents) if strict is not None else ():
        if asked[name].p is None:
            raise QueryError(f"agent {name!r} gives labels without probabilities; ask it without strict")
    return asked


def allowed(choice: Choice, asked: Asked, ids: Ids) -> tuple[Mask, dict[str, int]]:
    """Which of some sounds (n,) the agents allow, as a mask, and how many each agent refused."""
    good = {
        name: _among(ids, asked[name], _is_good(asked[name], choice.strict))
        for name in (*choice.agents, *choice.any_agents)
    }
    bad = {name: _among(ids, asked[name], ~asked[name].is_good) for name in choice.not_agents}
    mask = np.ones(len(ids), bool)
    for one in (*(good[name] for name in choice.agents), *bad.values()):
        mask &= one
    if choice.any_agents:
        mask &= np.logical_or.reduce([good[name] for name in choice.any_agents])
    every = np.ones(len(ids), bool)
    kept = {name: good.get(name, every) & bad.get(name, every) for name in choice.asked}
    return mask, {name: int((~one).sum()) for name, one in kept.items()}


def least_bad(choice: Choice, asked: Asked, ids: Ids) -> Mask:
    """The k of some sounds (n,) on which the least sure agent is surest, as a mask."""
    sure = [_sureness(asked[name], ids) for name in choice.agents]
    sure += [1 - _sureness(asked[name], ids) for name in choice.not_agents]
    if choice.any_agents:
        sure.append(np.fmax.reduce([_sureness(asked[name], ids) for name in choice.any_agents]))
    least = np.min(sure, axis=0)  # NaN where one of them has no verdict
    order = np.lexsort((ids, -least))
    mask = np.zeros(len(ids), bool)
    mask[order[~np.isnan(least[order])][: choice.k]] = True
    return mask


def unjudged(asked: Asked, ids: Ids) -> dict[str, int]:
    """On how many of some sounds (n,) each agent has no verdict."""
    return {name: int(len(ids) - within(ids, verdicts.ids).sum()) for name, verdicts in asked.items()}


def within(ids: Ids, some: Ids) -> Mask:
    """Mask (n,) of those of `ids` that are in `some`; by far the fastest where `ids` ascend."""
    return among(ids, some) if (ids[1:] > ids[:-1]).all() else np.isin(ids, some)


def _among(ids: Ids, verdicts: Verdicts, mask: Mask) -> Mask:
    """Mask (n,) of those of `ids` whose verdicts the mask has; often they are the very ones that have verdicts."""
    if np.array_equal(ids, verdicts.ids):
        return mask
    return within(ids, verdicts.good if mask is verdicts.is_good else verdicts.ids[mask])


def _is_good(verdicts: Verdicts, strict: float | None) -> Mask:
    if strict is None or verdicts.p is None:
        return verdicts.is_good
    return verdicts.is_good & (verdicts.p >= strict)


def _sureness(verdicts: Verdicts, ids: Ids) -> Floats:
    """The probability of good of each sound, NaN where there is no verdict."""
    p = verdicts.is_good.astype(np.float64) if verdicts.p is None else verdicts.p
    rows = np.searchsorted(verdicts.ids, ids)
    known = within(ids, verdicts.ids)
    sure = np.full(len(ids), np.nan)
    sure[known] = p[rows[known]]
    return sure
