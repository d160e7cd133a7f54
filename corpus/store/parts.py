"""A copy of the database made ready to leave its home: reduced to a part, without what is nobody else's business.

What never goes: where files lie, what was asked of Freesound and when, and agents that were deleted. All functions work
on the copy, most within the caller's transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.model import FIRST_LOCAL_ID
from corpus.store import removal
from corpus.store.backups import opened
from corpus.store.rows import NAMELESS, NOT_ONE_PLAYED
from corpus.store.tables import (
    additions,
    agents,
    commands,
    files,
    forgotten,
    harvested,
    harvests,
    labels,
    models,
    onsets,
    palette_sounds,
    palettes,
    performances,
    plays,
    requests,
    returned,
    similar_lists,
    sounds,
    traits,
    trial_answers,
    trials,
    vectors,
)
from corpus.text import for_file_name

_HERE_ALONE = (requests, harvested, harvests, returned, additions)
_LOSSY = ("ogg", "oga", "opus", "mp3")
_PER_QUERY = 500


@dataclass(frozen=True)
class Packed:
    """A file that goes along: where it lies (relative to the home or, linked, absolute), and its name in an archive."""

    id: int
    sound_id: int
    path: str
    linked: bool
    name: str
    sha256: str
    bytes: int


def copy(database: Path, target: Path) -> None:
    """Copy a database as it stands at this moment, whoever reads or writes it; raises sqlite3.Error."""
    with opened(database) as source, contextlib.closing(sqlite3.connect(target)) as made:
        source.backup(made)


def settle(database: Path) -> None:
    """Have all that was written to a copy in its one file; raises sqlite3.Error, which closing would not."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = delete").fetchall()


