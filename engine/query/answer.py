"""Answers: the sounds that a query found, and what is to be said of those that it did not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from corpus.model import Sound


@dataclass(frozen=True)
class Hit:
    """One sound of an answer.

    `distance` is the measure's own, None for an order without distances; `score` is what else the order goes by, less
    being better: of several sounds (see `engine.query.several`), of wanted traits (see `engine.query.near`).
    """

    rank: int
    sound: Sound
    distance: float | None = None
    score: float | None = None
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `interfaces` promises a hit."""
        return {
            "rank": self.rank,
            "id": self.sound.id,
            "name": self.sound.name,
            "username": self.sound.username,
            "licence": str(self.sound.licence),
            "duration": self.sound.duration,
            "tags": list(self.sound.tags),
            "audio": self.sound.file is not None,
            "distance": self.distance,
            "score": self.score,
            "agents": self.agents,
        }


@dataclass(frozen=True)
class Answer:
    """The sounds found.

    Attributes
    ----------
    hits : list of Hit
        At most k, in order.
    allowed : int
        How many sounds there were to choose from.
    fitted : int
        How many fitted what is asked but for agents, and for being fresh.
    refused : dict
        By agent, how many of the fitted it does not call what it is to call them.
    unjudged : dict
        By agent, how many of the fitted it has no verdict on; counted where no sound was allowed.
    stale : int
        How many sounds that fitted, and that the agents allow, were left out since they were returned lately.
    least_bad : bool
        Whether these are the least bad, since the agents allow none.
    lacking : str
        Where there is nothing to choose from: what the corpus, or all that fit, lack, and how to get it.
    """

    hits: list[Hit]
    allowed: int
    fitted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    unjudged: dict[str, int] = field(default_factory=dict)
    stale: int = 0
    least_bad: bool = False
    lacking: str = ""

    def why_none(self, option: str = "") -> str:
        """Say why there is no sound, and what to do; options are written with `option` in front, such as `--`."""
        if self.lacking:
            return f"no sound: {self.lacking}"
        if self.stale:
            return f"no sound: all {self.stale} that fit were returned lately; without {option}fresh they come again"
        if self.fitted and any(self.refused.values()):
            return f"no sound: {self.refusals}; {option}best takes the least bad"
        return "no sound fits; `mirla status` shows what there is"

    @property
    def refusals(self) -> str:
        """How many fitted, and how many of them each agent refused."""
        each = []
        for agent, refused in self.refused.items():
            unjudged = self.unjudged.get(agent)
            each.append(f"agent {agent} refuses {refused}" + f" ({unjudged} not analysed)" * bool(unjudged))
        return f"of {self.fitted} that fit the rest, {', '.join(each)}"
