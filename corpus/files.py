"""Where audio lives in the home, and how a file gets there: written aside, flushed, hashed, then renamed.

`<home>/sounds/<id // 1000>/<id>__<user>__<name>.<ext>`, as Freesound names its downloads, made safe.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
import tempfile
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from corpus.errors import AudioError, HomeError
from corpus.text import for_file_name

_BLOCK = 1 << 20
_INCOMING = ".incoming-"
_PART = ".part-"
_LEFT_OVER = 3600.0
_HELD = re.compile(r"\d+__")


@dataclass(frozen=True)
class Incoming:
    """A complete, flushed copy under a temporary name, not yet part of the corpus."""

    temporary: Path
    sha256: str
    bytes: int


class AudioFolder:
    """The `sounds/` folder of a home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "sounds"

    def free_name(
        self,
        sound_id: int,
        username: str | None,
        name: str,
        extension: str,
        sha256: str,
        taken: Container[str] = (),
    ) -> Path:
        """Path relative to the home for a sound's audio, with a number behind it should that name not be free.

        It is not where one of the paths `taken` by the store is so, or other content than this lies there, whoever
        left it; the same content may be replaced by itself.
        """
        stem = f"{sound_id}__{for_file_name(username or 'local', 30)}__{for_file_name(name)}"
        for number in itertools.count(1):
            path = Path("sounds", str(sound_id // 1000), f"{stem}{f'-{number}' if number > 1 else ''}.{extension}")
            lying = self.home / path
            if str(path) not in taken and (not os.path.lexists(lying) or _is(lying, sha256)):
                break
        return path

    def used(self) -> bool:
        """Whether a sound's audio lies here."""
        return any(_HELD.match(path.name) for path in self.root.glob("[0-9]*/*"))

    def clear_leftovers(self) -> None:
        """Remove copies that a killed adoption left half done an hour ago or longer."""
        for path in self.root.glob(f"{_INCOMING}*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - _LEFT_OVER:
                    path.unlink()

    def lying(self, awaited: Container[int]) -> Iterator[Path]:
        """All files and links that lie here, but hidden ones of others, and what is on its way.

        On its way is a copy less than an hour old, and what was begun of the audio of a sound that is `awaited`.
        """
        for folder, folders, names in os.walk(self.root):
            links = (name for name in folders if Path(folder, name).is_symlink())
            for name in sorted([*names, *links]):
                path = Path(folder, name)
                if not name.startswith(".") or (name.startswith((_INCOMING, _PART)) and _left(path, awaited)):
                    yield path

    @contextlib.contextmanager
    def incoming(self, source: Path) -> Iterator[Incoming]:
        """Copy `source` to a temporary name here, flushed and hashed; what is not kept by `keep` is removed.

        Raises
        ------
        HomeError
            The home cannot be written, or its disk is full.
        AudioError
            The source cannot be read.
        """
        with self._writable():
            self.root.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_INCOMING, dir=self.root)
        temporary = Path(name)
        try:
            digest, size = hashlib.sha256(), 0
            with self._writable(), os.fdopen(handle, "wb") as target:
                for block in _read(source):
                    digest.update(block)
                    size += len(block)
                    target.write(block)
                target.flush()
                os.fsync(target.fileno())
            yield Incoming(temporary, digest.hexdigest(), size)
        finally:
            temporary.unlink(missing_ok=True)

    def part(self, sound_id: int, address: str) -> Path:
        """Where a sound's audio grows while it is fetched from an address; what is there is gone on with."""
        with self._writable():
            self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f"{_PART}{sound_id}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"

    def clear_parts(self, sound_id: int) -> None:
        """Remove what was begun of a sound's audio."""
        for part in self.root.glob(f"{_PART}{sound_id}-*"):
            part.unlink(missing_ok=True)

    def keep(self, temporary: Path, path: Path, flush: bool = True) -> None:
        """Give a complete, flushed file its final name (`path` is relative to the home).

        Without `flush` the name may be lost in a power cut until `flush` was called with it.
        """
        final = self.home / path
        with self._writable():
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.chmod(0o644)
            temporary.replace(final)
            if flush:
                flush_folder(final.parent)

    def flush(self, paths: Iterable[Path]) -> None:
        """Let the names of files (relative to the home) outlast a power cut."""
        with self._writable():
            for folder in {(self.home / path).parent for path in paths}:
                flush_folder(folder)
            flush_folder(self.root)

    def take_back(self, path: Path, temporary: Path) -> None:
        """Give a file that `keep` named its temporary name again, since its record could not be written."""
        final = self.home / path
        if final.is_file() and not temporary.exists():
            final.replace(temporary)

    def discard(self, path: Path) -> None:
        """Take back a file whose record could not be written."""
        (self.home / path).unlink(missing_ok=True)

    def remove(self, path: Path) -> None:
        """Delete a file of this folder for good (`path` is relative to the home); it need not be there any more.

        Raises
        ------
        HomeError
            It lies outside this folder, whatever the database says, or the disk refuses.
        """
        final = self.home / path
        if not final.parent.resolve().is_relative_to(self.root.resolve()):
            raise HomeError(f"{path} is not in {self.root}; it was left where it is")
        with self._writable():
            final.unlink(missing_ok=True)

    def prune(self, folders: Iterable[Path]) -> None:
        """Remove those of the folders (relative to the home) that are empty."""
        for folder in folders:
            if (self.home / folder).parent == self.root:
                with contextlib.suppress(OSError):
                    (self.home / folder).rmdir()

    @contextlib.contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HomeError(
                f"cannot write to {self.home}: {error.strerror or error}; "
                "free some space there or choose another place with --home"
            ) from error


def misplaced(path: str, linked: bool) -> str:
    """What is wrong with a path of a file as a database has it: "" where nothing is.

    A linked file is anywhere; all others are below the home's `sounds/`.
    """
    parts = Path(path).parts
    if "\0" in path or str(Path(path)) != path:
        return f"its path {path!r} is none"
    if linked:
        return "" if Path(path).is_absolute() else f"it is called linked, and its path {path!r} is in the home"
    own = parts[:1] == ("sounds",) and ".." not in parts and len(parts) > 1
    return "" if own else f"its path {path!r} is not in the home's sounds/"


def _is(file: Path, sha256: str) -> bool:
    return file.is_file() and sha256_of(file) == sha256


def _left(path: Path, awaited: Container[int]) -> bool:
    """Whether nobody goes on with a file under a temporary name."""
    number = path.name.removeprefix(_PART).partition("-")[0]
    if path.name.startswith(_PART) and number.isdecimal() and int(number) in awaited:
        return False
    try:
        return path.stat().st_mtime < time.time() - _LEFT_OVER
    except OSError:  # gone meanwhile
        return False


def _read(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error


def write_whole(file: Path, text: str) -> None:
    """Write a text file in UTF-8 that is there as a whole, or as it was before; raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-"[:100], dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; raises OSError, also of a pipe or a device, which would be waited for."""
    if not S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is no ordinary file", str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power cut."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
