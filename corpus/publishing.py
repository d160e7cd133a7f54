"""Palettes on the disk: folders that other systems read, of which nobody ever sees half.

`<home>/palettes/NAME` is a link to `.NAME-VERSION` beside it, a folder that is written, flushed and then never changed;
to publish is to turn the link. `strudel.json` beside the links is the map of all palettes, the one in each folder that
of its own. In a map `_base` is empty, which for Strudel is where the map lies; who serves it may say where that is.

What the store says is what counts. It is told of a version when its folder is whole and before the link is turned, so
after a kill at any moment the next who publishes ends what was begun, or clears it away. The version before the present
one stays until the next is published, for who is reading it. A newer one that is whole (its map is written last) and
that the store does not know, as after a restore, goes to quarantine, and comes back when the store knows it again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from corpus.errors import HomeError
from corpus.files import flush_folder, sha256_of, write_whole
from corpus.model import Palette, PaletteSound
from corpus.quarantine import Quarantine
from corpus.store.palettes import Palettes

STRUDEL = "strudel.json"
CREDITS = "CREDITS.txt"
CUT_SHORT = "its publication was cut short before others saw it"
NEWER = "others see a newer version of it than the database knows"
UNTRUE = "is not what the database says"
FOREIGN = "a folder that mirla did not publish stands in its place; move it away"
_PATIENCE = 60.0
"""Seconds to wait for another who publishes."""


@dataclass(frozen=True)
class Made:
    """A sound to be published: its file's name, and its audio `(frames, channels)` with full scale at 1."""

    id: int
    file: str
    samples: npt.NDArray[np.float32]
    rate: int
    credit: dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """Something that is not as the store says; `path` is relative to the home."""

    path: str
    words: str
    sound_id: int | None
    missing: bool


