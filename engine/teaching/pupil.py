"""What the agent of a lesson knows by its newest refit, and how that becomes a version."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corpus.analysis import spaces
from corpus.errors import CorpusError, StoreError, UnknownAgent
from corpus.library import Corpus
from corpus.model import Agent, Model
from corpus.store.naming import check_name
from engine.agent.estimates import Estimate
from engine.agent.examples import examples
from engine.agent.refitting import Refitter
from engine.agent.training import learns, train
from engine.errors import EngineError, NoVectors
from engine.features import FeatureMatrix, side_by_side
from engine.teaching.status import Learnt, Verdict

SEED = 0
"""Of all fits of a lesson, as of `mirla agent train`."""


class Pupil:
    """The agent while it is taught; not for several threads at once.

    Parameters
    ----------
    corpus : Corpus
    agent : Agent
    heard : callable
        Called in another thread with what there is to `take`.

    Attributes
    ----------
    agent : Agent
        As it is by now.
    p : mapping of int to float, or None
        Probability of good by the newest refit, of the sounds that it was asked about; None without one.
    learnt : Learnt
        How far it is.
    """

    def __init__(self, corpus: Corpus, agent: Agent, heard: Callable[[dict[str, Any]], None]) -> None:
        self._corpus, self.agent, self._heard = corpus, agent, heard
        self._refitter: Refitter | None = None
        self._from: frozenset[int] = frozenset()
        self.p: Mapping[int, float] | None = None
        self.learnt = Learnt()

    def refit(self, ids: Iterable[int]) -> None:
        """Have it learn from what labels there are by now, and judge some sounds. Returns at once."""
        if self._refitter is None:
            self._refitter = Refitter(self._corpus.home, self.agent.id, SEED, self._heard)
        self._refitter.ask(ids)

    def take(self, answer: dict[str, Any]) -> bool:
        """Take in an answer of the refitting process; whether it has new probabilities."""
        learnt = self.learnt
        if "problem" in answer:
            self.learnt = Learnt(learnt.fits, learnt.accuracy, learnt.baseline, learnt.labels, answer["problem"])
            return False
        if "accuracy" in answer:
            accuracy = _estimate(**answer["accuracy"])
            self.learnt = Learnt(learnt.fits, accuracy, answer["baseline"], answer["labels"])
            return False
        judged = dict(zip(answer["ids"], answer["p"], strict=True))
        same = answer["fit"] == learnt.fits and self.p is not None
        self.p = {**self.p, **judged} if same and self.p else judged
        self._from = frozenset(answer["learnt"])
        self.learnt = Learnt(answer["fit"], learnt.accuracy, learnt.baseline, learnt.labels)
        return True

    def forget(self) -> None:
        """Know nothing: there is one class, or none, any more."""
        self.p, self._from, self.learnt = None, frozenset(), Learnt(self.learnt.fits)

    def verdict(self, sound_id: int) -> Verdict | None:
        """What it says of a sound; None where it was not asked, or learnt from that sound."""
        p = None if sound_id in self._from or self.p is None else self.p.get(sound_id)
        return None if p is None else Verdict(p)

    def close(self) -> None:
        """End the refits. A second time does nothing."""
        if self._refitter:
            self._refitter.close()

    def there(self) -> Agent:
        """The agent, to be told something: made if it is new, else as it is by now.

        Raises
        ------
        UnknownAgent
            It was deleted.
        """
        agents = self._corpus.agents
        self.agent = agents.by_id(self.agent.id) if self.agent.id else _made(self._corpus, self.agent)
        return self.agent

    def seen(self) -> Agent:
        """The agent as it is by now, as far as there is one."""
        agents = self._corpus.agents
        with contextlib.suppress(UnknownAgent):
            self.agent = agents.by_id(self.agent.id) if self.agent.id else agents.get(self.agent.name)
        return self.agent

    @property
    def behind(self) -> bool:
        """Whether it has labels of both classes from which no version learnt."""
        try:
            return self._lags()
        except NoVectors:  # it cannot learn from any
            return False

    def keep(self, answered: bool, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
        """Keep what it learnt as its next version, where it is `behind`.

        Parameters
        ----------
        answered : bool
            Whether this lesson gave labels: then it learns also from labels that a version not in use learnt from.
        progress : callable, optional

        Returns
        -------
        dict
            `version` and `scores` of the model in use, None without one; `problem`: why it cannot learn, else None.
        """
        model = problem = None
        try:
            if self.agent.id:
                self.there()
            try:
                model = self._corpus.agents.model(self.agent)
            except StoreError as error:  # damaged: the next one would take its place
                problem = str(error)
            if self._lags(model, answered):
                model, _ = train(self._corpus, self.agent, seed=SEED, progress=progress)
                problem = None
        except (CorpusError, EngineError) as error:
            problem = str(error)
        return {"version": model and model.version, "scores": model and model.scores, "problem": problem}

    def _lags(self, model: Model | None = None, answered: bool = False) -> bool:
        given = examples(self._corpus, self.agent)
        if not (given.good and given.bad):
            return False
        if answered and (model is None or model.labels_hash != given.hash):
            return True
        return given.hash not in {one.labels_hash for one in self._corpus.agents.versions(self.agent)}


def begin(corpus: Corpus, name: str) -> tuple[Agent, FeatureMatrix]:
    """An agent and what it looks at. One that is new has the number 0: it is made when it is told something.

    Raises
    ------
    UnknownAgent
        There is none, nor can one be called so.
    NoVectors
        There is nothing in a space that it looks at.
    TrainingError
        It is one that does not learn.
    """
    try:
        agent = corpus.agents.get(name)
    except UnknownAgent:
        check_name(name)
        agent = Agent(0, name, "", (spaces.default(),), "mlp")
    learns(agent)
    return agent, side_by_side(corpus, agent.spaces)


def _made(corpus: Corpus, agent: Agent) -> Agent:
    try:
        return corpus.agents.create(agent.name, agent.about, agent.spaces, agent.classifier)
    except UnknownAgent:
        return corpus.agents.get(agent.name)  # another lesson made it meanwhile


def _estimate(value: float, interval: Sequence[float], n: int) -> Estimate:
    low, high = interval
    return Estimate(value, (low, high), n)
