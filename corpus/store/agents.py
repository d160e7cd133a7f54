"""Agents, their labels (append only) and their models (numbered versions)."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus import said
from corpus.errors import LabelsError, StoreError, UnknownAgent
from corpus.model import Agent, Annotation, Label, Model
from corpus.store import facts as stored
from corpus.store.database import Database, now
from corpus.store.naming import as_name, check_name, check_person
from corpus.store.tables import agents, models

_NAMED = 8
_OBJECTS = ("recipe", "arrays", "scores", "versions", "fingerprints", "verdicts")


class Agents:
    """The repository of agents. What changes one is on disk before the method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, about: str, spaces: Sequence[str], classifier: str, facts: Iterable[Annotation] = ()
    ) -> Agent:
        """Create an agent, without labels or with what `take_in` would make of `facts`; all of it or nothing.

        Raises
        ------
        UnknownAgent
            The name is taken, or no name for an agent.
        UnknownSound
            One of `facts` is of a sound that is not held.
        """
        values = {"about": about, "spaces": list(dict.fromkeys(spaces)), "classifier": classifier, "created": now()}
        with self._database.write(durable=True) as connection:
            insert = sa.insert(agents).values(values | {"name": _free(connection, name)}).returning(agents)
            made = _agent(connection.execute(insert).one())
            _take_in(connection, made, facts)
        return made

    def get(self, name: str) -> Agent:
        """One agent by name.

        Raises
        ------
        UnknownAgent
            There is none.
        """
        there = agents.c.name.in_([name, as_name(name)]) & agents.c.deleted.is_(None)
        exact = (agents.c.name == name).desc()  # of before names were composed
        with self._database.read() as connection:
            row = connection.execute(sa.select(agents).where(there).order_by(exact)).first()
        if row is None:
            names = [agent.name for agent in self.all()]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            known = ", ".join(names[:_NAMED]) + more or "none yet"
            raise UnknownAgent(f"no agent {name!r}; there are: {known}; `mirla agent new {shlex.quote(name)}` makes it")
        return _agent(row)

    def by_id(self, number: int) -> Agent:
        """One agent by its own number, whatever it is called by now.

        Raises
        ------
        UnknownAgent
            It was deleted.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(agents).where(agents.c.id == number)).first()
        if row is None:
            raise UnknownAgent(f"no agent has the number {number}; `mirla agent list` lists those that are there")
        if row.deleted is not None:
            name = row.name.rpartition("/")[0]
            raise UnknownAgent(f"agent {name!r} was deleted; `mirla agent restore {shlex.quote(name)}` brings it back")
        return _agent(row)

    def all(self) -> list[Agent]:
        """All agents, by name."""
        query = sa.select(agents).where(agents.c.deleted.is_(None)).order_by(agents.c.name)
        with self._database.read() as connection:
            return [_agent(row) for row in connection.execute(query)]

    def rename(self, agent: Agent, name: str) -> Agent:
        """Call an agent otherwise; raises UnknownAgent as `create` does."""
        with self._database.write(durable=True) as connection:
            _update(connection, agent, name=_free(connection, name))
        return self.get(name)

    def describe(self, agent: Agent, about: str) -> Agent:
        """Say anew what an agent is to call good."""
        with self._database.write(durable=True) as connection:
            _update(connection, agent, about=about)
        return self.get(agent.name)

    def copy(self, agent: Agent, name: str, *, spaces: Sequence[str] = (), classifier: str | None = None) -> Agent:
        """Make another agent with the same facts (who, when, which session) and the version in use as its first.

        With other `spaces` or another `classifier` it has no version yet.

        Raises
        ------
        UnknownAgent
            As `create` does.
        """
        with self._database.write(durable=True) as connection:
            row = connection.execute(sa.select(agents).where(agents.c.id == agent.id)).mappings().one()
            kept = {key: row[key] for key in ("about", "spaces", "classifier")}
            wanted = {
                "spaces": list(dict.fromkeys(spaces)) or row["spaces"],
                "classifier": classifier or row["classifier"],
            }
            values = kept | wanted | {"name": _free(connection, name), "created": now()}
            copied = connection.execute(sa.insert(agents).values(values).returning(agents.c.id)).scalar_one()
            moved = stored.copy(connection, agent, copied)
            if kept == kept | wanted and (model := _in_use(connection, agent)):
                first = vars(model) | {"agent_id": copied, "version": 1, "until": moved.get(model.until)}
                connection.execute(sa.insert(models), first)
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
        names = [sa.literal(f"{one}/") + agents.c.id.cast(sa.Text) for one in (name, as_name(name))]
        was = agents.c.deleted.is_not(None) & agents.c.name.in_(names)
        query = sa.select(agents).where(was).order_by(agents.c.deleted.desc(), agents.c.id.desc())
        with self._database.write(durable=True) as connection:
            row = connection.execute(query).first()
            if row is None:
                raise UnknownAgent(f"no agent {name!r} was deleted; `mirla agent list` lists those that are there")
            back = row.name.removesuffix(f"/{row.id}")  # whatever names agents may be given by now
            _check_free(connection, back)
            _update(connection, _agent(row), name=back, deleted=None)
        return self.get(back)

    def annotate(
        self,
        agent: Agent,
        ids: Sequence[int],
        label: Label | None,
        *,
        test: bool | None = None,
        who: str,
        session: str,
    ) -> list[int]:
        """Append one label for each sound (None takes the label back), on disk before this returns.

        With `test` the sounds are kept for testing from now on, with False they are there to learn from; with None they
        stay what they are.

        Returns
        -------
        list of int
            The ids of the facts, one a sound in their order; `undo` takes one of them back.

        Raises
        ------
        UnknownSound
            One of the ids is not held; nothing is stored then.
        LabelsError
            `who` is no name.
        """
        check_person(who)
        at = now()
        with self._database.write(durable=True) as connection:
            stored.check_held(connection, ids)
            kept = stored.for_testing(connection, agent, ids) if test is None else set(ids if test else ())
            facts = [Annotation(number, label, number in kept, who, session, at) for number in ids]
            return stored.append(connection, agent.id, facts)

    def undo(self, agent: Agent, session: str | None = None, *, who: str, fact: int | None = None) -> Annotation | None:
        """Take back the last annotation (of a session, if given) that was not undone; again for the one before it.

        With `fact`, that annotation is taken back, whatever was said since.

        Returns
        -------
        Annotation or None
            The new fact: which one it `undoes`, and as its label what counts now; None where nothing is left to undo.

        Raises
        ------
        LabelsError
            `who` is no name; or there is no such `fact`, or it was undone already.
        """
        check_person(who)
        with self._database.write(durable=True) as connection:
            history = stored.history(connection, agent)
            first = [one for one in said.standing(history) if one.repeats is None]
            mine = [one for one in first if session in (None, one.session) and fact in (None, one.id)]
            if not mine and fact is not None:
                raise LabelsError(_not_standing(agent, history, fact))
            if not mine:
                return None
            taken = mine[-1]
            left = (one for one in history if taken.id not in (one.id, one.undoes, one.repeats))
            counts = said.last(left).get(taken.sound_id)
            undoing = Annotation(
                taken.sound_id,
                counts.label if counts else None,
                counts.test if counts else False,
                who,
                session or taken.session,
                now(),
                undoes=taken.id,
            )
            (number,) = stored.append(connection, agent.id, [undoing])
            return replace(undoing, id=number)

    def take_in(self, agent: Agent, facts: Iterable[Annotation]) -> int:
        """Append what was said elsewhere, in order of time, and return how many facts were new.

        A fact that is held (same sound, label, person and time) is not held twice, undone or not; one without a time is
        said now, unless that person's last word is the same. What was said here later goes on counting: it is said
        again behind them. A sound that is kept for testing, here or by one of them, stays so.

        Raises
        ------
        UnknownSound
            A sound was deleted meanwhile; nothing is stored then.
        """
        with self._database.write(durable=True) as connection:
            return _take_in(connection, agent, facts)

    def history(self, agent: Agent, forgotten: bool = False) -> list[Annotation]:
        """All facts of an agent in the order in which they were stored (`corpus.said` reads them).

        Those of forgotten sounds count again when the sounds are back, and are left out unless `forgotten`.
        """
        with self._database.read() as connection:
            return stored.history(connection, agent, forgotten)

    def annotations(self, agent: Agent, until: int | None = None) -> list[Annotation]:
        """The labels that count, or counted after `until`: the last one of each sound, in order of id."""
        with self._database.read() as connection:
            return stored.counting(connection, agent, until)

    def add_model(self, agent: Agent, model: Model) -> Model:
        """Keep a trained model under the next version number, which is returned with it; it is the one in use then."""
        with self._database.write(durable=True) as connection:
            kept = replace(model, version=1 + max(_versions(connection, agent), default=0), at=now())
            connection.execute(sa.insert(models), vars(kept) | {"agent_id": agent.id})
            _update(connection, agent, in_use=None)
        return kept

    def model(self, agent: Agent) -> Model | None:
        """The model in use: that of the version named by `use`, else the newest; None before the first training.

        Raises
        ------
        StoreError
            Its row is damaged.
        """
        with self._database.read() as connection:
            return _in_use(connection, agent)

    def version(self, agent: Agent) -> int | None:
        """The version in use; None before the first training."""
        with self._database.read() as connection:
            return agent.in_use or max(_versions(connection, agent), default=None)

    def versions(self, agent: Agent) -> list[Model]:
        """All models of an agent, the oldest first, but for those whose rows are damaged."""
        found = []
        with self._database.read() as connection:
            for version in _versions(connection, agent):
                with contextlib.suppress(StoreError):
                    found.append(_version(connection, agent, version))
        return found

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


def _free(connection: Connection, name: str) -> str:
    """The name as it is kept, if an agent may be called so."""
    name = as_name(name)
    check_name(name)
    _check_free(connection, name)
    return name


def _check_free(connection: Connection, name: str) -> None:
    if connection.execute(sa.select(agents.c.id).where(agents.c.name == name)).first():
        raise UnknownAgent(f"there is an agent {name!r} already; `mirla agent show {shlex.quote(name)}` shows it")


def _not_standing(agent: Agent, history: Iterable[Annotation], fact: int) -> str:
    see = f"`mirla agent history {shlex.quote(agent.name)}` lists what was said"
    if fact in [one.undoes for one in history]:
        return f"fact {fact} of agent {agent.name!r} was undone already; {see}"
    return f"agent {agent.name!r} has no fact {fact} to undo; {see}"


def _update(connection: Connection, agent: Agent, **values: Any) -> None:
    connection.execute(sa.update(agents).where(agents.c.id == agent.id).values(values))


def _take_in(connection: Connection, agent: Agent, facts: Iterable[Annotation]) -> int:
    new, again = said.news(facts, stored.history(connection, agent), now())
    stored.check_held(connection, {one.sound_id for one in new})
    stored.append(connection, agent.id, [*new, *again])
    return len(new)


def _in_use(connection: Connection, agent: Agent) -> Model | None:
    named = connection.execute(sa.select(agents.c.in_use).where(agents.c.id == agent.id)).scalar()
    version = named or max(_versions(connection, agent), default=None)
    return _version(connection, agent, version) if version else None


def _version(connection: Connection, agent: Agent, version: int) -> Model:
    query = sa.select(models).where(models.c.agent_id == agent.id, models.c.version == version)
    with contextlib.suppress(ValueError):  # no JSON
        row = connection.execute(query).mappings().first()
        if row and all(isinstance(row[name], dict) for name in _OBJECTS):
            return Model(**{key: row[key] for key in Model.__dataclass_fields__})
    raise StoreError(
        f"version {version} of agent {agent.name!r} is damaged or missing; "
        f"`mirla agent train {shlex.quote(agent.name)}` makes another"
    )


def _versions(connection: Connection, agent: Agent) -> list[int]:
    query = sa.select(models.c.version).where(models.c.agent_id == agent.id).order_by(models.c.version)
    return list(connection.execute(query).scalars())


def _agent(row: sa.Row[Any]) -> Agent:
    return Agent(row.id, row.name, row.about, tuple(row.spaces), row.classifier, row.in_use)
