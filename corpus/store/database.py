"""Transactions. SQLite in WAL mode with foreign keys on; each writing transaction opens with BEGIN IMMEDIATE.

A deferred transaction that turns to writing fails at once when another writer is at work, whatever the busy timeout;
an immediate one waits its turn. So `read` may only read, and `write` takes the lock before its first statement.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from corpus.errors import SettingsError, StoreError

Table = npt.NDArray[np.float64]

Transaction = Connection
"""What `write` yields, by the name under which it may be passed on outside the store."""

_BUSY_SECONDS = 30
_PASSWORD = re.compile(r"(//[^/]*?:).*(@)")


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Database:
    """A store reached by a SQLAlchemy URL, or by the path of an SQLite file."""

    def __init__(self, url: str | Path) -> None:
        try:
            self.url = sa.URL.create("sqlite", database=str(url)) if isinstance(url, Path) else sa.make_url(url)
            self._engine = sa.create_engine(
                self.url,
                connect_args=_connect_args(self.url),
                json_serializer=lambda value: orjson.dumps(value).decode(),
                json_deserializer=orjson.loads,
            )
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            shown = _PASSWORD.sub(r"\1***\2", str(url))
            raise SettingsError(f"MIRLA_DATABASE: {shown!r} is not a database URL: {error}") from error
        self._watching = threading.Lock()
        self._watcher: sa.PoolProxiedConnection | None = None  # never writes: SQLite tells it of all others' changes
        if self.sqlite:
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", _begin)

    @property
    def sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The database's file, if it is one."""
        name = self.url.database
        return Path(name) if self.sqlite and name and name != ":memory:" else None

    @property
    def there(self) -> bool:
        """Whether anything is in it; of what is no file that is not known, and it is taken to be."""
        try:
            return self.file is None or self.file.stat().st_size > 0
        except FileNotFoundError:
            return False
        except OSError:  # for whoever opens it to say
            return True

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for reading."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self, *, durable: bool = False, foreign_keys: bool = True) -> Iterator[Connection]:
        """A short writing transaction, committed at the end, rolled back if anything raises.

        Parameters
        ----------
        durable : bool
            Wait until the disk has it (for labels and plays); otherwise a power cut may take the last moments,
            though never the consistency.
        foreign_keys : bool
            Off only while a migration rebuilds tables.
        """
        options = {"immediate": True, "durable": durable, "foreign_keys": foreign_keys}
        with self._translated(), self._engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    def version(self) -> object:
        """What is another after any transaction that changed something, in this process or another; None: not known."""
        if not self.sqlite:
            return None
        with self._translated(), self._watching:
            if self._watcher is None:
                self._watcher = self._engine.raw_connection()
            cursor = self._watcher.cursor()
            found = cursor.execute("PRAGMA data_version").fetchone()
            cursor.close()
            return found[0]

    def close(self) -> None:
        """Let go of all connections."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:  # of SQLAlchemy, or of the driver itself
            where = self.file or self.url.render_as_string(hide_password=True)
            why = error.orig if isinstance(error, DBAPIError) else error
            advice = "; `mirla restore --latest` puts back a backup, if there is one" if "malformed" in str(why) else ""
            raise StoreError(f"the database {where} refused: {why}; nothing of this step was stored{advice}") from error
        except orjson.JSONDecodeError as error:
            raise StoreError(
                f"the database {self.file or ''} holds what cannot be read ({error}); `mirla check` says where"
            ) from error
        except UnicodeEncodeError as error:
            raise StoreError(f"{error.object!r} is not valid UTF-8; nothing of this step was stored") from error


def insert_many(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of plain values; what one lacks is null. On SQLite by the driver itself, in a third of the time."""
    names = table.c.keys()
    if rows and connection.dialect.name == "sqlite":
        statement = f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"
        connection.exec_driver_sql(statement, [tuple(map(row.get, names)) for row in rows])
    elif rows:
        connection.execute(sa.insert(table), [dict.fromkeys(names) | dict(row) for row in rows])


def listed(connection: Connection, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> npt.NDArray[np.int64]:
    """The ids that a query finds, ascending, each once. On SQLite handed over as one text, in a quarter of the time."""
    if connection.dialect.name == "sqlite":
        ids = query.subquery()
        text = connection.execute(sa.select(sa.func.group_concat(ids.c[0]))).scalar_one()
        found = np.fromstring(text or "", np.int64, sep=",")
    else:
        found = np.fromiter(connection.execute(query).scalars(), np.int64)
    if (found[1:] > found[:-1]).all():
        return found
    found.sort()
    return found[np.diff(found, prepend=-1) > 0]


def plain(connection: Connection, query: sa.Executable, given: Mapping[str, Any] | None = None) -> list[Any]:
    """The rows of a query as the driver has them, in half the time: for columns that are not converted."""
    found = connection.execute(query, given or {})
    return list(found.all() if found.cursor is None else found.cursor.fetchall())


def numbers(connection: Connection, query: sa.Select[Any] | sa.TextClause, width: int, **given: Any) -> Table:
    """What a query of numbers finds, a row each; null is NaN."""
    return np.array(plain(connection, query, given), np.float64).reshape(-1, width)


def _connect_args(url: sa.URL) -> dict[str, object]:
    return {"timeout": _BUSY_SECONDS} if url.get_backend_name() == "sqlite" else {}


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.create_function("unicode_lower", 1, _lower, deterministic=True)
    # where each word is, for `corpus.store.texts`; nothing is read before it is asked for
    connection.execute("create virtual table temp.text_words using fts5vocab(main, sound_text, instance)")
    connection.create_function("crc32", 1, zlib.crc32, deterministic=True)
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    if not tables or "alembic_version" in tables:  # another program's database stays as it is
        connection.execute("PRAGMA journal_mode = WAL")


def _lower(text: Any) -> Any:
    """Lower case in any script: SQLite's own `lower` knows ASCII alone."""
    return text.lower() if isinstance(text, str) else text


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    settings = {
        "foreign_keys": "ON" if options.get("foreign_keys", True) else "OFF",
        "synchronous": "FULL" if options.get("durable") else "NORMAL",
    }
    for name, value in settings.items():
        if connection.info.get(name) != value:  # it stays as it is from one transaction to the next
            connection.exec_driver_sql(f"PRAGMA {name} = {value}")
            connection.info[name] = value
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")
