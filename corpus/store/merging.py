"""Sounds of another corpus become part of this one: each once, with what is known of it, under a number of this home.

A Freesound sound is the same under the same id; a sound of one's own is the same where a file has the same SHA-256.
One of these keeps its number where that is free here, else it gets the next. What is here already is not overwritten:
what it lacks is filled in, text by text, file by file and vector by vector. Vectors of another fingerprint than the
present one stay out.

All functions work within the caller's transaction over this database (`here`) and read from the other (`there`), which
was vetted (`corpus.store.vetting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import PackError
from corpus.model import FIRST_LOCAL_ID, LAST_LOCAL_ID
from corpus.store.rows import Fields, rows
from corpus.store.tables import (
    files,
    forgotten,
    labels,
    onsets,
    palette_sounds,
    plays,
    provenances,
    served,
    similar_lists,
    sounds,
    spaces,
    tags,
    traits,
    vectors,
)

_AT_ONCE = 2000
_PER_QUERY = 500
_MENTION = (sounds.c.id, labels.c.sound_id, forgotten.c.former_id, plays.c.sound_id, palette_sounds.c.sound_id)
_FILLED = ("username", "url", "description", "pack", "duration", "record")
_LICENCE = ("licence", "licence_version", "licence_url")

Place = Callable[[Fields, int], str]
"""Puts a file (its row there) in place for the sound of this number here; answers its path relative to the home."""


@dataclass
class Merged:
    """What was new: `ids` has the number here of each there, `files` the same for files."""

    ids: dict[int, int] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    added: int = 0
    completed: int = 0
    audio: int = 0
    stale: list[str] = field(default_factory=list)

    def moved(self, value: Any) -> Any:
        """A value as JSON has it, in which local sounds have the numbers that they have here."""
        if type(value) is int and value >= FIRST_LOCAL_ID:
            return self.ids.get(value, value)
        if isinstance(value, list):
            return [self.moved(one) for one in value]
        if isinstance(value, dict):
            return {key: self.moved(one) for key, one in value.items()}
        return value


def numbers(here: Connection, there: Connection) -> dict[int, int]:
    """The number here of each sound that is held or mentioned there."""
    mentioned = sorted(_mentioned(there))
    held_there = set(there.execute(sa.select(sounds.c.id)).scalars())
    taken, held_here = _mentioned(here), set(here.execute(sa.select(sounds.c.id)).scalars())
    digests = _digests(there)
    holders = _holders(here)
    former = {row.sha256: row.former_id for row in here.execute(sa.select(forgotten))}
    free = count(max([FIRST_LOCAL_ID - 1, *taken, *mentioned]) + 1)
    found: dict[int, int] = {}
    for number in mentioned:
        own = digests.get(number, [])
        known = [holder for digest in own for holder in holders.get(digest, [])]
        waiting = [former[digest] for digest in own if digest in former and former[digest] not in held_here]
        if number < FIRST_LOCAL_ID or number in known:
            found[number] = number
        elif known:
            found[number] = min(known, key=lambda one: (one < FIRST_LOCAL_ID, one))  # one's own first
        elif waiting:
            found[number] = waiting[0]
        elif number not in taken or (number not in held_there and not own and number not in held_here):
            found[number] = number
        else:
            found[number] = next(free)
        taken.add(found[number])
        if number >= FIRST_LOCAL_ID and number in held_there:
            held_here.add(found[number])
    if max(found.values(), default=0) > LAST_LOCAL_ID:
        raise PackError("no id is left below 2^31 for its sounds; unpack it in another home")
    return found


def merge_sounds(here: Connection, there: Connection, place: Place) -> Merged:
    """Take in sounds with their tags, files, vectors, traits and onsets, and lists of sounds near them."""
    merged = Merged(numbers(here, there))
    before = set(here.execute(sa.select(sounds.c.id)).scalars())
    changed: set[int] = set()
    _new_sounds(here, there, merged, before, changed)
    _complete(here, there, merged, before, changed)
    _merge_tags(here, there, merged, changed)
    _index(here, sorted(changed))
    _merge_files(here, there, merged, place)
    _merge_vectors(here, there, merged)
    _absent(here, there, merged, served, ("sound_id",))
    _absent(here, there, merged, traits, ("sound_id", "origin"))
    _absent(here, there, merged, onsets, ("sound_id",))
    _absent(here, there, merged, similar_lists, ("sound_id",))
    _merge_forgotten(here, there, merged)
    return merged


def _mentioned(connection: Connection) -> set[int]:
    return {number for column in _MENTION for number in connection.execute(sa.select(column).distinct()).scalars()}


def _digests(connection: Connection) -> dict[int, list[str]]:
    """The content of each sound of one's own, the preferred file first; of forgotten ones too."""
    found: dict[int, list[str]] = {}
    query = sa.select(files.c.sound_id, files.c.sha256).where(files.c.sound_id >= FIRST_LOCAL_ID)
    for number, digest in connection.execute(query.order_by(files.c.preferred.desc(), files.c.id)):
        found.setdefault(number, []).append(digest)
    for digest, number in connection.execute(sa.select(forgotten.c.sha256, forgotten.c.former_id)):
        if number not in found:
            found[number] = [digest]
    return found


