"""One file against its row: is it there, of that hash, and with what its header says?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

from corpus.analysis.inspect import Inspected, by_header
from corpus.errors import AudioError
from corpus.files import misplaced, sha256_of
from corpus.store.soundness import Held

_FLIPPED = 2
"""Two hashes that differ in so few digits are one, of which a bit or two flipped: chance does not make such a pair."""

_DESCRIBED = ("format", "samplerate", "channels", "frames")


@dataclass(frozen=True)
class Looked:
    """What was found of one file.

    `of` says what is wrong: "" nothing, "missing", the "file", the "row", its "path" in the row, or that it is
    "unreadable"; `words` how.
    """

    held: Held
    of: str = ""
    words: str = ""
    read: bool = False

    def with_answer(self, answer: Any) -> Looked:
        """The same with what decoding it gave, if it was decoded: an Inspected or an error."""
        if isinstance(answer, AudioError):
            told = f"{self.words}; it {answer}" if self.words else f"cannot be decoded: it {answer}"
            return replace(self, of=self.of or "file", words=told.partition("; copy it again")[0])
        if isinstance(answer, Inspected) and self.of == "file":
            return replace(self, words=f"{self.words}; it can still be decoded")
        if isinstance(answer, Inspected) and not self.of and (words := _unlike(self.held, answer)):
            return replace(self, of="row", words=words)
        return self


def look(home: Path, held: Held, read: bool) -> Looked:
    """Hold one file against its row; its content is only read where that is wanted, or its size is another."""
    if words := misplaced(held.path, held.linked):
        return Looked(held, "path", words)
    path = home / held.path
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            return Looked(held, "missing", "is no file")
        if not read and status.st_size == held.bytes:
            return Looked(held)
        sha256 = sha256_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return Looked(held, "missing", "is not there")
    except ValueError as error:  # a path that no file can have
        return Looked(held, "path", f"its path {held.path!r} is none: {error}")
    except OSError as error:
        return Looked(held, "unreadable", f"cannot be read: {error.strerror or error}; see to its permissions and disk")
    if sha256 != held.sha256:
        if nearly(sha256, held.sha256):
            return Looked(held, "row", f"the database has its hash as {held.sha256!r}", True)
        size = "" if status.st_size == held.bytes else f" ({status.st_size} bytes where there were {held.bytes})"
        return Looked(held, "file", f"its content is not what it was{size}", True)
    if status.st_size != held.bytes:
        return Looked(held, "row", f"the database says {held.bytes} bytes where there are {status.st_size}", True)
    if held.decoded is None:  # unknown to any decoder: left to a worker's
        return Looked(held, read=True)
    try:
        words = _unlike(held, by_header(path, sha256))
    except (AudioError, RuntimeError):  # let in by another decoder
        words = ""
    return Looked(held, "row" if words else "", words, True)


def nearly(sha256: str, other: str) -> bool:
    """Whether two hashes are one, of which a bit or two flipped."""
    return len(sha256) == len(other) and sum(a != b for a, b in zip(sha256, other, strict=True)) <= _FLIPPED


def _unlike(held: Held, found: Inspected) -> str:
    pairs = [(name, getattr(held, name), getattr(found, name)) for name in _DESCRIBED]
    wrong = [f"{name} {said} where it is {there}" for name, said, there in pairs if said != there]
    return f"the database says {', '.join(wrong)}" if wrong else ""
