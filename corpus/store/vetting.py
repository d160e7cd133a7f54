"""Is a database from elsewhere a corpus, and nothing but a corpus? It is believed only when all of this was looked at.

Its file is whole by SQLite's own check; its tables, indexes, views and triggers are those that this program's own
migrations make, word for word, so that nothing in it runs that is not ours; each value is of the type of its column;
all texts are UTF-8 and all JSON can be read; vectors are as long as their spaces say, of numbers, and as their sums
say; and what is referred to is there. What an older program wrote is brought up to date in place: it is a copy.

`PackError` says what is wrong, to be finished by who knows the archive's name.
"""

from __future__ import annotations

import contextlib
import math
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import CorpusError, PackError
from corpus.model import LAST_LOCAL_ID
from corpus.store import schema
from corpus.store.database import Database
from corpus.store.naming import check_name, check_person
from corpus.store.tables import (
    agents,
    commands,
    files,
    forgotten,
    labels,
    models,
    onsets,
    palette_sounds,
    palettes,
    performances,
    plays,
    provenances,
    served,
    similar_lists,
    sounds,
    spaces,
    tags,
    traits,
    trial_answers,
    trials,
    vectors,
)

Fields = Mapping[Any, Any]
"""The values of a row by their columns."""

CARRIED = (
    *(sounds, tags, files, spaces, provenances, vectors, traits, served, onsets, similar_lists),
    *(agents, labels, forgotten, models, trials, trial_answers),
    *(performances, commands, plays, palettes, palette_sounds),
)
"""The tables that are carried from home to home; the others are of use in their own alone."""

_AT_ONCE = 2000
_DIGEST = re.compile("[0-9a-f]{64}")
_FINGERPRINT = re.compile("[0-9a-f]{64}|freesound: [\\w, ]{1,50}")
_MOMENT = re.compile("[0-9]{4}[0-9T:Z.+ -]{0,28}")
_MOMENTS = {"added", "gone", "checked", "decoded", "at", "created", "deleted", "published", "removed", "begun", "ended"}
_PALETTE = re.compile("[A-Za-z][A-Za-z0-9_-]{0,59}")
_PALETTE_FILE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}[.]wav")
_CREDIT = {"id": int, "name": str, "username": str, "url": str, "licence": str, "licence_url": str, "line": str}
_SQL_TYPES = {sa.Integer: ("integer",), sa.Float: ("real", "integer"), sa.Text: ("text",), sa.LargeBinary: ("blob",)}
_LARGEST_DIM = 65_536


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
                _look_at_rows(connection)
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


def _look_at_rows(connection: Connection) -> None:
    for table in CARRIED:
        odd = connection.execute(sa.select(sa.func.count()).select_from(table).where(_odd(table))).scalar_one()
        if odd:
            raise PackError(f"its database has {odd} rows in {table.name} that are none of a corpus")
    for table, look in _LOOKED_AT.items():
        for row in rows(connection, table):
            if not look(row):
                raise PackError(
                    f"its database has a row in {table.name} that is none of a corpus: {str(dict(row))[:120]}"
                )


def rows(connection: Connection, table: sa.Table) -> Iterator[Fields]:
    """All rows of a table in order of their keys, a few thousand in memory at a time."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    for some in connection.execution_options(yield_per=_AT_ONCE).execute(query).mappings().partitions():
        yield from some


def _odd(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether a value of a row is not of its column's type: SQLite would hold any."""
    return sa.or_(*(condition for column in table.c for condition in _odd_in(column)))


def _odd_in(column: sa.Column[Any]) -> Iterator[sa.ColumnElement[bool]]:
    plain: sa.ColumnClause[Any] = sa.literal_column(f'{column.table.name}."{column.name}"')
    kind = sa.func.typeof(plain)
    is_json = isinstance(column.type, sa.JSON)
    base = sa.Text if is_json else sa.Integer if isinstance(column.type, sa.Boolean) else _base(column.type)
    allowed = _SQL_TYPES[base] + (("null",) if column.nullable else ())
    yield kind.not_in(allowed)
    if isinstance(column.type, sa.Boolean):
        yield plain.not_in([0, 1])
    if base is sa.Float:
        yield sa.func.abs(plain) > 1.7976931348623157e308
    if is_json:
        yield (kind == "text") & (sa.func.json_valid(sa.case((kind == "text", plain), else_="0")) == 0)
    length = getattr(column.type, "length", None)
    if length and not is_json:
        yield sa.func.length(plain) > length


def _base(kind: sa.types.TypeEngine[Any]) -> type[sa.types.TypeEngine[Any]]:
    return next(
        base
        for base in (sa.Float, sa.Integer, sa.LargeBinary, sa.Text)
        if isinstance(kind, base) or (base is sa.Text and isinstance(kind, sa.String))
    )