def _holders(connection: Connection) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for digest, number in connection.execute(sa.select(files.c.sha256, files.c.sound_id)):
        found.setdefault(digest, []).append(number)
    return found


def _new_sounds(here: Connection, there: Connection, merged: Merged, before: set[int], changed: set[int]) -> None:
    for some in _batches(rows(there, sounds)):
        new = []
        for row in some:
            number = merged.ids[row["id"]]
            if number not in before and number not in changed:
                changed.add(number)
                new.append(dict(row) | {"id": number})
        if new:
            here.execute(sa.insert(sounds), new)
            merged.added += len(new)


def _complete(here: Connection, there: Connection, merged: Merged, before: set[int], changed: set[int]) -> None:
    """Fill in what sounds lack that are held in both; a licence with its version and address, or not at all."""
    for some in _batches(rows(there, sounds)):
        theirs = {merged.ids[row["id"]]: row for row in some if merged.ids[row["id"]] in before}
        for row in _of(here, sounds, sounds.c.id, list(theirs)):
            other = theirs[row["id"]]
            fill = {name: other[name] for name in _FILLED if row[name] in (None, "") and other[name] not in (None, "")}
            if not any(row[name] for name in _LICENCE):
                fill |= {name: other[name] for name in _LICENCE if other[name]}
            if fill:
                here.execute(sa.update(sounds).where(sounds.c.id == row["id"]).values(fill))
                changed.add(row["id"])
                merged.completed += 1


def _merge_tags(here: Connection, there: Connection, merged: Merged, changed: set[int]) -> None:
    tagged = set(here.execute(sa.select(tags.c.sound_id).distinct()).scalars())
    for some in _batches(rows(there, tags)):
        new: dict[tuple[int, str], dict[str, Any]] = {}
        for row in some:
            number = merged.ids[row["sound_id"]]
            if number not in tagged:
                changed.add(number)
                new.setdefault((number, row["tag"]), dict(row) | {"sound_id": number})
        known = {
            (row["sound_id"], row["tag"])
            for row in _of(here, tags, tags.c.sound_id, list({number for number, _ in new}))
        }
        if values := [row for key, row in new.items() if key not in known]:
            here.execute(sa.insert(tags), values)


def _index(here: Connection, ids: Sequence[int]) -> None:
    """Write the full text of sounds anew."""
    if here.dialect.name != "sqlite":
        return
    told = "select group_concat(tag, ' ') from (select tag from tags where sound_id = sounds.id order by position)"
    write = (
        "insert into sound_text(rowid, name, tags, description, username)"
        f" select id, name, coalesce(({told}), ''), description, username from sounds where id in :ids"
    )
    for first in range(0, len(ids), _PER_QUERY):
        some = {"ids": list(ids[first : first + _PER_QUERY])}
        for statement in ("delete from sound_text where rowid in :ids", write):
            here.execute(sa.text(statement).bindparams(sa.bindparam("ids", expanding=True)), some)


def _merge_files(here: Connection, there: Connection, merged: Merged, place: Place) -> None:
    held = {(row.sound_id, row.sha256): row.id for row in here.execute(sa.select(files))}
    preferred = set(here.execute(sa.select(files.c.sound_id).where(files.c.preferred)).scalars())
    insert = sa.insert(files).returning(files.c.id)
    for row in rows(there, files):
        number = merged.ids[row["sound_id"]]
        key = number, row["sha256"]
        if key not in held:
            first = row["preferred"] and number not in preferred
            own = {"sound_id": number, "path": place(row, number), "linked": False, "preferred": first, "decoded": None}
            values = {name: value for name, value in row.items() if name != "id"} | own
            held[key] = here.execute(insert, values).scalar_one()
            merged.audio += 1
            if first:
                preferred.add(number)
        merged.files[row["id"]] = held[key]


