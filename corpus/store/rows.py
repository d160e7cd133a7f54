"""Which rows no corpus can have: what a check holds a home's database against, and what is asked of one from elsewhere.

SQLite holds anything anywhere. Here each value is of the type of its column, all JSON can be read, and what a row says
in its own form (moments, hashes, names, credits) has that form. What rows refer to without a foreign key is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from corpus.errors import CorpusError
from corpus.model import FIRST_LOCAL_ID, LAST_LOCAL_ID
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

NAMELESS = (
    sa.select(sounds.c.id)
    .where(sounds.c.id >= FIRST_LOCAL_ID, sounds.c.id.not_in(sa.select(files.c.sound_id)))
    .order_by(sounds.c.id)
)
"""Sounds of one's own without a file: nothing says elsewhere who they are."""
NOT_ONE_PLAYED = (
    sa.select(files.c.sound_id)
    .group_by(files.c.sound_id)
    .having(sa.func.sum(sa.case((files.c.preferred, 1), else_=0)) != 1)
)
"""Sounds of whose files none is the one that is played, or several are."""
UNPLAYED = "sounds have not one file that is played"

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


def odd(
    connection: Connection, some: Sequence[sa.Table], *, packed: bool = False, quick: bool = False
) -> Iterator[str]:
    """Rows that no corpus can have: for each kind of them words that say how many there are, and the first.

    Parameters
    ----------
    some : sequence of Table
        Which to look at.
    packed : bool
        Whether they come in an archive, in which neither linked files nor deleted agents and palettes are.
    quick : bool
        Leave out what SQLite cannot ask by itself.
    """
    for table in some:
        try:
            found = [tuple(key) for key in connection.execute(sa.select(*table.primary_key).where(_odd(table)))]
            if not found and not quick and table in _LOOKED_AT:
                found = _unlike(connection, table, packed)
        except (ValueError, DBAPIError):
            yield f"table {table.name}: a row holds a text or JSON that cannot be read"
            continue
        if found:
            first = ", ".join(f"{key.name} {value!r}" for key, value in zip(table.primary_key, found[0], strict=True))
            yield f"table {table.name}: {len(found)} rows hold what no corpus does, the first is that of {first}"
    yield from _odd_references(connection)


def _unlike(connection: Connection, table: sa.Table, packed: bool) -> list[tuple[Any, ...]]:
    """The keys of rows that have not the form of their table's."""
    look, also = _LOOKED_AT[table], _PACKED.get(table, _any) if packed else _any
    some = (row for row in rows(connection, table) if not _looks(row, look, also))
    return [tuple(row[key.name] for key in table.primary_key) for row in some]


def _looks(row: Fields, *rules: Callable[[Fields], bool]) -> bool:
    try:
        return all(rule(row) for rule in rules)
    except CorpusError:  # a name that is none
        return False


def _odd_references(connection: Connection) -> Iterator[str]:
    """What is referred to without a foreign key, and is not there."""
    judging = sa.exists().where(models.c.agent_id == agents.c.id, models.c.version == agents.c.in_use)
    query = sa.select(agents.c.name, agents.c.in_use).where(agents.c.in_use.is_not(None), ~judging)
    for name, version in connection.execute(query):
        yield f"agent {name} is to judge by its version {version}, which is not there; `mirla agent use` names another"
    other = labels.alias()
    for column in (labels.c.undoes, labels.c.repeats):
        there = sa.exists().where(other.c.id == column)
        count = sa.select(sa.func.count()).select_from(labels).where(column.is_not(None), ~there)
        if lacking := connection.execute(count).scalar_one():
            yield f"table annotations: {lacking} labels name one that they {column.name[:-2]}, which is not there"
    if nameless := connection.execute(NAMELESS).scalars().all():
        yield f"table files: {len(nameless)} sounds of your own have no file, the first is sound {nameless[0]}"
    if wrong := connection.execute(NOT_ONE_PLAYED).scalars().all():
        yield f"table files: {len(wrong)} {UNPLAYED}, the first is sound {wrong[0]}"


