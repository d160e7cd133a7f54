"""Is a database from elsewhere a corpus, and nothing but a corpus? It is believed only when all of this was looked at.

Its file is whole by SQLite's own check; its tables, indexes, views and triggers are those that this program's own
migrations make, word for word, so that nothing in it runs that is not ours; each value is of the type of its column;
all texts are UTF-8 and all JSON can be read; vectors are as long as their spaces say, of numbers, and as their sums
say; and what is referred to is there. What an older program wrote is brought up to date in place: it is a copy.

`PackError` says what is wrong, to be finished by who knows the archive's name.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import CorpusError, PackError, RestoreError
from corpus.store import schema
from corpus.store.backups import opened
from corpus.store.database import Database
from corpus.store.rows import CARRIED, odd, odd_numbers, odd_onsets
from corpus.store.tables import files, spaces, vectors


@dataclass(frozen=True)
class Known:
    """What is known here of a space: its length, which numbers may be NaN, and its fingerprint if it has but one."""

    dim: int
    may_miss: tuple[int, ...] = ()
    fingerprint: str | None = None


def vet(file: Path, known: Mapping[str, Known]) -> None:
    """Look at a database's file, which is brought up to date if an older program wrote it.

    Parameters
    ----------
    known : mapping of str to Known
        The spaces that this program can fill, by name.

    Raises
    ------
    PackError
        It is no corpus, or not a sound one.
    """
    try:
        _look_at_file(file)
        database = Database(file)
        try:
            schema.prepare(database)
            with database.read() as connection:
                for words in odd(connection, CARRIED, packed=True):
                    raise PackError(f"its database is no sound corpus: {words}")
                _look_at_spaces(connection, known)
        finally:
            database.close()
    except PackError:
        raise
    except (sqlite3.Error, CorpusError, ValueError, OverflowError, RecursionError, sa.exc.SQLAlchemyError) as error:
        raise PackError(f"its database is no sound corpus: {str(error).splitlines()[0][:200]}") from error


def _look_at_file(file: Path) -> None:
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma cell_size_check = on")
        found = _schema_of(connection)
        if not any(row[1] == "alembic_version" for row in found):
            raise PackError("its database is no corpus")
        version = connection.execute("select version_num from alembic_version").fetchall()
        if len(version) != 1 or not re.fullmatch("[0-9]{4}", str(version[0][0])):
            raise PackError("its database is no corpus")
        revision = str(version[0][0])
        if revision not in schema.known():
            raise PackError(
                f"its database has schema {revision}, this program knows {schema.HEAD}: it was packed by a "
                "newer mirla; install that one"
            )
        if odd := sorted(found ^ _expected(revision)):
            raise PackError(f"its database has other tables than a corpus: {odd[0][0]} {odd[0][1][:60]!r}")
        said = [row[0] for row in connection.execute("pragma integrity_check(1)")]
        if said != ["ok"]:
            raise PackError(f"its database is damaged: {said[0].splitlines()[0][:200]}")
        if connection.execute("pragma foreign_key_check").fetchone():
            raise PackError("its database refers to what is not there")


def lacking(file: Path) -> list[str]:
    """What a corpus of its schema has and a database's file has not: tables, indexes and triggers in words.

    Raises
    ------
    RestoreError
        No mirla ever had such a schema.
    """
    with opened(file) as connection:
        (revision,) = connection.execute("select version_num from alembic_version").fetchone()
        if revision not in schema.known():
            raise RestoreError(f"{file} has schema {revision!r}, which no mirla ever had; nothing was changed")
        there = {(kind, name) for kind, name, *_ in _schema_of(connection)}
        return sorted(f"{kind} {name}" for kind, name, *_ in _expected(revision) if (kind, name) not in there)


def _schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str, str, str, str]]:
    """All that a database is made of: kind, name, table and the words that made it, without spaces and quotes."""
    query = "select type, name, tbl_name, coalesce(sql, '') from sqlite_master"
    return frozenset(
        (kind, name, of, re.sub(r"[\s\"`\[\]]+", "", sql).lower()) for kind, name, of, sql in connection.execute(query)
    )


@cache
def _expected(revision: str) -> frozenset[tuple[str, str, str, str]]:
    """What the migrations make."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "corpus.sqlite")
        database = Database(file)
        schema.make(database, revision)
        database.close()
        with contextlib.closing(sqlite3.connect(file)) as connection:
            return _schema_of(connection)


def _look_at_spaces(connection: Connection, known: Mapping[str, Known]) -> None:
    """Vectors are as their spaces say, and spaces as those of their name are here."""
    for row in connection.execute(sa.select(spaces)).all():
        here = known.get(row.name) or Known(row.dim)
        if here.dim != row.dim or here.fingerprint not in (None, row.fingerprint):
            raise PackError(f"its space {row.name} is none that this program knows by that name")
        wrong = sa.func.length(vectors.c.data) != row.dim * 4
        wrong |= vectors.c.sum != sa.func.crc32(vectors.c.data)
        mine = vectors.c.space_id == row.id
        if connection.execute(sa.select(vectors.c.sound_id).where(mine, wrong).limit(1)).first():
            raise PackError(f"its vectors in space {row.name} are damaged")
        if odd_numbers(connection, row.id, row.dim, here.may_miss):
            raise PackError(f"its vectors in space {row.name} hold what is no number")
    elsewhere = sa.select(vectors.c.sound_id).join(files, files.c.id == vectors.c.file_id)
    if connection.execute(elsewhere.where(files.c.sound_id != vectors.c.sound_id).limit(1)).first():
        raise PackError("it has a vector of another sound's file")
    if odd_onsets(connection):
        raise PackError("its onsets hold what is no number")