class PaletteFolder:
    """The `palettes/` folder of a home."""

    def __init__(self, home: Path, palettes: Palettes) -> None:
        self.root = home / "palettes"
        self._quarantine = Quarantine(home)
        self._palettes = palettes

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else publish meanwhile; what a killed publisher left is settled first.

        Raises
        ------
        HomeError
            Another is publishing all the time, or the folder cannot be written.
        """
        with _writable(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / ".lock")
        try:
            with _writable(self.root):
                lock.acquire(timeout=_PATIENCE)
        except Timeout as error:
            raise HomeError(f"another is publishing in {self.root}; wait until it is done") from error
        try:
            with _writable(self.root):
                self._settle()
            yield
        finally:
            lock.release()

    def folder(self, palette: Palette) -> Path:
        """Where its sounds of this very version are."""
        return self.root / f".{palette.name}-{palette.version}"

    def foreign(self, name: str) -> bool:
        """Whether something lies under this name that was not published."""
        link = self.root / name
        return link.exists() and not link.is_symlink()

    def _shown(self, palette: Palette) -> Path:
        """Its folder by the name by which others see it, if they do."""
        return self.folder(palette) if self._unseen(palette) else self.root / palette.name

    def _unseen(self, palette: Palette) -> str:
        """Why others do not see this version of a palette: "" if they do."""
        if self.foreign(palette.name):
            return FOREIGN
        link, folder = self.root / palette.name, self.folder(palette)
        if not folder.is_dir() or (link.is_symlink() and link.readlink() == Path(folder.name)):
            return ""
        return CUT_SHORT if not link.is_symlink() or _version(link) < palette.version else NEWER

    def problems(self, credits: Callable[[Sequence[PaletteSound]], str]) -> Iterator[Problem]:
        """What is not as the store says: what others see, each file, maps and credits."""
        for palette in self._palettes.all():
            folder = self._shown(palette)
            if words := self._unseen(palette):
                yield self._problem(self.root / palette.name, words)
            for sound in palette.sounds:
                try:
                    same = sha256_of(folder / sound.file) == sound.sha256
                    words = "" if same else "is not what was published"
                except OSError as error:
                    words = error.strerror or str(error)
                if words:
                    yield self._problem(folder / sound.file, f"palette {palette.name}: {words}", sound.id)
        for file, text in self._texts(credits):
            if _bytes_of(file) != text.encode():
                yield self._problem(file, UNTRUE)

    def _problem(self, path: Path, words: str, sound_id: int | None = None) -> Problem:
        missing = words == CUT_SHORT or not os.path.lexists(path)
        return Problem(str(path.relative_to(self.root.parent)), words, sound_id, missing)

    def write_texts(self, credits: Callable[[Sequence[PaletteSound]], str]) -> None:
        """Write maps and credits as the store says them, where they are not so, within `alone`."""
        with _writable(self.root):
            for file, text in self._texts(credits):
                _keep_text(file, text)

    def _texts(self, credits: Callable[[Sequence[PaletteSound]], str]) -> Iterator[tuple[Path, str]]:
        palettes = self._palettes.all()
        for palette in palettes:
            if (folder := self._shown(palette)).is_dir():
                yield folder / CREDITS, credits(palette.sounds)
                yield folder / STRUDEL, own_map(palette.name, palette.sounds)
        if palettes or (self.root / STRUDEL).exists():
            yield self.root / STRUDEL, json.dumps(strudel_map(palettes))

    def damaged(self, palette: Palette) -> list[str]:
        """Its files that are missing or were changed since they were published."""
        folder = self.folder(palette)
        return [
            sound.file
            for sound in palette.sounds
            if not (folder / sound.file).is_file() or sha256_of(folder / sound.file) != sound.sha256
        ]

    def publish(
        self,
        name: str,
        kept: Palette | None,
        made: Iterable[Made],
        credits: Callable[[Sequence[PaletteSound]], str],
    ) -> Palette:
        """Publish a palette, within `alone`.

        Parameters
        ----------
        name : str
        kept : Palette, optional
            Whose sounds come first, at their places and as they are.
        made : iterable of Made
            What comes then; taken one after another, so that one is in memory at a time.
        credits : callable
            The text of `CREDITS.txt`.
        """
        former = [palette.version for palette in self._palettes.ever() if palette.name == name]
        palette = Palette(name, max(former, default=0) + 1, "", ())
        folder = self.folder(palette)
        try:
            with _writable(self.root):
                folder.mkdir()
                sounds = [self._keep(kept, sound, folder) for sound in kept.sounds] if kept else []
                sounds += [_write(folder, place, one) for place, one in enumerate(made, len(sounds))]
                write_whole(folder / CREDITS, credits(sounds))
                write_whole(folder / STRUDEL, own_map(name, sounds))
                flush_folder(folder)
                flush_folder(self.root)
            self._palettes.put(name, palette.version, sounds)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with _writable(self.root):
            self._settle()
        published = self._palettes.get(name)
        assert published is not None
        return published

    def remove(self, palette: Palette) -> None:
        """Take a palette back, within `alone`."""
        with _writable(self.root):
            self._palettes.remove(palette.name)
            self._settle()

    def _keep(self, palette: Palette, sound: PaletteSound, folder: Path) -> PaletteSound:
        source = self.folder(palette) / sound.file
        try:
            os.link(source, folder / sound.file)
        except OSError:  # not on every disk
            shutil.copyfile(source, folder / sound.file)
            _flush(folder / sound.file)
        return sound

    def _settle(self) -> None:
        """Make the folder what the store says."""
        palettes = self._palettes.ever()
        stay = set()
        for palette in palettes:
            link, folder = self.root / palette.name, self.folder(palette)
            if palette.removed is None:
                before = Palette(palette.name, palette.version - 1, "", ())
                stay |= {folder, self.folder(before)}
                self._back(palette)
                if folder.is_dir() and not self.foreign(palette.name):
                    self._turn(link, folder)
            elif link.is_symlink():
                link.unlink()
        self._write_map([palette for palette in palettes if palette.removed is None])
        versions = {palette.name: palette.version for palette in palettes}
        for left in self.root.glob(".*-*"):
            if left in stay:
                continue
            if (
                not left.is_symlink()
                and (left / STRUDEL).exists()
                and _version(left) > versions.get(left.name[1:].rpartition("-")[0], 0)
            ):
                path = str(left.relative_to(self.root.parent))
                self._quarantine.take(path, "is a version of a palette that the database does not know")
            elif left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def _back(self, palette: Palette) -> None:
        """Fetch a version from quarantine whose files are not here any more."""
        folder = self.folder(palette)
        for lying in () if folder.exists() else self._quarantine.folders(str(folder.relative_to(self.root.parent))):
            if all(_hash_of(lying / sound.file) == sound.sha256 for sound in palette.sounds):
                lying.rename(folder)
                home = self.root.parent
                self._quarantine.let_go(str(lying.relative_to(home)), folder.relative_to(home))
                return

    def _turn(self, link: Path, folder: Path) -> None:
        if link.is_symlink() and link.readlink() == Path(folder.name):
            return
        turned = self.root / f".turning-{folder.name}"
        turned.unlink(missing_ok=True)
        turned.symlink_to(folder.name)
        turned.replace(link)
        flush_folder(self.root)

    def _write_map(self, palettes: Sequence[Palette]) -> None:
        _keep_text(self.root / STRUDEL, json.dumps(strudel_map(palettes)))


def _version(folder: Path) -> int:
    """The version that a folder's name says, or that of what a link leads to; 0 where it is none."""
    name = folder.readlink().name if folder.is_symlink() else folder.name
    number = name.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdecimal() else 0


def _bytes_of(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _keep_text(file: Path, text: str) -> None:
    """Write a text anew where it is another, or none."""
    if _bytes_of(file) != text.encode():
        write_whole(file, text)


def _hash_of(file: Path) -> str | None:
    return sha256_of(file) if file.is_file() else None


def strudel_map(palettes: Iterable[Palette], base: str = "") -> dict[str, Any]:
    """Strudel's map of palettes. `base` is the address of their folder, without a slash at its end."""
    files = {palette.name: [f"/{palette.name}/{sound.file}" for sound in palette.sounds] for palette in palettes}
    return {"_base": base, **files}


def own_map(name: str, sounds: Iterable[PaletteSound]) -> str:
    """Strudel's map of one palette, to lie in its folder."""
    return json.dumps({"_base": "", name: [f"/{sound.file}" for sound in sounds]})


def _write(folder: Path, place: int, one: Made) -> PaletteSound:
    import soundfile

    path = folder / one.file
    try:
        soundfile.write(os.fsencode(path), one.samples, one.rate, subtype="PCM_24", format="WAV")
    except soundfile.SoundFileError as error:
        raise OSError(f"{getattr(error, 'error_string', error)}".strip(" .")) from error
    _flush(path)
    return PaletteSound(place, one.id, one.file, sha256_of(path), one.credit)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HomeError(
            f"cannot write to {root}: {error.strerror or error}; free some space there or choose another --home"
        ) from error
