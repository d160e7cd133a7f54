"""`unpack`: an archive of `pack` becomes part of a corpus, or makes one. All of it or nothing.

Everything is looked at before anything is touched: members and their names (`corpus.archive`), the database
(`corpus.store.vetting`), that it and the members name the same files, and every byte by its SHA-256. What is new is
written to a folder `.unpacking-…` of the home and flushed. Then one transaction takes in all rows; within it the files
get their names. Killed before that is committed, files may lie in the home that no row names: they do no harm, and the
next unpacking gives them their rows. Killed after it, links of new palettes may be missing until the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from corpus import archive
from corpus.archive import Member
from corpus.credits import of_palette
from corpus.errors import HomeError, PackError
from corpus.files import AudioFolder, flush_folder, write_whole
from corpus.known import known_spaces
from corpus.publishing import CREDITS, STRUDEL, PaletteFolder, own_map
from corpus.store import incoming
from corpus.store.database import Database
from corpus.store.incoming import Incoming, Taken
from corpus.store.vetting import vet

if TYPE_CHECKING:
    from corpus.model import Palette

Progress = Callable[[str, int, int | None, str], None]
"""Called with a phase, the items done, of how many, and what they are."""

_STAGING = ".unpacking-"
_LEFT_OVER = 3600.0
_COPIES = 4
"""Of the database: as it comes, as it is brought up to date, what it was before that, and its rows in the home."""
_MEGABYTES = 1e6


@dataclass
class UnpackReport:
    """What an archive holds, and what of it was new.

    `sounds` and `files` (of audio) are what it holds, `silent` how many of its sounds have no audio in it; `bytes` and
    `sha256` are its own. `taken` is what was new, None where it was only looked at.
    """

    sounds: int
    files: int
    bytes: int
    sha256: str
    silent: int = 0
    taken: Taken | None = None


def check(file: Path, progress: Progress | None = None) -> UnpackReport:
    """Look at an archive without unpacking it.

    Raises
    ------
    PackError
        It is damaged, cut short, or was not made by mirla.
    """
    with _opened(file) as source, _staging(None) as folder:
        return _Verified(source, folder, progress or (lambda *_: None)).report


def unpack(
    database: Database, audio: AudioFolder, palettes: PaletteFolder, file: Path, progress: Progress | None = None
) -> UnpackReport:
    """Take in what an archive holds.

    Raises
    ------
    PackError
        It is damaged, cut short, or was not made by mirla; nothing was changed.
    HomeError
        The home cannot be written; nothing was changed.
    """
    show = progress or (lambda *_: None)
    with _opened(file) as source, _staging(audio.home) as folder:
        verified = _Verified(source, folder, show, database)
        show("rows", 0, None, "")
        _flush(folder)
        with palettes.alone():
            report = _take_in(database, audio, palettes, verified)
        with palettes.alone():  # turns the links
            pass
    return report


class _Verified:
    """An archive all of which was looked at; what a home lacks lies in `folder` now."""

    def __init__(self, source: BinaryIO, folder: Path, show: Progress, held: Database | None = None) -> None:
        self.folder, self._source, self._show = folder, source, show
        self._members = archive.members(source)
        self._sums = archive.sums_of(source, self._members)
        self.copy = folder / archive.DATABASE
        self._room(_COPIES * self._members[archive.DATABASE].size)
        self._extract(self._members[archive.DATABASE], self.copy)
        vet(self.copy, known_spaces())
        database = Database(self.copy)
        try:
            self.incoming = incoming.listed(database)
            self._compare(self.incoming)
            wanted = incoming.lacking(database, held) if held is not None else set()
        finally:
            database.close()
        self._room(sum(self._members[name].size for name in wanted))
        self.report = self._read_all(wanted)

    def take(self, name: str) -> Path:
        """Where a member lies that the home lacked when this began."""
        if not (self.folder / name).is_file():
            raise PackError("the corpus was changed meanwhile; unpack again")
        return self.folder / name

    def _room(self, wanted: int) -> None:
        """Whether there is room for so many bytes."""
        free = shutil.disk_usage(self.folder).free
        if wanted > free:
            raise HomeError(
                f"{self.folder.parent} has {free / _MEGABYTES:.0f} MB free and this wants "
                f"{wanted / _MEGABYTES:.0f} MB; free some space there; nothing was changed"
            )

    def _extract(self, member: Member, target: Path) -> None:
        digest = hashlib.sha256()
        with target.open("xb") as out:
            for block in archive.content(self._source, member):
                digest.update(block)
                out.write(block)
        if digest.hexdigest() != self._sums[member.name]:
            raise PackError(f"{member.name} in it is damaged; copy it again")

    def _compare(self, known: Incoming) -> None:
        """Hold the members against what the database says of them."""
        own = {*archive.TEXTS, archive.DATABASE, *(f"palettes/{name}/{archive.CREDITS}" for name in known.palettes)}
        if odd := sorted((self._members.keys() - own) ^ known.files.keys()):
            raise PackError(f"its database and its files do not agree on {odd[0]}")
        for name, (digest, size) in known.files.items():
            if self._sums[name] != digest or size not in (None, self._members[name].size):
                raise PackError(f"its database and its sums do not agree on {name}")

    def _read_all(self, wanted: set[str]) -> UnpackReport:
        """Read the archive from its first byte to its last; write what is wanted of it to the folder."""
        whole = hashlib.sha256()
        place = size = 0
        for done, (name, member) in enumerate(self._members.items()):
            self._show("reading", done, len(self._members), f"{place / _MEGABYTES:.0f} MB")
            self._source.seek(place)
            whole.update(self._source.read(member.offset - place))
            digest = hashlib.sha256()
            with self._target(name, name in wanted) as target:
                for block in archive.content(self._source, member):
                    whole.update(block)
                    digest.update(block)
                    if target is not None:
                        target.write(block)
            if name != archive.SUMS and digest.hexdigest() != self._sums[name]:
                raise PackError(f"{name} in it is damaged; copy it again")
            place = member.offset + member.size
        while block := self._source.read(1 << 20):
            whole.update(block)
        size = self._source.tell()
        audio = sum(name.startswith("sounds/") for name in self._members)
        return UnpackReport(self.incoming.sounds, audio, size, whole.hexdigest(), self.incoming.silent)

    @contextlib.contextmanager
    def _target(self, name: str, wanted: bool) -> Iterator[BinaryIO | None]:
        if not wanted:
            yield None
            return
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def _take_in(database: Database, audio: AudioFolder, palettes: PaletteFolder, verified: _Verified) -> UnpackReport:
    """The one transaction; files get their names within it, palettes first of all their folders."""
    placed: list[Path] = []
    there = Database(verified.copy)

    def place(row: Mapping[str, Any], number: int) -> str:
        staged = verified.take(row["path"])
        path = audio.free_name(number, row["username"], row["name"], row["format"], row["sha256"], row["taken"])
        if not (audio.home / path).exists():  # else the same content lies there
            placed.append(path)
        audio.keep(staged, path, flush=False)
        return str(path)

    try:
        with database.write(durable=True) as here, there.read() as theirs:
            taken = incoming.take_in(here, theirs, place)
            if placed:
                audio.flush(placed)
            for palette in taken.new_palettes:
                _place_palette(palettes, palette, verified)
    except BaseException:
        for path in placed:
            audio.discard(path)
        raise
    finally:
        there.close()
    verified.report.taken = taken
    return verified.report


def _place_palette(palettes: PaletteFolder, palette: Palette, verified: _Verified) -> None:
    """Make the folder of a version, to which the link is turned when its row is committed."""
    made = verified.folder / "palette"
    made.mkdir()
    for sound in palette.sounds:
        verified.take(f"palettes/{palette.name}/{sound.index:03}.wav").rename(made / sound.file)
    write_whole(made / CREDITS, of_palette(palette.sounds))
    write_whole(made / STRUDEL, own_map(palette.name, palette.sounds))
    flush_folder(made)
    final = palettes.folder(palette)
    shutil.rmtree(final, ignore_errors=True)
    made.rename(final)
    flush_folder(final.parent)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The archive; what is wrong with it is said with its name."""
    try:
        if file.exists() and not file.is_file():  # a pipe would be waited for
            raise PackError(f"{file} is no ordinary file; name one that `mirla pack` wrote")
        source = file.open("rb")
    except OSError as error:
        raise PackError(f"{file} cannot be read: {error.strerror or error}") from error
    with source:
        try:
            yield source
        except PackError as error:
            raise PackError(f"{file}: {error}; nothing was changed") from error


@contextlib.contextmanager
def _staging(home: Path | None) -> Iterator[Path]:
    """A folder in the home, else among temporary files; what a killed unpacking left an hour ago is removed."""
    for left in home.glob(f"{_STAGING}*") if home else ():
        if left.stat().st_mtime < time.time() - _LEFT_OVER:
            shutil.rmtree(left, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=home))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise HomeError(
            f"cannot write to {home or tempfile.gettempdir()}: {error.strerror or error}; free some space there; "
            "nothing was changed"
        ) from error


def _flush(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            flush_folder(path)
