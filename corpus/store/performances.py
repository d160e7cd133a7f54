"""Performances: what was asked for and what was played, kept as it happens.

`at` is in seconds since the performance began, `seconds` is how long a sound played, `heard` how long of that it was
audible, `began` and `begun` are UTC to the second. All that is written is on the disk before a call returns; a batch is
one transaction. What was said and answered may be anything: what JSON cannot hold is kept as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Row

from corpus.errors import PerformanceError
from corpus.model import Command, Performance, Play, Sound, Summary
from corpus.store.database import Database, now
from corpus.store.tables import commands, performances, plays
from corpus.text import storable

_LARGEST = 2**63
"""Beyond it no database keeps an integer."""
_DEEPEST = 32
"""Lists in lists that are kept; others hold themselves, or are meant to hurt."""
_KIND = commands.c.facts["kind"].as_string()


class Performances:
    """The repository of performances."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, seed: int | None = None, title: str = "", facts: Mapping[str, Any] | None = None) -> Performance:
        """Record that a performance begins, and what it is played on and with.

        Raises
        ------
        PerformanceError
            The seed is beyond 64 bits.
        """
        if seed is not None and not -_LARGEST <= seed < _LARGEST:
            raise PerformanceError(f"the seed {seed} is beyond 64 bits; take a smaller one")
        row = {"begun": now(), "seed": seed, "title": storable(title), "facts": _plain(facts or {})}
        with self._database.write(durable=True) as connection:
            number = connection.execute(sa.insert(performances).values(row).returning(performances.c.id)).scalar_one()
        return self.get(number)

    def note(self, performance: Performance, facts: Mapping[str, Any]) -> None:
        """Record anew what a performance is played on and with."""
        here = performances.c.id == performance.id
        with self._database.write(durable=True) as connection:
            connection.execute(sa.update(performances).where(here).values(facts=_plain(facts)))

    def said(self, performance: Performance, some: Sequence[Command]) -> None:
        """Record commands: what was given, answered or went wrong."""
        rows = [
            {
                "performance_id": performance.id,
                "at": float(one.at),
                "of_group": None if one.group is None else storable(one.group),
                "verb": storable(one.verb),
                "arguments": {"given": _plain(list(one.given)), "named": _plain(dict(one.named))},
                "answer": orjson.dumps(_plain(one.answer)).decode(),
                "error": None if one.error is None else storable(one.error),
                "facts": _plain(one.facts),
            }
            for one in some
        ]
        if rows:
            with self._database.write(durable=True) as connection:
                connection.execute(sa.insert(commands), rows)

    def plays_began(self, performance: Performance, some: Sequence[tuple[float, str, Sound]]) -> list[int]:
        """Record that sounds began to play, each as (at, group, sound); their numbers, for `plays_lasted`.

        Their credits are kept as they are now, and outlast the sounds.
        """
        rows = [
            {
                "performance_id": performance.id,
                "sound_id": sound.id,
                "of_group": storable(group),
                "at": float(at),
                "began": now(),
                "credit": _plain(sound.credited),
            }
            for at, group, sound in some
        ]
        if not rows:
            return []
        insert = sa.insert(plays).returning(plays.c.id, sort_by_parameter_order=True)
        with self._database.write(durable=True) as connection:
            return list(connection.execute(insert, rows).scalars())

    def plays_lasted(self, some: Mapping[int, tuple[float, float]]) -> None:
        """Record of plays, by number, their seconds and how many of these were heard; the last word counts."""
        if some:
            rows = [
                {"which": number, "lasted": float(seconds), "audible": float(heard)}
                for number, (seconds, heard) in some.items()
            ]
            one = sa.update(plays).where(plays.c.id == sa.bindparam("which"))
            one = one.values(seconds=sa.bindparam("lasted"), heard=sa.bindparam("audible"))
            with self._database.write(durable=True) as connection:
                connection.execute(one, rows)

    def end(self, performance: Performance) -> None:
        """Record that a performance is over; the first time counts."""
        here = (performances.c.id == performance.id) & performances.c.ended.is_(None)
        with self._database.write(durable=True) as connection:
            connection.execute(sa.update(performances).where(here).values(ended=now()))

    def all(self) -> list[Performance]:
        """All performances, the newest last."""
        with self._database.read() as connection:
            return [
                _performance(row) for row in connection.execute(sa.select(performances).order_by(performances.c.id))
            ]

    def summaries(self) -> list[Summary]:
        """All performances in numbers, the newest last; what happened by itself is no command."""
        said = _of_each(commands, sa.func.count().filter(_KIND.is_distinct_from("event")), sa.func.max(commands.c.at))
        lasted = plays.c.at + sa.func.coalesce(plays.c.seconds, 0.0)
        played = _of_each(plays, sa.func.count(), sa.func.max(lasted))
        query = (
            sa.select(performances, said.c.number, said.c.last, played.c.number, played.c.last)
            .outerjoin(said, said.c.of == performances.c.id)
            .outerjoin(played, played.c.of == performances.c.id)
            .order_by(performances.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Summary(_performance(row), asked or 0, heard or 0, max(last or 0.0, over or 0.0))
            for row in rows
            for asked, last, heard, over in [row[-4:]]
        ]

    def get(self, number: int) -> Performance:
        """One performance.

        Raises
        ------
        PerformanceError
            There is none of that number.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(performances).where(performances.c.id == number)).first()
        if row is None:
            raise PerformanceError(f"no performance {number}; `mirla sets` lists them")
        return _performance(row)

    def commands(self, performance: Performance) -> list[Command]:
        """What was asked for in a performance, in order."""
        query = sa.select(commands).where(commands.c.performance_id == performance.id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(commands.c.at, commands.c.id)).all()
        return [
            Command(
                row.at,
                row.of_group,
                row.verb,
                **row.arguments,
                answer=None if row.answer is None else orjson.loads(row.answer),
                error=row.error,
                facts=row.facts or {},
            )
            for row in rows
        ]

    def plays(self, since: str | None = None, performance: Performance | None = None) -> list[Play]:
        """What was played, in order.

        Parameters
        ----------
        since : str, optional
            Only what began then or later, as ISO 8601 in UTC.
        performance : Performance, optional
            Only what was played in this one.
        """
        query = sa.select(plays).order_by(plays.c.performance_id, plays.c.at, plays.c.id)
        if since is not None:
            query = query.where(plays.c.began >= since)
        if performance is not None:
            query = query.where(plays.c.performance_id == performance.id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Play(row.id, row.sound_id, row.of_group, row.at, row.began, row.seconds, row.heard, row.credit)
            for row in rows
        ]


def _performance(row: Row[Any]) -> Performance:
    return Performance(row.id, row.begun, row.ended, row.seed, row.title, row.facts or {})


def _of_each(table: sa.Table, number: sa.ColumnElement[int], last: sa.ColumnElement[float]) -> sa.Subquery:
    of = table.c.performance_id
    return sa.select(of.label("of"), number.label("number"), last.label("last")).group_by(of).subquery()


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it; what it has not becomes text."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {storable(str(key)): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, str) or (isinstance(value, float) and not math.isfinite(value)):
        return storable(str(value))
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    except orjson.JSONEncodeError:
        return storable(str(value))
