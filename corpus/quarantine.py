"""`quarantine/` in a home: where what a repair takes away goes, under the path that it had, with a note beside it."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import shutil
from collections.abc import Container
from pathlib import Path

from corpus.errors import HomeError
from corpus.files import write_whole
from corpus.store.database import now
from corpus.text import storable

_NAME = "quarantine"
_LONGEST = 200
"""Bytes of a name, so that its note can have it too."""


class Quarantine:
    """The quarantine of a home. Paths are relative to the home."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def take(self, path: str, why: str) -> Path:
        """Move a file here, whose note says why; returns where to.

        Raises
        ------
        HomeError
            It cannot be moved; it is where it was.
        """
        place = next(place for number in itertools.count(1) if self._free(place := _place(path, number)))
        try:
            (self._home / place).parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._note(place), storable(f"{now()}: {path} {why}\n"))
            shutil.move(self._home / path, self._home / place)
        except OSError as error:
            raise HomeError(f"cannot move {path} to {self._home / place}: {error.strerror or error}") from error
        return place

    def lying(self, sizes: Container[int]) -> list[str]:
        """The files here that have one of some sizes."""
        files = (path for path in (self._home / _NAME).rglob("*") if path.is_file() and not path.is_symlink())
        return [str(path.relative_to(self._home)) for path in files if path.stat().st_size in sizes]

    def folders(self, path: str) -> list[Path]:
        """Where folders lie here that had a path."""
        return [place for place in (self._home / _NAME).glob(f"**/{glob.escape(path)}") if place.is_dir()]

    def let_go(self, path: str, place: Path) -> None:
        """Note of a file that was here that it is back; nothing where it was elsewhere."""
        if Path(path).is_relative_to(_NAME):
            note = self._note(Path(path))
            with contextlib.suppress(OSError):
                before = note.read_text(encoding="utf-8") if note.is_file() else ""
                write_whole(note, f"{before}{now()}: put back as {place}\n")

    def _free(self, place: Path) -> bool:
        """Whether a file and its note can lie there."""
        lying = [self._home / place, self._note(place)]
        folders = [self._home / folder for folder in place.parents if len(folder.parts) > 1]
        return not any(map(os.path.lexists, lying)) and not any(map(_is_file, folders))

    def _note(self, place: Path) -> Path:
        return self._home / f"{place}.txt"


def _place(path: str, number: int) -> Path:
    """Where a file goes at the first try, and at the next ones; a name too long for a note beside it is cut."""
    folder, name = os.path.split(path)
    data = os.fsencode(name)
    if len(data) > _LONGEST:
        name = data[:_LONGEST].decode(errors="ignore") + Path(name).suffix[:9]
    return Path(_NAME, *([str(number)] if number > 1 else []), folder, name)


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and not path.is_dir()