def finish(database: Path) -> None:
    """Write a settled copy anew, so that nothing of what was deleted is left in it; raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("insert into sound_text(sound_text) values ('rebuild')")
        connection.execute("vacuum")


def reduce(
    connection: Connection, ids: Collection[int], of_agents: Collection[str], of_palettes: Collection[str]
) -> None:
    """Leave only these sounds, agents and palettes, and nothing of what is of use at home alone."""
    for name in ("sqlite_stat1", "sqlite_stat4"):  # of `analyze`, which someone may have run
        connection.exec_driver_sql(f"drop table if exists {name}")
    for table in _HERE_ALONE:
        connection.execute(sa.delete(table))
    every = connection.execute(sa.select(sounds.c.id)).scalars().all()
    removal.remove(connection, [number for number in every if number not in ids])
    agent = sa.select(agents.c.id).where(agents.c.name.in_(of_agents), agents.c.deleted.is_(None))
    of_trial = sa.select(trials.c.id).where(trials.c.agent_id.in_(agent))
    connection.execute(sa.delete(trial_answers).where(trial_answers.c.trial_id.not_in(of_trial)))
    for table in (trials, models, labels):
        connection.execute(sa.delete(table).where(table.c.agent_id.not_in(agent)))
    connection.execute(sa.delete(agents).where(agents.c.id.not_in(agent)))
    palette = sa.select(palettes.c.id).where(palettes.c.name.in_(of_palettes), palettes.c.removed.is_(None))
    connection.execute(sa.delete(palette_sounds).where(palette_sounds.c.palette_id.not_in(palette)))
    connection.execute(sa.delete(palettes).where(palettes.c.id.not_in(palette)))
    connection.execute(sa.delete(forgotten).where(forgotten.c.former_id.not_in(sa.select(labels.c.sound_id))))


def only_part(connection: Connection) -> None:
    """Leave out what belongs to no part: what was played, and lists of sounds near others that are not there."""
    for table in (commands, plays, performances):
        connection.execute(sa.delete(table))
    connection.execute(sa.delete(similar_lists).where(similar_lists.c.sound_id.not_in(sa.select(sounds.c.id))))


def without_people(connection: Connection) -> None:
    """Leave out who labelled, in which session, and what was said of sounds of one's own that are not there.

    People become `person-1` and on, since how far they agree is part of what was said.
    """
    gone = labels.c.sound_id.not_in(sa.select(sounds.c.id)) & (labels.c.sound_id >= FIRST_LOCAL_ID)
    connection.execute(sa.delete(labels).where(gone))
    for table in (forgotten, trial_answers, trials):
        connection.execute(sa.delete(table))
    first = sa.select(labels.c.who).group_by(labels.c.who).order_by(sa.func.min(labels.c.id))
    for number, who in enumerate(connection.execute(first).scalars().all(), 1):
        # two steps, since someone may be called person-2
        connection.execute(sa.update(labels).where(labels.c.who == who).values(who=f"\t{number}"))
    named = sa.func.replace(labels.c.who, "\t", "person-")
    connection.execute(sa.update(labels).values(who=named, session=""))


def without_lossless(connection: Connection) -> None:
    """Leave out lossless files of sounds that have a lossy one; the best known of these is preferred then."""
    lossy = sa.select(files.c.sound_id).where(files.c.format.in_(_LOSSY))
    query = sa.select(files.c.id).where(files.c.sound_id.in_(lossy), files.c.format.not_in(_LOSSY))
    drop_files(connection, connection.execute(query).scalars().all())


def drop_files(connection: Connection, ids: Sequence[int]) -> None:
    """Leave out files; what was measured of them stays, but for onsets, which are of that file alone."""
    for first in range(0, len(ids), _PER_QUERY):
        some = ids[first : first + _PER_QUERY]
        connection.execute(sa.delete(onsets).where(onsets.c.file_id.in_(some)))
        for table in (vectors, traits):
            connection.execute(sa.update(table).where(table.c.file_id.in_(some)).values(file_id=None))
        connection.execute(sa.delete(files).where(files.c.id.in_(some)))
    prefer(connection)


def prefer(connection: Connection) -> int:
    """Let the largest file be the one that is played, of sounds of which none is, or several are; returns how many."""
    ids = connection.execute(NOT_ONE_PLAYED).scalars().all()
    largest = files.alias()
    best = (
        sa.select(largest.c.id)
        .where(largest.c.sound_id == sa.bindparam("sound"))
        .order_by(largest.c.bytes.desc(), largest.c.id)
        .limit(1)
        .scalar_subquery()
    )
    if ids:
        chosen = sa.update(files).where(files.c.sound_id == sa.bindparam("sound")).values(preferred=files.c.id == best)
        connection.execute(chosen, [{"sound": one} for one in ids])
    return len(ids)


def drop_nameless(connection: Connection) -> list[int]:
    """Leave out sounds of one's own without a file; returns which."""
    nameless = list(connection.execute(NAMELESS).scalars())
    removal.remove(connection, nameless)
    return nameless


def drop_broken(connection: Connection, some: Sequence[Packed]) -> None:
    """Leave out files that cannot be read, and sounds of one's own that nothing else says who they are."""
    dropped = {one.id for one in some}
    own = {one.sound_id for one in some if one.sound_id >= FIRST_LOCAL_ID}
    rest = sa.select(files.c.sound_id).where(files.c.sound_id.in_(own), files.c.id.not_in(dropped))
    removal.remove(connection, sorted(own - set(connection.execute(rest).scalars())))
    drop_files(connection, sorted(dropped))


def rename_files(connection: Connection) -> list[Packed]:
    """Give all files the names that they have in an archive; where they lie here, in order of their sounds."""
    query = sa.select(files, sounds.c.name, sounds.c.username).join(sounds).order_by(files.c.sound_id, files.c.id)
    found = [
        Packed(row.id, row.sound_id, row.path, row.linked, _name(row), row.sha256, row.bytes)
        for row in connection.execute(query)
    ]
    connection.execute(sa.update(files).values(path=files.c.id.cast(sa.Text), linked=False))
    renamed = sa.update(files).where(files.c.id == sa.bindparam("which")).values(path=sa.bindparam("name"))
    if found:
        connection.execute(renamed, [{"which": one.id, "name": one.name} for one in found])
    return found


def _name(row: sa.Row[tuple[object, ...]]) -> str:
    user, name = for_file_name(row.username or "local", 15), for_file_name(row.name, 25)
    return f"sounds/{row.sound_id // 1000}/{row.sound_id}-{row.id}__{user}__{name}.{row.format}"
