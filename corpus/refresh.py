"""`refresh`: Freesound is asked again about the sounds held; what changed is brought up to date, what went is marked.

A batch is one search and one transaction, the least recently checked sounds first: stopped at any moment, the next
refresh begins with what this one left. A search may return fewer sounds than there are, so one that lacks is asked for
by its own address before it counts as gone. Audio, vectors and credits of what is gone stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from corpus.errors import FreesoundError, NotThere, QuotaSpent, TokenRefused
from corpus.freesound.client import PAGE_SIZE, Client
from corpus.freesound.wire import Record
from corpus.keeping import Keeping
from corpus.store.checks import Checks
from corpus.store.database import Database
from corpus.store.sounds import Sounds
from corpus.store.traits import Traits
from corpus.store.vectors import Vectors

_FEW = 5
"""So many missing sounds are asked for one by one; of more, a search is asked once more first."""

Progress = Callable[[int, int], None]


@dataclass
class RefreshReport:
    """What a refresh did: counts, ids in the order they were found out, failures as (sound id, words).

    `gone` and `back` are the sounds that went, or are there again, since they were checked before.
    """

    checked: int = 0
    updated: int = 0
    gone: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    requests: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class _Answers:
    """What Freesound said of one batch: records of what is there, ids of what is not."""

    there: dict[int, Record] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)


class Refreshing:
    """Refreshes one corpus."""

    def __init__(self, database: Database, sounds: Sounds, vectors: Vectors, checks: Checks, client: Client) -> None:
        self._database = database
        self._sounds = sounds
        self._checks = checks
        self._keeping = Keeping(sounds, vectors, checks, Traits(database))
        self._client = client

    def run(self, ids: Sequence[int] | None = None, progress: Progress | None = None) -> RefreshReport:
        """Check all of Freesound's sounds held, or those of `ids`, each once.

        Raises
        ------
        FreesoundError
            The API refuses, or fails for longer than is worth waiting; what was found out before is stored.
        """
        report = RefreshReport()
        due, gone = self._checks.due(ids), set(self._checks.gone())
        for first in range(0, len(due), PAGE_SIZE):
            batch, answers = due[first : first + PAGE_SIZE], _Answers()
            try:
                self._ask(batch, gone, answers, report)
            finally:
                self._keep(answers, report)
                report.requests = self._client.requests
            if progress:
                progress(first + len(batch), len(due))
        return report

    def _ask(self, batch: Sequence[int], gone: set[int], answers: _Answers, report: RefreshReport) -> None:
        """Find out about one batch. What is known to be gone, and still lacks, is not asked for by itself."""
        doubtful = batch
        for _ in range(2):
            found = self._client.search(filter=f"id:({' OR '.join(map(str, doubtful))})").records
            answers.there.update({one.sound.id: one for one in found if one.sound.id in batch})
            doubtful = [one for one in batch if one not in answers.there and one not in gone]
            if len(doubtful) <= _FEW:
                break
        answers.missing += [one for one in batch if one in gone and one not in answers.there]
        self._ask_each(doubtful, answers, report)

    def _ask_each(self, doubtful: Iterable[int], answers: _Answers, report: RefreshReport) -> None:
        """Ask for sounds by their own addresses; one that fails is listed, two in a row are the server's fault."""
        failing = False
        for sound_id in doubtful:
            try:
                answers.there[sound_id] = self._client.sound(sound_id)
                failing = False
            except NotThere:
                answers.missing.append(sound_id)
                failing = False
            except (QuotaSpent, TokenRefused):
                raise
            except FreesoundError as error:
                if failing:
                    raise
                report.failed.append((sound_id, str(error)))
                failing = True

    def _keep(self, answers: _Answers, report: RefreshReport) -> None:
        """Store what was found out of one batch; sounds that another process forgot meanwhile stay forgotten."""
        if not answers.there and not answers.missing:
            return
        self._keeping.prepare()
        with self._database.write() as connection:
            held = self._sounds.records(connection, [*answers.there, *answers.missing])
            kept = self._keeping.keep(connection, [one for sound_id, one in answers.there.items() if sound_id in held])
            gone = self._checks.missing(connection, answers.missing)
        report.checked += len(held)
        report.updated += len(kept.updated)
        report.back += kept.back
        report.gone += gone
