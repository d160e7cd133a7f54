"""In which state the facts are, by family: another after any change to any of them, whoever made it.

`sounds` are all that is said of sounds, their files and traits; `vectors` the spaces too, and Freesound's lists of what
is similar; `agents` their labels and models too. Plays, requests and palettes belong to none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import sqlalchemy as sa

from corpus.store.database import Database
from corpus.store.tables import states


class States:
    """What the triggers draw anew at each change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._last: tuple[object, Mapping[str, int]] = None, {}

    def now(self) -> Mapping[str, int] | None:
        """A number for each family; None where the database cannot say. Costs next to nothing while nobody writes."""
        version = self._database.version()
        if version is None:
            return None
        with self._lock:
            if self._last[0] != version:
                with self._database.read() as connection:  # later than the version: what is older is never given
                    rows = connection.execute(sa.select(states)).all()
                self._last = version, {row.family: row.changes for row in rows}
            return self._last[1]
