"""What queries returned lately, for those that want what is fresh.

A sound has one row: when it was last returned. Rows count up in the order in which they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from corpus.store.database import Database, now
from corpus.store.tables import returned

WITHIN = timedelta(hours=1)
"""How long a sound is not fresh."""
LAST = 100
"""How many of the last returned are not fresh, however long ago that was."""
_PER_QUERY = 500


class Returned:
    """The repository of what was returned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, ids: Sequence[int]) -> None:
        """Note that these sounds are being returned, in this order."""
        if not ids:
            return
        at = now()
        with self._database.write() as connection:
            for first in range(0, len(ids), _PER_QUERY):
                some = list(ids[first : first + _PER_QUERY])
                connection.execute(sa.delete(returned).where(returned.c.sound_id.in_(some)))
                connection.execute(sa.insert(returned), [{"sound_id": sound_id, "at": at} for sound_id in some])

    def lately(self) -> npt.NDArray[np.int64]:
        """The sounds returned within the last hour, or the last 100 if these are more; ascending."""
        since = (datetime.now(UTC) - WITHIN).strftime("%Y-%m-%dT%H:%M:%SZ")
        last = sa.select(returned.c.id).order_by(returned.c.id.desc()).limit(LAST)
        query = sa.select(returned.c.sound_id).where((returned.c.at >= since) | returned.c.id.in_(last))
        with self._database.read() as connection:
            return np.sort(np.fromiter(connection.execute(query).scalars(), np.int64))
