"""Performances and palettes of another corpus become part of this one, once however often they come.

A performance is the same where it began at the same second with the same seed and title; what it lacks here is added. A
palette of a new name is published; where there is one of that name, it stays.

All functions work within the caller's transaction over this database (`here`) and read from the other (`there`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.store.merging import Merged
from corpus.store.rows import Fields, rows
from corpus.store.tables import commands, palette_sounds, palettes, performances, plays

_PERFORMANCE, _COMMAND, _PLAY = ("begun", "seed", "title"), ("at", "of_group", "verb"), ("at", "of_group", "began")


def merge_performances(here: Connection, there: Connection, sounds: Merged) -> int:
    """Take in performances with what was asked for and played; how many were new."""
    known = {_key(row, _PERFORMANCE): row for row in rows(here, performances)}
    added = 0
    for row in list(rows(there, performances)):
        own = known.get(_key(row, _PERFORMANCE))
        if own is None:
            values = {name: value for name, value in row.items() if name != "id"}
            insert = sa.insert(performances).values(values).returning(performances.c.id)
            number = here.execute(insert).scalar_one()
            added += 1
        else:
            number = own["id"]
            _fill(here, performances, own, row, "ended")
        _merge_commands(here, there, sounds, row["id"], number)
        _merge_plays(here, there, sounds, row["id"], number)
    return added


def merge_palettes(here: Connection, there: Connection, sounds: Merged) -> tuple[dict[str, int], list[str]]:
    """Record the palettes whose names are free here.

    Returns
    -------
    dict of str to int
        By name the versions under which they are to be published.
    list of str
        Names that are taken by other palettes than these.
    """
    published: dict[str, int] = {}
    taken = []
    own = {row["name"].lower(): row for row in rows(here, palettes)}
    for row in list(rows(there, palettes)):
        held = own.get(row["name"].lower())
        if held is not None and held["removed"] is None:
            if _contents(here, held["id"]) != _contents(there, row["id"]):
                taken.append(row["name"])
            continue
        version = held["version"] + 1 if held is not None and held["name"] == row["name"] else 1
        values = {"name": row["name"], "version": version, "published": row["published"], "removed": None}
        if held is not None and held["name"] == row["name"]:
            number = held["id"]
            here.execute(sa.update(palettes).where(palettes.c.id == number).values(values))
        else:
            number = here.execute(sa.insert(palettes).values(values).returning(palettes.c.id)).scalar_one()
        mine = sa.select(palette_sounds).where(palette_sounds.c.palette_id == row["id"])
        for one in there.execute(mine.order_by(palette_sounds.c.position)).mappings():
            moved = {"palette_id": number, "credit": sounds.moved(one["credit"])}
            moved["sound_id"] = sounds.ids.get(one["sound_id"], one["sound_id"])
            here.execute(sa.insert(palette_sounds).values(dict(one) | moved))
        published[row["name"]] = version
    return published, taken


def _contents(connection: Connection, number: int) -> list[str]:
    mine = sa.select(palette_sounds.c.sha256).where(palette_sounds.c.palette_id == number)
    return list(connection.execute(mine.order_by(palette_sounds.c.position)).scalars())


def _merge_commands(here: Connection, there: Connection, sounds: Merged, theirs: int, own: int) -> None:
    known = {_key(row, _COMMAND) for row in _of(here, commands, own)}
    for row in _of(there, commands, theirs):
        if _key(row, _COMMAND) not in known:
            moved = {"arguments": sounds.moved(row["arguments"]), "answer": sounds.moved(row["answer"])}
            values = {name: value for name, value in row.items() if name != "id"} | moved
            here.execute(sa.insert(commands).values(values | {"performance_id": own}))


def _merge_plays(here: Connection, there: Connection, sounds: Merged, theirs: int, own: int) -> None:
    known = {_played(row): row for row in _of(here, plays, own)}
    for row in _of(there, plays, theirs):
        if (held := known.get(_played(row))) is not None:
            _fill(here, plays, held, row, "seconds")
            continue
        moved = {"sound_id": sounds.ids.get(row["sound_id"], row["sound_id"]), "credit": sounds.moved(row["credit"])}
        values = {name: value for name, value in row.items() if name != "id"} | moved
        here.execute(sa.insert(plays).values(values | {"performance_id": own}))


def _of(connection: Connection, table: sa.Table, number: int) -> list[Fields]:
    mine = sa.select(table).where(table.c.performance_id == number).order_by(table.c.id)
    return list(connection.execute(mine).mappings())


def _played(row: Fields) -> tuple[Any, ...]:
    """A play by when it was, and by its credit's line: its number may differ from home to home."""
    return *_key(row, _PLAY), row["credit"]["line"]


def _key(row: Fields, names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _fill(here: Connection, table: sa.Table, own: Fields, theirs: Fields, name: str) -> None:
    if own[name] is None and theirs[name] is not None:
        here.execute(sa.update(table).where(table.c.id == own["id"]).values({name: theirs[name]}))
