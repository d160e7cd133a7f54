"""Agents, their labels (append only) and their models (numbered versions)."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import StoreError, UnknownAgent, UnknownSound
from corpus.model import LAST_LOCAL_ID, Agent, Annotation, Label, Model
from corpus.store.database import Database, now
from corpus.store.tables import agents, labels, models, sounds

_OBJECTS = ("recipe", "arrays", "scores", "versions", "fingerprints", "verdicts")


class Agents:
    """The repository of agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, about: str, spaces: Sequence[str], classifier: str) -> Agent:
        """Create an agent without labels.

        Raises
        ------
        UnknownAgent
            The name is taken or blank.
        """
        if not name.strip() or not name.isprintable() or name.startswith("-"):
            raise UnknownAgent(f"an agent cannot be called {name!r}; give it a word")
        values = {"name": name, "about": about, "spaces": list(spaces), "classifier": classifier}
        with self._database.write(durable=True) as connection:
            if connection.execute(sa.select(agents.c.id).where(agents.c.name == name)).first():
                raise UnknownAgent(
                    f"there is an agent {name!r} already; `mirla agent show {shlex.quote(name)}` shows it"
                )
            connection.execute(sa.insert(agents), values | {"created": now()})
        return self.get(name)

    def get(self, name: str) -> Agent:
        """One agent by name.

        Raises
        ------
        UnknownAgent
            There is none.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(agents).where(agents.c.name == name)).first()
        if row is None:
            known = ", ".join(agent.name for agent in self.all()) or "none yet"
            raise UnknownAgent(f"no agent {name!r}; there are: {known}; `mirla agent new {shlex.quote(name)}` makes it")
        return _agent(row)

    def all(self) -> list[Agent]:
        """All agents, by name."""
        with self._database.read() as connection:
            return [_agent(row) for row in connection.execute(sa.select(agents).order_by(agents.c.name))]

    def annotate(
        self,
        agent: Agent,
        ids: Sequence[int],
        label: Label | None,
        *,
        test: bool = False,
        who: str,
        session: str,
    ) -> None:
        """Append one label for each sound (None takes the label back), on disk before this returns.

        Raises
        ------
        UnknownSound
            One of the ids is not held; nothing is stored then.
        """
        rows = [
            {
                "agent_id": agent.id,
                "sound_id": i,
                "label": label,
                "test": test,
                "who": who,
                "session": session,
                "at": now(),
            }
            for i in ids
        ]
        with self._database.write(durable=True) as connection:
            for sound_id in ids:
                held = sa.select(sounds.c.id).where(sounds.c.id == sound_id)
                if not 0 < sound_id <= LAST_LOCAL_ID or not connection.execute(held).first():
                    raise UnknownSound(f"no sound {sound_id} to label; nothing was labelled")
            if rows:
                connection.execute(sa.insert(labels), rows)

    def annotations(self, agent: Agent, until: int | None = None) -> list[Annotation]:
        """The labels that count, or counted after `until`: the last one of each sound, in order of id."""
        own = labels.c.agent_id == agent.id
        said = own if until is None else own & (labels.c.id <= until)
        last = sa.select(sa.func.max(labels.c.id)).where(said).group_by(labels.c.sound_id)
        query = sa.select(labels).where(labels.c.id.in_(last), labels.c.label.is_not(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(labels.c.sound_id)).all()
        return [_annotation(row) for row in rows]

    def add_model(self, agent: Agent, model: Model) -> Model:
        """Keep a trained model under the next version number, which is returned with it."""
        with self._database.write(durable=True) as connection:
            kept = replace(model, version=1 + (_last_version(connection, agent) or 0), at=now())
            connection.execute(sa.insert(models), vars(kept) | {"agent_id": agent.id})
        return kept

    def model(self, agent: Agent, version: int | None = None) -> Model | None:
        """A version of an agent: this one, else the one in use, else the newest; None if there is none.

        Raises
        ------
        StoreError
            Its row is damaged.
        """
        mine = sa.select(models).where(models.c.agent_id == agent.id)
        version = version or agent.in_use
        if version is not None:
            mine = mine.where(models.c.version == version)
        with self._database.read() as connection:
            try:
                row = connection.execute(mine.order_by(models.c.version.desc()).limit(1)).mappings().first()
            except ValueError:  # no JSON
                raise _damaged(agent) from None
        if row is None:
            return None
        if not all(isinstance(row[name], dict) for name in _OBJECTS):
            raise _damaged(agent)
        return Model(**{key: row[key] for key in Model.__dataclass_fields__})

    def models(self, agent: Agent) -> list[Model]:
        """All versions of an agent, the oldest first, without those whose rows are damaged."""
        query = sa.select(models.c.version).where(models.c.agent_id == agent.id).order_by(models.c.version)
        with self._database.read() as connection:
            versions = connection.execute(query).scalars().all()
        found = []
        for version in versions:
            with contextlib.suppress(StoreError):
                found.append(self.model(agent, version))
        return [model for model in found if model is not None]


def _damaged(agent: Agent) -> StoreError:
    name = shlex.quote(agent.name)
    return StoreError(f"the model of agent {agent.name!r} is damaged; `mirla agent train {name}` makes another")


def _agent(row: sa.Row[Any]) -> Agent:
    return Agent(row.id, row.name, row.about, tuple(row.spaces), row.classifier, row.in_use)


def _annotation(row: sa.Row[Any]) -> Annotation:
    return Annotation(row.sound_id, row.label, row.test, row.who, row.session, row.at, row.id, row.undoes)


def _last_version(connection: Connection, agent: Agent) -> int | None:
    return connection.execute(sa.select(sa.func.max(models.c.version)).where(models.c.agent_id == agent.id)).scalar()
