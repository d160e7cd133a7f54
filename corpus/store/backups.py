"""Copies of the database in `backups/` beside it: made while it is in use, verified before they count, a few kept.

A copy is named `corpus-<schema>-<UTC time>-<why>.sqlite`; `why` is `by-hand`, `upgrade` (before a migration) or
`restore` (before another copy took its place). Of those by hand the last five are kept, and so of the others together:
what is made by itself never pushes out what was made on purpose. A damaged database is copied as it is, under a name
that ends in `.damaged`; such copies are never removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from corpus.errors import HomeError, RestoreError, StoreError
from corpus.files import flush_folder

KEPT = 5
"""How many copies of each kind are kept."""
_SAYS = 8
"""Words of an integrity check that are passed on."""
_PARTIAL = ".partial"
_LEFT_OVER = 3600.0
_PARTS = ("", "-wal", "-shm", "-journal")
_SAID = "id, agent_id, sound_id, label, test, who, session, at"
"""What every schema knows of a label."""

Why = Literal["by-hand", "upgrade", "restore"]


@dataclass(frozen=True)
class Contents:
    """What a database holds: its schema, and how many sounds, files and facts about labels."""

    schema: str
    sounds: int
    files: int
    labels: int


def folder_of(database: Path) -> Path:
    """Where copies of a database are."""
    return database.parent / "backups"


def kept(database: Path) -> list[Path]:
    """The copies of a database, the newest first."""
    return sorted(folder_of(database).glob("corpus-*.sqlite"), key=lambda copy: copy.stem.split("-", 2)[-1])[::-1]


def prune(database: Path) -> None:
    """Remove what is beyond the last five of each kind."""
    by_hand = [copy for copy in kept(database) if copy.stem.endswith("-by-hand")]
    others = [copy for copy in kept(database) if copy not in by_hand]
    for copy in (*by_hand[KEPT:], *others[KEPT:]):
        with contextlib.suppress(OSError):
            copy.unlink()


def make(database: Path, schema: str, why: Why) -> Path:
    """Copy a database as it stands at this moment, whoever reads or writes it, and verify the copy.

    Raises
    ------
    HomeError
        The copy cannot be written.
    StoreError
        The copy is damaged, and so is the database.
    """
    with opened(database) as source:
        copy, problems = _copied(source, database, schema, why)
    if problems:
        copy.unlink()
        raise StoreError(
            f"{database} is damaged ({problems[0]}); `mirla restore --latest` puts back the last good copy"
        )
    return copy


def contents(file: Path) -> Contents:
    """What a copy holds; raises RestoreError where it is not there, damaged or no corpus."""
    if not file.is_file():
        raise RestoreError(f"there is no {file}; `mirla backup` makes a backup")
    if problems := damage(file):
        raise RestoreError(f"{file} is damaged ({problems[0]}); choose another backup; nothing was changed")
    try:
        with opened(file) as connection:
            (schema,) = connection.execute("select version_num from alembic_version").fetchone()
            return Contents(schema, *(_count(connection, table) for table in ("sounds", "files", "annotations")))
    except (sqlite3.Error, TypeError) as error:
        raise RestoreError(f"{file} is no backup of a corpus ({error}); nothing was changed") from error


def damage(file: Path) -> list[str]:
    """What is wrong with a database's file by SQLite's own check; empty where nothing is."""
    try:
        with opened(file) as connection:
            said = [row[0] for row in connection.execute(f"pragma integrity_check({_SAYS})")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if said == ["ok"] else [line for words in said for line in words.splitlines()]


def labels_only_in(file: Path, other: Path) -> int | None:
    """How many facts about labels one database has that another has not; None where it cannot be read."""
    query = f"select {_SAID} from main.annotations except select {_SAID} from other.annotations"
    try:
        with opened(file) as connection:
            connection.execute("attach database ? as other", (_for_reading(other),))
            return int(connection.execute(f"select count(*) from ({query})").fetchone()[0])
    except sqlite3.Error:
        return None


@contextlib.contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A database for reading alone."""
    connection = sqlite3.connect(_for_reading(file), uri=True)
    try:
        yield connection
    finally:
        connection.close()


class Alone:
    """A database that is this process's alone while it is replaced: `with Alone(database) as here`.

    SQLite leaves WAL mode for its only connection and for nobody else, so that whoever has the database open is seen.
    One that SQLite cannot open at all is moved aside.

    Raises
    ------
    RestoreError
        Another process has the database open.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._aside: Path | None = None

    def __enter__(self) -> Alone:
        try:
            self._connection = self._locked()
        except sqlite3.DatabaseError:  # no database any more
            self._aside = self._moved_aside()
            self._connection = self._locked()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def keep(self) -> Path | None:
        """Copy what is there now; None where there is nothing."""
        assert self._connection is not None
        if self._aside is not None:
            return self._aside
        try:
            row = self._connection.execute("select version_num from alembic_version").fetchone()
        except sqlite3.DatabaseError:
            row = None
        if row is None and not self._connection.execute("pragma page_count").fetchone()[0]:
            return None
        copy, problems = _copied(self._connection, self._database, row[0] if row else "unknown", "restore")
        return copy.replace(copy.with_suffix(".damaged")) if problems else copy

    def replace(self, copy: Path) -> None:
        """Make the database what a copy is in one transaction: killed at any moment, it is as before or as after."""
        assert self._connection is not None
        try:
            with opened(copy) as source:
                source.backup(self._connection)
        except sqlite3.Error as error:
            raise HomeError(
                f"cannot restore {self._database}: {error}; it is as it was; free some space there"
            ) from error

    def _locked(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, timeout=1, isolation_level=None)
        try:
            connection.execute("pragma journal_mode = delete").fetchall()
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("pragma synchronous = full")
            connection.execute("begin exclusive")
            connection.execute("commit")  # the lock stays
            return connection
        except sqlite3.DatabaseError as error:
            connection.close()
            if "locked" in str(error):
                raise RestoreError(
                    f"another process has {self._database} open; end it (mirla live, serve, teach, harvest…) and "
                    "restore again; nothing was changed"
                ) from error
            raise

    def _moved_aside(self) -> Path:
        folder = folder_of(self._database)
        folder.mkdir(exist_ok=True)
        aside = folder / f"corpus-unknown-{_now()}-restore.damaged"
        for part in _PARTS:
            lying = self._database.with_name(self._database.name + part)
            if lying.exists():
                shutil.move(lying, f"{aside}{part}")
        return aside


def _copied(source: sqlite3.Connection, database: Path, schema: str, why: Why) -> tuple[Path, list[str]]:
    """Copy in one step, within which writers go on and are not seen; the copy has its name when it is on the disk.

    Returns
    -------
    copy : Path
    problems : list of str
        What is wrong with it.
    """
    folder = folder_of(database)
    copy = folder / f"corpus-{schema}-{_now()}-{why}.sqlite"
    partial = copy.with_suffix(_PARTIAL)
    try:
        folder.mkdir(exist_ok=True)
        _clear_leftovers(folder)
        with contextlib.closing(sqlite3.connect(partial)) as target:
            source.backup(target)
            target.execute("pragma journal_mode = delete")  # one file, without a log beside it
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        problems = damage(partial)
        partial.replace(copy)
        flush_folder(folder)
        return copy, problems
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise HomeError(f"cannot copy the database to {folder}: {error}; free some space there") from error


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed copy left half done an hour ago or longer."""
    for path in folder.glob(f"*{_PARTIAL}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _LEFT_OVER:
                path.unlink()


def _for_reading(file: Path) -> str:
    return f"{file.absolute().as_uri()}?mode=ro"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%fZ}"


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
