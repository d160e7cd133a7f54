"""Palettes: which sounds are published under a name, in which order and as which files.

A palette that was removed keeps its row, so that its versions go on counting when it is published again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from corpus.model import Palette, PaletteSound
from corpus.store.database import Database, now
from corpus.store.tables import palette_sounds, palettes


class Palettes:
    """The repository of palettes. The folders are `corpus.publishing`'s."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Palette]:
        """Those that are published, by name."""
        return [palette for palette in self.ever() if palette.removed is None]

    def ever(self) -> list[Palette]:
        """All that were ever published, by name; those that were removed are without sounds."""
        with self._database.read() as connection:
            return every(connection)

    def get(self, name: str) -> Palette | None:
        """A palette that is published, by its name."""
        return next((palette for palette in self.all() if palette.name == name), None)

    def put(self, name: str, version: int, sounds: Sequence[PaletteSound]) -> None:
        """Record what is published under a name, in place of what was, on the disk before this returns."""
        state = {"version": version, "published": now(), "removed": None}
        with self._database.write(durable=True) as connection:
            here = palettes.c.name == name
            number = connection.execute(sa.select(palettes.c.id).where(here)).scalar()
            if number is None:
                insert = sa.insert(palettes).values(state | {"name": name}).returning(palettes.c.id)
                number = connection.execute(insert).scalar_one()
            else:
                connection.execute(sa.update(palettes).where(here).values(state))
                connection.execute(sa.delete(palette_sounds).where(palette_sounds.c.palette_id == number))
            rows = [
                {
                    "palette_id": number,
                    "position": sound.index,
                    "sound_id": sound.id,
                    "file": sound.file,
                    "sha256": sound.sha256,
                    "credit": sound.credit,
                }
                for sound in sounds
            ]
            connection.execute(sa.insert(palette_sounds), rows)

    def remove(self, name: str) -> None:
        """Record that nothing is published under a name any more."""
        here = palettes.c.name == name
        with self._database.write(durable=True) as connection:
            own = palette_sounds.c.palette_id.in_(sa.select(palettes.c.id).where(here))
            connection.execute(sa.delete(palette_sounds).where(own))
            connection.execute(sa.update(palettes).where(here).values(removed=now()))


def every(connection: Connection) -> list[Palette]:
    """All that were ever published, by name, within the caller's transaction."""
    rows = connection.execute(sa.select(palettes).order_by(palettes.c.name)).all()
    return [_palette(connection, row) for row in rows]


def _palette(connection: Connection, row: Row[Any]) -> Palette:
    own = sa.select(palette_sounds).where(palette_sounds.c.palette_id == row.id).order_by(palette_sounds.c.position)
    sounds = tuple(
        PaletteSound(one.position, one.sound_id, one.file, one.sha256, one.credit) for one in connection.execute(own)
    )
    return Palette(row.name, row.version, row.published, sounds, row.removed)
