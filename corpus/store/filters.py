"""Filters as SQL: each part is a condition on `sounds.id`, which `corpus.filters` says of a sound's values in Python.

What was not served of a sound, such as of one's own, is its file's (type, channels, sample rate, size), or when it was
added (created): each field by itself, as in `corpus.store.listing`. A trait is the computed one where there is one,
else the served one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from corpus.descriptors import SCALARS
from corpus.filters import FIELDS, All, Between, Either, Match, Node, Not, folded
from corpus.moments import Moment
from corpus.store.database import Database
from corpus.store.tables import files, served, sounds, tags, traits

_Condition = sa.ColumnElement[bool]
_Test = Callable[[sa.ColumnElement[Any]], _Condition]

_OWN_COLUMNS = {"type": "format", "channels": "channels", "samplerate": "samplerate", "filesize": "bytes"}
_SOUND_COLUMNS = {
    "name": "name",
    "description": "description",
    "username": "username",
    "pack": "pack",
    "license": "licence",
    "duration": "duration",
}
_PER_QUERY = 500


class _Lower(FunctionElement[str]):
    """Lower case in any script."""

    type = sa.Text()
    inherit_cache = True


@compiles(_Lower)
def _lower(element: _Lower, compiler: Any, **named: Any) -> str:
    return f"lower({compiler.process(element.clauses, **named)})"


@compiles(_Lower, "sqlite")
def _lower_on_sqlite(element: _Lower, compiler: Any, **named: Any) -> str:
    return f"unicode_lower({compiler.process(element.clauses, **named)})"


def clause(node: Node, now: datetime, few: bool = False) -> _Condition:
    """A filter as a condition on `sounds.id`, `now` being what NOW means; never null.

    `few`: it is put to few sounds, so that to look these up is faster than to list all that fit.
    """
    match node:
        case All(parts):
            return sa.and_(*(clause(part, now, few) for part in parts))
        case Either(parts):
            return sa.or_(*(clause(part, now, few) for part in parts))
        case Not(part):
            return sa.not_(clause(part, now, few))
        case Match() | Between():
            return sa.or_(*(among(query, few) for query in _leaf(node, now)))
    raise TypeError(f"{node!r} is no part of a filter")


def queries(node: Node, now: datetime) -> Iterator[sa.Select[Any] | sa.CompoundSelect[Any]]:
    """A filter as queries of ids: what all of them find fits it. Faster than the clause where many sounds fit."""
    if isinstance(node, All):
        for part in node.parts:
            yield from queries(part, now)
    elif isinstance(node, Match | Between):
        found = _leaf(node, now)
        yield found[0] if len(found) == 1 else sa.union(*found)
    else:
        yield sa.select(sounds.c.id).where(clause(node, now))


def values(database: Database, sound_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By sound the values that filters ask for, by field, for `corpus.filters.Node.fits`; what is lacking is None."""
    found: dict[int, dict[str, Any]] = {}
    computed, api = traits.alias(), traits.alias()
    on = {
        table: (table.c.sound_id == sounds.c.id) & (table.c.origin == origin)
        for table, origin in ((computed, "computed"), (api, "api"))
    }
    own = [sa.func.coalesce(served.c[name], _own(name)).label(name) for name in (*_OWN_COLUMNS, "created")]
    columns = [
        sounds.c.id,
        *(sounds.c[column].label(name) for name, column in _SOUND_COLUMNS.items()),
        *own,
        *(column for column in served.c if column.name not in ("sound_id", "created", *_OWN_COLUMNS)),
        *(sa.func.coalesce(computed.c[name], api.c[name]).label(name) for name in SCALARS),
    ]
    query = (
        sa.select(*columns)
        .select_from(sounds)
        .outerjoin(served, served.c.sound_id == sounds.c.id)
        .outerjoin(files, (files.c.sound_id == sounds.c.id) & files.c.preferred)
        .outerjoin(computed, on[computed])
        .outerjoin(api, on[api])
    )
    with database.read() as connection:
        for some in _parts(sound_ids):
            for row in connection.execute(query.where(sounds.c.id.in_(some))).mappings():
                found[row["id"]] = {**row, "tag": []}
            tagged = sa.select(tags.c.sound_id, tags.c.tag).where(tags.c.sound_id.in_(some)).order_by(tags.c.position)
            for sound_id, tag in connection.execute(tagged):
                found[sound_id]["tag"].append(tag)
    return found


