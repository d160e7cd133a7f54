"""Scores of an agent by one of three protocols, and of another classifier on its labels, without changing the agent."""

from __future__ import annotations

import shlex
from typing import Any, Literal

import numpy as np

from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.evaluate import Evaluation, Progress, cross_validate, scored, split_as_the_paper
from engine.agent.examples import Examples, examples
from engine.agent.fitting import fit
from engine.agent.judging import judge
from engine.agent.training import check, learns, unscored
from engine.errors import TrainingError

Protocol = Literal["cv", "paper", "test"]
PROTOCOLS: tuple[Protocol, ...] = ("cv", "paper", "test")


def score(
    corpus: Corpus,
    name: str,
    protocol: Protocol = "cv",
    classifier: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score an agent, as `mirla agent score --json` answers it.

    `cv` (see `engine.agent.evaluate`) and `paper`, one split, learn from its present labels; `test` has the version in
    use, or with `classifier` one that learns from the present labels, judge the sounds labelled for testing.

    Raises
    ------
    TrainingError
        There is nothing to learn from or to test on, or no such classifier.
    """
    agent = corpus.agents.get(name)
    learner = classifier or agent.classifier
    if protocol == "test":
        given = examples(corpus, agent, test=True)
        evaluation: Evaluation | None = _tested(corpus, agent, given, classifier, seed)
    else:
        learns(agent, classifier)
        given = examples(corpus, agent)
        check(agent, given)
        if protocol == "cv":
            evaluation = cross_validate(given.X, given.y, given.groups, seed, progress, learner)
        else:
            evaluation = split_as_the_paper(given.X, given.y, given.groups, seed, learner)
    model = corpus.agents.model(agent)
    return {
        "agent": name,
        "version": model.version if model else None,
        "classifier": learner,
        "good": given.good,
        "bad": given.bad,
        **(evaluation.as_json() if evaluation else unscored()),
        "left_out": given.left_out,
    }


def _tested(corpus: Corpus, agent: Agent, given: Examples, classifier: str | None, seed: int) -> Evaluation:
    if not given.good or not given.bad:
        raise TrainingError(
            f"agent {agent.name!r} has {given.good} good and {given.bad} bad sounds for testing and needs both; "
            f"`mirla agent label {shlex.quote(agent.name)} --{'bad' if given.good else 'good'} --test ID…`"
        )
    if classifier:
        learns(agent, classifier)
        known = examples(corpus, agent)
        check(agent, known)
        z, who = fit(classifier, known.X, known.y, seed, known.groups).scores(given.X), classifier
    else:
        verdicts = judge(corpus, agent.name)
        rows = np.searchsorted(verdicts.ids, given.ids)
        sure = verdicts.is_good.astype(np.float64) if verdicts.p is None else verdicts.p
        z, who = np.asarray(sure[rows] - 0.5, np.float64), f"version {verdicts.version}"
    on = f"{len(given.y)} sounds labelled for testing"
    protocol = f"{who} on {on}; interval: bootstrap over sounds, Wilson's at least"
    return scored(z[None], given.y, np.arange(len(given.y)), protocol, seed)
