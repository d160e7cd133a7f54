"""`pack`: a corpus, or a part of it, as one file for a USB stick (what container, and why: `corpus.archive`).

The database goes as a copy of one moment, reduced to what is wanted and without what is nobody else's business; linked
files go as copies. A file that is missing, or not what its row says, stays out and is listed. The archive gets its name
when it is on the disk as a whole.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from corpus import archive, target
from corpus.archive import Changed, Writer
from corpus.caches import Caches
from corpus.credits import as_text, limits_of, of_palette
from corpus.errors import HomeError, PackError
from corpus.files import misplaced
from corpus.filters import Node
from corpus.known import known_spaces
from corpus.licences import from_text
from corpus.model import Palette, Sound
from corpus.publishing import PaletteFolder
from corpus.store import parts
from corpus.store.agents import Agents
from corpus.store.database import Database
from corpus.store.palettes import Palettes
from corpus.store.parts import Packed
from corpus.store.sounds import Sounds
from corpus.store.texts import Texts
from corpus.store.vetting import vet
from corpus.text import for_terminal, many

Progress = Callable[[str, int, int | None, str], None]
"""Called with a phase, the items done, of how many, and what they are."""

_INCOMING = ".packing-"
_LEFT_OVER = 3600.0


@dataclass(frozen=True)
class Part:
    """What to pack: all, or what is asked for together.

    Attributes
    ----------
    palettes, agents : tuple of str
        These, with their sounds; of an agent, those that it was taught.
    filter : corpus.filters.Node, optional
        The sounds that fit it.
    redistributable : bool
        Only what may be handed on, and nothing about people who labelled or played.
    lossless : bool
        False: no lossless file of a sound that has a lossy one, such as a preview.
    """

    palettes: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    filter: Node | None = None
    redistributable: bool = False
    lossless: bool = True

    @property
    def whole(self) -> bool:
        """Whether all is wanted."""
        return not (self.palettes or self.agents or self.filter)


@dataclass
class PackReport:
    """What was packed: `files` of audio, `bytes` and `sha256` of the archive; what was left out, and why.

    `failed` are files that are missing or not what the database says.
    """

    file: Path
    sounds: int = 0
    files: int = 0
    bytes: int = 0
    sha256: str = ""
    agents: list[str] = field(default_factory=list)
    palettes: list[str] = field(default_factory=list)
    left_out: list[tuple[int | str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def pack(
    database: Database, home: Path, file: Path, part: Part, replace: bool = False, progress: Progress | None = None
) -> PackReport:
    """Pack a corpus.

    Raises
    ------
    PackError
        There is such a file already, it cannot be written, or the part wanted is not there.
    HomeError
        There is no room in the home for a copy of the database.
    """
    if database.file is None:
        raise PackError("the database is no SQLite file; it cannot be packed")
    target.check(file, home, replace)
    with _working(home) as folder:
        copy = folder / archive.DATABASE
        with _room_at_home(home):
            parts.copy(database.file, copy)
        packing = Packing(Database(copy), folder, home, part, progress or (lambda *_: None))
        try:
            packing.choose()
            return packing.write(file)
        finally:
            packing.close()


class Packing:
    """One packing, over a copy of the database."""

    def __init__(self, copy: Database, folder: Path, home: Path, part: Part, progress: Progress) -> None:
        self._copy, self._folder, self._home, self._part, self._show = copy, folder, home, part, progress
        self._sounds = Sounds(copy, home, Texts(copy, Caches(folder / "cache")))
        self._agents, self._palettes = Agents(copy), Palettes(copy)
        self._source = PaletteFolder(home, self._palettes)
        self._left_out: list[tuple[int | str, str]] = []
        self._failed: list[tuple[str, str]] = []
        self._files: list[Packed] = []

    def close(self) -> None:
        """Let go of the copy."""
        self._copy.close()

    def choose(self) -> None:
        """Reduce the copy to what is wanted."""
        part = self._part
        palettes = self._wanted_palettes()
        agents = [agent.name for agent in self._agents.all() if part.whole or agent.name in part.agents]
        if lacking := set(part.agents) - set(agents):
            raise PackError(f"no agent {min(lacking)!r}; `mirla agent list` shows them")
        wanted = self._wanted_sounds(palettes)
        if part.redistributable:
            for sound in self._sounds.many(sorted(wanted)):
                if not sound.licence.redistributable:
                    self._left_out.append((sound.id, f"{sound.licence}: may not be handed on"))
                    wanted.discard(sound.id)
        with self._copy.write(foreign_keys=True) as connection:
            parts.reduce(connection, wanted, agents, [palette.name for palette in palettes])
            if not part.whole or part.redistributable:
                parts.only_part(connection)
            if part.redistributable:
                parts.without_people(connection)
            if not part.lossless:
                parts.without_lossless(connection)
            nameless = parts.drop_nameless(connection)
            self._files = parts.rename_files(connection)
        self._failed += [(f"sound {number}", "the database names no file of it") for number in nameless]

    def write(self, file: Path) -> PackReport:
        """Write the archive."""
        self._check_room(file)
        with target.whole(file) as content:
            writer = Writer(content, int(time.time()))
            self._write_files(writer)
            if self._failed and file.exists():
                what, why = self._failed[0]
                raise PackError(
                    f"{many(len(self._failed), 'file')} of the home cannot be packed ({what}: {why}), so that {file} "
                    "stays as it is; `mirla check --repair` mends them, or name another file"
                )
            report = self._write_rest(writer, file)
            report.sha256, report.bytes = writer.end(), writer.written
        return report

    def _wanted_palettes(self) -> list[Palette]:
        published = {palette.name: palette for palette in self._palettes.all()}
        if lacking := set(self._part.palettes) - set(published):
            raise PackError(f"no palette {min(lacking)!r}; `mirla palette list` shows them")
        wanted = list(published.values()) if self._part.whole else [published[name] for name in self._part.palettes]
        if not self._part.redistributable:
            return wanted
        kept = []
        for palette in wanted:
            if all(_may_be_handed_on(sound.credit) for sound in palette.sounds):
                kept.append(palette)
            else:
                self._left_out.append((palette.name, "a palette with sounds that may not be handed on"))
        return kept

    def _wanted_sounds(self, palettes: Sequence[Palette]) -> set[int]:
        held = set(self._sounds.ids().tolist())
        if self._part.whole:
            return held
        wanted = {sound.id for palette in palettes for sound in palette.sounds}
        for name in self._part.agents:
            wanted |= {fact.sound_id for fact in self._agents.history(self._agents.get(name))}
        if self._part.filter is not None:
            fitting = self._sounds.ids(fitting=self._part.filter).tolist()
            if not fitting:
                raise PackError("no sound fits the filter; nothing was packed")
            wanted |= set(fitting)
        return wanted & held

    def _check_room(self, file: Path) -> None:
        size = sum(archive.room(one.bytes) for one in self._files) + (self._folder / archive.DATABASE).stat().st_size
        for palette in self._palettes.all():
            lying = self._source.folder(palette)
            size += sum(archive.room(path.stat().st_size) for path in lying.glob("*.wav"))
        with target.writable(file):
            free = shutil.disk_usage(file.parent).free
        if free < size:
            raise PackError(f"{file} would take {size / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free there")

    def _write_files(self, writer: Writer) -> None:
        """Palettes first, since they may be published anew meanwhile; then the audio."""
        for palette in self._palettes.all():
            self._write_palette(writer, palette)
        broken = []
        for done, one in enumerate(self._files):
            self._show("audio", done, len(self._files), f"{writer.written / 1e6:.0f} MB")
            try:
                if words := misplaced(one.path, one.linked):
                    raise Changed(words)
                with _readable(self._home / one.path) as source:
                    writer.add(one.name, source, one.bytes, one.sha256)
            except Changed as error:
                self._failed.append((one.path, f"{error} (sound {one.sound_id})"))
                broken.append(one)
        with self._copy.write() as connection:
            parts.drop_broken(connection, broken)

    def _write_palette(self, writer: Writer, palette: Palette) -> None:
        if damaged := self._source.damaged(palette):
            self._failed.append((f"palettes/{palette.name}", f"{damaged[0]} is missing or changed"))
            self._palettes.remove(palette.name)
            return
        for sound in palette.sounds:
            name = f"palettes/{palette.name}/{sound.index:03}.wav"
            try:
                with _readable(self._source.folder(palette) / sound.file) as source:
                    writer.add(name, source, os.fstat(source.fileno()).st_size, sound.sha256)
            except Changed as error:
                raise PackError(f"palette {palette.name} was published anew meanwhile; pack again") from error
        _add_text(writer, f"palettes/{palette.name}/{archive.CREDITS}", of_palette(palette.sounds))

    def _write_rest(self, writer: Writer, file: Path) -> PackReport:
        self._show("database", 0, None, "")
        sounds = self._sounds.many(self._sounds.ids().tolist())
        palettes = self._palettes.all()
        report = PackReport(file, len(sounds), left_out=self._left_out, failed=self._failed)
        report.files = sum(name.startswith("sounds/") for name in writer.sums)
        report.agents = [agent.name for agent in self._agents.all()]
        report.palettes = [palette.name for palette in palettes]
        with _room_at_home(self._home), self._copy.write() as connection:
            parts.reduce(connection, {sound.id for sound in sounds}, report.agents, report.palettes)
        self._copy.close()
        copy = self._folder / archive.DATABASE
        with _room_at_home(self._home):
            parts.settle(copy)
        try:
            vet(copy, known_spaces())
        except PackError as error:
            raise PackError(f"this corpus could not be unpacked: {error}; `mirla check` may say more") from error
        with _room_at_home(self._home):
            parts.finish(copy)
        with copy.open("rb") as source:
            writer.add(archive.DATABASE, source, copy.stat().st_size)
        _add_text(writer, archive.CREDITS, _credits(sounds))
        _add_text(writer, archive.README, _readme(report, self._part.redistributable))
        _add_text(writer, archive.SUMS, archive.sums_text(writer.sums))
        return report


def _credits(sounds: Sequence[Sound]) -> str:
    """A line for each sound whose audio is there, then what licences forbid."""
    credits = [sound.credited for sound in sounds if sound.file]
    limits = [f"{credit['id']}: {words}" for credit in credits if (words := limits_of(credit))]
    lines = as_text(credits).splitlines() + (["", "Mind:", *limits] if limits else [])
    return "".join(f"{for_terminal(line)}\n" for line in lines)


def _readme(report: PackReport, redistributable: bool) -> str:
    may = "All of it may be handed on, for nothing, with its credits" if redistributable else "It is for its owner"
    return f"""\
