"""Spaces and their vectors. A vector without the fingerprint of its extractor does not exist."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import AnalysisError, StoreError
from corpus.model import Space
from corpus.store.database import Database, insert_many
from corpus.store.tables import additions, files, provenances, sounds, spaces, vectors

_STORED = np.dtype("<f4")
_STORED_IDS = np.dtype("<i8")
_PER_QUERY = 500
_AT_ONCE = 10_000
"""Rows fetched at a time, so that a matrix is in memory but once."""
_REMEMBERED = 1000
"""How many additions are remembered, of all spaces."""
_TOO_MANY = 100_000
"""An addition of more vectors is not remembered: reading all again is no slower."""

Matrix = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Pending:
    """A file that lacks something: vectors in `spaces`, its levels, its traits or its onsets.

    `duration` is the file's own, `served` the sound's as whoever has the original says, if anyone does (both in s).
    """

    sound_id: int
    file_id: int
    path: Path
    duration: float
    samplerate: int
    source: str
    spaces: tuple[str, ...]
    levels: bool
    served: float | None = None
    traits: bool = False
    onsets: bool = False


@dataclass(frozen=True)
class Vector:
    """One vector to store, with the facts of how it came about (library versions, decoder, source).

    Of its numbers, those at `may_miss` may be NaN, for what a sound has not; all others must be finite.
    """

    space: str
    fingerprint: str
    sound_id: int
    file_id: int | None
    values: npt.NDArray[np.float32]
    provenance: dict[str, str]
    may_miss: tuple[int, ...] = ()


class Vectors:
    """The repository of spaces and vectors."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = home
        self._lock = threading.Lock()
        self._known: tuple[object, dict[str, Any]] = None, {}

    def register(self, space: Space) -> None:
        """Make this fingerprint the current one of its space; vectors of another are stale from now on."""
        same_name = spaces.c.name == space.name
        with self._database.write() as connection:
            known = connection.execute(
                sa.select(spaces.c.id).where(same_name, spaces.c.fingerprint == space.fingerprint)
            ).scalar()
            connection.execute(sa.update(spaces).where(same_name).values(current=False))
            if known is None:
                values = {"name": space.name, "dim": space.dim, "origin": space.origin}
                connection.execute(sa.insert(spaces), values | {"fingerprint": space.fingerprint, "current": True})
            else:
                connection.execute(sa.update(spaces).where(spaces.c.id == known).values(current=True))

    def space(self, name: str) -> Space | None:
        """The space as it stands, or None when nothing was ever analysed in it."""
        row = self._spaces().get(name)
        return Space(row.name, row.dim, row.fingerprint, row.origin) if row else None

    def counts(self) -> dict[str, int]:
        """How many sounds have a current vector, by space."""
        query = (
            sa.select(spaces.c.name, sa.func.count(vectors.c.sound_id))
            .select_from(spaces.outerjoin(vectors))
            .where(spaces.c.current)
            .group_by(spaces.c.name)
            .order_by(spaces.c.name)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def count(self, name: str) -> int:
        """How many sounds have a current vector in one space."""
        query = sa.select(sa.func.count(vectors.c.sound_id)).join(spaces).where(spaces.c.name == name, spaces.c.current)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def stale(self, name: str) -> int:
        """How many vectors in one space are of another fingerprint than the current one."""
        query = (
            sa.select(sa.func.count(vectors.c.sound_id)).join(spaces).where(spaces.c.name == name, ~spaces.c.current)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def state(self, name: str) -> str | None:
        """Which state the current vectors of a space are in: another word after any change, whoever made it.

        None where there is no such space, or the database cannot say.
        """
        space = self._spaces().get(name) if self._database.sqlite else None
        return _state(space) if space else None

    def _spaces(self) -> dict[str, Any]:
        """The current spaces by name; read anew only after anything changed."""
        version = self._database.version()
        with self._lock:
            if version is None or self._known[0] != version:
                with self._database.read() as connection:  # later than the version: what is older is never given
                    rows = connection.execute(sa.select(spaces).where(spaces.c.current)).all()
                self._known = version, {row.name: row for row in rows}
            return self._known[1]

    def ids(self, name: str) -> npt.NDArray[np.int64]:
        """The sounds that have a current vector in one space, ascending."""
        query = sa.select(vectors.c.sound_id).join(spaces).where(spaces.c.name == name, spaces.c.current)
        with self._database.read() as connection:
            return np.fromiter(connection.execute(query.order_by(vectors.c.sound_id)).scalars(), np.int64)

    def matrix(self, name: str) -> Matrix:
        """All current vectors of a space.

        Returns
        -------
        ids : (n,) int64, ascending
        X : (n, dim) float32
        """
        return self.snapshot(name)[1]

    def snapshot(self, name: str) -> tuple[str | None, Matrix]:
        """All current vectors of a space (see `matrix`), and the state that they are in."""
        if self.space(name) is None:
            return None, (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        with self._database.read() as connection:
            space = _current(connection, name)
            if space is None:
                return None, (np.empty(0, np.int64), np.empty((0, 0), np.float32))
            mine = vectors.c.space_id == space.id
            count = connection.execute(sa.select(sa.func.count()).select_from(vectors).where(mine)).scalar_one()
            query = sa.select(vectors.c.sound_id, vectors.c.data).where(mine).order_by(vectors.c.sound_id)
            found = _read(connection, query, count, space.dim)
            return _state(space) if self._database.sqlite else None, found

    def added(self, name: str, since: str) -> tuple[str, Matrix] | None:
        """The present state of a space and the vectors added since another, if nothing else happened in between.

        None if something did, or if that is too long ago to know. Ids ascend.
        """
        with self._database.read() as connection:
            space = _current(connection, name)
            if space is None or not self._database.sqlite:
                return None
            steps = {
                row.before: row
                for row in connection.execute(sa.select(additions).where(additions.c.space_id == space.id))
            }
            ids: list[npt.NDArray[np.int64]] = []
            at = since
            while at != _state(space):
                step = steps.pop(_changes(at), None)
                if step is None or at != _state(space, _changes(at)):
                    return None
                ids.append(np.frombuffer(step.ids, _STORED_IDS))
                at = _state(space, step.after)
            new = np.sort(np.concatenate(ids)) if ids else np.empty(0, np.int64)
            X = np.empty((len(new), space.dim), np.float32)
            for first in range(0, len(new), _PER_QUERY):
                some = new[first : first + _PER_QUERY].tolist()
                query = sa.select(vectors.c.sound_id, vectors.c.data).order_by(vectors.c.sound_id)
                mine = query.where(vectors.c.space_id == space.id, vectors.c.sound_id.in_(some))
                X[first : first + len(some)] = _read(connection, mine, len(some), space.dim)[1]
            return at, (new, X)

    def sources(self, name: str) -> dict[int, str]:
        """From which kind of file (original, hq-ogg, ...) each current vector of a computed space is, by sound."""
        query = (
            sa.select(vectors.c.sound_id, files.c.source)
            .select_from(vectors.join(spaces).join(files, files.c.id == vectors.c.file_id))
            .where(spaces.c.name == name, spaces.c.current)
        )
        with self._database.read() as connection:
            return {row.sound_id: row.source for row in connection.execute(query)}

    def of_sound(self, sound_id: int) -> dict[str, npt.NDArray[np.float32]]:
        """The current vectors of one sound, by space."""
        query = (
            sa.select(spaces.c.name, vectors.c.data)
            .join(vectors)
            .where(spaces.c.current, vectors.c.sound_id == sound_id)
            .order_by(spaces.c.name)
        )
        with self._database.read() as connection:
            return {name: np.frombuffer(data, _STORED) for name, data in connection.execute(query)}

    def pending(
        self,
        names: Sequence[str],
        ids: Sequence[int] | None = None,
        redo: bool = False,
        with_traits: Collection[tuple[int, int | None]] | None = None,
        with_onsets: Collection[tuple[int, int]] | None = None,
    ) -> tuple[list[Pending], dict[str, int], tuple[int, int]]:
        """What there is to analyse; how many sounds each space has already, and how many have their traits and onsets.

        Parameters
        ----------
        names : sequence of str
            Registered spaces.
        ids : sequence of int, optional
            Only these sounds.
        redo : bool
            Everything again.
        with_traits, with_onsets : collection of (sound id, file id), optional
            What has its traits and its onsets already, where they are wanted of all.
        """
        wanted = None if ids is None else set(ids)
        with self._database.read() as connection:
            done = {name: set() if redo else _analysed(connection, name) for name in names}
            query = sa.select(files, sounds.c.duration).join(sounds).where(files.c.preferred)
            rows = connection.execute(query.order_by(files.c.sound_id)).all()
        work: list[Pending] = []
        skipped = dict.fromkeys(names, 0)
        skipped_traits = skipped_onsets = 0
        for row in rows:
            if wanted is not None and row.sound_id not in wanted:
                continue
            measured = {(row.sound_id, row.id), (row.sound_id, None)}  # None: a file that stayed in another home
            missing = tuple(name for name in names if done[name].isdisjoint(measured))
            for name in names:
                skipped[name] += name not in missing
            levels = redo or row.peak is None
            traits = with_traits is not None and (redo or not measured.intersection(with_traits))
            skipped_traits += with_traits is not None and not traits
            onsets = with_onsets is not None and (redo or (row.sound_id, row.id) not in with_onsets)
            skipped_onsets += with_onsets is not None and not onsets
            if missing or levels or traits or onsets:
                work.append(
                    Pending(
                        sound_id=row.sound_id,
                        file_id=row.id,
                        path=self._home / row.path,
                        duration=row.frames / row.samplerate,
                        samplerate=row.samplerate,
                        source=row.source,
                        spaces=missing,
                        levels=levels,
                        served=row.duration,
                        traits=traits,
                        onsets=onsets,
                    )
                )
        return work, skipped, (skipped_traits, skipped_onsets)

    def changed(self, connection: Connection, some: Sequence[Vector]) -> list[Vector]:
        """Those vectors that are stored otherwise, or not at all; read within the caller's transaction."""
        query = (
            sa.select(spaces.c.name, spaces.c.fingerprint, vectors.c.sound_id, vectors.c.data)
            .join(vectors)
            .where(spaces.c.name.in_({one.space for one in some}))
            .where(vectors.c.sound_id.in_({one.sound_id for one in some}))
        )
        stored = {tuple(row[:3]): row.data for row in connection.execute(query)}
        return [
            one
            for one in some
            if stored.get((one.space, one.fingerprint, one.sound_id)) != one.values.astype(_STORED).tobytes()
        ]

    def put(self, connection: Connection, some: Iterable[Vector]) -> None:
        """Store vectors within the caller's transaction, in place of older ones of the same sound and space.

        Raises
        ------
        AnalysisError
            A vector of a fingerprint that was never registered, of another length, or with what is no number.
        """
        some = list(some)
        stored = connection.execute(sa.select(spaces)).all()
        own = {(row.name, row.fingerprint): row for row in stored}
        known: dict[str, int] = {}
        facts, last = "", None
        replaced: dict[str, list[int]] = {}
        rows: list[dict[str, Any]] = []
        for vector in some:
            space = own.get((vector.space, vector.fingerprint))
            if space is None or space.dim != vector.values.size:
                raise AnalysisError(
                    f"space {vector.space!r}: {vector.values.size} numbers of an unregistered extractor"
                )
            if vector.provenance is not last:  # many vectors in a row share theirs
                facts, last = json.dumps(vector.provenance, sort_keys=True), vector.provenance
            if facts not in known:
                known[facts] = _provenance(connection, facts)
            replaced.setdefault(vector.space, []).append(vector.sound_id)
            rows.append(
                {
                    "space_id": space.id,
                    "sound_id": vector.sound_id,
                    "file_id": vector.file_id,
                    "provenance_id": known[facts],
                    "data": (data := vector.values.astype(_STORED).tobytes()),
                    "sum": crc32(data),
                }
            )
        if rows:
            if not np.isfinite(np.frombuffer(b"".join([row["data"] for row in rows]), _STORED)).all():
                _check_numbers(some)
            for name, ids in replaced.items():
                same = vectors.c.space_id.in_([row.id for row in stored if row.name == name])
                for first in range(0, len(ids), _PER_QUERY):
                    theirs = vectors.c.sound_id.in_(ids[first : first + _PER_QUERY])
                    connection.execute(sa.delete(vectors).where(same, theirs))
            self._insert(connection, rows, {row.id: row.changes for row in stored})

    def _insert(self, connection: Connection, rows: list[dict[str, Any]], before: dict[int, int]) -> None:
        """Add rows, and remember that this added and no more where `changes` is still what it was `before`."""
        ids: dict[int, list[int]] = {}
        for row in rows:
            ids.setdefault(row["space_id"], []).append(row["sound_id"])
        untouched = {space.id for space in connection.execute(sa.select(spaces)) if space.changes == before[space.id]}
        insert_many(connection, vectors, rows)
        for space in connection.execute(sa.select(spaces)).all():
            new = ids.get(space.id, [])
            if space.id in untouched and space.changes != before[space.id] and len(new) <= _TOO_MANY:
                step = {"space_id": space.id, "before": before[space.id], "after": space.changes}
                step["ids"] = np.array(new, _STORED_IDS).tobytes()
                latest = connection.execute(sa.insert(additions).values(step).returning(additions.c.id)).scalar_one()
                connection.execute(sa.delete(additions).where(additions.c.id <= latest - _REMEMBERED))


def _check_numbers(some: Iterable[Vector]) -> None:
    for vector in some:
        values = vector.values.astype(_STORED).ravel()
        wrong = ~np.isfinite(values)
        missing = list(vector.may_miss)
        wrong[missing] &= ~np.isnan(values[missing])
        if wrong.any():
            raise AnalysisError(
                f"sound {vector.sound_id}: {values[wrong][0]} in its vector in space {vector.space!r}; only finite "
                "numbers can be stored"
            )


def _current(connection: Connection, name: str) -> Any:
    return connection.execute(sa.select(spaces).where(spaces.c.name == name, spaces.c.current)).first()


def _state(space: Any, changes: int | None = None) -> str:
    """As a word; `changes` if not the present one."""
    return f"{space.fingerprint} {space.id} {space.changes if changes is None else changes}"


def _changes(state: str) -> int:
    return int(state.rsplit(" ", 1)[-1])


def _read(connection: Connection, query: sa.Select[Any], count: int, dim: int) -> Matrix:
    """Rows of an id and its vector."""
    ids, X = np.empty(count, np.int64), np.empty((count, dim), np.float32)
    first = 0
    for some in connection.execution_options(yield_per=_AT_ONCE).execute(query).partitions():
        last = first + len(some)
        ids[first:last] = [row[0] for row in some]
        X[first:last] = np.frombuffer(b"".join([row[1] for row in some]), _STORED).reshape(-1, dim)
        first = last
    if first != count:
        raise StoreError(f"{count} vectors were looked for and {first} found: the database is damaged")
    return ids, X


def _analysed(connection: Connection, name: str) -> set[tuple[int, int | None]]:
    query = sa.select(vectors.c.sound_id, vectors.c.file_id).join(spaces).where(spaces.c.name == name, spaces.c.current)
    return {(sound_id, file_id) for sound_id, file_id in connection.execute(query)}


def _provenance(connection: Connection, facts: str) -> int:
    known = connection.execute(sa.select(provenances.c.id).where(provenances.c.facts == facts)).scalar()
    if known is not None:
        return int(known)
    added = sa.insert(provenances).values(facts=facts).returning(provenances.c.id)
    return int(connection.execute(added).scalar_one())
