"""`harvest`: what Freesound has of what is wanted comes into the corpus: records, then audio, then similar lists.

A page is one transaction: sounds, vectors, and the cursor from which to go on. Audio is recorded when its file lies
under its final name. Killed at any moment, the harvest goes on from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from corpus import recipe
from corpus.errors import (
    BadQuery,
    FreesoundError,
    HarvestError,
    HomeError,
    NotThere,
    StoreError,
    TokenRefused,
    UnknownSound,
    Unreachable,
)
from corpus.fetching import Fetched, Fetching
from corpus.files import AudioFolder
from corpus.freesound.client import PAGE_SIZE, Client
from corpus.freesound.wire import Record
from corpus.keeping import Keeping
from corpus.model import AudioFile
from corpus.store.checks import Checks
from corpus.store.database import Database
from corpus.store.harvests import Download, Harvest, Harvests
from corpus.store.similar_lists import SimilarLists
from corpus.store.sounds import Sounds
from corpus.store.traits import Traits
from corpus.store.vectors import Vectors
from corpus.taking import SPACE, Taking
from corpus.walk import Step, Walk
from corpus.wanted import Query, Wanted

Judge = Callable[[Sequence[str]], Sequence[int]]
"""Given the names of agents, the sounds that all of them call good by what is served, the surest first."""


@dataclass(frozen=True)
class Progress:
    """How far a harvest is: `done` of `total` (None: unknown) in its present phase, what it used, why it waits."""

    phase: str
    done: int
    total: int | None
    bytes: int
    requests_left: int
    waits: str = ""


@dataclass
class HarvestReport:
    """What a harvest did this time: counts, and failures as (sound id, words).

    `state` is `done`, or `audio` when there is something to go on with; `within_bytes` is False when that is because
    of `--max-bytes`, `within_sounds` when `--max-sounds` left something out. `here` counts sounds whose audio was held.
    """

    harvest: int
    state: str = "running"
    requests: int = 0
    found: int = 0
    added: int = 0
    updated: int = 0
    lists: int = 0
    chosen: int | None = None
    audio: int = 0
    here: int = 0
    bytes: int = 0
    within_bytes: bool = True
    within_sounds: bool = True
    lock: str | None = None
    failed: list[tuple[int, str]] = field(default_factory=list)


class Harvesting:
    """Carries out one harvest on one corpus."""

    def __init__(
        self,
        database: Database,
        sounds: Sounds,
        vectors: Vectors,
        lists: SimilarLists,
        checks: Checks,
        harvests: Harvests,
        audio: AudioFolder,
        client: Client,
        harvest: Harvest,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._database = database
        self._sounds = sounds
        self._vectors = vectors
        self._lists = lists
        self._keeping = Keeping(sounds, vectors, checks, Traits(database))
        self._harvests = harvests
        self._audio = audio
        self._client = client
        self._harvest = harvest
        self._wanted = Wanted.from_json(harvest.wanted)
        self._progress = progress
        self._shown = Progress("records", 0, None, 0, 0)
        client.on_wait = self._show_waiting
        self.report = HarvestReport(harvest.id, harvest.state)

    def run(self, judge: Judge | None = None) -> HarvestReport:
        """Begin the harvest or go on with it, `alone`.

        Raises
        ------
        FreesoundError
            The API refuses, or fails for longer than is worth waiting; what came before stays.
        HarvestError
            The harvest wants agents and there is nobody to ask, or a lock file that cannot be written.
        HomeError
            The home cannot be written.
        """
        if self._wanted.agents and judge is None:
            raise HarvestError(f"harvest {self._harvest.id} lets agents choose, so it needs a judge")
        if self._wanted.recipe and not self._wanted.locked:
            recipe.check_folder(recipe.lock_beside(Path(self._wanted.recipe)))
        try:
            self._run(judge)
        except (FreesoundError, HomeError, StoreError) as error:
            hopeless = isinstance(error, BadQuery | TokenRefused)
            if hopeless and self._harvests.drop_if_empty(self._harvest):
                raise
            so_far = f"{self.report.added} sounds and {self.report.audio} files came before that"
            raise type(error)(f"{error}; {so_far}; `mirla harvest --resume {self._harvest.id}` goes on") from error
        return self.report

    def _run(self, judge: Judge | None) -> None:
        harvest, wanted, report = self._harvest, self._wanted, self.report
        if harvest.state == "running":
            self._records()
        report.found = len(self._harvests.brought(harvest))
        if wanted.agents and judge:
            report.chosen = self._harvests.choose(harvest, judge(wanted.agents) if report.found else [], wanted.most)
        report.here = self._harvests.here(harvest)
        self._fetch_audio()
        failures = self._harvests.failures(harvest)
        report.failed += failures
        lists_failed = self._fetch_lists()
        left = self._harvests.downloads(harvest, retry=False)
        more = left or failures or lists_failed  # but what Freesound lacks cannot be gone on with
        report.state = "audio" if more else "done"
        self._harvests.finish(harvest, report.state)
        if wanted.recipe and wanted.recipe_sha256:
            lock = recipe.lock_beside(Path(wanted.recipe))
            sounds = self._sounds.many(self._harvests.brought(harvest, refused=False))
            if wanted.locked:
                report.failed += recipe.hold_against(lock, sounds)
            else:
                recipe.write_lock(lock, wanted.recipe_sha256, sounds)
            report.lock = str(lock)
        report.requests = self._client.requests

    def _records(self) -> None:
        self._keeping.prepare()
        walk, cursor = Walk(self._client, self._wanted), self._harvest.cursor
        held = self._harvests.brought(self._harvest)
        brought = dict.fromkeys([*held, *self._wanted.forgotten])
        most = self._wanted.max_sounds
        taking: Taking | None = None
        while (query := walk.query(cursor)) and len(brought) < most:
            if taking is None or taking.query is not query:
                taking = self._taken_before(query, [number for number in cursor.get("taken", []) if number in held])
            room = min(most - len(brought), (query.take or most) - len(taking.sounds))
            step = walk.step(query, cursor, room)
            new = {one.sound.id: one for one in step.records if one.sound.id not in brought}
            taken = taking.choose(new.values(), room)
            brought |= dict.fromkeys(one.sound.id for one in taken)
            cursor = step.cursor
            if walk.query(cursor) is query and (query.take or query.unlike is not None):
                ids = [sound.id for sound in taking.sounds]
                cursor = walk.skip(cursor) if len(ids) == query.take else {**cursor, "taken": ids}
            over = walk.query(cursor) is None or len(brought) >= most
            last = query is self._wanted.queries[-1]
            self.report.within_sounds = len(brought) < most or (
                walk.query(cursor) is None and (len(taken) == len(new) or query.take is not None)
            )
            self._keep(query, step, taken, cursor, "audio" if over else "running")
            expected = len(brought) - len(taking.sounds) + min(step.expected, query.take or most)
            self._show("records", len(brought), min(most, max(expected, len(brought))) if last else None)

    def _taken_before(self, query: Query, ids: Sequence[int]) -> Taking:
        """What a query took before it was interrupted."""
        taking = Taking(query)
        for sound in self._sounds.many(ids):
            taking.add(sound, self._vectors.of_sound(sound.id).get(SPACE))
        return taking

    def _keep(self, query: Query, step: Step, some: list[Record], cursor: dict[str, Any], state: str) -> None:
        """Store what was taken of one page, with the cursor behind it."""
        report, wanted = self.report, self._wanted
        addresses = {one.sound.id: one.previews.get(wanted.audio) for one in some}
        with self._database.write() as connection:
            kept = self._keeping.keep(connection, some)
            if step.similar:
                self._lists.put(connection, *step.similar, PAGE_SIZE)
            self._harvests.advance(connection, self._harvest, cursor, state, addresses, bool(wanted.agents))
        report.added += len(kept.added)
        report.updated += len(kept.updated)
        lacks = "Freesound has no such sound" + (" that fits" if query.solr() else ", or not any more")
        report.failed += [(number, lacks) for number in step.missing]
        if wanted.audio != "none":
            no_preview = f"Freesound gives no {wanted.audio} of it"
            report.failed += [(number, no_preview) for number, address in addresses.items() if not address]

    def _fetch_lists(self) -> list[int]:
        """Keep the similar list of each sound that no agent refused; a list is a request. Returns those that failed.

        One that fails is listed; two in a row are the server's fault.
        """
        if not self._wanted.similar:
            return []
        kept = self._harvests.brought(self._harvest, refused=False)
        lacking = self._lists.lacking(kept, self._wanted.similar)
        failed: list[int] = []
        for place, sound_id in enumerate(lacking):
            self._show("similar lists", place, len(lacking))
            try:
                found = self._client.similar(sound_id, page_size=self._wanted.similar, fields="id").records
            except NotThere:
                found = []
            except Unreachable as error:
                if failed and failed[-1] == lacking[place - 1]:
                    raise
                failed.append(sound_id)
                self.report.failed.append((sound_id, f"similar list: {error}"))
                continue
            with self._database.write() as connection:
                self._lists.put(connection, sound_id, [one.sound.id for one in found], self._wanted.similar)
            self.report.lists += 1
        return failed

    def _fetch_audio(self) -> None:
        downloads = self._harvests.downloads(self._harvest, retry=True)
        if not downloads:
            return
        most = self._wanted.max_bytes
        fetching = Fetching(self._client, self._audio, most and max(0, most - self._harvests.bytes(self._harvest)))
        done = 0
        for done, (download, result) in enumerate(fetching.over(downloads), 1):
            if isinstance(result, Fetched):
                self._record(download, result)
            else:
                with self._database.write() as connection:
                    self._harvests.settle(connection, self._harvest, download.sound_id, str(result))
            self._show("audio", done, len(downloads))
        self.report.within_bytes = done == len(downloads)

    def _record(self, download: Download, fetched: Fetched) -> None:
        try:
            sound, found = self._sounds.get(download.sound_id), fetched.inspected
        except UnknownSound:  # forgotten by another process while it was on its way
            fetched.part.unlink(missing_ok=True)
            return
        path = Path()
        try:
            with self._database.write() as connection:
                taken = self._sounds.paths(connection, sound.id)
                path = self._audio.free_name(sound.id, sound.username, sound.name, found.format, found.sha256, taken)
                file = AudioFile(
                    path=self._audio.home / path,
                    sha256=found.sha256,
                    bytes=fetched.bytes,
                    format=found.format,
                    samplerate=found.samplerate,
                    channels=found.channels,
                    frames=found.frames,
                    source=self._wanted.audio,
                )
                self._audio.keep(fetched.part, path)
                self._sounds.insert_file(connection, sound.id, file)
                self._harvests.settle(connection, self._harvest, sound.id, None)
        except StoreError:
            self._audio.take_back(path, fetched.part)
            raise
        self.report.audio += 1
        self.report.bytes += fetched.bytes

    def _show(self, phase: str, done: int, total: int | None) -> None:
        if self._progress:
            self._shown = Progress(phase, done, total, self.report.bytes, self._client.requests_left())
            self._progress(self._shown)

    def _show_waiting(self, why: str) -> None:
        if self._progress:
            self._progress(replace(self._shown, waits=why))


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Let no other harvest work on a home meanwhile.

    Raises
    ------
    HarvestError
        One is at work.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / "harvest.lock", timeout=0):
            yield
    except Timeout as error:
        raise HarvestError(
            f"another harvest is at work in {home}; wait until it ends, or stop it with Ctrl-C"
        ) from error
