"""Facts of agents, row by row and within the caller's transaction; `corpus.store.agents` says when.

They are only ever appended: no statement here changes or deletes one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import UnknownSound
from corpus.model import Agent, Annotation
from corpus.store.identities import held
from corpus.store.tables import labels, sounds

_PER_QUERY = 500
_HELD = sa.exists().where(sounds.c.id == labels.c.sound_id)
"""What was said of forgotten sounds waits until they are back."""


def check_held(connection: Connection, ids: Collection[int]) -> None:
    """Raise UnknownSound for the first id that is not held."""
    there = held(connection, ids)
    for number in ids:
        if number not in there:
            raise UnknownSound(f"no sound {number} to label; nothing was labelled")


def append(connection: Connection, agent_id: int, facts: Iterable[Annotation]) -> list[int]:
    """Add facts to an agent, in their order; their ids are new, and are returned."""
    rows = [_row(one, agent_id) for one in facts]
    if not rows:
        return []
    insert = sa.insert(labels).returning(labels.c.id, sort_by_parameter_order=True)
    return list(connection.execute(insert, rows).scalars())


def _row(one: Annotation, agent_id: int) -> dict[str, Any]:
    return {key: value for key, value in vars(one).items() if key != "id"} | {"agent_id": agent_id}


def history(connection: Connection, agent: Agent, forgotten: bool = False) -> list[Annotation]:
    """All facts of an agent in the order in which they were stored; with `forgotten` also those of forgotten sounds."""
    query = sa.select(labels).where(labels.c.agent_id == agent.id).order_by(labels.c.id)
    if not forgotten:
        query = query.where(_HELD)
    return [_annotation(row) for row in connection.execute(query)]


def counting(connection: Connection, agent: Agent, until: int | None = None) -> list[Annotation]:
    """The last fact of each sound (of those up to `until`), where that is a label; in order of id."""
    facts = labels.c.agent_id == agent.id
    if until is not None:
        facts &= labels.c.id <= until
    last = sa.select(sa.func.max(labels.c.id)).where(facts).group_by(labels.c.sound_id)
    query = sa.select(labels).where(labels.c.id.in_(last), labels.c.label.is_not(None), _HELD)
    return [_annotation(row) for row in connection.execute(query.order_by(labels.c.sound_id))]


def for_testing(connection: Connection, agent: Agent, ids: Sequence[int]) -> set[int]:
    """Those of the sounds that are kept for testing."""
    found: set[int] = set()
    for first in range(0, len(ids), _PER_QUERY):
        some = (labels.c.agent_id == agent.id) & labels.c.sound_id.in_(ids[first : first + _PER_QUERY])
        last = sa.select(sa.func.max(labels.c.id)).where(some).group_by(labels.c.sound_id)
        query = sa.select(labels.c.sound_id).where(labels.c.id.in_(last), labels.c.test)
        found.update(connection.execute(query).scalars())
    return found


def copy(connection: Connection, source: Agent, target: int) -> dict[int | None, int]:
    """Append the facts of one agent to another; returns the new ids by the old ones, in their order."""
    moved: dict[int | None, int] = {}
    for one in history(connection, source, forgotten=True):
        values = _row(replace(one, undoes=moved.get(one.undoes), repeats=moved.get(one.repeats)), target)
        moved[one.id] = connection.execute(sa.insert(labels).values(values).returning(labels.c.id)).scalar_one()
    return moved


def _annotation(row: sa.Row[Any]) -> Annotation:
    return Annotation(row.sound_id, row.label, row.test, row.who, row.session, row.at, row.id, row.undoes, row.repeats)
