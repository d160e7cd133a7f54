"""Sounds, their tags, files and full text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.errors import StoreError, UnknownSound
from corpus.filters import Node
from corpus.licences import Licence, from_text
from corpus.model import FIRST_LOCAL_ID, LAST_LOCAL_ID, AudioFile, Grouping, Sound
from corpus.store.database import Database, insert_many, listed, now, plain
from corpus.store.filters import among, among_listed, clause, queries
from corpus.store.tables import files, forgotten, labels, sounds, states, tags
from corpus.store.texts import Matches, Texts
from corpus.text import as_tag, storable

_PER_QUERY = 500
_FEW = 2_000
"""Up to so many sounds that fit so far are looked up for a condition; else all that fit it are listed."""
_FEW_FILTERED = 20_000
"""The same for a filter, which more fit."""

_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_OF_SOUND = "id name username licence licence_version licence_url url description pack duration gone checked".split()
_OF_FILE = "path sha256 bytes format samplerate channels frames linked source loudness peak id".split()
_LOAD = (  # made once: to make them takes as long as to answer them
    sa.select(*(sounds.c[name] for name in _OF_SOUND), *(files.c[name].label(f"file_{name}") for name in _OF_FILE))
    .select_from(sounds.outerjoin(files, (files.c.sound_id == sounds.c.id) & files.c.preferred))
    .where(sounds.c.id.in_(_IDS))
)
_AUDIO = sa.select(states.c.changes).where(states.c.family == "audio")
_TAGS = sa.select(tags.c.sound_id, tags.c.tag).where(tags.c.sound_id.in_(_IDS)).order_by(tags.c.position)


class Sounds:
    """The repository of sounds. Paths are kept relative to `home`, those of linked files absolute."""

    def __init__(self, database: Database, home: Path, texts: Texts) -> None:
        self._database = database
        self._home = home
        self._texts = texts
        self._audible: tuple[int, npt.NDArray[np.int64]] | None = None  # what has a file, and in which state that was

    def add(self, sha256: str, wanted: int | None, describe: Callable[[int], Sound]) -> tuple[int, bool]:
        """Add one sound in one short transaction, unless a file with this content is held already.

        Parameters
        ----------
        sha256 : str
            Hash of the content of its file.
        wanted : int or None
            The id it should have; if None or taken, the local one that this content had before it was forgotten, else
            the next.
        describe : callable
            Given the id, puts the file in place and returns the sound with it.

        Returns
        -------
        id, added : int, bool
            The sound that holds the content, and whether it is new.
        """
        with self._database.write() as connection:
            if (existing := _holding(connection, sha256)) is not None:
                return existing, False
            sound = describe(_free_id(connection, wanted, sha256))
            self.insert(connection, [sound])
            return sound.id, True

    def holding(self, sha256: str) -> int | None:
        """The first sound that holds this content, or None."""
        with self._database.read() as connection:
            return _holding(connection, sha256)

    def linked(self, path: Path) -> bool:
        """Whether the file at this absolute path is linked."""
        with self._database.read() as connection:
            return connection.execute(sa.select(files.c.id).where(files.c.path == str(path))).first() is not None

    def get(self, sound_id: int) -> Sound:
        """One sound.

        Raises
        ------
        UnknownSound
            The corpus does not hold that id.
        """
        return self.many([sound_id])[0]

    def many(self, ids: Iterable[int]) -> list[Sound]:
        """Sounds in the order of `ids`; raises UnknownSound for the first that is not held."""
        wanted = [int(i) for i in ids]
        found: dict[int, Sound] = {}
        with self._database.read() as connection:
            for first in range(0, len(wanted), _PER_QUERY):
                some = [i for i in wanted[first : first + _PER_QUERY] if 0 < i <= LAST_LOCAL_ID]
                found.update(self._load(connection, some))
        for sound_id in wanted:
            if sound_id not in found:
                raise UnknownSound(f"no sound {sound_id} in {self._home}; `mirla search` lists what is there")
        return [found[sound_id] for sound_id in wanted]

    def ids(
        self,
        text: str = "",
        with_tags: Sequence[str] = (),
        licences: Sequence[str] = (),
        with_audio: bool = False,
        fitting: Node | None = None,
    ) -> npt.NDArray[np.int64]:
        """Ids of the sounds that fit all conditions (see `matching`): by rank then id with `text`, else ascending."""
        return self.matching(text, with_tags, licences, with_audio, fitting).first()

    def matching(
        self,
        text: str = "",
        with_tags: Sequence[str] = (),
        licences: Sequence[str] = (),
        with_audio: bool = False,
        fitting: Node | None = None,
    ) -> Matches:
        """The sounds that fit all conditions.

        Parameters
        ----------
        text : str
            Words that must all occur in name, tags, description or user name (see `corpus.store.texts`).
        with_tags : sequence of str
            Tags the sound must all have.
        licences : sequence of str
            Licences (name, short form or deed address) of which it must have one.
        with_audio : bool
            Only sounds that have a file.
        fitting : corpus.filters.Node, optional
            A filter that they must fit.
        """
        matches = self._texts.matching(text)
        if matches is not None and not (with_tags or licences or with_audio or fitting):
            return matches
        at = datetime.now(UTC)
        with self._database.read() as connection:
            for query in _queries(with_tags, licences):
                if matches is not None and len(matches.ids) <= _FEW:
                    query = _of(matches).where(among(query, few=True))
                matches = _narrowed(matches, listed(connection, query))
            if with_audio:
                matches = _narrowed(matches, self._with_audio(connection))
            if matches is not None and fitting is not None and len(matches.ids) <= _FEW_FILTERED:
                matches = _narrowed(matches, listed(connection, _of(matches).where(clause(fitting, at, few=True))))
            elif fitting is not None:
                for part in queries(fitting, at):
                    matches = _narrowed(matches, listed(connection, part))
            return Matches(listed(connection, sa.select(sounds.c.id))) if matches is None else matches

    def fitting(self, ids: npt.NDArray[np.int64], node: Node) -> npt.NDArray[np.int64]:
        """Those of some sounds (n,), few and ascending, that fit a filter."""
        with self._database.read() as connection:
            return listed(connection, _of(Matches(ids)).where(clause(node, datetime.now(UTC), few=True)))

    def weighted(self, text: str, weights: Mapping[str, int]) -> Matches | None:
        """The sounds whose texts match, each text counting by its weight (see `corpus.store.texts`)."""
        return self._texts.weighted(text, weights)

    def hold_texts(self) -> None:
        """Remember what text searches need, for a process that is asked again and again."""
        self._texts.hold()

    def groups(self, by: Grouping) -> list[npt.NDArray[np.int64]]:
        """Sounds by user, pack or tag: ids ascending in each group, groups by name.

        A pack is its user's; a sound with several tags is in several groups; those without user, pack or tag make one
        group, the first.
        """
        query = {
            "user": sa.select(sounds.c.id, sounds.c.username, sa.null()),
            "pack": sa.select(sounds.c.id, sounds.c.pack, sounds.c.username),
            "tag": sa.select(sounds.c.id, tags.c.tag, sa.null()).outerjoin(tags, tags.c.sound_id == sounds.c.id),
        }[by]
        found: dict[tuple[str, str], list[int]] = {}
        with self._database.read() as connection:
            for sound_id, name, of in connection.execute(query.order_by(sounds.c.id)):
                found.setdefault((name, of or "") if name else ("", ""), []).append(sound_id)
        return [np.array(found[key], np.int64) for key in sorted(found)]

    def tags(self, beginning: str = "", limit: int = 100) -> list[str]:
        """Tags that begin so, the commonest first."""
        query = sa.select(tags.c.tag).where(tags.c.tag.startswith(beginning.lower(), autoescape=True))
        ordered = query.group_by(tags.c.tag).order_by(sa.func.count().desc(), tags.c.tag).limit(limit)
        with self._database.read() as connection:
            return list(connection.execute(ordered).scalars())

    def summary(self) -> dict[str, Any]:
        """How many sounds, files, seconds and bytes, and under which licences."""
        size = sa.select(
            sa.func.count(),
            sa.func.sum(files.c.frames * 1.0 / files.c.samplerate),
            sa.func.sum(files.c.bytes),
        ).where(files.c.preferred)
        by_licence = sa.select(sounds.c.licence, sa.func.count()).group_by(sounds.c.licence).order_by(sounds.c.licence)
        with self._database.read() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(sounds)).scalar_one()
            with_audio, seconds, size_in_bytes = connection.execute(size).one()
            licences = {name or "unknown": count for name, count in connection.execute(by_licence)}
        return {
            "sounds": total,
            "with_audio": with_audio,
            "seconds": round(seconds or 0.0, 3),
            "bytes": int(size_in_bytes or 0),
            "licences": licences,
        }

    def set_levels(self, connection: Connection, file_id: int, loudness: float | None, peak: float) -> None:
        """Record what the analysis measured of a file: LUFS (None for silence) and linear peak."""
        connection.execute(sa.update(files).where(files.c.id == file_id).values(loudness=loudness, peak=peak))

    def _with_audio(self, connection: Connection) -> npt.NDArray[np.int64]:
        """The sounds that have a file, ascending; kept, since all that is to play is asked among them."""
        query = sa.select(files.c.sound_id)
        if not self._database.sqlite:
            return listed(connection, query)
        state = connection.execute(_AUDIO).scalar_one()  # in the same view of the database as what is listed
        if (kept := self._audible) is None or kept[0] != state:
            found = listed(connection, query)
            found.setflags(write=False)
            kept = self._audible = state, found
        return kept[1]

    def _load(self, connection: Connection, ids: Sequence[int]) -> dict[int, Sound]:
        tagged: dict[int, list[str]] = {}
        for sound_id, tag in plain(connection, _TAGS, {"ids": ids}):
            tagged.setdefault(sound_id, []).append(tag)
        rows = plain(connection, _LOAD, {"ids": ids})
        return {row[0]: self._sound(row, tuple(tagged.get(row[0], ()))) for row in rows}

    def _sound(self, row: Sequence[Any], tagged: tuple[str, ...]) -> Sound:
        """A row of `_LOAD` as a sound."""
        number, name, username, *licence, url, description, pack, duration, gone, checked = row[: len(_OF_SOUND)]
        file = None if row[-1] is None else self._file(row[len(_OF_SOUND) :])
        of = Licence(*licence)
        return Sound(number, name, username, of, url, tagged, description, pack, duration, gone, checked, file)

    def _file(self, row: Sequence[Any]) -> AudioFile:
        path, sha256, size, form, samplerate, channels, frames, linked, *rest = row
        return AudioFile(self._home / path, sha256, size, form, samplerate, channels, frames, bool(linked), *rest)

    def insert(
        self, connection: Connection, some: Sequence[Sound], records: Mapping[int, dict[str, Any]] | None = None
    ) -> None:
        """Add sounds within the caller's transaction, with the API's records of those that have one."""
        if not some:
            return
        at, records = now(), records or {}
        rows = [
            {
                **_row(sound),
                "record": records.get(sound.id),
                "added": at,
                "checked": at if sound.id in records else None,
            }
            for sound in some
        ]
        connection.execute(sa.insert(sounds), rows)
        self._describe(connection, some)
        for sound in some:
            if sound.file:
                self.insert_file(connection, sound.id, sound.file)

    def update(self, connection: Connection, some: Sequence[Sound], records: Mapping[int, dict[str, Any]]) -> None:
        """Bring sounds up to date within the caller's transaction; what was gone is there again."""
        if not some:
            return
        known = {"gone": None, "checked": now()}
        rows = [{**_row(sound), **known, "record": records.get(sound.id), "which": sound.id} for sound in some]
        values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name not in ("id", "which")}
        changed = sa.update(sounds).where(sounds.c.id == sa.bindparam("which")).values(values)
        connection.execute(changed, [{key: value for key, value in row.items() if key != "id"} for row in rows])
        which = [{"which": sound.id} for sound in some]
        connection.execute(sa.delete(tags).where(tags.c.sound_id == sa.bindparam("which")), which)
        if self._database.sqlite:
            connection.execute(sa.text("delete from sound_text where rowid = :which"), which)
        self._describe(connection, some)

    def records_of(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """The API's records of sounds, in the order of `ids`; empty where there is none."""
        found: dict[int, dict[str, Any]] = {}
        with self._database.read() as connection:
            for first in range(0, len(ids), _PER_QUERY):
                found |= self.records(connection, ids[first : first + _PER_QUERY])
        return [found.get(sound_id, {}) for sound_id in ids]

    def records(self, connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The API's records of those of the sounds that are held."""
        query = sa.select(sounds.c.id, sounds.c.record).where(sounds.c.id.in_(ids))
        return {row.id: row.record or {} for row in connection.execute(query)}

    def _describe(self, connection: Connection, some: Sequence[Sound]) -> None:
        """Write tags and full text."""
        tagged = {sound.id: list(dict.fromkeys(tag.lower() for tag in sound.tags)) for sound in some}
        rows = [
            {"sound_id": sound_id, "tag": tag, "position": place}
            for sound_id, own in tagged.items()
            for place, tag in enumerate(own)
        ]
        insert_many(connection, tags, rows)
        if not self._database.sqlite:
            return
        texts = [
            {
                "id": sound.id,
                "name": sound.name,
                "tags": " ".join(tagged[sound.id]),
                "description": sound.description,
                "username": sound.username,
            }
            for sound in some
        ]
        statement = (
            "insert into sound_text(rowid, name, tags, description, username)"
            " values (:id, :name, :tags, :description, :username)"
        )
        connection.execute(sa.text(statement), texts)

    def paths(self, connection: Connection, sound_id: int) -> set[str]:
        """Where the files of a sound lie: relative to the home, linked ones absolute."""
        return set(connection.execute(sa.select(files.c.path).where(files.c.sound_id == sound_id)).scalars())

    def insert_file(self, connection: Connection, sound_id: int, file: AudioFile) -> None:
        """Record within the caller's transaction a sound's preferred file, which was just decoded from end to end."""
        at = now()
        path = file.path if file.linked else file.path.relative_to(self._home)
        connection.execute(
            sa.insert(files),
            {
                "sound_id": sound_id,
                "path": str(path),
                "linked": file.linked,
                "preferred": True,
                "source": file.source,
                "sha256": file.sha256,
                "bytes": file.bytes,
                "format": file.format,
                "samplerate": file.samplerate,
                "channels": file.channels,
                "frames": file.frames,
                "added": at,
                "decoded": at,
            },
        )


def _row(sound: Sound) -> dict[str, Any]:
    return {
        "id": sound.id,
        "name": sound.name,
        "username": sound.username,
        "licence": sound.licence.name,
        "licence_version": sound.licence.version,
        "licence_url": sound.licence.url,
        "url": sound.url,
        "description": sound.description,
        "pack": sound.pack,
        "duration": sound.duration,
    }


def _holding(connection: Connection, sha256: str) -> int | None:
    query = sa.select(files.c.sound_id).where(files.c.sha256 == sha256).order_by(files.c.sound_id)
    return connection.execute(query).scalar()


def _free_id(connection: Connection, wanted: int | None, sha256: str) -> int:
    """The id wanted, else the one that this content had when it was forgotten, else one that never had labels."""
    former = connection.execute(sa.select(forgotten.c.former_id).where(forgotten.c.sha256 == sha256)).scalar()
    for number in (wanted, former):
        if number is not None and not connection.execute(sa.select(sounds.c.id).where(sounds.c.id == number)).first():
            return number
    used = (connection.execute(sa.select(sa.func.max(column))).scalar() for column in (sounds.c.id, labels.c.sound_id))
    highest = max(number or 0 for number in used)
    free = max(FIRST_LOCAL_ID, highest + 1)
    if free > LAST_LOCAL_ID:
        raise StoreError(f"no id left below 2^31 for another local sound (the last is {highest}); start another home")
    return free


def _queries(with_tags: Sequence[str], licences: Sequence[str]) -> Iterator[sa.Select[Any]]:
    """Queries of ids: what all of them find has the tags and one of the licences."""
    for tag in with_tags:
        yield sa.select(tags.c.sound_id).where(tags.c.tag.in_([storable(tag).lower(), as_tag(tag)]))
    if licences:
        other = sounds.alias()
        any_of = sa.or_(*(_has_licence(other, from_text(storable(licence))) for licence in licences))
        yield sa.select(other.c.id).where(any_of)


def _of(matches: Matches) -> sa.Select[Any]:
    return sa.select(sounds.c.id).where(sounds.c.id.in_(among_listed(matches.ids.tolist())))


def _narrowed(matches: Matches | None, ids: npt.NDArray[np.int64]) -> Matches:
    return Matches(ids) if matches is None else matches.at(np.isin(matches.ids, ids, assume_unique=True))


def _has_licence(table: sa.FromClause, licence: Licence) -> sa.ColumnElement[bool]:
    if not licence.name:
        return table.c.licence_url == licence.url
    named = table.c.licence == licence.name
    return named & (table.c.licence_version == licence.version) if licence.version else named
