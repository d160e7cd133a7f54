"""What lists of sounds are sorted by, a column of all sounds at a time, and the packs there are.

`filesize` is that of the original where Freesound says it, else of the file here; `created` of a sound of one's own is
when it was added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from corpus.store.database import Database, Table, numbers, plain
from corpus.store.tables import files, served, sounds

_PER_QUERY = 500
NUMBERS = ("duration", "num_downloads", "avg_rating", "num_ratings", "filesize")
"""What sounds can be sorted by, beside the date and the traits."""


@dataclass(frozen=True)
class Column:
    """One value a sound: `values` (n,) in ascending order of `ids` (n,), NaN where there is none."""

    ids: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.ids.nbytes + self.values.nbytes

    def of(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The values of some sounds, all of which are held."""
        if len(ids) == len(self.ids) and np.array_equal(ids, self.ids):
            return self.values
        return self.values[np.searchsorted(self.ids, ids)]


@dataclass(frozen=True)
class Pack:
    """A pack of one user: its first sound, and how many it has."""

    name: str
    username: str | None
    first: int
    sounds: int


class Listing:
    """The repository of what lists need."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def numbers(self, name: str) -> Column:
        """One of `NUMBERS` of all sounds, or `created`, as its place in the order of the dates."""
        with self._database.read() as connection:
            rows = _in_order(plain(connection, _of(name))) if name == "created" else numbers(connection, _of(name), 2)
        rows = rows[np.argsort(rows[:, 0])]
        return Column(rows[:, 0].astype(np.int64), rows[:, 1].copy())

    def added(self, ids: Sequence[int]) -> dict[int, str]:
        """When sounds were added, by id."""
        found: dict[int, str] = {}
        with self._database.read() as connection:
            for first in range(0, len(ids), _PER_QUERY):
                some = ids[first : first + _PER_QUERY]
                rows = connection.execute(sa.select(sounds.c.id, sounds.c.added).where(sounds.c.id.in_(some)))
                found |= {row.id: row.added for row in rows}
        return found

    def packs(self) -> list[Pack]:
        """All packs, in the order of their first sounds."""
        query = (
            sa.select(sounds.c.pack, sounds.c.username, sa.func.min(sounds.c.id).label("first"), sa.func.count())
            .where(sounds.c.pack.is_not(None), sounds.c.pack != "")
            .group_by(sounds.c.pack, sounds.c.username)
            .order_by("first")
        )
        with self._database.read() as connection:
            return [Pack(*row) for row in connection.execute(query)]


def _of(name: str) -> sa.Select[Any]:
    """Ids and values in any order: by the order of ids SQLite would read the sounds themselves, with their records."""
    column: sa.ColumnElement[Any] = sounds.c.duration
    table: sa.FromClause = sounds
    if name != "duration":
        table = table.outerjoin(served, served.c.sound_id == sounds.c.id)
        column = sa.func.coalesce(served.c.created, sounds.c.added) if name == "created" else served.c[name]
    if name == "filesize":
        table = table.outerjoin(files, (files.c.sound_id == sounds.c.id) & files.c.preferred)
        column = sa.func.coalesce(column, files.c.bytes)
    return sa.select(sounds.c.id, column).select_from(table)


def _in_order(dates: Sequence[tuple[int, str]]) -> Table:
    """Ids, and for each date its place in their order."""
    places = {date: place for place, date in enumerate(sorted({date for _, date in dates}))}
    return np.array([(sound_id, places[date]) for sound_id, date in dates], np.float64).reshape(-1, 2)
