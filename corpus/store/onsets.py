"""Onsets of sounds, in seconds, with the fingerprint of what found them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.store.database import Database
from corpus.store.tables import files, onsets

_STORED = np.dtype("<f4")


class Onsets:
    """The repository of onsets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, sound_id: int) -> npt.NDArray[np.float32] | None:
        """The onsets of a sound in seconds, ascending; None where they were not looked for in the file it has now."""
        query = (
            sa.select(onsets.c.data)
            .join(files, files.c.id == onsets.c.file_id)
            .where(onsets.c.sound_id == sound_id, files.c.preferred)
        )
        with self._database.read() as connection:
            data = connection.execute(query).scalar()
        return None if data is None else np.frombuffer(data, _STORED)

    def count(self) -> int:
        """In how many sounds they were looked for."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(onsets)).scalar_one())

    def up_to_date(self, fingerprint: str) -> set[tuple[int, int]]:
        """The sounds whose onsets were found by what has this fingerprint, each with the file that was looked at."""
        query = sa.select(onsets.c.sound_id, onsets.c.file_id).where(onsets.c.fingerprint == fingerprint)
        with self._database.read() as connection:
            return {(sound_id, file_id) for sound_id, file_id in connection.execute(query)}

    def put(
        self, connection: Connection, sound_id: int, file_id: int, fingerprint: str, values: npt.NDArray[np.float32]
    ) -> None:
        """Store the onsets of a sound within the caller's transaction, in place of older ones."""
        row = {"sound_id": sound_id, "file_id": file_id, "fingerprint": fingerprint}
        connection.execute(sa.delete(onsets).where(onsets.c.sound_id == sound_id))
        connection.execute(sa.insert(onsets), row | {"data": values.astype(_STORED).tobytes()})
