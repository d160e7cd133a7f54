"""The container of a packed corpus: a plain tar without compression, in one exact form.

Any tar opens it. Audio does not compress (deflate takes 3 % off FLAC), and what is stored as it is can be no bomb: no
member is larger than the file it comes in. A tar is written in one go, each byte once; a zip of the same sounds took
twice as long, for sums that SHA-256 makes superfluous, and has two lists of its members, which may contradict one
another.

All members are ordinary files below `mirla/`. One header stands for each name, size and time: a reader makes it anew
and takes no other, so links, devices, sparse files, extensions and all that readers disagree about cannot be there.
`mirla/SHA256SUMS` is the last member and names all others, for `sha256sum -c`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from corpus.errors import PackError

TOP = "mirla/"
DATABASE, SUMS, CREDITS, README = "corpus.sqlite", "SHA256SUMS", "CREDITS.txt", "README.txt"
TEXTS = (SUMS, CREDITS, README)
_NAME = re.compile(
    r"corpus\.sqlite|SHA256SUMS|CREDITS\.txt|README\.txt"
    r"|sounds/[0-9]{1,7}/[0-9]{1,10}-[0-9]{1,12}__[A-Za-z0-9][A-Za-z0-9._-]{0,49}\.[a-z0-9]{2,4}"
    r"|palettes/[A-Za-z][A-Za-z0-9_-]{0,59}/([0-9]{3}\.wav|CREDITS\.txt)"
)
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_SIZE = 512
_PART = 1 << 20
_MOST_MEMBERS = 4_000_000
_MOST_OF_SUMS = 1 << 30
_LARGEST_TAIL = 1 << 16


class Changed(Exception):
    """A file was not what it should have been when it came to be written; it is not in the archive."""


@dataclass(frozen=True)
class Member:
    """A file of the archive: its name below `mirla/`, and where its content is."""

    name: str
    size: int
    offset: int


class Writer:
    """Writes an archive; `sha256` is the whole file's, `sums` each member's. `at` is the time of all members."""

    def __init__(self, target: BinaryIO, at: int) -> None:
        self._target = target
        self._at = at
        self._digest = hashlib.sha256()
        self.sums: dict[str, str] = {}

    @property
    def written(self) -> int:
        """How much is written."""
        return self._target.tell()

    def add(self, name: str, source: BinaryIO, size: int, sha256: str | None = None) -> None:
        """Add a member; raises Changed, with nothing added, where it has not this size and sum."""
        start, digest = self._target.tell(), self._digest.copy()
        own, copied = hashlib.sha256(), 0
        self._put(_header(name, size, self._at))
        why = ""
        while copied <= size:
            try:
                block = source.read(min(_PART, size + 1 - copied))
            except OSError as error:
                block, why = b"", f"cannot be read: {error.strerror or error}"
            if not block:
                break
            copied += len(block)
            own.update(block)
            self._put(block)
        if copied != size or sha256 not in (None, own.hexdigest()):
            self._target.seek(start)
            self._target.truncate()
            self._digest = digest
            raise Changed(why or "not what the database says")
        self._put(bytes(-size % _SIZE))
        self.sums[name] = own.hexdigest()

    def end(self) -> str:
        """Write what ends a tar, and wait until the disk has all; the sum of the whole file."""
        self._put(bytes(2 * _SIZE))
        self._target.flush()
        os.fsync(self._target.fileno())
        return self._digest.hexdigest()

    def _put(self, block: bytes) -> None:
        self._digest.update(block)
        self._target.write(block)


def sums_text(sums: dict[str, str]) -> str:
    """What `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())


def room(size: int) -> int:
    """Bytes that a member of this size takes, with its line of the sums."""
    return size + -size % _SIZE + _SIZE + 200


def begins(file: BinaryIO) -> bool:
    """Whether a file begins as an archive does, or is empty."""
    block = _read(file, _SIZE)
    with contextlib.suppress(PackError):
        return not block or bool(_described(block, 0, len(block)))
    return False


def members(file: BinaryIO) -> dict[str, Member]:
    """The members of an archive, by name.

    Raises
    ------
    PackError
        It is cut short, no such archive, or not as `Writer` writes it.
    """
    end = file.seek(0, os.SEEK_END)
    found: dict[str, Member] = {}
    folded: set[str] = set()
    place = 0
    while True:
        file.seek(place)
        block = _read(file, _SIZE)
        if block == bytes(_SIZE):
            break
        name, size = _described(block, place, end)
        if name.lower() in folded or len(found) >= _MOST_MEMBERS:
            raise PackError(f"it has {name} twice, or too many files; it was not made by mirla")
        folded.add(name.lower())
        found[name] = Member(name, size, place + _SIZE)
        place += _SIZE + size + -size % _SIZE
        if place > end:
            raise PackError(f"it is cut short within {name}; copy it again")
    tail = _read(file, _LARGEST_TAIL)
    if len(tail) < _SIZE or any(tail) or _read(file, 1):
        raise PackError("it is cut short, or something lies behind its end; copy it again")
    if lacking := [name for name in (DATABASE, *TEXTS) if name not in found]:
        raise PackError(f"it has no {lacking[0]}; it was not made by mirla")
    return found


def sums_of(file: BinaryIO, found: dict[str, Member]) -> dict[str, str]:
    """The sums by name, as the archive says them; raises PackError where they are not those of its members."""
    if found[SUMS].size > _MOST_OF_SUMS:
        raise PackError(f"its {SUMS} has {found[SUMS].size} bytes; it was not made by mirla")
    text = b"".join(content(file, found[SUMS])).decode("ascii", "replace")
    lines = [_LINE.fullmatch(line) for line in text.split("\n")[:-1]]
    sums = {line[2]: line[1] for line in lines if line}
    if not text.endswith("\n") or len(sums) != len(lines) or sums.keys() != found.keys() - {SUMS}:
        raise PackError(f"its {SUMS} does not name its files; it is damaged: copy it again")
    return sums


def content(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """What a member holds, in parts."""
    file.seek(member.offset)
    left = member.size
    while left:
        block = _read(file, min(_PART, left))
        if not block:
            raise PackError(f"it is cut short within {member.name}; copy it again")
        left -= len(block)
        yield block


def _read(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise PackError(f"it cannot be read: {error.strerror or error}; is the stick still there?") from error


def _described(block: bytes, place: int, end: int) -> tuple[str, int]:
    """Name and size of the member whose header this is."""
    if len(block) < _SIZE:
        raise PackError(f"it is cut short after {end} bytes; copy it again")
    info = None
    with contextlib.suppress(tarfile.TarError, ValueError, OverflowError):
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    if info is None:
        raise PackError(f"it is no tar, or damaged at byte {place}; copy it again")
    name = info.name.removeprefix(TOP)
    same = False
    with contextlib.suppress(tarfile.TarError, ValueError, OverflowError):
        same = block == _header(name, info.size, int(info.mtime))
    if not same or info.size < 0:
        raise PackError(f"what lies at byte {place} ({info.name!r}) is no ordinary file as mirla packs it")
    if not _NAME.fullmatch(name):
        raise PackError(f"{info.name!r} is no name of a file that mirla packs")
    return name, info.size


def _header(name: str, size: int, at: int) -> bytes:
    info = tarfile.TarInfo(TOP + name)
    info.size, info.mtime, info.mode = size, at, 0o644
    return info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")
