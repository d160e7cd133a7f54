"""Derived arrays in `<home>/cache/`, which may be deleted at any time: what is there is memory-mapped, never trusted.

An entry is a folder `<key>/<digest of its stamp>/` with an `.npy` file for each array and `about.json`, which has the
stamp (from what the arrays were made) and of each file its size and a sum over all its bytes. It is written under a
temporary name and renamed as a whole, so that several processes may write the same one at once. An entry that is not as
it says is none, so that nothing need wait for the disk: what a power cut leaves half written is made anew. Where
nothing can be written, arrays stay in memory.

What a process has opened stays open in it for as long as its stamp is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
Value = TypeVar("Value")

_FORMAT = 2
_ABOUT = "about.json"
_INCOMING = ".incoming-"
_LEFT_OVER = 3600.0
_UNUSED = 30 * 24 * 3600.0
_BLOCK = 1 << 20


class Caches:
    """The `cache/` folder of a home, and what this process has opened of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._swept = False

    def held(self, key: str, stamp: str, make: Callable[[], tuple[str, Value]], at_most: int | None = None) -> Value:
        """What this process holds under a key, if its stamp is this one; else what `make` gives, with its own stamp.

        Other keys can be asked for meanwhile. Of those with the same first word, the last `at_most` are held.
        """
        with self._lock:
            held = self._held.setdefault(key, _Held())
            if at_most is not None:
                self._held[key] = self._held.pop(key)  # the last asked for comes last
                family = [other for other in self._held if other.partition(" ")[0] == key.partition(" ")[0]]
                for other in family[:-at_most]:
                    del self._held[other]
        with held.lock:
            if held.stamp != stamp:
                held.stamp, held.value = make()
            value: Value = held.value
            return value

    def find(self, key: str, stamp: str) -> Arrays | None:
        """The arrays stored under a key with this stamp; None if there are none, or they are damaged."""
        place = self._place(key, stamp)
        try:
            found = _open(place, stamp)
            with contextlib.suppress(OSError):
                os.utime(place)  # in use
            return found
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def others(self, key: str) -> Iterator[tuple[str, Arrays]]:
        """What else is stored under a key, whole, with its stamp."""
        for about in self._place(key).glob(f"*/{_ABOUT}"):
            with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
                stamp = str(json.loads(about.read_bytes())["stamp"])
                yield stamp, _open(self._place(key, stamp), stamp)

    def store(self, key: str, stamp: str, arrays: Arrays) -> Arrays:
        """Store arrays under a key in place of all others, and give them back memory-mapped; else as they are.

        What was not found here for a month goes.
        """
        place, temporary = self._place(key, stamp), None
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=place.parent))
            _write(temporary, stamp, arrays)
            _put_in_place(temporary, place)
            self._clear(place)
            self._sweep()
        except OSError:
            return arrays
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
        return self.find(key, stamp) or arrays

    def inspected(self) -> Iterator[tuple[Path, str, str]]:
        """Each entry that is stored: its folder, its stamp, and what is wrong with it (empty: nothing)."""
        for place in sorted(self._folder.glob("*/*")):
            stamp = problem = ""
            try:
                stamp = str(json.loads((place / _ABOUT).read_bytes())["stamp"])
                if place.name != _digest(stamp):
                    raise ValueError("its stamp is not what it is stored under")
                _open(place, stamp)
            except (OSError, ValueError, LookupError, TypeError) as error:
                problem = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
            recent = place.name.startswith(_INCOMING) and _age(place) < _LEFT_OVER
            if place.exists() and not recent:  # others may write and clear meanwhile
                yield place, stamp, problem

    def drop(self, place: Path) -> None:
        """Remove an entry (see `inspected`): what is asked for again is made anew."""
        if place.parent.parent == self._folder:
            shutil.rmtree(place, ignore_errors=True)

    def _place(self, key: str, stamp: str | None = None) -> Path:
        readable = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in key)
        folder = self._folder / f"{readable[:60]}-{_digest(key)}"
        return folder if stamp is None else folder / _digest(stamp)

    def _clear(self, place: Path) -> None:
        """Remove the key's other entries, and what a killed process left half done an hour ago or longer."""
        for other in place.parent.iterdir():
            with contextlib.suppress(OSError):
                recent = other.stat().st_mtime >= time.time() - _LEFT_OVER
                if other != place and not (other.name.startswith(_INCOMING) and recent):
                    shutil.rmtree(other, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what nobody asked for in a long time: words, and measures that are gone; once a process."""
        if self._swept:
            return
        self._swept = True
        for entry in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < time.time() - _UNUSED:
                    shutil.rmtree(entry, ignore_errors=True)
                    entry.parent.rmdir()  # refused where there is more


@dataclass
class _Held:
    """What a process holds under one key; `lock` is for who makes it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    stamp: str | None = None
    value: Any = None


def _put_in_place(temporary: Path, place: Path) -> None:
    """Rename a folder; what lies there already is damaged, or as good."""
    try:
        temporary.rename(place)
    except OSError:
        damaged = place.with_name(f"{temporary.name}-damaged")
        with contextlib.suppress(FileNotFoundError):
            place.rename(damaged)
        temporary.rename(place)
        shutil.rmtree(damaged, ignore_errors=True)


def _write(folder: Path, stamp: str, arrays: Arrays) -> None:
    facts = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        with path.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        facts[name] = {"bytes": path.stat().st_size, "sum": _sum(path)}
    with (folder / _ABOUT).open("w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, "stamp": stamp, "arrays": facts}, file)


def _open(folder: Path, stamp: str) -> Arrays:
    """Open an entry and hold it against what it says of itself; raises ValueError where it is not so."""
    about = json.loads((folder / _ABOUT).read_bytes())
    if about["format"] != _FORMAT or about["stamp"] != stamp:
        raise ValueError("of another format, or made of something else")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, facts in about["arrays"].items():
        path = folder / f"{name}.npy"
        if path.stat().st_size != facts["bytes"] or _sum(path) != facts["sum"]:
            raise ValueError("damaged")
        arrays[name] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return arrays


def _sum(path: Path) -> str:
    """A sum of a file as numbers of 64 bits, another odd multiple of each block: as fast as a file can be read.

    Odd, so that no bit that flips can vanish in what is beyond the 64th.
    By reading, not by the mapping, so that only what is searched counts as this process's memory.
    """
    block, total = bytearray(_BLOCK), 0
    with path.open("rb", buffering=0) as file:
        for number in itertools.count(1, 2):
            size = file.readinto(block)
            if not size:
                return f"{total % 2**64:016x}"
            block[size : -(-size // 8) * 8] = bytes(-size % 8)
            total += number * int(np.add.reduce(np.frombuffer(block, np.uint64, -(-size // 8)), dtype=np.uint64))
    raise AssertionError("count() never ends")


def _age(place: Path) -> float:
    """Seconds since a folder was changed; 0 where it is gone."""
    try:
        return time.time() - place.stat().st_mtime
    except OSError:
        return 0.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