def _merge_vectors(here: Connection, there: Connection, merged: Merged) -> None:
    current = {row.name: row for row in here.execute(sa.select(spaces).where(spaces.c.current))}
    known = {row.facts: row.id for row in here.execute(sa.select(provenances))}
    told = {row.id: row.facts for row in there.execute(sa.select(provenances))}
    for space in there.execute(sa.select(spaces).where(spaces.c.current).order_by(spaces.c.id)).all():
        own = current.get(space.name)
        if own is not None and (own.fingerprint, own.dim) != (space.fingerprint, space.dim):
            merged.stale.append(space.name)
            continue
        own_id = own.id if own is not None else _new_space(here, space)
        done = set(here.execute(sa.select(vectors.c.sound_id).where(vectors.c.space_id == own_id)).scalars())
        query = sa.select(vectors).where(vectors.c.space_id == space.id).order_by(vectors.c.sound_id)
        found = there.execution_options(yield_per=_AT_ONCE).execute(query).mappings()
        for some in _batches(found):
            new = []
            for row in some:
                number = merged.ids[row["sound_id"]]
                if number in done:
                    continue
                done.add(number)
                facts = told[row["provenance_id"]]
                if facts not in known:
                    added = sa.insert(provenances).values(facts=facts).returning(provenances.c.id)
                    known[facts] = here.execute(added).scalar_one()
                own_row = {"space_id": own_id, "sound_id": number, "provenance_id": known[facts]}
                new.append(dict(row) | own_row | {"file_id": merged.files.get(row["file_id"])})
            if new:
                here.execute(sa.insert(vectors), new)


def _new_space(here: Connection, space: sa.Row[Any]) -> int:
    same = (spaces.c.name == space.name) & (spaces.c.fingerprint == space.fingerprint)
    known = here.execute(sa.select(spaces.c.id).where(same)).scalar()
    if known is not None:
        here.execute(sa.update(spaces).where(spaces.c.id == known).values(current=True))
        return int(known)
    values = {name: getattr(space, name) for name in ("name", "fingerprint", "dim", "origin", "current")}
    return int(here.execute(sa.insert(spaces).values(values | {"changes": 0}).returning(spaces.c.id)).scalar_one())


def _absent(here: Connection, there: Connection, merged: Merged, table: sa.Table, key: tuple[str, ...]) -> None:
    """Add those rows of a table that have no counterpart here."""
    known = {tuple(row) for row in here.execute(sa.select(*(table.c[name] for name in key)))}
    for some in _batches(rows(there, table)):
        new = []
        for row in some:
            own = {"sound_id": merged.ids.get(row["sound_id"], row["sound_id"])}
            if "file_id" in row:
                own["file_id"] = merged.files.get(row["file_id"])
            values = dict(row) | own
            place = tuple(values[name] for name in key)
            if place not in known:
                known.add(place)
                new.append(values)
        if new:
            here.execute(sa.insert(table), new)


def _merge_forgotten(here: Connection, there: Connection, merged: Merged) -> None:
    """Which content brings back which sound of one's own that is not held here either."""
    known = set(here.execute(sa.select(forgotten.c.sha256)).scalars()) | _holders(here).keys()
    new = [
        {"sha256": row["sha256"], "former_id": merged.ids[row["former_id"]]}
        for row in rows(there, forgotten)
        if row["sha256"] not in known
    ]
    if new:
        here.execute(sa.insert(forgotten), new)


def _of(connection: Connection, table: sa.Table, column: sa.Column[Any], ids: Sequence[int]) -> Iterator[Fields]:
    for first in range(0, len(ids), _PER_QUERY):
        query = sa.select(table).where(column.in_(ids[first : first + _PER_QUERY]))
        yield from connection.execute(query).mappings()


def _batches(some: Iterable[Fields]) -> Iterator[list[Fields]]:
    walk = iter(some)
    while batch := list(islice(walk, _AT_ONCE)):
        yield batch
