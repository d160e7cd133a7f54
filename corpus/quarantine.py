"""`quarantine/` in a home: where what a repair takes away goes, under the path that it had, with a note beside it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Container
from pathlib import Path

from corpus.errors import HomeError
from corpus.files import write_whole
from corpus.store.database import now

_NAME = "quarantine"


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
        names = (path if number == 1 else f"{path}.{number}" for number in itertools.count(1))
        place = next(place for name in names if not os.path.lexists(self._home / (place := Path(_NAME, name))))
        try:
            (self._home / place).parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._note(place), f"{now()}: {path} {why}\n")
            shutil.move(self._home / path, self._home / place)
        except OSError as error:
            raise HomeError(f"cannot move {path} to {self._home / place}: {error.strerror or error}") from error
        return place

    def lying(self, sizes: Container[int]) -> list[str]:
        """The files here that have one of some sizes."""
        files = (path for path in (self._home / _NAME).rglob("*") if path.is_file() and not path.is_symlink())
        return [str(path.relative_to(self._home)) for path in files if path.stat().st_size in sizes]

    def let_go(self, path: str, place: Path) -> None:
        """Note of a file that was here that it is back; nothing where it was elsewhere."""
        if Path(path).is_relative_to(_NAME):
            note = self._note(Path(path))
            with contextlib.suppress(OSError):
                before = note.read_text(encoding="utf-8") if note.is_file() else ""
                write_whole(note, f"{before}{now()}: put back as {place}\n")

    def _note(self, place: Path) -> Path:
        return self._home / f"{place}.txt"