def odd_numbers(connection: Connection, space_id: int, dim: int, may_miss: Sequence[int] = ()) -> list[int]:
    """The sounds whose vectors in a space hold what is no number, but for NaN at `may_miss`."""
    query = sa.select(vectors.c.sound_id, vectors.c.data).where(
        vectors.c.space_id == space_id, sa.func.length(vectors.c.data) == dim * 4
    )
    found: list[int] = []
    for some in connection.execution_options(yield_per=_AT_ONCE).execute(query).partitions():
        X = np.frombuffer(b"".join(row.data for row in some), "<f4").reshape(-1, dim)
        odd = ~np.isfinite(X)
        odd[:, list(may_miss)] &= ~np.isnan(X[:, list(may_miss)])
        found += [some[place].sound_id for place in np.flatnonzero(odd.any(axis=1)).tolist()]
    return found


def odd_onsets(connection: Connection) -> list[int]:
    """The sounds whose onsets hold what is no number."""
    query = sa.select(onsets.c.sound_id, onsets.c.data)
    return [
        number
        for number, data in connection.execute(query)
        if len(data) % 4 or not np.isfinite(np.frombuffer(data, "<f4")).all()
    ]


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
    return bool(sizes and known and _moments(row))


def _space(row: Fields) -> bool:
    named = re.fullmatch(r"[\w.-]{1,64}", row["name"]) and row["origin"] in ("computed", "api")
    return bool(named and _FINGERPRINT.fullmatch(row["fingerprint"]) and 0 < row["dim"] <= _LARGEST_DIM)


def _agent(row: Fields) -> bool:
    check_name(row["name"])
    looked_at = row["spaces"]
    return isinstance(looked_at, list) and all(isinstance(one, str) for one in looked_at) and _moments(row)


def _label(row: Fields) -> bool:
    check_person(row["who"])
    return 0 < row["sound_id"] <= LAST_LOCAL_ID and row["label"] in ("good", "bad", None) and _moments(row)


def _model(row: Fields) -> bool:
    names = ("recipe", "arrays", "scores", "versions", "fingerprints", "verdicts")
    return row["version"] > 0 and all(isinstance(row[name], dict) for name in names) and _moments(row)


def _trial(row: Fields) -> bool:
    return isinstance(row["plan"], dict) and isinstance(row["plan"].get("pairs"), list) and _moments(row)


def _performance(row: Fields) -> bool:
    return isinstance(row["facts"], dict | None) and _moments(row)


def _command(row: Fields) -> bool:
    said = row["arguments"]
    if row["answer"] is not None:
        orjson.loads(row["answer"])
    return (
        isinstance(said, dict)
        and isinstance(row["facts"], dict | None)
        and said.keys() <= {"given", "named"}
        and isinstance(said.get("given", []), list)
        and isinstance(said.get("named", {}), dict)
    )


def _play(row: Fields) -> bool:
    return _credit(row["credit"]) and bool(_MOMENT.fullmatch(row["began"])) and math.isfinite(row["at"])


def _palette(row: Fields) -> bool:
    return bool(_PALETTE.fullmatch(row["name"])) and _moments(row)


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


_LOOKED_AT: dict[sa.Table, Callable[[Fields], bool]] = dict.fromkeys(CARRIED, _moments) | {
    sounds: _sound,
    files: _file,
    spaces: _space,
    agents: _agent,
    labels: _label,
    models: _model,
    trials: _trial,
    performances: _performance,
    commands: _command,
    plays: _play,
    palettes: _palette,
    palette_sounds: _palette_sound,
    similar_lists: _similar,
}

_PACKED: dict[sa.Table, Callable[[Fields], bool]] = {
    files: lambda row: not row["linked"],
    agents: lambda row: row["deleted"] is None,
    palettes: lambda row: row["removed"] is None,
}
