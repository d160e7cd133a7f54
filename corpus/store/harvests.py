"""Harvests: what was asked for, how far each is, and which sounds it brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from corpus.errors import HarvestError
from corpus.store.database import Database, insert_many, now
from corpus.store.tables import files, harvested, harvests, sounds

WANTED, DONE, FAILED, NONE = "wanted", "done", "failed", "none"
HERE, HELD, REFUSED = "here", "held", "refused"
"""What is the matter with a harvested sound's audio.

It may have been here before. It is held until the agents have judged, who may refuse it.
"""


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
    """Audio that a harvest wants: of which sound, from where, how many seconds as served."""

    sound_id: int
    address: str
    duration: float | None = None


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

    def drop_if_empty(self, harvest: Harvest) -> bool:
        """Forget a harvest that never got anywhere, so that nobody goes on with it; whether it was one."""
        with self._database.write() as connection:
            one = harvests.c.id == harvest.id
            cursor = connection.execute(sa.select(harvests.c.cursor).where(one)).scalar()
            if not cursor:
                connection.execute(sa.delete(harvests).where(one))
        return not cursor

    def drop(self, harvest: Harvest) -> None:
        """Forget a harvest; what it brought stays."""
        with self._database.write() as connection:
            connection.execute(sa.delete(harvested).where(harvested.c.harvest_id == harvest.id))
            connection.execute(sa.delete(harvests).where(harvests.c.id == harvest.id))

    def here(self, harvest: Harvest) -> int:
        """How many of a harvest's sounds had audio before."""
        own = (harvested.c.harvest_id == harvest.id) & (harvested.c.audio == HERE)
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(own)).scalar_one())

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
        hold: bool,
    ) -> None:
        """Record within the page's transaction how far the harvest is and which sounds the page brought.

        With `hold` their audio waits for `choose`.
        """
        values = {"cursor": cursor, "state": state, "changed": now()}
        connection.execute(sa.update(harvests).where(harvests.c.id == harvest.id).values(values))
        if not addresses:
            return
        last = sa.select(sa.func.max(harvested.c.position)).where(harvested.c.harvest_id == harvest.id)
        place = (connection.execute(last).scalar() or 0) + 1
        held = self._with_audio(connection, addresses)
        rows = [
            {
                "harvest_id": harvest.id,
                "sound_id": sound_id,
                "position": place + offset,
                "address": address,
                "audio": HERE if sound_id in held else NONE if not address else HELD if hold else WANTED,
            }
            for offset, (sound_id, address) in enumerate(addresses.items())
        ]
        insert_many(connection, harvested, rows)

    def choose(self, harvest: Harvest, good: Sequence[int], most: int | None) -> int:
        """Want the audio of the first `most` of the sounds that are `good`, refuse the rest; how many are chosen."""
        with self._database.write() as connection:
            own = harvested.c.harvest_id == harvest.id
            rows = connection.execute(sa.select(harvested.c.sound_id, harvested.c.audio).where(own)).all()
            audio = {row.sound_id: row.audio for row in rows}
            chosen = [sound_id for sound_id in good if sound_id in audio][:most]
            waiting = [{"which": sound_id} for sound_id in chosen if audio[sound_id] == HELD]
            if waiting:
                one = sa.update(harvested).where(own, harvested.c.sound_id == sa.bindparam("which"))
                connection.execute(one.values(audio=WANTED), waiting)
            connection.execute(sa.update(harvested).where(own, harvested.c.audio == HELD).values(audio=REFUSED))
        return len(chosen)

    def bytes(self, harvest: Harvest) -> int:
        """How many bytes of audio a harvest fetched."""
        own = (harvested.c.harvest_id == harvest.id) & (harvested.c.audio == DONE)
        query = sa.select(sa.func.sum(files.c.bytes)).join(harvested, harvested.c.sound_id == files.c.sound_id)
        with self._database.read() as connection:
            return int(connection.execute(query.where(own)).scalar() or 0)

    def brought(self, harvest: Harvest, refused: bool = True) -> list[int]:
        """The sounds a harvest brought, in order; without `refused` only those no agent refused."""
        query = sa.select(harvested.c.sound_id).where(harvested.c.harvest_id == harvest.id)
        if not refused:
            query = query.where(harvested.c.audio != REFUSED)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(harvested.c.position)).scalars())

    def forget(self, connection: Connection, ids: Sequence[int]) -> None:
        """Let no running harvest bring again, once it goes on, what it brought of these sounds: they will be deleted.

        A page may begin with sounds of the last one, and a sound may be on several lists.
        """
        running = connection.execute(sa.select(harvests).where(harvests.c.state == "running")).all()
        wanted = set(ids)
        for row in running:
            query = sa.select(harvested.c.sound_id).where(harvested.c.harvest_id == row.id)
            going = wanted.intersection(connection.execute(query).scalars())
            known = {**row.wanted, "forgotten": sorted(going.union(row.wanted.get("forgotten", ())))}
            if going:
                connection.execute(sa.update(harvests).where(harvests.c.id == row.id).values(wanted=known))

    def downloads(self, harvest: Harvest, retry: bool) -> list[Download]:
        """Audio still to fetch, in order; with `retry` also what failed before."""
        states = [WANTED, FAILED] if retry else [WANTED]
        query = (
            sa.select(harvested.c.sound_id, harvested.c.address, sounds.c.duration)
            .join(sounds, sounds.c.id == harvested.c.sound_id)
            .where(harvested.c.harvest_id == harvest.id, harvested.c.audio.in_(states))
            .order_by(harvested.c.position)
        )
        with self._database.read() as connection:
            return [Download(row.sound_id, row.address, row.duration) for row in connection.execute(query)]

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

    def rebound(self, harvest: Harvest, wanted: dict[str, Any]) -> Harvest:
        """Change what is wanted of a harvest that is gone on with."""
        with self._database.write() as connection:
            changed = sa.update(harvests).where(harvests.c.id == harvest.id).values(wanted=wanted, changed=now())
            connection.execute(changed)
        return self.get(harvest.id)

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
