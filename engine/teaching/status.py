"""Where a lesson stands, as values that any thread may keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corpus.model import Label, Sound
from engine.agent.evaluate import Estimate


@dataclass(frozen=True)
class Verdict:
    """What the agent says of a sound that it did not learn from: the probability of good, and its label."""

    p: float

    @property
    def label(self) -> Label:
        """`good` from a half up."""
        return "good" if self.p > 0.5 else "bad"


@dataclass(frozen=True)
class Given:
    """An answer: what was said of a sound, None if it was skipped, and the agent's verdict just before that."""

    sound: Sound
    said: Label | None
    verdict: Verdict | None


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
    accuracy : Estimate or None
        Of the newest labels whose accuracy was measured; None as long as a class has fewer than two.
    baseline : float or None
        What always saying the commoner label would get.
    measured : int
        Over how many labels.
    last : Given or None
        The newest answer of this session.
    fits : int
        Refits so far.
    problem : str
        Why there are no refits, if something is in their way.
    """

    agent: str
    session: str
    source: str = ""
    sound: Sound | None = None
    good: int = 0
    bad: int = 0
    test: int = 0
    accuracy: Estimate | None = None
    baseline: float | None = None
    measured: int = 0
    last: Given | None = None
    fits: int = 0
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON; a sound by its id."""
        last = self.last
        return vars(self) | {
            "sound": self.sound and self.sound.id,
            "accuracy": self.accuracy and self.accuracy.as_json(),
            "last": last
            and {
                "id": last.sound.id,
                "said": last.said,
                "verdict": last.verdict and {"label": last.verdict.label, "p": round(last.verdict.p, 4)},
            },
        }
