"""What goes when sounds go. Every table is asked: one that refers to sounds is cleared of them, whoever added it.

But for what happened, which stays: what was played, what palettes hold, and labels, of which none is ever lost. They
count again when their sound is back, under its Freesound id, or, if it is one's own, under the id that its content had.

All functions work within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.model import FIRST_LOCAL_ID
from corpus.store.tables import agents, files, forgotten, labels, metadata, palette_sounds, plays, sounds

_PER_QUERY = 500
_HAPPENED = (labels, plays, palette_sounds)


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
    """How many of these sounds have a label that counts, by agent, but for deleted agents and those without any."""
    last = sa.select(sa.func.max(labels.c.id)).group_by(labels.c.agent_id, labels.c.sound_id)
    query = (
        sa.select(agents.c.name, sa.func.count())
        .join(labels, labels.c.agent_id == agents.c.id)
        .where(labels.c.label.is_not(None), agents.c.deleted.is_(None))
        .group_by(agents.c.name)
    )
    counts: dict[str, int] = {}
    for some in _parts(ids):
        among = labels.c.sound_id.in_(some)
        for name, count in connection.execute(query.where(among, labels.c.id.in_(last.where(among)))):
            counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items()))


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Delete sounds and all rows that refer to them, by a foreign key or a column `sound_id`, but for what happened."""
    referring = [
        (table, column)
        for table in reversed(metadata.sorted_tables)  # what refers goes before what is referred to
        for column in table.c
        if table not in _HAPPENED and (column.name == "sound_id" or column.references(sounds.c.id))
    ]
    for some in _parts(ids):
        _remember(connection, some)
        for table, column in (*referring, (sounds, sounds.c.id)):
            connection.execute(sa.delete(table).where(column.in_(some)))
        if connection.dialect.name == "sqlite":
            text = sa.text("delete from sound_text where rowid in :ids").bindparams(sa.bindparam("ids", expanding=True))
            connection.execute(text, {"ids": list(some)})


def _remember(connection: Connection, ids: Sequence[int]) -> None:
    """Which id the content of each sound of one's own had, where there are labels of it."""
    own = files.c.sound_id.in_(ids) & (files.c.sound_id >= FIRST_LOCAL_ID)
    labelled = sa.exists().where(labels.c.sound_id == files.c.sound_id)
    rows = connection.execute(sa.select(files.c.sha256, files.c.sound_id).where(own, labelled))
    former = {row.sha256: row.sound_id for row in rows}
    connection.execute(sa.delete(forgotten).where(forgotten.c.sha256.in_(former)))
    if former:
        values = [{"sha256": sha256, "former_id": number} for sha256, number in former.items()]
        connection.execute(sa.insert(forgotten), values)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _PER_QUERY] for first in range(0, len(ids), _PER_QUERY))
