"""What the agent of a lesson knows by its newest refit, and how that becomes a version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.estimates import Estimate
from engine.agent.examples import examples
from engine.agent.refitting import Refitter
from engine.agent.training import train
from engine.errors import EngineError
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
    p : mapping of int to float, or None
        Probability of good by the newest refit, of the sounds that it was asked about; None without one.
    learnt : Learnt
        How far it is.
    """

    def __init__(self, corpus: Corpus, agent: Agent, heard: Callable[[dict[str, Any]], None]) -> None:
        self._corpus, self._agent, self._heard = corpus, agent, heard
        self._refitter: Refitter | None = None
        self._from: frozenset[int] = frozenset()
        self.p: Mapping[int, float] | None = None
        self.learnt = Learnt()

    def refit(self, ids: Iterable[int]) -> None:
        """Have it learn from what labels there are by now, and judge some sounds. Returns at once."""
        if self._refitter is None:
            self._refitter = Refitter(self._corpus.home, self._agent.name, SEED, self._heard)
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

    @property
    def behind(self) -> bool:
        """Whether there are labels that its model did not learn from."""
        given = examples(self._corpus, self._agent)
        model = self._corpus.agents.model(self._agent)
        return bool(len(given.y)) and (model is None or model.labels_hash != given.hash)

    def keep(self, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
        """Keep what it learnt as its next version, where it is behind and has both classes.

        Returns
        -------
        dict
            `version` and `scores` of the model in use, None without one; `problem`: why it cannot learn, else None.
        """
        problem = None
        try:
            given = examples(self._corpus, self._agent)
            if given.good and given.bad and self.behind:
                train(self._corpus, self._agent.name, seed=SEED, progress=progress)
        except EngineError as error:
            problem = str(error)
        model = self._corpus.agents.model(self._corpus.agents.get(self._agent.name))
        return {"version": model and model.version, "scores": model and model.scores, "problem": problem}


def _estimate(value: float, interval: Sequence[float], n: int) -> Estimate:
    low, high = interval
    return Estimate(value, (low, high), n)
