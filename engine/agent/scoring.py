"""Scores of an agent by one of three protocols, and of another classifier on its labels, without changing the agent."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from corpus.library import Corpus
from corpus.model import Agent, Model
from engine.agent.evaluate import Evaluation, Progress, cross_validate, scored, split_as_the_paper
from engine.agent.examples import Examples, examples
from engine.agent.fitting import fit
from engine.agent.judging import judge
from engine.agent.training import lesson, unscored
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
    use, or with `classifier` one that learns from the present labels, judge the sounds labelled for testing, but for
    those that it learnt from (`learnt_from`): they were given for testing later.

    Raises
    ------
    TrainingError
        There is nothing to learn from or to test on, or no such classifier.
    """
    agent = corpus.agents.get(name)
    model = corpus.agents.model(agent)
    learner = classifier or agent.classifier
    learnt_from: list[int] = []
    if protocol == "test":
        given = examples(corpus, agent, test=True)
        if model and not classifier:
            given, learnt_from = _unseen(corpus, agent, model, given)
        evaluation: Evaluation | None = _tested(corpus, agent, given, classifier, seed, len(learnt_from))
    else:
        given = lesson(corpus, agent, classifier)
        if protocol == "cv":
            evaluation = cross_validate(given.X, given.y, given.groups, seed, progress, learner)
        else:
            evaluation = split_as_the_paper(given.X, given.y, given.groups, seed, learner)
    return {
        "agent": name,
        "version": model.version if model else None,
        "classifier": learner,
        "good": given.good,
        "bad": given.bad,
        **(evaluation.as_json() if evaluation else unscored()),
        "left_out": given.left_out,
        "lacks": given.lacks,
        "learnt_from": learnt_from,
    }


def _unseen(corpus: Corpus, agent: Agent, model: Model, given: Examples) -> tuple[Examples, list[int]]:
    """Those that a model did not learn from, and the ids of the others."""
    learnt = [int(sound_id) for sound_id in model.verdicts]
    if not learnt and model.until is not None:
        learnt = [one.sound_id for one in corpus.agents.annotations(agent, until=model.until) if not one.test]
    seen = np.isin(given.ids, learnt)
    groups = [group for group, one in zip(given.groups, seen.tolist(), strict=True) if not one]
    unseen = replace(given, ids=given.ids[~seen], X=given.X[~seen], y=given.y[~seen], groups=groups)
    return unseen, given.ids[seen].tolist()


def _tested(
    corpus: Corpus, agent: Agent, given: Examples, classifier: str | None, seed: int, learnt_from: int
) -> Evaluation:
    without = f", without {learnt_from} that it learnt from" if learnt_from else ""
    if not given.good or not given.bad:
        raise TrainingError(
            f"agent {agent.name!r} has {given.good} good and {given.bad} bad sounds for testing{without}, and needs "
            f"both; "
            f"`mirla agent label {shlex.quote(agent.name)} --{'bad' if given.good else 'good'} --test ID…`"
        )
    if classifier:
        known = lesson(corpus, agent, classifier)
        z, who = fit(classifier, known.X, known.y, seed, known.groups).scores(given.X), classifier
    else:
        verdicts = judge(corpus, agent.name)
        rows = np.searchsorted(verdicts.ids, given.ids)
        sure = verdicts.is_good.astype(np.float64) if verdicts.p is None else verdicts.p
        z, who = np.asarray(sure[rows] - 0.5, np.float64), f"version {verdicts.version}"
    on = f"{len(given.y)} sounds labelled for testing{without}"
    protocol = f"{who} on {on}, ungrouped; interval: bootstrap over sounds, Wilson's at least"
    return scored(z[None], given.y, np.arange(len(given.y)), protocol, seed)
