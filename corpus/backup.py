"""`backup` and `restore`: the database as a file that can be put back. Audio is not in it: that is what `pack` is for.

A restore keeps what it replaces as a backup of its own first, if there is none of it yet, so that no label is ever lost
by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus.errors import RestoreError, StoreError
from corpus.files import sha256_of
from corpus.partway import Memory
from corpus.settings import Settings
from corpus.store import backups, schema, vetting
from corpus.store.database import Database
from corpus.store.replacing import Alone


@dataclass(frozen=True)
class Backup:
    """A copy of the database, and what it holds: `labels` counts all that was ever said of sounds, retractions too."""

    file: Path
    schema: str
    sounds: int
    files: int
    labels: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Restored:
    """What was restored, and what was there before: the copy that is kept of it (None: there was nothing).

    `sounds_before`, `labels_before` and `newer_labels` (those that the restored one lacks) are None where what was
    there could not be read.
    """

    backup: Backup
    kept: Path | None
    sounds_before: int | None = None
    labels_before: int | None = None
    newer_labels: int | None = None


def backup(database: Database) -> Backup:
    """Copy the database while it is in use; raises RestoreError where it is not SQLite's.

    Raises
    ------
    HomeError
        The copy cannot be written.
    StoreError
        The database is damaged.
    """
    file = _file(database)
    if lacking := vetting.lacking(file):
        raise StoreError(f"{file} is damaged (it has no {lacking[0]}); `mirla restore --latest` puts back a good copy")
    copy = backups.make(file, schema.HEAD, "by-hand")
    backups.prune(file, spare=copy)
    return _described(copy)


def restore(settings: Settings, copy: Path | None = None) -> Restored:
    """Put back a copy of the database, the latest if none is named, but for what restores themselves have kept.

    Raises
    ------
    RestoreError
        There is none, it is damaged, no corpus or of a newer program, or another process has the home open.
    HomeError
        The disk refuses; the database is as it was.
    """
    database = Database(settings.database)
    file = _file(database)
    if copy is None:
        copy = next((one for one in backups.kept(file) if not one.stem.endswith("-restore")), None)
        if copy is None:
            raise RestoreError(f"there is no backup in {backups.folder_of(file)}; name one: `mirla restore FILE`")
    if file.is_dir():
        raise RestoreError(f"{file} is a folder; move it away and restore again")
    if file.exists() and copy.exists() and copy.samefile(file):
        raise RestoreError(f"{copy} is the database itself; name one of its copies in {backups.folder_of(file)}")
    chosen = _described(copy)
    if chosen.schema > schema.HEAD:
        raise RestoreError(
            f"{copy} has schema {chosen.schema}, this program knows {schema.HEAD}: install a newer mirla"
        )
    if lacking := vetting.lacking(copy):
        raise RestoreError(f"{copy} is no whole corpus: it has no {lacking[0]}; choose another backup")
    file.parent.mkdir(parents=True, exist_ok=True)
    with Alone(file) as here:
        kept = here.keep()
        restored = _compared(chosen, kept)
        here.replace(copy)
    Memory(settings.home).forget()  # rows may have other ids
    schema.prepare(database)  # an older schema is brought up to date
    database.close()
    backups.prune(file, spare=copy)
    return restored


def _compared(chosen: Backup, kept: Path | None) -> Restored:
    try:
        before = backups.contents(kept) if kept else None
    except RestoreError:
        before = None
    if before is None or kept is None:
        return Restored(chosen, kept)
    return Restored(chosen, kept, before.sounds, before.labels, backups.labels_only_in(kept, chosen.file))


def _described(copy: Path) -> Backup:
    return Backup(copy, **vars(backups.contents(copy)), bytes=copy.stat().st_size, sha256=sha256_of(copy))


def _file(database: Database) -> Path:
    if database.file is None:
        shown = database.url.render_as_string(hide_password=True)
        raise RestoreError(f"{shown} is no SQLite file; back it up and restore it with its own tools")
    return database.file
