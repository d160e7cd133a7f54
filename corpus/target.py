"""The file that `pack` writes: which one may be written, and how it gets its name when it is there as a whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from corpus import archive
from corpus.errors import PackError
from corpus.files import flush_folder

_LEFT_OVER = 3600.0


def check(file: Path, home: Path, replace: bool) -> None:
    """Whether an archive may be written to a file: over another archive if `replace`, and over nothing else.

    Raises
    ------
    PackError
        It may not, or cannot be.
    """
    with writable(file):
        if not file.parent.is_dir() or file.is_dir():
            raise PackError(f"cannot write {file}: no such folder, or a folder; name a file in one that is there")
        if file.resolve().is_relative_to(home.resolve()):
            raise PackError(f"{file} is in the home itself; name a file elsewhere, as on a stick")
        if not file.exists():
            return
        if not file.is_file():
            raise PackError(f"{file} is no ordinary file; name another")
        if not replace:
            raise PackError(f"there is a {file} already; --replace packs anew")
        with file.open("rb") as there:
            if not archive.begins(there):
                raise PackError(f"{file} is no archive of mirla's; --replace writes over nothing else; name another")


@contextlib.contextmanager
def whole(file: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `file` at the end; what a killed packing left there is removed.

    Raises
    ------
    PackError
        It cannot be written; what was there is as it was.
    """
    name = f".mirla-{hashlib.sha256(bytes(file.absolute())).hexdigest()[:12]}"
    partial = file.with_name(f"{name}-{secrets.token_hex(4)}.partial")
    try:
        with writable(file):
            for left in file.parent.glob(f"{name}-*.partial"):
                if left.stat().st_mtime < time.time() - _LEFT_OVER:
                    left.unlink(missing_ok=True)
            with partial.open("xb") as target:
                yield target
            partial.replace(file)
            flush_folder(file.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def writable(file: Path) -> Iterator[None]:
    """Say of a file that it cannot be written, and why."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno == errno.EFBIG:
            why = "too large for that file system (FAT32 takes 4 GB at most; format the stick as exFAT, or pack a part)"
        raise PackError(f"cannot write {file}: {why}; nothing was written there") from error
