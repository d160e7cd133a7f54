"""Listening trials: what is asked, drawn before the first answer, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from corpus.model import Agent, Label
from corpus.store.database import Database, now
from corpus.store.tables import trial_answers, trials

Part = Literal["target", "result"]
"""Of a pair: what was asked about, and what was found near it."""


@dataclass(frozen=True)
class Trial:
    """One trial as it was drawn."""

    id: int
    plan: dict[str, Any]
    at: str


class Trials:
    """The repository of trials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, agent: Agent, plan: dict[str, Any]) -> Trial:
        """Keep the plan of a new trial, on disk before this returns."""
        at = now()
        row = {"agent_id": agent.id, "plan": plan, "at": at}
        with self._database.write(durable=True) as connection:
            added = connection.execute(sa.insert(trials).values(row).returning(trials.c.id)).scalar_one()
        return Trial(added, plan, at)

    def last(self, agent: Agent) -> Trial | None:
        """The newest trial of an agent."""
        query = sa.select(trials).where(trials.c.agent_id == agent.id).order_by(trials.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return Trial(row.id, row.plan, row.at) if row else None

    def answer(self, trial: Trial, number: int, part: Part, label: Label, *, who: str) -> None:
        """Keep an answer about pair `number`, from 1, on disk before this returns; it replaces an earlier one."""
        asked = {"trial_id": trial.id, "number": number, "part": part}
        here = sa.and_(*(trial_answers.c[name] == value for name, value in asked.items()))
        with self._database.write(durable=True) as connection:
            connection.execute(sa.delete(trial_answers).where(here))
            connection.execute(sa.insert(trial_answers).values(asked | {"label": label, "who": who, "at": now()}))

    def answers(self, trial: Trial) -> dict[tuple[int, Part], Label]:
        """What was answered so far, by pair and part."""
        query = sa.select(trial_answers).where(trial_answers.c.trial_id == trial.id)
        with self._database.read() as connection:
            return {(row.number, row.part): row.label for row in connection.execute(query)}
