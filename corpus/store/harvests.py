"""Harvests: what was asked for, how far each is, and which sounds it brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from corpus.errors import HarvestError
from corpus.store.database import Database, now
from corpus.store.tables import files, harvested, harvests

WANTED, DONE, FAILED, NONE = "wanted", "done", "failed", "none"
"""What is the matter with a harvested sound's audio."""

_FORGOTTEN = "forgotten"
"""Under which name a harvest's `wanted` holds the ids that it brought and that are wanted no more."""


@dataclass(frozen=True)
class Harvest:
    """One harvest as it stands: `state` is `running`, `audio` (all pages are in) or `done`."""

    id: int
    wanted: dict[str, Any]
    state: str
    cursor: dict[str, Any]
    started: str
    changed: str


@dataclass(frozen=True)
class Download:
    """Audio that a harvest wants: of which sound, from where."""

    sound_id: int
    address: str


class Harvests:
    """The repository of harvests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, wanted: dict[str, Any]) -> Harvest:
        """Record a new harvest."""
        row = {"wanted": wanted, "state": "running", "cursor": {}, "started": now(), "changed": now()}
        with self._database.write() as connection:
            added = connection.execute(sa.insert(harvests).values(row).returning(harvests.c.id)).scalar_one()
        return self.get(added)

    def get(self, harvest_id: int) -> Harvest:
        """One harvest.

        Raises
        ------
        HarvestError
            There is none of that number.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(harvests).where(harvests.c.id == harvest_id)).first()
        if row is None:
            raise HarvestError(f"no harvest {harvest_id}; `mirla harvest --list` shows them")
        return _harvest(row)

    def all(self) -> list[Harvest]:
        """All harvests, the newest last."""
        with self._database.read() as connection:
            return [_harvest(row) for row in connection.execute(sa.select(harvests).order_by(harvests.c.id))]

    def advance(
        self,
        connection: Connection,
        harvest: Harvest,
        cursor: dict[str, Any],
        state: str,
        addresses: dict[int, str | None],
    ) -> None:
        """Record within the page's transaction how far the harvest is and which sounds the page brought."""
        values = {"cursor": cursor, "state": state, "changed": now()}
        connection.execute(sa.update(harvests).where(harvests.c.id == harvest.id).values(values))
        if not addresses:
            return
        place = connection.execute(sa.select(sa.func.count()).where(harvested.c.harvest_id == harvest.id)).scalar_one()
        held = self._with_audio(connection, addresses)
        rows = [
            {
                "harvest_id": harvest.id,
                "sound_id": sound_id,
                "position": place + offset,
                "address": address,
                "audio": DONE if sound_id in held else WANTED if address else NONE,
            }
            for offset, (sound_id, address) in enumerate(addresses.items())
        ]
        connection.execute(sa.insert(harvested), rows)

    def brought(self, harvest: Harvest) -> list[int]:
        """The sounds a harvest brought, in order, and behind them those that were forgotten while it ran."""
        query = sa.select(harvested.c.sound_id).where(harvested.c.harvest_id == harvest.id)
        with self._database.read() as connection:
            held = list(connection.execute(query.order_by(harvested.c.position)).scalars())
        return held + [one for one in harvest.wanted.get(_FORGOTTEN, ()) if one not in set(held)]

    def forget(self, connection: Connection, ids: Sequence[int]) -> None:
        """Let no running harvest bring again, once it goes on, what it brought of these sounds: they will be deleted.

        A page may begin with sounds of the last one, and a sound may be on several lists.
        """
        running = connection.execute(sa.select(harvests).where(harvests.c.state == "running")).all()
        wanted = set(ids)
        for row in running:
            query = sa.select(harvested.c.sound_id).where(harvested.c.harvest_id == row.id)
            going = wanted.intersection(connection.execute(query).scalars())
            known = {**row.wanted, _FORGOTTEN: sorted(going.union(row.wanted.get(_FORGOTTEN, ())))}
            if going:
                connection.execute(sa.update(harvests).where(harvests.c.id == row.id).values(wanted=known))

    def downloads(self, harvest: Harvest, retry: bool) -> list[Download]:
        """Audio still to fetch, in order; with `retry` also what failed before."""
        states = [WANTED, FAILED] if retry else [WANTED]
        query = (
            sa.select(harvested.c.sound_id, harvested.c.address)
            .where(harvested.c.harvest_id == harvest.id, harvested.c.audio.in_(states))
            .order_by(harvested.c.position)
        )
        with self._database.read() as connection:
            return [Download(row.sound_id, row.address) for row in connection.execute(query)]

    def settle(self, connection: Connection, harvest: Harvest, sound_id: int, error: str | None) -> None:
        """Record within the caller's transaction what became of one download."""
        which = harvested.c.harvest_id == harvest.id, harvested.c.sound_id == sound_id
        values = {"audio": FAILED if error else DONE, "error": error}
        connection.execute(sa.update(harvested).where(*which).values(values))

    def failures(self, harvest: Harvest) -> list[tuple[int, str]]:
        """Sounds whose audio failed, with the reason."""
        query = sa.select(harvested.c.sound_id, harvested.c.error).where(
            harvested.c.harvest_id == harvest.id, harvested.c.audio == FAILED
        )
        with self._database.read() as connection:
            return [(row.sound_id, row.error) for row in connection.execute(query.order_by(harvested.c.sound_id))]

    def finish(self, harvest: Harvest, state: str) -> None:
        """Set the state of a harvest."""
        values = {"state": state, "changed": now()}
        with self._database.write() as connection:
            connection.execute(sa.update(harvests).where(harvests.c.id == harvest.id).values(values))

    def _with_audio(self, connection: Connection, ids: Iterable[int]) -> set[int]:
        query = sa.select(files.c.sound_id).where(files.c.sound_id.in_(list(ids)), files.c.preferred)
        return set(connection.execute(query).scalars())


def _harvest(row: Row[Any]) -> Harvest:
    return Harvest(row.id, row.wanted, row.state, row.cursor, row.started, row.changed)