A corpus of sounds, packed by mirla on {datetime.now(UTC):%Y-%m-%d}: {report.sounds} sounds, {report.files} audio files,
{len(report.agents)} agents, {len(report.palettes)} palettes. {may}.

sounds/        the audio; names begin with the sound's number
palettes/      sounds in order, equally loud, for TidalCycles, Sonic Pi and Strudel
corpus.sqlite  what is known of the sounds: an SQLite database
CREDITS.txt    who made each sound, and under which licence it may be used
SHA256SUMS     `sha256sum -c SHA256SUMS` in this folder says whether all is whole

With mirla: `mirla unpack FILE` adds all this to your corpus, or makes one.
"""


def _may_be_handed_on(credit: dict[str, str]) -> bool:
    return from_text(credit["licence_url"] or credit["licence"]).redistributable


def _readable(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise Changed("is no file")
        return path.open("rb")
    except OSError as error:
        raise Changed(f"cannot be read: {error.strerror or error}") from error


def _add_text(writer: Writer, name: str, text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    source: BinaryIO = io.BytesIO(data)
    writer.add(name, source, len(data))


@contextlib.contextmanager
def _working(home: Path) -> Iterator[Path]:
    """A folder in the home to work in; what a killed packing left an hour ago is removed."""
    for left in home.glob(f"{_INCOMING}*"):
        if left.stat().st_mtime < time.time() - _LEFT_OVER:
            shutil.rmtree(left, ignore_errors=True)
    with _room_at_home(home):
        folder = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _room_at_home(home: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise HomeError(f"cannot copy the database within {home}: {error}; free some space there") from error
