"""What `check` asks of the database: whether it is whole, which files it knows, which vectors are not as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from corpus.errors import StoreError
from corpus.model import Space
from corpus.store import backups, parts, rows, vetting
from corpus.store.database import Database, now
from corpus.store.tables import (
    files,
    harvested,
    harvests,
    metadata,
    sounds,
    spaces,
    texts,
    vectors,
)
from corpus.store.vetting import Known

_PER_QUERY = 500
_SAYS = 100
_FLOAT = 4


@dataclass(frozen=True)
class Held:
    """A file as its row has it; `path` is relative to the home, of a linked one absolute."""

    id: int
    sound_id: int
    path: str
    linked: bool
    preferred: bool
    source: str
    sha256: str
    bytes: int
    format: str
    samplerate: int
    channels: int
    frames: int
    decoded: str | None


_COLUMNS = [files.c[name] for name in Held.__dataclass_fields__]


class Soundness:
    """Questions about the state of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def backed_up(self) -> bool:
        """Whether there is a copy of it that could be restored."""
        return bool(self._database.file and backups.kept(self._database.file))

    def problems(self, quick: bool = False) -> list[str]:
        """What is wrong with the database as such.

        `quick` leaves out whether indexes agree with their tables, and what SQLite cannot ask of rows by itself. The
        full-text index is looked through by what SQLite takes for writing: writers wait meanwhile.
        """
        try:
            with self._database.read() as connection:
                found: list[str] = []
                if self._database.file:
                    found += [f"it has no {words}" for words in vetting.lacking(self._database.file)]
                if self._database.sqlite:
                    check = "quick_check" if quick else "integrity_check"
                    said = connection.exec_driver_sql(f"pragma {check}({_SAYS})").scalars().all()
                    found += [line for words in said if words != "ok" for line in words.splitlines()]
                    for row in connection.exec_driver_sql("pragma foreign_key_check").all():
                        found.append(f"table {row[0]}: a row refers to a row of {row[2]} that is not there")
                    if odd := rows.odd_onsets(connection):
                        words = "hold what is no number; `mirla analyse --onsets --redo` finds them again"
                        found.append(f"table onsets: those of {len(odd)} sounds, the first of sound {odd[0]}, {words}")
                    found += rows.odd(connection, metadata.sorted_tables, quick=quick)
            return found if quick else found + self._text_problems()
        except StoreError as error:
            return [str(error)]

    def _text_problems(self) -> list[str]:
        """Whether the full-text index is in itself as it should be."""
        if not self._database.sqlite:
            return []
        try:
            with self._database.write() as connection:
                connection.exec_driver_sql("insert into sound_text(sound_text) values ('integrity-check')")
            return []
        except StoreError as error:
            cause = error.__cause__
            return [f"the full-text index: {cause.orig if isinstance(cause, DatabaseError) else error}"]

    def rebuild_texts(self) -> None:
        """Make the full-text index anew from the texts it holds."""
        with self._database.write() as connection:
            connection.exec_driver_sql("insert into sound_text(sound_text) values ('rebuild')")

    def sounds(self) -> int:
        """How many sounds there are."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(sounds)).scalar_one()

    def count(self, until: int | None = None) -> int:
        """How many files there are, or those with ids up to one."""
        query = sa.select(sa.func.count()).select_from(files)
        with self._database.read() as connection:
            return connection.execute(query if until is None else query.where(files.c.id <= until)).scalar_one()

    def files_after(self, file_id: int, most: int) -> list[Held]:
        """The next files behind one, by id."""
        query = sa.select(*_COLUMNS).where(files.c.id > file_id).order_by(files.c.id).limit(most)
        with self._database.read() as connection:
            return [Held(*row) for row in connection.execute(query)]

    def files_with(self, hashes: Sequence[str]) -> list[Held]:
        """The files of which the rows have one of some hashes."""
        with self._database.read() as connection:
            found = [connection.execute(sa.select(*_COLUMNS).where(files.c.sha256 == one)).all() for one in hashes]
        return [Held(*row) for some in found for row in some]

    def paths(self) -> set[str]:
        """Where all files are."""
        with self._database.read() as connection:
            return set(connection.execute(sa.select(files.c.path)).scalars())

    def files(self, ids: Sequence[int]) -> list[Held]:
        """Files by their own ids, ascending; those that are not there are left out."""
        query = sa.select(*_COLUMNS).order_by(files.c.id)
        with self._database.read() as connection:
            found: list[Held] = []
            for first in range(0, len(ids), _PER_QUERY):
                some = query.where(files.c.id.in_(ids[first : first + _PER_QUERY]))
                found += [Held(*row) for row in connection.execute(some)]
            return found

    def decoded(self, ids: Sequence[int]) -> None:
        """Record that files were decoded from end to end just now."""
        if not ids:
            return
        at = now()
        with self._database.write() as connection:
            for first in range(0, len(ids), _PER_QUERY):
                some = files.c.id.in_(ids[first : first + _PER_QUERY])
                connection.execute(sa.update(files).where(some).values(decoded=at))

    def describe(self, file_id: int, **values: Any) -> None:
        """Set what the row of a file says of it, which was just decoded."""
        with self._database.write() as connection:
            changed = sa.update(files).where(files.c.id == file_id)
            connection.execute(changed.values(**values, decoded=now()))

    def found(self, file_id: int, path: str, linked: bool) -> None:
        """Correct where a file is."""
        with self._database.write() as connection:
            connection.execute(sa.update(files).where(files.c.id == file_id).values(path=path, linked=linked))

    def prefer(self) -> int:
        """Let one file of each sound be the one that is played, where that is not so; returns of how many sounds."""
        with self._database.write() as connection:
            return parts.prefer(connection)

    def unknown(self, paths: Sequence[str]) -> list[str]:
        """Those of some paths that no file has. Waits for whoever is just writing one."""
        known: set[str] = set()
        with self._database.write() as connection:  # a file gets its name and its row within one transaction
            for first in range(0, len(paths), _PER_QUERY):
                some = files.c.path.in_(paths[first : first + _PER_QUERY])
                known.update(connection.execute(sa.select(files.c.path).where(some)).scalars())
        return [path for path in paths if path not in known]

    def awaited(self) -> set[int]:
        """Sounds of which a harvest that is not done wants audio: what was begun of them is no leftover."""
        query = sa.select(harvested.c.sound_id).join(harvests).where(harvests.c.state != "done")
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def spaces(self) -> list[Space]:
        """The spaces as they stand."""
        query = sa.select(spaces).where(spaces.c.current).order_by(spaces.c.name)
        with self._database.read() as connection:
            return [Space(row.name, row.dim, row.fingerprint, row.origin) for row in connection.execute(query)]

    def damaged_vectors(self, known: Mapping[str, Known]) -> list[tuple[int, str, str]]:
        """Vectors that are not as they were stored, or hold what is no number: sound, space, words.

        `known` are the spaces that this program can fill, by name.
        """
        length = sa.func.length(vectors.c.data)
        wrong = length != spaces.c.dim * _FLOAT
        if self._database.sqlite:
            wrong |= vectors.c.sum != sa.func.crc32(vectors.c.data)
        query = sa.select(vectors.c.sound_id, spaces.c.name, length, spaces.c.dim).join(spaces)
        elsewhere = (
            sa.select(vectors.c.sound_id, spaces.c.name).join(spaces).join(files, files.c.id == vectors.c.file_id)
        )
        with self._database.read() as connection:
            found = [
                (
                    row[0],
                    row[1],
                    "its numbers are not as they were stored" if row[2] == row[3] * _FLOAT else f"{row[2]} bytes",
                )
                for row in connection.execute(query.where(wrong))
            ]
            moved = connection.execute(elsewhere.where(files.c.sound_id != vectors.c.sound_id))
            broken = {(row[0], row[1]) for row in found}
            for row in connection.execute(sa.select(spaces)).all():
                may_miss = known[row.name].may_miss if row.name in known else ()
                odd = rows.odd_numbers(connection, row.id, row.dim, may_miss)
                words = "it holds what is no number"
                found += [(number, row.name, words) for number in odd if (number, row.name) not in broken]
            return found + [(row[0], row[1], "it is of another sound's file") for row in moved]

    def unanalysed(self, names: Sequence[str]) -> dict[int, list[str]]:
        """Sounds with audio that lack a vector of it in some of these computed spaces, by sound."""
        lacking: dict[int, list[str]] = {}
        with self._database.read() as connection:
            for name in names:
                current = sa.select(spaces.c.id).where(spaces.c.name == name, spaces.c.current).scalar_subquery()
                own = vectors.c.sound_id == files.c.sound_id
                of_it = (vectors.c.file_id == files.c.id) | vectors.c.file_id.is_(None)  # or of one in another home
                there = sa.exists().where(own, of_it, vectors.c.space_id == current)
                query = sa.select(files.c.sound_id).where(files.c.preferred, ~there).order_by(files.c.sound_id)
                for sound_id in connection.execute(query).scalars():
                    lacking.setdefault(sound_id, []).append(name)
        return lacking

    def states(self) -> tuple[set[tuple[int, int]], str | None]:
        """What caches may be of: (id, changes) of the current spaces, and the state of the full-text index."""
        with self._database.read() as connection:
            current = connection.execute(sa.select(spaces.c.id, spaces.c.changes).where(spaces.c.current))
            changes = connection.execute(sa.select(texts.c.changes)).scalar()
            return {(row[0], row[1]) for row in current}, None if changes is None else str(changes)
