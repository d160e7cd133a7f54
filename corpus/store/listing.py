"""What lists of sounds are sorted by, and the packs there are: columns of all sounds at once.

`filesize` is that of the original where Freesound says it, else of the file here; `created` of a sound of one's own is
when it was added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from corpus.store.database import Database
from corpus.store.tables import files, served, sounds

_PER_QUERY = 500
NUMBERS = ("duration", "num_downloads", "avg_rating", "num_ratings", "filesize")
"""What sounds can be sorted by, beside the date and the traits."""


@dataclass(frozen=True)
class Columns:
    """One value a sound, all in ascending order of `ids` (n,); NaN where there is none.

    `created` is a place in the order of the dates, the same for the same date.
    """

    ids: npt.NDArray[np.int64]
    created: npt.NDArray[np.float64]
    numbers: dict[str, npt.NDArray[np.float64]]


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

    def columns(self) -> Columns:
        """What all sounds are sorted by."""
        query = (
            sa.select(
                sounds.c.id,
                sounds.c.duration,
                *(served.c[name] for name in NUMBERS[1:4]),
                sa.func.coalesce(served.c.filesize, files.c.bytes),
                sa.func.coalesce(served.c.created, sounds.c.added),
            )
            .outerjoin(served, served.c.sound_id == sounds.c.id)
            .outerjoin(files, (files.c.sound_id == sounds.c.id) & files.c.preferred)
            .order_by(sounds.c.id)
        )
        with self._database.read() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        ids = np.array([row[0] for row in rows], np.int64)
        values = np.array([row[1:6] for row in rows], np.float64).reshape(len(ids), len(NUMBERS))  # None becomes NaN
        dates = np.unique([row[6] for row in rows], return_inverse=True)[1] if rows else np.empty(0)
        return Columns(ids, dates.astype(np.float64), dict(zip(NUMBERS, values.T, strict=True)))

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
