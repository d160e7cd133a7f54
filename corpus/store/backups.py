"""Copies of the database in `backups/` beside it: made while it is in use, verified before they count, a few kept.

A copy is named `corpus-<schema>-<UTC time>-<why>.sqlite`; `why` is `by-hand`, `upgrade` (before a migration) or
`restore` (before another copy took its place). Of those by hand the last five are kept, and so of the others together:
what is made by itself never pushes out what was made on purpose. An older one goes only when all that people did in it
(labels, answers in trials, plays) is in the database or in a copy that stays. A damaged database is copied as it is,
under a name that ends in `.damaged`; such copies are never removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from corpus.errors import HomeError, RestoreError, StoreError
from corpus.files import flush_folder

KEPT = 5
"""How many copies of each kind are kept in any case."""
_SAYS = 8
"""Words of an integrity check that are passed on."""
_NAME = re.compile(r"corpus-\w+-\d{4}-\d\d-\d\dT\d{6}\.\d+Z-(by-hand|upgrade|restore)\.sqlite")
_PARTIAL = ".partial"
_BLOCK = 1 << 20
_LEFT_OVER = 3600.0
_PATIENCE = 30.0
"""Seconds for which a locked database is waited for."""
_SAID = "id, agent_id, sound_id, label, test, who, session, at"
"""What every schema knows of a label."""
_DONE = {
    "annotations": _SAID,
    "trial_answers": "trial_id, number, part, label, who, at",
    "plays": "performance_id, sound_id, of_group, at, began",
}
"""What people did, which nothing brings back: tables and columns; not every schema has all."""
_HEADER = 100
_VOLATILE = (slice(18, 20), slice(24, 28), slice(92, 100))
"""Where SQLite's header says how a file is opened, and counts who wrote."""

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
    ours = (copy for copy in folder_of(database).glob("corpus-*.sqlite") if _NAME.fullmatch(copy.name))
    return sorted(ours, key=lambda copy: copy.stem.split("-", 2)[-1])[::-1]


def prune(database: Path, spare: Path | None = None) -> None:
    """Remove what is beyond the last five of each kind, but for `spare`, and what alone has something people did."""
    copies = kept(database)
    by_hand = [copy for copy in copies if copy.stem.endswith("-by-hand")]
    others = [copy for copy in copies if copy not in by_hand]
    beyond = [*by_hand[KEPT:], *others[KEPT:]]
    staying = [database, *(copy for copy in copies if copy not in beyond)]
    for copy in beyond:
        if copy == spare or _holds_alone(copy, staying):
            staying.append(copy)
        else:
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
        copy, problems = copied(source, database, schema, why)
    if problems:
        copy.unlink()
        raise StoreError(
            f"{database} is damaged ({problems[0]}); `mirla restore --latest` puts back a good copy, if there is one"
        )
    return copy


def contents(file: Path) -> Contents:
    """What a copy holds; raises RestoreError where it is not there, damaged or no corpus."""
    if not file.is_file():
        what = f"{file} is no file" if file.exists() else f"there is no {file}"
        raise RestoreError(f"{what}; `mirla backup` makes backups, in `backups/` of the home")
    if is_tar(file):
        raise RestoreError(f"{file} is an archive, no backup; `mirla unpack` takes it in")
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


def is_tar(file: Path) -> bool:
    """Whether a file is a tar, as `pack` writes it."""
    with contextlib.suppress(OSError), file.open("rb") as content:
        return content.read(512)[257:262] == b"ustar"
    return False


def twin(copy: Path, database: Path) -> Path | None:
    """Another copy of a database that holds exactly the same."""
    return next((one for one in kept(database) if one != copy and _same(one, copy)), None)


def copy_pages(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy a database in one step, within which writers go on and are not seen; raises sqlite3.Error."""
    end = time.monotonic() + _PATIENCE

    def wait(status: int, _left: int, _all: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > end:
            raise sqlite3.OperationalError("another process keeps it locked")

    source.backup(target, progress=wait)


def copied(source: sqlite3.Connection, database: Path, schema: str, why: Why) -> tuple[Path, list[str]]:
    """Copy a database to its folder of copies; the copy has its name when it is on the disk.

    Returns
    -------
    copy : Path
    problems : list of str
        What is wrong with it.
    """
    folder = folder_of(database)
    copy = folder / f"corpus-{schema}-{stamp()}-{why}.sqlite"
    partial = copy.with_suffix(_PARTIAL)
    try:
        folder.mkdir(exist_ok=True)
        _clear_leftovers(folder)
        with contextlib.closing(sqlite3.connect(partial)) as target:
            copy_pages(source, target)
            target.execute("pragma journal_mode = delete")  # one file, without a log beside it
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        problems = damage(partial)
        partial.replace(copy)
        flush_folder(folder)
        return copy, problems
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise HomeError(f"cannot copy the database to {folder}: {error}; see to its room and permissions") from error


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed copy left half done an hour ago or longer."""
    for path in folder.glob(f"*{_PARTIAL}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _LEFT_OVER:
                path.unlink()


def _for_reading(file: Path) -> str:
    return f"{file.absolute().as_uri()}?mode=ro"


def stamp() -> str:
    """The time in UTC, as names of copies have it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%fZ}"


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def _holds_alone(copy: Path, others: Sequence[Path]) -> bool:
    """Whether people did what this copy has and none of the others; one that cannot be read may have anything."""
    done = _done_in(copy)
    if done is None:
        return True
    for other in others:
        if not done:
            return False
        done -= _done_in(other) or set()
    return bool(done)


def _done_in(file: Path) -> set[tuple[object, ...]] | None:
    """What people did by one database; None where it cannot be read."""
    try:
        with opened(file) as connection:
            tables = {row[0] for row in connection.execute("select name from sqlite_master")}
            return {
                (table, *row)
                for table, columns in _DONE.items()
                if table in tables
                for row in connection.execute(f"select {columns} from {table}")
            }
    except sqlite3.Error:
        return None


def _same(one: Path, other: Path) -> bool:
    """Whether two databases that nobody has open are the same, page for page."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        if _lasting(first.read(_HEADER)) != _lasting(second.read(_HEADER)):
            return False
        while block := first.read(_BLOCK):
            if block != second.read(_BLOCK):
                return False
    return True


def _lasting(header: bytes) -> bytes:
    """The header of an SQLite file without what changes when it is opened (sqlite.org/fileformat2.html, 1.3)."""
    lasting = bytearray(header)
    for place in _VOLATILE:
        lasting[place] = bytes(place.stop - place.start)
    return bytes(lasting)
