"""Where a lesson stands, as values that any thread may keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from corpus.model import Label, Sound
from engine.agent.estimates import Estimate


@dataclass(frozen=True)
class Verdict:
    """What the agent says of a sound that it did not learn from: the probability of good, and its label."""

    p: float

    @property
    def label(self) -> Label:
        """`good` above a half."""
        return "good" if self.p > 0.5 else "bad"

    def as_json(self) -> dict[str, Any]:
        """`{"label", "p"}`, as everywhere."""
        return {"label": self.label, "p": round(self.p, 4)}


@dataclass(frozen=True)
class Given:
    """An answer: what was said of a sound, None if it was skipped, and the agent's verdict just before that.

    `fact` is the number of the annotation that keeps it, None if it was skipped.
    """

    sound: Sound
    said: Label | None
    verdict: Verdict | None
    fact: int | None = None


@dataclass(frozen=True)
class Learnt:
    """How far the agent is by its newest refit.

    Attributes
    ----------
    fits : int
        Refits so far.
    accuracy : Estimate or None
        Of the newest labels whose accuracy was measured; None as long as a class has fewer than two.
    baseline : float or None
        What always saying the commoner label would get.
    labels : int
        Over how many labels that was measured.
    problem : str
        Why there are no refits, if something is in their way.
    """

    fits: int = 0
    accuracy: Estimate | None = None
    baseline: float | None = None
    labels: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Status:
    """Where a lesson stands.

    Attributes
    ----------
    agent, session : str
    source : str
        Where sounds come from: `random`, `tag:T`, `search:T`, `like:ID` or `useful`; empty before one is chosen.
    sound : Sound or None
        What is being asked; None before a source is chosen and when it has no more.
    good, bad, test : int
        Labels of the agent so far.
    last : Given or None
        The newest answer of this session.
    learnt : Learnt
        How far the agent is.
    """

    agent: str
    session: str
    source: str = ""
    sound: Sound | None = None
    good: int = 0
    bad: int = 0
    test: int = 0
    last: Given | None = None
    learnt: Learnt = field(default_factory=Learnt)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON; a sound by its id."""
        last, accuracy = self.last, self.learnt.accuracy
        verdict = last.verdict if last else None
        return vars(self) | {
            "sound": self.sound.id if self.sound else None,
            "last": last and {"id": last.sound.id, "said": last.said, "verdict": verdict and verdict.as_json()},
            "learnt": vars(self.learnt) | {"accuracy": accuracy and accuracy.as_json()},
        }
