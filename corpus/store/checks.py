"""When Freesound was last asked about each of its sounds, and which of them it has no more."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.model import FIRST_LOCAL_ID
from corpus.store.database import Database, now
from corpus.store.tables import sounds


class Checks:
    """The repository of checks. A mark of being gone keeps the date on which it was first made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, ids: Sequence[int] | None = None) -> list[int]:
        """Freesound's sounds (of `ids`, if given), the least recently checked (or never) first."""
        query = sa.select(sounds.c.id).where(sounds.c.id < FIRST_LOCAL_ID)
        with self._database.read() as connection:
            every = connection.execute(query.order_by(sounds.c.checked.nulls_first(), sounds.c.id)).scalars().all()
        wanted = None if ids is None else set(ids)
        return [sound_id for sound_id in every if wanted is None or sound_id in wanted]

    def gone(self) -> list[int]:
        """Sounds that Freesound has no more, in order of id."""
        query = sa.select(sounds.c.id).where(sounds.c.gone.is_not(None)).order_by(sounds.c.id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def there(self, connection: Connection, ids: Sequence[int]) -> list[int]:
        """Record within the caller's transaction that Freesound has these; returns those that had been gone."""
        marked = sa.select(sounds.c.id).where(sounds.c.id.in_(ids), sounds.c.gone.is_not(None)).order_by(sounds.c.id)
        back = list(connection.execute(marked).scalars())
        connection.execute(sa.update(sounds).where(sounds.c.id.in_(ids)).values(checked=now(), gone=None))
        return back

    def missing(self, connection: Connection, ids: Sequence[int]) -> list[int]:
        """Record within the caller's transaction that Freesound lacks these; returns those that went since."""
        at = now()
        unmarked = sa.select(sounds.c.id).where(sounds.c.id.in_(ids), sounds.c.gone.is_(None)).order_by(sounds.c.id)
        went = list(connection.execute(unmarked).scalars())
        connection.execute(sa.update(sounds).where(sounds.c.id.in_(ids)).values(checked=at))
        connection.execute(sa.update(sounds).where(sounds.c.id.in_(went)).values(gone=at))
        return went
