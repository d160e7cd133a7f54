"""`harvest`: what Freesound has of what is wanted comes into the corpus, first the records, then the audio.

A page is one transaction: sounds, vectors, and the cursor from which to go on. Audio is fetched by several threads,
inspected in supervised workers, renamed, and only then recorded. Killed at any moment, the harvest goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from corpus.analysis.inspect import Inspected, inspect
from corpus.errors import AudioError, FreesoundError, NotThere, Unreachable
from corpus.files import AudioFolder
from corpus.freesound.client import Client
from corpus.freesound.wire import SPACES, Record
from corpus.model import AudioFile
from corpus.store.database import Database
from corpus.store.harvests import Download, Harvest, Harvests
from corpus.store.sounds import Sounds
from corpus.store.vectors import Vector, Vectors
from corpus.walk import Walk
from corpus.wanted import Wanted
from corpus.workers import Workers

AT_ONCE = 4
_ATTEMPTS = 3
_DEADLINE = 120.0

Progress = Callable[[int, int], None]


@dataclass
class HarvestReport:
    """What a harvest did this time: counts, and failures as (sound id, words)."""

    harvest: int
    state: str = "running"
    requests: int = 0
    found: int = 0
    added: int = 0
    updated: int = 0
    audio: int = 0
    bytes: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


class Harvesting:
    """Carries out harvests on one corpus."""

    def __init__(
        self,
        database: Database,
        sounds: Sounds,
        vectors: Vectors,
        harvests: Harvests,
        audio: AudioFolder,
        client: Client,
    ) -> None:
        self._database = database
        self._sounds = sounds
        self._vectors = vectors
        self._harvests = harvests
        self._audio = audio
        self._client = client

    def run(self, harvest: Harvest, progress: Progress | None = None) -> HarvestReport:
        """Begin a harvest or go on with it.

        Raises
        ------
        FreesoundError
            The API refuses, or fails for longer than is worth waiting; what came before stays.
        """
        report = HarvestReport(harvest.id)
        wanted = Wanted.from_json(harvest.wanted)
        if harvest.state == "running":
            self._records(harvest, wanted, report)
        if wanted.audio != "none":
            self._fetch(harvest, wanted, report, progress)
        waiting = self._harvests.downloads(harvest, retry=False) if wanted.audio != "none" else []
        failures = self._harvests.failures(harvest)
        report.failed += failures
        report.state = "audio" if waiting or failures else "done"  # what Freesound lacks cannot be gone on with
        self._harvests.finish(harvest, report.state)
        report.requests = self._client.requests
        return report

    def _records(self, harvest: Harvest, wanted: Wanted, report: HarvestReport) -> None:
        for space in SPACES.values():
            self._vectors.register(space)
        walk, cursor = Walk(self._client, wanted), harvest.cursor
        brought = set(self._harvests.brought(harvest))
        while not walk.finished(cursor) and len(brought) < wanted.max_sounds:
            step = walk.step(cursor, wanted.max_sounds - len(brought))
            new = {one.sound.id: one for one in step.records if one.sound.id not in brought}
            taken = list(new.values())[: wanted.max_sounds - len(brought)]
            cursor = step.cursor
            over = walk.finished(cursor) or len(brought) + len(taken) >= wanted.max_sounds
            self._keep(harvest, taken, wanted.audio, cursor, "audio" if over else "running", report)
            report.failed += [(number, "Freesound has no such sound, or not any more") for number in step.missing]
            brought.update(one.sound.id for one in taken)
            report.found = len(brought)

    def _keep(
        self,
        harvest: Harvest,
        some: list[Record],
        audio: str,
        cursor: dict[str, object],
        state: str,
        report: HarvestReport,
    ) -> None:
        """Store one page with the cursor behind it."""
        records = {one.sound.id: one.record for one in some}
        with self._database.write() as connection:
            held = self._sounds.records(connection, list(records))
            new = [one.sound for one in some if one.sound.id not in held]
            changed = [one.sound for one in some if one.sound.id in held and held[one.sound.id] != one.record]
            self._sounds.insert(connection, new, records)
            self._sounds.update(connection, changed, records)
            self._vectors.put(connection, _vectors(some))
            addresses = {one.sound.id: one.previews.get(audio) for one in some}
            self._harvests.advance(connection, harvest, cursor, state, addresses)
        report.added += len(new)
        report.updated += len(changed)

    def _fetch(self, harvest: Harvest, wanted: Wanted, report: HarvestReport, progress: Progress | None) -> None:
        downloads = self._harvests.downloads(harvest, retry=True)
        if not downloads:
            return
        with Workers() as workers, ThreadPoolExecutor(AT_ONCE) as threads:

            def fetch(download: Download) -> tuple[Path, Inspected]:
                return self._fetched(download, workers)

            waiting = iter(downloads)
            futures = {threads.submit(fetch, one): one for one in islice(waiting, 2 * AT_ONCE)}
            done = 0
            while futures:
                future = next(as_completed(futures))
                download = futures.pop(future)
                try:
                    part, found = future.result()
                    report.bytes += self._record(harvest, download, wanted.audio, part, found)
                    report.audio += 1
                except (FreesoundError, AudioError) as error:
                    with self._database.write() as connection:
                        self._harvests.settle(connection, harvest, download.sound_id, str(error))
                done += 1
                if progress:
                    progress(done, len(downloads))
                if wanted.max_bytes is None or report.bytes < wanted.max_bytes:
                    futures |= {threads.submit(fetch, one): one for one in islice(waiting, 1)}

    def _fetched(self, download: Download, workers: Workers) -> tuple[Path, Inspected]:
        """Fetch one file, as often as is worth trying, and inspect it."""
        part = self._audio.part(download.sound_id)
        for attempt in range(_ATTEMPTS):
            try:
                fetch(self._client, download.address, part)
                (answer,) = (result for _, result in workers.over([part], inspect, lambda _: _DEADLINE))
                if isinstance(answer, Inspected):
                    return part, answer
                raise answer
            except (AudioError, Unreachable, NotThere) as error:
                # what came may be no part of the file at all: the last attempt begins anew
                if not isinstance(error, Unreachable) or attempt == _ATTEMPTS - 2:
                    part.unlink(missing_ok=True)
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _record(self, harvest: Harvest, download: Download, source: str, part: Path, found: Inspected) -> int:
        sound = self._sounds.get(download.sound_id)
        relative = self._audio.free_name(sound.id, sound.username, sound.name, found.format)
        size = part.stat().st_size
        file = AudioFile(
            path=self._audio.home / relative,
            sha256=found.sha256,
            bytes=size,
            format=found.format,
            samplerate=found.samplerate,
            channels=found.channels,
            frames=found.frames,
            source=source,
        )
        with self._database.write() as connection:
            self._audio.keep(part, relative)
            self._sounds.insert_file(connection, sound.id, file)
            self._harvests.settle(connection, harvest, sound.id, None)
        return size


def fetch(client: Client, address: str, part: Path) -> None:
    """Bring a file from the CDN to `part`, going on behind what is there already where the server allows it.

    Raises
    ------
    Unreachable
        The server failed or the body was cut; what came is kept in `part`.
    """
    start = part.stat().st_size if part.exists() else 0
    with client.audio(address, start) as (response, blocks), part.open("ab") as file:
        if response.status_code == 200:
            file.truncate(0)
        promised = None if response.status_code == 416 else response.headers.get("Content-Length")
        came = 0
        for block in blocks:
            came += file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if promised is not None and came < int(promised):
        raise Unreachable(f"the file was cut after {came} of {promised} bytes")


def _vectors(some: list[Record]) -> Iterator[Vector]:
    for one in some:
        for name, values in one.vectors.items():
            yield Vector(name, SPACES[name].fingerprint, one.sound.id, None, values, {"source": "api"})
