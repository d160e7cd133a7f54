"""Audio from the CDN: several files at once, in streams that go on where they were cut, inspected before they count.

A file grows under a temporary name in the home's own `sounds/` folder and is flushed, checked for its length, decoded
in a supervised worker and hashed. What becomes of it then is for the caller.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event, Lock

from corpus.analysis.inspect import Inspected, inspect
from corpus.errors import AudioError, FreesoundError, HomeError, NotThere, Unreachable
from corpus.files import AudioFolder
from corpus.freesound.client import Client
from corpus.store.harvests import Download
from corpus.workers import Workers

AT_ONCE = 4
_ATTEMPTS = 3
_DEADLINE = 120.0
_SHORTER, _SHORTER_SECONDS = 0.05, 0.5
"""How much shorter than its sound a preview may be: a share, and seconds on top."""


@dataclass(frozen=True)
class Fetched:
    """A whole file under its temporary name, with what is in it."""

    part: Path
    inspected: Inspected
    bytes: int


class OverBudget(Exception):
    """The next file would be more than may be fetched."""


class _Stopped(Exception):
    """Nobody waits for the file any more."""


class Budget:
    """How many bytes may be fetched, shared by threads; None is no bound."""

    def __init__(self, most: int | None) -> None:
        self._left = most
        self._lock = Lock()

    @contextlib.contextmanager
    def attempt(self) -> Iterator[Callable[[int], None]]:
        """Yields a function that takes bytes or raises OverBudget; what a failed attempt took is given back."""
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            with self._lock:
                if self._left is not None and count > self._left:
                    raise OverBudget
                self._left = None if self._left is None else self._left - count
                taken += count

        try:
            yield take
        except BaseException:
            with self._lock:
                self._left = None if self._left is None else self._left + taken
            raise


class Fetching:
    """Fetches files for one harvest, at most `most` bytes in all."""

    def __init__(self, client: Client, audio: AudioFolder, most: int | None) -> None:
        self._client = client
        self._audio = audio
        self._budget = Budget(most)
        self._stop = Event()

    def over(self, downloads: Iterable[Download]) -> Iterator[tuple[Download, Fetched | FreesoundError | AudioError]]:
        """Fetch and inspect files, in the order in which they are ready; a failed one comes as its error.

        Ends before the first file that the budget does not allow. Whoever leaves the loop stops what is under way.

        Raises
        ------
        HomeError
            The home cannot be written.
        """
        waiting = iter(downloads)
        with Workers() as workers, ThreadPoolExecutor(AT_ONCE) as threads:

            def begin(count: int) -> Iterator[tuple[Future[Fetched], Download]]:
                for download in islice(waiting, count):
                    yield threads.submit(self._fetched, download, workers), download

            try:
                futures = dict(begin(AT_ONCE + 1))
                within = True
                while futures:
                    for future in wait(futures, return_when=FIRST_COMPLETED).done:
                        download = futures.pop(future)
                        try:
                            yield download, future.result()
                        except OverBudget:
                            within = False
                        except (FreesoundError, AudioError) as error:
                            yield download, error
                        if within:
                            futures |= begin(1)
            finally:
                self._stop.set()
                threads.shutdown(cancel_futures=True)

    def _fetched(self, download: Download, workers: Workers) -> Fetched:
        """Fetch one file, as often as is worth trying, and inspect it."""
        part = self._audio.part(download.sound_id, download.address)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._budget.attempt() as take:
                    self._fetch(download.address, part, take)
                    (answer,) = (result for _, result in workers.over([part], inspect, lambda _: _DEADLINE))
                    if not isinstance(answer, Inspected):
                        raise answer
                    _check_length(answer, download.duration)
                    return Fetched(part, answer, part.stat().st_size)
            except (AudioError, Unreachable, NotThere) as error:
                # what came may be no part of the file at all: the last attempt begins anew
                if not isinstance(error, Unreachable) or attempt == _ATTEMPTS - 1:
                    part.unlink(missing_ok=True)
                if attempt == _ATTEMPTS and isinstance(error, AudioError):
                    why = str(error).partition("; ")[0]  # without the advice for files of one's own
                    raise AudioError(f"what came {why}; resuming asks for it again") from error
                if attempt == _ATTEMPTS:
                    raise
            self._client.pause(attempt)
        raise AssertionError("unreachable")

    def _fetch(self, address: str, part: Path, take: Callable[[int], None]) -> None:
        """Bring a file to `part`, going on behind what is there already where the server allows it.

        Raises
        ------
        Unreachable
            The server failed or the body was cut; what came is kept in `part`.
        OverBudget
            The file is larger than what may still be fetched.
        """
        start = part.stat().st_size if part.exists() else 0
        with self._client.audio(address, start) as (response, blocks), _writable(part):
            start = 0 if response.status_code == 200 else start
            length = None if response.status_code == 416 else response.headers.get("Content-Length")
            take(start + int(length or 0))
            came = 0
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                for block in blocks:
                    if self._stop.is_set():
                        raise _Stopped
                    if length is None:
                        take(len(block))
                    came += file.write(block)
                file.flush()
                os.fsync(file.fileno())
        if length is not None and came < int(length):
            raise Unreachable(f"the file was cut after {came} of {length} bytes")


def _check_length(found: Inspected, served: float | None) -> None:
    """Refuse a file that is clearly shorter than the sound is said to be: half of it, or pieces of two."""
    length = found.frames / found.samplerate
    if served is not None and length < served * (1 - _SHORTER) - _SHORTER_SECONDS:
        raise AudioError(f"is {length:.1f} s long where Freesound says {served:.1f} s")


@contextlib.contextmanager
def _writable(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HomeError(f"cannot write to {part.parent}: {error.strerror or error}; free some space there") from error
