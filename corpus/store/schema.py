"""The schema's version: made, brought up to date, or refused. Alembic loads only when there is something to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import HomeError, SchemaError, StoreError
from corpus.store import backups
from corpus.store.database import Database

HEAD = "0014"
"""The revision this program works with (a test holds it against the migrations)."""


def migrations_folder() -> Path:
    """Where the migrations are: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "_migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"


def prepare(database: Database, check_new: Callable[[], None] = lambda: None) -> None:
    """Bring the database to HEAD: create it, or upgrade it after copying it aside.

    Parameters
    ----------
    check_new : callable
        Called before one is made where there is none: raises if it may not be.

    Raises
    ------
    HomeError
        The folder of the database cannot be made.
    SchemaError
        The database was made by a newer program, or is no corpus.
    """
    if not database.there:
        check_new()
    if database.file:
        try:
            database.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(
                f"cannot make the home {database.file.parent}: {error.strerror}; "
                "choose another with --home or MIRLA_HOME"
            ) from error
    version = _version(database)
    if version is None:
        check_new()
    if version != HEAD:
        _upgrade(database)


def _version(database: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    try:
        with database.read() as connection:
            return _version_in(connection, database)
    except StoreError as error:
        place = database.file or "the database"
        if database.file and "unable to open" in str(error) and not os.access(database.file.parent, os.W_OK):
            raise HomeError(
                f"{database.file.parent} is read-only, and mirla writes in its home; copy it to a disk that can be "
                "written, or choose another with --home or MIRLA_HOME"
            ) from error
        if "unable to open" in str(error):
            raise HomeError(f"cannot open {place}; choose another home with --home or MIRLA_HOME") from error
        if "not a database" in str(error):
            raise SchemaError(
                f"{place} is not an SQLite database; `mirla restore --latest` puts back a backup, if there is one, or "
                "choose another --home"
            ) from error
        raise


def _version_in(connection: Connection, database: Database) -> str | None:
    names = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in names:
        return connection.execute(sa.text("select version_num from alembic_version")).scalar()
    if names:
        raise SchemaError(
            f"{database.file or 'the database'} has tables of another program ({sorted(names)[0]}…); "
            "choose another --home"
        )
    return None


def known() -> set[str]:
    """The revisions that this program knows."""
    from alembic.script import ScriptDirectory

    return {revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()}


def make(database: Database, revision: str) -> None:
    """Make the tables of a revision in an empty database."""
    from alembic import command

    config = _config()
    with database.write(foreign_keys=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def _upgrade(database: Database) -> None:
    from alembic import command

    with database.write(durable=True, foreign_keys=False) as connection:
        current = _version_in(connection, database)  # again: another process may just have done it
        if current == HEAD:
            return
        if current is not None and current not in known():
            raise SchemaError(
                f"{database.file or 'the database'} has schema {current}, this program knows {HEAD}: "
                "it was made by a newer mirla; install that one, or choose another --home"
            )
        if current is not None and database.file:
            copy = backups.make(database.file, current, "upgrade")
            backups.prune(database.file, spare=copy)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
