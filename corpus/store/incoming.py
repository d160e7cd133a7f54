"""A packed corpus on its way in: what it holds, what of that a home lacks, and the one transaction that takes it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.model import Palette
from corpus.store.database import Database
from corpus.store.merging import merge_sounds, numbers
from corpus.store.merging_agents import merge_agents
from corpus.store.merging_sets import merge_palettes, merge_performances
from corpus.store.palettes import every
from corpus.store.tables import files, palette_sounds, palettes, sounds


@dataclass(frozen=True)
class Incoming:
    """What a packed database says that its archive holds: SHA-256 and size (None: not known) of files by name.

    `silent` of the sounds have no audio in it.
    """

    sounds: int
    silent: int
    files: dict[str, tuple[str, int | None]]
    palettes: list[str]


@dataclass
class Taken:
    """What was new: sounds, files of audio, agents, labels and versions by agent, performances, palettes.

    `completed` is how many sounds that were held had something filled in; `palettes_kept` are those here of whose name
    another came; `stale` are spaces whose vectors stayed out, since they are of another extractor than those here.
    """

    sounds: int = 0
    completed: int = 0
    audio: int = 0
    agents: list[str] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    performances: int = 0
    new_palettes: list[Palette] = field(default_factory=list)
    palettes_kept: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    renumbered: int = 0


def listed(database: Database) -> Incoming:
    """What an archive must hold, by a database that was vetted."""
    with database.read() as connection:
        own = {row.path: (row.sha256, row.bytes) for row in connection.execute(sa.select(files))}
        query = sa.select(palettes.c.name, palette_sounds.c.position, palette_sounds.c.sha256)
        for name, position, digest in connection.execute(query.join(palette_sounds)):
            own[f"palettes/{name}/{position:03}.wav"] = digest, None
        names = list(connection.execute(sa.select(palettes.c.name)).scalars())
        count = connection.execute(sa.select(sa.func.count()).select_from(sounds)).scalar_one()
        without = sounds.c.id.not_in(sa.select(files.c.sound_id))
        silent = connection.execute(sa.select(sa.func.count()).select_from(sounds).where(without)).scalar_one()
    return Incoming(count, silent, own, names)


def lacking(there: Database, here: Database) -> set[str]:
    """The members of an archive that a corpus lacks, as it stands."""
    with here.read() as own, there.read() as theirs:
        ids = numbers(own, theirs)
        held = {(row.sound_id, row.sha256) for row in own.execute(sa.select(files.c.sound_id, files.c.sha256))}
        wanted = {row.path for row in theirs.execute(sa.select(files)) if (ids[row.sound_id], row.sha256) not in held}
        taken = {
            name.lower()
            for name in own.execute(sa.select(palettes.c.name).where(palettes.c.removed.is_(None))).scalars()
        }
        query = sa.select(palettes.c.name, palette_sounds.c.position).join(palette_sounds)
        for name, position in theirs.execute(query):
            if name.lower() not in taken:
                wanted.add(f"palettes/{name}/{position:03}.wav")
    return wanted


def take_in(here: Connection, there: Connection, place: Callable[[Mapping[str, Any], int], str]) -> Taken:
    """Merge what is there into what is here, within the caller's transaction.

    Parameters
    ----------
    place : callable
        Given the row of a file there (with the `name` and `username` of its sound, and as `taken` the paths of that
        sound's files here) and the number of its sound here, puts it in place and answers its path.
    """
    named = {row.id: row for row in there.execute(sa.select(sounds.c.id, sounds.c.name, sounds.c.username))}

    def put(row: Mapping[str, Any], number: int) -> str:
        taken = set(here.execute(sa.select(files.c.path).where(files.c.sound_id == number)).scalars())
        sound = named[row["sound_id"]]
        return place(dict(row) | {"name": sound.name, "username": sound.username, "taken": taken}, number)

    merged = merge_sounds(here, there, put)
    of_agents = merge_agents(here, there, merged)
    performances = merge_performances(here, there, merged)
    published, kept = merge_palettes(here, there, merged)
    return Taken(
        merged.added,
        merged.completed,
        merged.audio,
        of_agents.added,
        of_agents.labels,
        of_agents.versions,
        performances,
        [palette for palette in every(here) if palette.name in published],
        kept,
        merged.stale,
        sum(its != own for its, own in merged.ids.items()),
    )
