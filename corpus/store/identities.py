"""Which sound here is the one that another home means: by Freesound id, else by the content of its file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.model import FIRST_LOCAL_ID, LAST_LOCAL_ID
from corpus.store.database import Database
from corpus.store.tables import files, sounds

_PER_QUERY = 500


class Identities:
    """Finds sounds by what they are called elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def here(self, elsewhere: Sequence[tuple[int | None, str | None]]) -> list[int | None]:
        """Ids here of sounds given by id and SHA-256 (either may be None); None for those that are not held.

        A Freesound id is enough, whichever of its files is held. A local id means a sound of the home it comes from:
        there the content decides, and the id only where several sounds share it.
        """
        with self._database.read() as connection:
            there = held(connection, [number for number, _ in elsewhere if number is not None])
            holders = _holders(connection, [sha256 for _, sha256 in elsewhere if sha256])
        found: list[int | None] = []
        for number, sha256 in elsewhere:
            sharing = holders.get(sha256 or "", [])
            known = number if number in there else None
            if known is not None and (known < FIRST_LOCAL_ID or known in sharing):
                found.append(known)
            else:
                found.append(min(sharing, default=None))
        return found


def held(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of the ids that are held, within the caller's transaction."""
    possible = [number for number in ids if 0 < number <= LAST_LOCAL_ID]
    queries = (sa.select(sounds.c.id).where(sounds.c.id.in_(some)) for some in _parts(possible))
    return {number for query in queries for number in connection.execute(query).scalars()}


def _holders(connection: Connection, hashes: Sequence[str]) -> dict[str, list[int]]:
    holders: dict[str, list[int]] = {}
    for some in _parts(hashes):
        query = sa.select(files.c.sha256, files.c.sound_id).where(files.c.sha256.in_(some))
        for sha256, number in connection.execute(query):
            holders.setdefault(sha256, []).append(number)
    return holders


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[first : first + _PER_QUERY] for first in range(0, len(items), _PER_QUERY))
