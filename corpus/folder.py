"""`adopt`: a folder of one's own sounds becomes part of the corpus.

Each file is decoded from end to end in a supervised worker, copied aside, hashed, renamed, and only then recorded, in
one short transaction a file. Content that is held already is skipped. One bad file never stops the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.analysis.inspect import SUFFIXES, Inspected, inspect
from corpus.catalogue import Entry
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
    found: dict[Path, Path] = {}
    for place in places:
        root = place.expanduser().absolute()
        before = len(found)
        for path in _walk(root):
            found.setdefault(path, root)
        if len(found) == before and root.is_dir():
            report.failed.append((root, f"holds no sounds; looked for {' '.join(SUFFIXES)}"))
    with Workers() as workers:
        for done, (path, result) in enumerate(workers.over(found, inspect, lambda _: _DEADLINE), 1):
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
    report.ids.sort()
    report.failed.sort()
    return report


def _walk(root: Path) -> Iterator[Path]:
    """Sounds below a folder, links followed but no folder entered twice; a file given by name is taken as it is."""
    if not root.is_dir():
        yield root
        return
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


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
    if sounds.holding(result.sha256) is not None:
        report.skipped += 1
        return
    entry = how.catalogue.get(path, Entry())
    sound = _describe(path, root, entry, how)
    place = _link if how.link else _copy
    sound_id, added = place(sounds, audio, path, result, sound, entry.id)
    if not added:
        report.skipped += 1
        return
    report.ids.append(sound_id)
    if entry.id not in (None, sound_id):
        report.notes.append(f"{path}: id {entry.id} is taken by another sound, so this one became {sound_id}")


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
            relative = audio.name_for(sound_id, sound.username, sound.name, found.format)
            audio.keep(copy, relative)
            placed.append(relative)
            return _with_file(sound, sound_id, _file(audio.home / relative, copy.bytes, found))

        try:
            return sounds.add(found.sha256, wanted, place)
        except BaseException:
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
