"""Agents, their labels (append only) and their models (numbered versions)."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus import said
from corpus.errors import LabelsError, StoreError, UnknownAgent, UnknownSound
from corpus.model import Agent, Annotation, Label, Model
from corpus.store.database import Database, now
from corpus.store.identities import held
from corpus.store.tables import agents, labels, models

LONGEST_NAME = 100
"""Characters of an agent's name, or of a person's."""

_OBJECTS = ("recipe", "arrays", "scores", "versions", "fingerprints", "verdicts")


class Agents:
    """The repository of agents. What changes one is on disk before the method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, about: str, spaces: Sequence[str], classifier: str) -> Agent:
        """Create an agent without labels.

        Raises
        ------
        UnknownAgent
            The name is taken, or no name for an agent.
        """
        values = {"name": name, "about": about, "spaces": list(spaces), "classifier": classifier}
        with self._database.write(durable=True) as connection:
            _check_free(connection, name)
            connection.execute(sa.insert(agents), values | {"created": now()})
        return self.get(name)

    def get(self, name: str) -> Agent:
        """One agent by name.

        Raises
        ------
        UnknownAgent
            There is none.
        """
        there = (agents.c.name == name) & agents.c.deleted.is_(None)
        with self._database.read() as connection:
            row = connection.execute(sa.select(agents).where(there)).first()
        if row is None:
            known = ", ".join(agent.name for agent in self.all()) or "none yet"
            raise UnknownAgent(f"no agent {name!r}; there are: {known}; `mirla agent new {shlex.quote(name)}` makes it")
        return _agent(row)

    def all(self) -> list[Agent]:
        """All agents, by name."""
        query = sa.select(agents).where(agents.c.deleted.is_(None)).order_by(agents.c.name)
        with self._database.read() as connection:
            return [_agent(row) for row in connection.execute(query)]

    def rename(self, agent: Agent, name: str) -> Agent:
        """Call an agent otherwise; raises UnknownAgent as `create` does."""
        with self._database.write(durable=True) as connection:
            _check_free(connection, name)
            _update(connection, agent, name=name)
        return self.get(name)

    def describe(self, agent: Agent, about: str) -> Agent:
        """Say anew what an agent is to call good."""
        with self._database.write(durable=True) as connection:
            _update(connection, agent, about=about)
        return self.get(agent.name)

    def copy(self, agent: Agent, name: str) -> Agent:
        """Make another agent with the same facts (who, when, which session) and the version in use as its first.

        Raises
        ------
        UnknownAgent
            As `create` does.
        """
        with self._database.write(durable=True) as connection:
            _check_free(connection, name)
            row = connection.execute(sa.select(agents).where(agents.c.id == agent.id)).mappings().one()
            values = {key: row[key] for key in ("about", "spaces", "classifier")}
            make = sa.insert(agents).values(values | {"name": name, "created": now()}).returning(agents.c.id)
            copied = connection.execute(make).scalar_one()
            moved = _copy_facts(connection, agent, copied)
            if model := _kept(connection, agent):
                kept = vars(model) | {"agent_id": copied, "version": 1, "until": moved.get(model.until)}
                connection.execute(sa.insert(models), kept)
        return self.get(name)

    def delete(self, agent: Agent) -> None:
        """Put an agent away and free its name; its labels and models stay, and `restore` brings it back."""
        with self._database.write(durable=True) as connection:
            _update(connection, agent, deleted=now(), name=f"{agent.name}/{agent.id}")  # no agent may be called so

    def restore(self, name: str) -> Agent:
        """Bring back the agent of that name that was deleted last.

        Raises
        ------
        UnknownAgent
            None of that name was deleted, or the name has been taken since.
        """
        was = agents.c.deleted.is_not(None) & (agents.c.name == sa.literal(f"{name}/") + agents.c.id.cast(sa.Text))
        query = sa.select(agents).where(was).order_by(agents.c.deleted.desc(), agents.c.id.desc())
        with self._database.write(durable=True) as connection:
            row = connection.execute(query).first()
            if row is None:
                raise UnknownAgent(f"no agent {name!r} was deleted; `mirla agent list` lists those that are there")
            _check_free(connection, name)
            _update(connection, _agent(row), name=name, deleted=None)
        return self.get(name)

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
        LabelsError
            `who` is no name.
        """
        check_person(who)
        at = now()
        facts = [Annotation(number, label, test, who, session, at) for number in ids]
        with self._database.write(durable=True) as connection:
            _check_held(connection, ids)
            _append(connection, agent.id, facts)

    def undo(self, agent: Agent, session: str | None = None, *, who: str) -> Annotation | None:
        """Take back the last annotation (of a session, if given) that was not undone; again for the one before it.

        Returns
        -------
        Annotation or None
            The new fact: which one it `undoes`, and as its label what counts now; None where nothing is left to undo.
        """
        with self._database.write(durable=True) as connection:
            history = _history(connection, agent)
            mine = [one for one in said.standing(history) if session in (None, one.session)]
            if not mine:
                return None
            taken = mine[-1]
            counts = said.last(one for one in history if taken.id not in (one.id, one.undoes)).get(taken.sound_id)
            fact = Annotation(
                taken.sound_id,
                counts.label if counts else None,
                counts.test if counts else False,
                who,
                session or taken.session,
                now(),
                undoes=taken.id,
            )
            _append(connection, agent.id, [fact])
            return _history(connection, agent)[-1]

    def take_in(self, agent: Agent, facts: Iterable[Annotation]) -> int:
        """Append what was said elsewhere, in order of time, and return how many facts were new.

        A fact that is held (same sound, label, person and time) is not held twice, undone or not; one without a time is
        said now, unless that person's last word is the same. What was said here later goes on counting: it is said
        again behind them.

        Raises
        ------
        UnknownSound
            A sound was deleted meanwhile; nothing is stored then.
        """
        with self._database.write(durable=True) as connection:
            history = _history(connection, agent)
            known = {_key(one) for one in history} | {_key(replace(one, at="")) for one in said.words(history)}
            new = list({_key(one): one for one in facts if _key(one) not in known}.values())
            new = sorted((replace(one, at=one.at or now()) for one in new), key=lambda one: one.at)
            newest = {one.sound_id: one.at for one in new}
            last = said.last(history)
            again = [last[number] for number, at in newest.items() if number in last and last[number].at > at]
            _check_held(connection, newest)
            _append(connection, agent.id, [*new, *again])
            return len(new)

    def history(self, agent: Agent) -> list[Annotation]:
        """All facts of an agent in the order in which they were stored (`corpus.said` reads them)."""
        with self._database.read() as connection:
            return _history(connection, agent)

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
        """Keep a trained model under the next version number, which is returned with it; it is the one in use then."""
        with self._database.write(durable=True) as connection:
            kept = replace(model, version=1 + max(_versions(connection, agent), default=0), at=now())
            connection.execute(sa.insert(models), vars(kept) | {"agent_id": agent.id})
            _update(connection, agent, in_use=None)
        return kept

    def model(self, agent: Agent, version: int | None = None) -> Model | None:
        """A version of an agent: this one, else that named by `use`, else the newest; None if there is none.

        Raises
        ------
        StoreError
            Its row is damaged.
        """
        with self._database.read() as connection:
            return _kept(connection, agent, version)

    def models(self, agent: Agent) -> list[Model]:
        """All versions of an agent, the oldest first, without those whose rows are damaged."""
        found = []
        with self._database.read() as connection:
            for version in _versions(connection, agent):
                with contextlib.suppress(StoreError):
                    found.append(_kept(connection, agent, version))
        return [model for model in found if model is not None]

    def use(self, agent: Agent, version: int | None) -> Agent:
        """Let one version judge until the next training; None: the newest.

        Raises
        ------
        UnknownAgent
            The agent has no such version.
        """
        with self._database.write(durable=True) as connection:
            there = _versions(connection, agent)
            if version is not None and version not in there:
                which = ", ".join(map(str, there)) or f"none yet; `mirla agent train {shlex.quote(agent.name)}`"
                raise UnknownAgent(f"agent {agent.name!r} has no version {version}; there are: {which}")
            _update(connection, agent, in_use=version)
        return self.get(agent.name)


def check_person(who: str) -> None:
    """Refuse what is no name of a person; raises LabelsError."""
    if len(who) > LONGEST_NAME or not who.strip() or not who.isprintable():
        raise LabelsError(
            f"{who[:LONGEST_NAME]!r} is no name of who labels; give one of up to {LONGEST_NAME} characters"
        )


def check_name(name: str) -> None:
    """Refuse what cannot go into a file name, an OSC address and a shell without surprises.

    Raises
    ------
    UnknownAgent
        The name is blank, too long, begins with a hyphen or a space, or holds a slash or what cannot be printed.
    """
    shown = repr(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME // 2] + "…")
    if len(name) > LONGEST_NAME:
        raise UnknownAgent(f"an agent cannot be called {shown}: it is longer than {LONGEST_NAME} characters")
    if not name.strip() or name != name.strip() or not name.isprintable() or name.startswith("-"):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word without slashes, not a path")


def _check_free(connection: Connection, name: str) -> None:
    check_name(name)
    if connection.execute(sa.select(agents.c.id).where(agents.c.name == name)).first():
        raise UnknownAgent(f"there is an agent {name!r} already; `mirla agent show {shlex.quote(name)}` shows it")


def _check_held(connection: Connection, ids: Collection[int]) -> None:
    """Raise UnknownSound for the first id that is not held."""
    there = held(connection, ids)
    for number in ids:
        if number not in there:
            raise UnknownSound(f"no sound {number} to label; nothing was labelled")


def _update(connection: Connection, agent: Agent, **values: Any) -> None:
    connection.execute(sa.update(agents).where(agents.c.id == agent.id).values(values))


def _append(connection: Connection, agent_id: int, facts: Iterable[Annotation]) -> None:
    if rows := [_row(one, agent_id) for one in facts]:
        connection.execute(sa.insert(labels), rows)


def _row(one: Annotation, agent_id: int) -> dict[str, Any]:
    return {key: value for key, value in vars(one).items() if key != "id"} | {"agent_id": agent_id}


def _history(connection: Connection, agent: Agent) -> list[Annotation]:
    query = sa.select(labels).where(labels.c.agent_id == agent.id).order_by(labels.c.id)
    return [_annotation(row) for row in connection.execute(query)]


def _copy_facts(connection: Connection, source: Agent, target: int) -> dict[int | None, int]:
    """Append the facts of one agent to another; returns the new ids by the old ones, in their order."""
    moved: dict[int | None, int] = {}
    for one in _history(connection, source):
        values = _row(replace(one, undoes=moved.get(one.undoes)), target)
        moved[one.id] = connection.execute(sa.insert(labels).values(values).returning(labels.c.id)).scalar_one()
    return moved


def _key(one: Annotation) -> tuple[Any, ...]:
    return one.sound_id, one.label, one.test, one.who, one.at


def _kept(connection: Connection, agent: Agent, version: int | None = None) -> Model | None:
    """A version, else the one in use; StoreError where its row is damaged."""
    named = sa.select(agents.c.in_use).where(agents.c.id == agent.id).scalar_subquery()
    newest = sa.select(sa.func.max(models.c.version)).where(models.c.agent_id == agent.id).scalar_subquery()
    chosen = sa.func.coalesce(named, newest) if version is None else sa.literal(version)
    try:
        row = connection.execute(
            sa.select(models).where(models.c.agent_id == agent.id, models.c.version == chosen)
        ).first()
    except ValueError:  # no JSON
        raise _damaged(agent) from None
    if row is None:
        return None
    if not all(isinstance(getattr(row, name), dict) for name in _OBJECTS):
        raise _damaged(agent)
    return Model(**{key: getattr(row, key) for key in Model.__dataclass_fields__})


def _damaged(agent: Agent) -> StoreError:
    name = shlex.quote(agent.name)
    return StoreError(f"the model of agent {agent.name!r} is damaged; `mirla agent train {name}` makes another")


def _versions(connection: Connection, agent: Agent) -> list[int]:
    query = sa.select(models.c.version).where(models.c.agent_id == agent.id).order_by(models.c.version)
    return list(connection.execute(query).scalars())


def _agent(row: sa.Row[Any]) -> Agent:
    return Agent(row.id, row.name, row.about, tuple(row.spaces), row.classifier, row.in_use)


def _annotation(row: sa.Row[Any]) -> Annotation:
    return Annotation(row.sound_id, row.label, row.test, row.who, row.session, row.at, row.id, row.undoes)