def _moments(row: Fields) -> bool:
    return all(_MOMENT.fullmatch(row[name]) for name in _MOMENTS.intersection(row) if isinstance(row[name], str))


def _sound(row: Fields) -> bool:
    record = row["record"]
    return 0 < row["id"] <= LAST_LOCAL_ID and isinstance(record, dict | None) and _moments(row)


def _file(row: Fields) -> bool:
    sizes = row["samplerate"] > 0 and row["channels"] > 0 and row["frames"] >= 0 and row["bytes"] >= 0
    known = _DIGEST.fullmatch(row["sha256"]) and re.fullmatch("[a-z0-9]{2,4}", row["format"])
    return bool(sizes and known and not row["linked"] and _moments(row))


def _space(row: Fields) -> bool:
    named = re.fullmatch(r"[\w.-]{1,64}", row["name"]) and row["origin"] in ("computed", "api")
    return bool(named and _FINGERPRINT.fullmatch(row["fingerprint"]) and 0 < row["dim"] <= _LARGEST_DIM)


def _agent(row: Fields) -> bool:
    check_name(row["name"])
    looked_at = row["spaces"]
    return isinstance(looked_at, list) and all(isinstance(one, str) for one in looked_at) and row["deleted"] is None


def _label(row: Fields) -> bool:
    check_person(row["who"])
    return 0 < row["sound_id"] <= LAST_LOCAL_ID and row["label"] in ("good", "bad", None) and _moments(row)


def _model(row: Fields) -> bool:
    names = ("recipe", "arrays", "scores", "versions", "fingerprints", "verdicts")
    return row["version"] > 0 and all(isinstance(row[name], dict) for name in names)


def _trial(row: Fields) -> bool:
    return isinstance(row["plan"], dict) and isinstance(row["plan"].get("pairs"), list)


def _command(row: Fields) -> bool:
    said = row["arguments"]
    return (
        isinstance(said, dict)
        and said.keys() <= {"given", "named"}
        and isinstance(said.get("given", []), list)
        and isinstance(said.get("named", {}), dict)
    )


def _play(row: Fields) -> bool:
    return _credit(row["credit"]) and bool(_MOMENT.fullmatch(row["began"])) and math.isfinite(row["at"])


def _palette(row: Fields) -> bool:
    return bool(_PALETTE.fullmatch(row["name"])) and row["removed"] is None and _moments(row)


def _palette_sound(row: Fields) -> bool:
    named = _PALETTE_FILE.fullmatch(row["file"]) and _DIGEST.fullmatch(row["sha256"])
    return bool(named) and 0 <= row["position"] < 1000 and _credit(row["credit"])


def _credit(credit: Any) -> bool:
    return isinstance(credit, dict) and all(
        isinstance(credit.get(name), kind) or (credit.get(name) is None and name in ("username", "url", "licence_url"))
        for name, kind in _CREDIT.items()
    )


def _similar(row: Fields) -> bool:
    return isinstance(row["ids"], list) and all(type(one) is int and 0 < one <= LAST_LOCAL_ID for one in row["ids"])


def _any(_row: Fields) -> bool:
    """That it can be read is enough."""
    return True


_LOOKED_AT = dict.fromkeys(CARRIED, _any) | {
    sounds: _sound,
    files: _file,
    spaces: _space,
    agents: _agent,
    labels: _label,
    models: _model,
    trials: _trial,
    commands: _command,
    plays: _play,
    palettes: _palette,
    palette_sounds: _palette_sound,
    similar_lists: _similar,
}


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
        query = sa.select(vectors.c.data).where(mine)
        for some in connection.execution_options(yield_per=_AT_ONCE).execute(query).scalars().partitions():
            X = np.frombuffer(b"".join(some), "<f4").reshape(-1, row.dim)
            odd = ~np.isfinite(X)
            odd[:, list(here.may_miss)] &= ~np.isnan(X[:, list(here.may_miss)])
            if odd.any():
                raise PackError(f"its vectors in space {row.name} hold what is no number")
    elsewhere = sa.select(vectors.c.sound_id).join(files, files.c.id == vectors.c.file_id)
    if connection.execute(elsewhere.where(files.c.sound_id != vectors.c.sound_id).limit(1)).first():
        raise PackError("it has a vector of another sound's file")
    for data in connection.execute(sa.select(onsets.c.data)).scalars():
        if len(data) % 4 or not np.isfinite(np.frombuffer(data, "<f4")).all():
            raise PackError("its onsets hold what is no number")
