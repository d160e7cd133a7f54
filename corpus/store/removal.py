"""What goes when sounds go. Every table is asked: one that refers to sounds is cleared of them, whoever added it.

All functions work within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.store.tables import agents, files, labels, metadata, sounds

_PER_QUERY = 500


@dataclass(frozen=True)
class Copy:
    """A file of the corpus's own: its path relative to the home, and its size."""

    path: Path
    bytes: int


def copies(connection: Connection, ids: Sequence[int]) -> list[Copy]:
    """The files that the corpus keeps of these sounds; linked ones are the user's own and not among them."""
    query = sa.select(files.c.path, files.c.bytes).where(~files.c.linked).order_by(files.c.id)
    found = (connection.execute(query.where(files.c.sound_id.in_(some))) for some in _parts(ids))
    return [Copy(Path(row.path), row.bytes) for rows in found for row in rows]


def labelled(connection: Connection, ids: Sequence[int]) -> dict[str, int]:
    """How many of these sounds have a label that counts, by agent; agents without any are left out."""
    last = sa.select(sa.func.max(labels.c.id)).group_by(labels.c.agent_id, labels.c.sound_id)
    query = (
        sa.select(agents.c.name, sa.func.count())
        .join(labels, labels.c.agent_id == agents.c.id)
        .where(labels.c.label.is_not(None))
        .group_by(agents.c.name)
    )
    counts: dict[str, int] = {}
    for some in _parts(ids):
        among = labels.c.sound_id.in_(some)
        for name, count in connection.execute(query.where(among, labels.c.id.in_(last.where(among)))):
            counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items()))


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Delete sounds and all rows that refer to them, by a foreign key or in a column `sound_id`."""
    referring = [
        (table, column)
        for table in reversed(metadata.sorted_tables)  # what refers goes before what is referred to
        for column in table.c
        if column.name == "sound_id" or column.references(sounds.c.id)
    ]
    for some in _parts(ids):
        for table, column in (*referring, (sounds, sounds.c.id)):
            connection.execute(sa.delete(table).where(column.in_(some)))
        if connection.dialect.name == "sqlite":
            text = sa.text("delete from sound_text where rowid in :ids").bindparams(sa.bindparam("ids", expanding=True))
            connection.execute(text, {"ids": list(some)})


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _PER_QUERY] for first in range(0, len(ids), _PER_QUERY))
