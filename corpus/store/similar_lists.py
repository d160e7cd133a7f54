"""The API's own lists of similar sounds, in its order: what `freesound_list` answers from when there is no network."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.store.database import Database, now
from corpus.store.tables import similar_lists


class SimilarLists:
    """The repository of similar lists. Neither a list's sound nor those on it need be held."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, connection: Connection, sound_id: int, ids: Sequence[int], asked: int) -> None:
        """Store within the caller's transaction the list of a sound, of which `asked` places were asked for."""
        connection.execute(sa.delete(similar_lists).where(similar_lists.c.sound_id == sound_id))
        row = {"sound_id": sound_id, "ids": list(ids), "asked": asked, "fetched": now()}
        connection.execute(sa.insert(similar_lists), row)

    def of(self, sound_id: int) -> list[int] | None:
        """Ids of the sounds similar to one, the most similar first; None when its list was never fetched."""
        query = sa.select(similar_lists.c.ids).where(similar_lists.c.sound_id == sound_id)
        with self._database.read() as connection:
            ids = connection.execute(query).scalar()
        return None if ids is None else list(ids)

    def count(self) -> int:
        """How many sounds have a list."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(similar_lists)).scalar_one())

    def lacking(self, ids: Sequence[int], asked: int) -> list[int]:
        """Those of `ids`, in order, of which fewer than `asked` places were ever asked for."""
        query = sa.select(similar_lists.c.sound_id).where(similar_lists.c.asked >= asked)
        with self._database.read() as connection:
            there = set(connection.execute(query).scalars())
        return [sound_id for sound_id in ids if sound_id not in there]