def _own(name: str) -> sa.ColumnElement[Any]:
    """What stands for something that was not served."""
    return sounds.c.added if name == "created" else files.c[_OWN_COLUMNS[name]]


def _leaf(node: Match | Between, now: datetime) -> list[sa.Select[Any]]:
    """Queries of ids: what any of them finds fits."""
    test = _test(node, now)
    field = node.field
    other = sounds.alias()
    if field == "id":
        return [sa.select(other.c.id).where(test(other.c.id))]
    if field == "tag":
        return [sa.select(tags.c.sound_id).where(test(tags.c.tag))]
    if FIELDS[field] == "words" and isinstance(node, Match):
        return [_with_words(field, [str(value) for value in node.values])]
    if field in _SOUND_COLUMNS:
        return [sa.select(other.c.id).where(test(other.c[_SOUND_COLUMNS[field]]))]
    if field in SCALARS:
        return [_with_trait(field, test)]
    among_served = sa.select(served.c.sound_id).where(test(served.c[field]))
    if field not in _OWN_COLUMNS and field != "created":
        return [among_served]
    return [among_served, _not_served(field, test)]


def _test(node: Match | Between, now: datetime) -> _Test:
    """What a column of the field must be like."""
    kind = FIELDS[node.field]
    text = kind in ("text", "words")

    def compared(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return _Lower(column) if text and node.field != "tag" else column  # tags are kept in lower case

    if isinstance(node, Between):
        low, high = node.ends(now)

        def lies(column: sa.ColumnElement[Any]) -> _Condition:
            conditions = [column != ""] if text else []
            conditions += [compared(column) >= low] if low is not None else []
            conditions += [compared(column) <= high] if high is not None else []
            return sa.and_(*(conditions or [column.is_not(None)]))

        return lies
    if kind == "date":
        spans = [value.span(now) for value in node.values if isinstance(value, Moment)]
        return lambda column: sa.or_(*(column.between(first, last) for first, last in spans))
    return lambda column: compared(column).in_([folded(value) for value in node.values])


def _with_words(field: str, wanted: Sequence[str]) -> sa.Select[Any]:
    phrases = (value.replace('"', " ").replace("\0", " ") for value in wanted)
    match = f"{field} : ({' OR '.join(f'{chr(34)}{phrase}{chr(34)}' for phrase in phrases)})"
    found = sa.text("select rowid as id from sound_text where sound_text match :match")
    bound = found.bindparams(sa.bindparam("match", match, unique=True))
    return sa.select(bound.columns(sa.column("id", sa.Integer)).subquery().c.id)


def _with_trait(name: str, test: _Test) -> sa.Select[Any]:
    counting, computed = traits.alias(), traits.alias()
    better = sa.exists().where(
        computed.c.sound_id == counting.c.sound_id,
        computed.c.origin == "computed",
        computed.c[name].is_not(None),
    )
    return sa.select(counting.c.sound_id).where(test(counting.c[name]), (counting.c.origin == "computed") | ~better)


def _not_served(field: str, test: _Test) -> sa.Select[Any]:
    """Sounds of which a field was not served, and what stands for it fits."""
    other, told = sounds.alias(), served.alias()
    if field == "created":
        sound_id, fits = other.c.id, test(other.c.added)
    else:
        sound_id, fits = files.c.sound_id, files.c.preferred & test(files.c[_OWN_COLUMNS[field]])
    known = sa.exists().where(told.c.sound_id == sound_id, told.c[field].is_not(None))
    return sa.select(sound_id).where(fits, ~known)


def among(query: sa.Select[Any], few: bool = False) -> _Condition:
    """Whether a sound is among those that a query of ids finds; `few` as for `clause`."""
    if not few:
        return sounds.c.id.in_(query)
    (column,) = query.selected_columns
    return sa.exists(query.where(column == sounds.c.id).correlate(sounds))


def among_listed(ids: Sequence[int]) -> sa.Select[Any]:
    """A query that finds the given ids, which may be many."""
    return sa.select(sa.func.json_each(json.dumps(ids)).table_valued("value").c.value)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _PER_QUERY] for first in range(0, len(ids), _PER_QUERY))
