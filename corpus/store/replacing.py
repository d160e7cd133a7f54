"""A database in whose place another is put: nobody else has it open meanwhile, and what was there is kept."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from corpus.errors import HomeError, RestoreError
from corpus.store import backups

_PARTS = ("", "-wal", "-shm", "-journal")


class Alone:
    """A database that is this process's alone while it is replaced: `with Alone(database) as here`.

    SQLite leaves WAL mode for its only connection and for nobody else, so that whoever has the database open is seen.
    One that SQLite cannot open at all is moved aside.

    Raises
    ------
    RestoreError
        Another process has the database open.
    HomeError
        The disk refuses.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._aside: Path | None = None

    def __enter__(self) -> Alone:
        try:
            self._connection = self._locked()
        except sqlite3.OperationalError as error:  # the disk's fault, not the database's, which stays where it is
            raise HomeError(
                f"cannot restore {self._database}: {error}; it is as it was; see to its room and permissions"
            ) from error
        except sqlite3.DatabaseError:  # no database any more
            self._aside = self._moved_aside()
            try:
                self._connection = self._locked()
            except sqlite3.Error as broken:
                self.__exit__(type(broken))
                raise HomeError(f"cannot restore {self._database}: {broken}; it is as it was") from broken
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if failed and self._aside is not None:  # what was there is put back
            for part in _PARTS:
                self._database.with_name(self._database.name + part).unlink(missing_ok=True)
            _move(self._aside, self._database)

    def keep(self) -> Path | None:
        """Copy what is there now, if there is no such copy yet, and answer which it is; None where there is nothing."""
        assert self._connection is not None
        if self._aside is not None:
            return self._aside
        try:
            row = self._connection.execute("select version_num from alembic_version").fetchone()
        except sqlite3.DatabaseError:
            row = None
        if row is None and not self._connection.execute("pragma page_count").fetchone()[0]:
            return None
        schema = row[0] if row else "unknown"
        copy, problems = backups.copied(self._connection, self._database, schema, "restore")
        if problems:
            return copy.replace(copy.with_suffix(".damaged"))
        if twin := backups.twin(copy, self._database):
            copy.unlink()
        return twin or copy

    def replace(self, copy: Path) -> None:
        """Make the database what a copy is in one transaction: killed at any moment, it is as before or as after."""
        assert self._connection is not None
        try:
            with backups.opened(copy) as source:
                backups.copy_pages(source, self._connection)
        except sqlite3.Error as error:
            raise HomeError(f"cannot restore {self._database}: {error}; it is as it was") from error

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
        folder = backups.folder_of(self._database)
        aside = folder / f"corpus-unknown-{backups.stamp()}-restore.damaged"
        try:
            folder.mkdir(exist_ok=True)
            _move(self._database, aside)
        except OSError as error:
            raise HomeError(f"cannot keep {self._database} in {folder}: {error}; it is as it was") from error
        return aside


def _move(database: Path, elsewhere: Path) -> None:
    """Move a database with what SQLite keeps beside it."""
    for part in _PARTS:
        lying = database.with_name(database.name + part)
        if lying.exists():
            shutil.move(lying, elsewhere.with_name(elsewhere.name + part))
