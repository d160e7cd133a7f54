"""`analyse`: what is new or stale goes to supervised workers, and comes back into the store in small transactions.

What was done when it is interrupted or killed stays done; the next run takes up the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpus.analysis import onsets as onset_finder
from corpus.analysis import scalars, spaces
from corpus.analysis.decode import has_essentia
from corpus.analysis.measuring import Measured, deadline, measure
from corpus.errors import AnalysisError, AudioError, CorpusError
from corpus.model import Space
from corpus.store.database import Database
from corpus.store.onsets import Onsets
from corpus.store.sounds import Sounds
from corpus.store.traits import Traits
from corpus.store.vectors import Pending, Vector, Vectors
from corpus.workers import Workers, cores

_BATCH = 32
_BATCH_SECONDS = 1.0

Progress = Callable[[int, int], None]
"""Called with the number of items done and of all items."""


@dataclass
class SpaceReport:
    """What became of one space, of the traits or of the onsets: counts, and failures as (sound id, words)."""

    analysed: int = 0
    skipped: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class AnalysisReport:
    """What an analysis did: by space, for traits and onsets if asked for; the seconds of audio and of time it took."""

    spaces: dict[str, SpaceReport]
    audio_seconds: float = 0.0
    seconds: float = 0.0
    traits: SpaceReport | None = None
    onsets: SpaceReport | None = None

    @property
    def failed(self) -> list[tuple[int, str]]:
        """Each failure once, as (sound id, words)."""
        reports = [*self.spaces.values(), *(report for report in (self.traits, self.onsets) if report)]
        return sorted({failure for report in reports for failure in report.failed})


class Analysis:
    """One run over a corpus: `Analysis(...).run()`."""

    def __init__(self, database: Database, sounds: Sounds, vectors: Vectors, traits: Traits, onsets: Onsets) -> None:
        self._database = database
        self._sounds = sounds
        self._vectors = vectors
        self._traits = traits
        self._onsets = onsets
        self._by = self._onsets_by = ""
        self._extractors: dict[str, Space] = {}

    def run(
        self,
        names: Sequence[str] = (),
        ids: Sequence[int] | None = None,
        *,
        jobs: int | None = None,
        redo: bool = False,
        traits: bool = False,
        onsets: bool = False,
        progress: Progress | None = None,
    ) -> AnalysisReport:
        """Bring the vectors of `names` (default: the default space) and the levels up to date.

        If asked for, the traits and the onsets too.

        Raises
        ------
        AnalysisError
            A space that does not exist or whose library is missing, or traits without Essentia.
        """
        start = time.monotonic()
        names = list(dict.fromkeys(names)) or [spaces.default()]
        for name in names:
            spaces.extractor(name)
        if traits and not has_essentia():
            raise AnalysisError("traits need essentia, which is not installed here; leave them out")
        most = len(set(ids)) if ids else cores()
        with Workers(jobs or min(most, cores())) as workers:
            self._extractors = {name: self._space(workers, name) for name in names}
            for space in self._extractors.values():
                self._vectors.register(space)
            done = with_onsets = None
            if traits:
                self._by = _probed(workers, scalars.fingerprint, scalars.NAMES, "the extractor of the traits")
                done = self._traits.up_to_date(self._by)
            if onsets:
                self._onsets_by = _probed(workers, onset_finder.fingerprint, None, "what finds onsets")
                with_onsets = self._onsets.up_to_date(self._onsets_by)
            tasks, skipped, others = self._vectors.pending(names, ids, redo, done, with_onsets)
            report = AnalysisReport({name: SpaceReport(skipped=skipped[name]) for name in names})
            report.traits = SpaceReport(skipped=others[0]) if traits else None
            report.onsets = SpaceReport(skipped=others[1]) if onsets else None
            self._drain(workers, tasks, report, progress)
        report.seconds = time.monotonic() - start
        return report

    @staticmethod
    def _space(workers: Workers, name: str) -> Space:
        answer: Space = _probed(workers, spaces.fingerprinted, name, f"the extractor of space {name!r}")
        return answer

    def _drain(self, workers: Workers, tasks: list[Pending], report: AnalysisReport, progress: Progress | None) -> None:
        batch: list[tuple[Pending, Measured]] = []
        written = time.monotonic()
        try:
            for done, (task, result) in enumerate(workers.over(tasks, measure, deadline), 1):
                if isinstance(result, CorpusError):
                    result = _failed(task, str(result), report)
                batch.append((task, result))
                _count(report, task, result)
                if len(batch) >= _BATCH or time.monotonic() - written > _BATCH_SECONDS:
                    self._store(batch)
                    batch, written = [], time.monotonic()
                if progress:
                    progress(done, len(tasks))
        finally:
            self._store(batch)

    def _store(self, batch: list[tuple[Pending, Measured]]) -> None:
        if not batch:
            return
        with self._database.write() as connection:
            measured = (vector for task, result in batch for vector in self._measured(task, result))
            self._vectors.put(connection, measured)
            for task, result in batch:
                if result.peak is not None:
                    self._sounds.set_levels(connection, task.file_id, result.loudness, result.peak)
                if result.traits is not None:
                    self._traits.measured(connection, task.sound_id, task.file_id, self._by, result.traits)
                if result.onsets is not None:
                    self._onsets.put(connection, task.sound_id, task.file_id, self._onsets_by, result.onsets)

    def _measured(self, task: Pending, result: Measured) -> list[Vector]:
        return [
            Vector(
                space=name,
                fingerprint=self._extractors[name].fingerprint,
                sound_id=task.sound_id,
                file_id=task.file_id,
                values=values,
                provenance=result.provenance[name],
                may_miss=spaces.extractor(name).may_miss,
            )
            for name, values in result.vectors.items()
        ]


def _probed(workers: Workers, function: Callable[[Any], Any], asked: object, what: str) -> Any:
    """What `function` of what is asked answers in a worker, which loads the libraries."""
    answer = next(workers.over([asked], function, lambda _: 120.0))[1]
    if isinstance(answer, CorpusError):
        raise AudioError(f"{what} fails on its own probe: {answer}")
    return answer


def _failed(task: Pending, words: str, report: AnalysisReport) -> Measured:
    """That nothing came of a file, said of all that was asked for."""
    failed = task.spaces or ([] if task.traits or task.onsets else report.spaces)
    return Measured(
        failed=dict.fromkeys(failed, words),
        no_traits=words if task.traits else None,
        no_onsets=words if task.onsets else None,
    )


def _count(report: AnalysisReport, task: Pending, result: Measured) -> None:
    if not result.failed and result.no_traits is None and result.no_onsets is None:
        report.audio_seconds += task.duration
    for name in result.vectors:
        report.spaces[name].analysed += 1
    for name, words in result.failed.items():
        report.spaces[name].failed.append((task.sound_id, words))
    if report.traits is not None:
        report.traits.analysed += result.traits is not None
        if result.no_traits is not None:
            report.traits.failed.append((task.sound_id, result.no_traits))
    if report.onsets is not None:
        report.onsets.analysed += result.onsets is not None
        if result.no_onsets is not None:
            report.onsets.failed.append((task.sound_id, result.no_onsets))
