"""`adopt`: a folder of one's own sounds becomes part of the corpus.

Each file is decoded from end to end in a supervised worker, copied aside, hashed, renamed, and only then recorded, in
one short transaction a file. Content that is held already is skipped. One bad file never stops the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from corpus.analysis.inspect import SUFFIXES, Inspected, inspect
from corpus.catalogue import Entry, real
from corpus.errors import AudioError, CorpusError, HomeError, StoreError
from corpus.files import AudioFolder
from corpus.licences import Licence
from corpus.model import AudioFile, Sound
from corpus.store.sounds import Sounds
from corpus.text import as_tag, storable, words
from corpus.workers import Workers

_DEADLINE = 120.0
"""Seconds one file may take to be read and decoded."""


@dataclass
class AdoptReport:
    """What an adoption did: new ids, files skipped since their content is held, failures as (path, words), notes."""

    ids: list[int] = field(default_factory=list)
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Adoption:
    """How to adopt: tags and licence for all, what a catalogue says of each, and whether to leave files in place."""

    tags: tuple[str, ...] = ()
    licence: Licence = field(default_factory=lambda: Licence(""))
    catalogue: Mapping[Path, Entry] = field(default_factory=dict)
    link: bool = False


def adopt(
    sounds: Sounds,
    audio: AudioFolder,
    places: Sequence[Path],
    how: Adoption,
    progress: Callable[[int, int], None] | None = None,
) -> AdoptReport:
    """Adopt files and folders.

    Raises
    ------
    HomeError, StoreError
        The home cannot be written any more (a full disk); what was adopted before stays.
    """
    report = AdoptReport()
    audio.clear_leftovers()
    found = _find(places, report)
    with Workers() as workers:
        results = workers.over(found, inspect, lambda _: _DEADLINE)
        for done, (path, result) in enumerate(_in_order(found, results), 1):
            try:
                _take_in(sounds, audio, path, found[path], result, how, report)
            except (HomeError, StoreError) as error:
                so_far = f"{len(report.ids)} sounds were adopted before that; adopt again for the rest"
                raise type(error)(f"{error}; {so_far}") from error
            except OSError as error:
                report.failed.append((path, f"cannot be read: {error.strerror or error}"))
            except CorpusError as error:
                report.failed.append((path, str(error)))
            if progress:
                progress(done, len(found))
    unmatched = set(how.catalogue) - {real(path) for path in found}
    if unmatched:
        count = f"{len(unmatched)} of {len(how.catalogue)}"
        report.notes.append(f"files that the catalogue names and that were not found: {count}, as {min(unmatched)}")
    report.failed.sort()
    return report


def _find(places: Sequence[Path], report: AdoptReport) -> dict[Path, Path]:
    """The sounds in all places, each with the place it was found under; what cannot be entered is reported."""
    found: dict[Path, Path] = {}
    for place in dict.fromkeys(place.absolute() for place in places):
        paths = list(_walk(place, report))
        if not paths and not any(place in (path, *path.parents) for path, _ in report.failed):
            report.failed.append((place, f"holds no sounds; looked for {' '.join(SUFFIXES)}"))
        for path in paths:
            found.setdefault(path, place)
    return found


def _walk(root: Path, report: AdoptReport) -> Iterator[Path]:
    """Sounds below a folder, links followed but no folder entered twice; a file given by name is taken as it is."""
    if not os.path.isdir(root):  # noqa: PTH112 -- unlike Path's, it takes every error for a no
        yield root
        return

    def refused(error: OSError) -> None:
        report.failed.append((Path(error.filename), f"cannot be read: {error.strerror}; see to its permissions"))

    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=refused):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _in_order(paths: Iterable[Path], results: Iterable[tuple[Path, Any]]) -> Iterator[tuple[Path, Any]]:
    """The results in the order of the paths, so that ids do not depend on which worker is the faster."""
    early: dict[Path, Any] = {}
    waiting = iter(results)
    for path in paths:
        while path not in early:
            other, result = next(waiting)
            early[other] = result
        yield path, early.pop(path)


def _take_in(
    sounds: Sounds,
    audio: AudioFolder,
    path: Path,
    root: Path,
    result: Inspected | CorpusError,
    how: Adoption,
    report: AdoptReport,
) -> None:
    if isinstance(result, CorpusError):
        raise result
    if (held := sounds.holding(result.sha256)) is not None:
        _put_back(audio, path, sounds.get(held), report)
        report.skipped += 1
        return
    entry = how.catalogue.get(real(path), Entry())
    sound = _describe(path, root, entry, how)
    place = _link if how.link else _copy
    sound_id, added = place(sounds, audio, path, result, sound, entry.id)
    if not added:
        report.skipped += 1
        return
    report.ids.append(sound_id)
    if entry.id not in (None, sound_id):
        report.notes.append(f"{path}: id {entry.id} is taken by another sound, so this one became {sound_id}")


def _put_back(audio: AudioFolder, path: Path, sound: Sound, report: AdoptReport) -> None:
    """Give a held sound its file back where that has gone missing."""
    if sound.file is None or sound.file.linked or sound.file.path.exists():
        return
    with audio.incoming(path) as copy:
        if copy.sha256 == sound.file.sha256:
            audio.keep(copy.temporary, sound.file.path.relative_to(audio.home))
            report.notes.append(f"{path}: put back as the missing file of sound {sound.id}")


def _describe(path: Path, root: Path, entry: Entry, how: Adoption) -> Sound:
    folders = path.parent.relative_to(root.parent if root.is_dir() else path.parent).parts
    tags = entry.tags or tuple(word for folder in folders for word in words(folder))
    return Sound(
        id=0,
        name=entry.name or storable(path.stem),
        username=entry.username,
        licence=entry.licence or how.licence,
        url=entry.url,
        description=entry.description,
        tags=tuple(dict.fromkeys((*tags, *(as_tag(tag) for tag in how.tags if as_tag(tag))))),
    )


def _copy(
    sounds: Sounds, audio: AudioFolder, path: Path, found: Inspected, sound: Sound, wanted: int | None
) -> tuple[int, bool]:
    placed: list[Path] = []
    with audio.incoming(path) as copy:
        if copy.sha256 != found.sha256:
            raise AudioError("changed while it was adopted; adopt it again")

        def place(sound_id: int) -> Sound:
            relative = audio.free_name(sound_id, sound.username, sound.name, found.format, copy.sha256)
            audio.keep(copy.temporary, relative)
            placed.append(relative)
            return _with_file(sound, sound_id, _file(audio.home / relative, copy.bytes, found))

        try:
            return sounds.add(found.sha256, wanted, place)
        except BaseException:
            if sounds.holding(found.sha256) is None:  # an interrupt may come when the record is already written
                for relative in placed:
                    audio.discard(relative)
            raise


def _link(
    sounds: Sounds, audio: AudioFolder, path: Path, found: Inspected, sound: Sound, wanted: int | None
) -> tuple[int, bool]:
    if str(path) != storable(str(path)):
        raise AudioError("cannot be linked: its name is not valid UTF-8; rename it or adopt a copy (without --link)")
    if sounds.linked(path):
        raise AudioError("is linked already, and its content has changed since; adopt a copy (without --link)")
    file = replace(_file(path, path.stat().st_size, found), linked=True)
    return sounds.add(found.sha256, wanted, lambda sound_id: _with_file(sound, sound_id, file))


def _file(path: Path, size: int, found: Inspected) -> AudioFile:
    return AudioFile(path, found.sha256, size, found.format, found.samplerate, found.channels, found.frames)


def _with_file(sound: Sound, sound_id: int, file: AudioFile) -> Sound:
    return replace(sound, id=sound_id, file=file, duration=file.duration)
