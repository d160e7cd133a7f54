"""The scalar descriptors of sounds, served and computed, and what else a record says that filters ask for.

A computed value goes before a served one, trait by trait. All that writes does so within the caller's transaction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.descriptors import SCALARS, Trait
from corpus.model import Origin
from corpus.store.database import Database, insert_many, numbers
from corpus.store.tables import served, sounds, traits

_PER_QUERY = 500
_OF = sa.select(traits).where(traits.c.sound_id.in_(sa.bindparam("ids", expanding=True)))


class Traits:
    """The repository of traits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, connection: Connection, sound_id: int, origin: Origin, values: Mapping[str, Trait | None]) -> None:
        """Set the traits of a sound that `values` names; None (and NaN, infinity) clears one, the others stay.

        Raises
        ------
        ValueError
            One of them is no scalar descriptor (see `corpus.descriptors.SCALARS`).
        """
        for name in values:
            if name not in SCALARS:
                raise ValueError(f"{name!r} is no scalar descriptor; corpus.descriptors names them")
        usable = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }
        here = (traits.c.sound_id == sound_id) & (traits.c.origin == origin)
        if not usable:
            return
        if not connection.execute(sa.update(traits).where(here).values(usable)).rowcount:
            connection.execute(sa.insert(traits), {"sound_id": sound_id, "origin": origin, **usable})

    def measured(
        self,
        connection: Connection,
        sound_id: int,
        file_id: int,
        fingerprint: str,
        values: Mapping[str, Trait | None],
    ) -> None:
        """Store what the analysis computed of a sound, from which file and by what, instead of all that it had."""
        here = (traits.c.sound_id == sound_id) & (traits.c.origin == "computed")
        connection.execute(sa.delete(traits).where(here))
        self.put(connection, sound_id, "computed", values)
        connection.execute(sa.update(traits).where(here).values(file_id=file_id, fingerprint=fingerprint))

    def up_to_date(self, fingerprint: str) -> set[tuple[int, int | None]]:
        """The sounds whose traits were computed by what has this fingerprint, each with the file that was measured."""
        query = sa.select(traits.c.sound_id, traits.c.file_id).where(
            traits.c.origin == "computed", traits.c.fingerprint == fingerprint
        )
        with self._database.read() as connection:
            return {(sound_id, file_id) for sound_id, file_id in connection.execute(query)}

    def of(self, sound_ids: Sequence[int]) -> dict[int, dict[str, tuple[Trait, Origin]]]:
        """By sound the traits that count, by name in their order: value and origin; sounds without any are left out."""
        found: dict[int, dict[Origin, Any]] = {}
        with self._database.read() as connection:
            for some in _parts(sound_ids):
                for row in connection.execute(_OF, {"ids": some}).mappings():
                    found.setdefault(row["sound_id"], {})[row["origin"]] = row
        return {sound_id: own for sound_id, rows in found.items() if (own := dict(_counting(rows)))}

    def numbers(self, names: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The values that count of traits that are numbers, of all sounds held.

        Parameters
        ----------
        names : sequence of str
            Scalar descriptors that are float or int, or "duration", which every sound has.

        Returns
        -------
        ids : (n,) int64, ascending
        values : (n, len(names)) float64, NaN where a sound lacks one
        """
        computed, api = traits.alias(), traits.alias()
        query = (
            sa.select(
                sounds.c.id,
                *(
                    sounds.c.duration if name == "duration" else sa.func.coalesce(computed.c[name], api.c[name])
                    for name in names
                ),
            )
            .outerjoin(computed, (computed.c.sound_id == sounds.c.id) & (computed.c.origin == "computed"))
            .outerjoin(api, (api.c.sound_id == sounds.c.id) & (api.c.origin == "api"))
            .order_by(sounds.c.id)
        )
        with self._database.read() as connection:
            rows = numbers(connection, query, 1 + len(names))
        return rows[:, 0].astype(np.int64), rows[:, 1:]

    def serve(
        self,
        connection: Connection,
        traits_of: Mapping[int, Mapping[str, Trait]],
        facts_of: Mapping[int, Mapping[str, Trait]],
        held: Sequence[int],
    ) -> None:
        """Store what Freesound serves of sounds, instead of all that it served before of those that are held."""
        for some in _parts(held):
            connection.execute(sa.delete(traits).where(traits.c.sound_id.in_(some), traits.c.origin == "api"))
            connection.execute(sa.delete(served).where(served.c.sound_id.in_(some)))
        insert_many(
            connection, traits, [{"sound_id": one, "origin": "api", **own} for one, own in traits_of.items() if own]
        )
        insert_many(connection, served, [{"sound_id": one, **own} for one, own in facts_of.items()])


def _counting(rows: Mapping[Origin, Any]) -> Iterator[tuple[str, tuple[Trait, Origin]]]:
    origins: tuple[Origin, ...] = ("computed", "api")
    for name in SCALARS:
        for origin in origins:
            if origin in rows and rows[origin][name] is not None:
                yield name, (rows[origin][name], origin)
                break


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _PER_QUERY] for first in range(0, len(ids), _PER_QUERY))
