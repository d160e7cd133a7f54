"""Files that are missing or damaged, and how they come back: from elsewhere in the home, else from Freesound."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from corpus.check import Finding
from corpus.errors import FreesoundError, HarvestError, TokenRefused
from corpus.fetching import Fetched, Fetching
from corpus.files import AudioFolder, misplaced, sha256_of
from corpus.freesound import wire
from corpus.freesound.client import Client
from corpus.harvest import alone
from corpus.quarantine import Quarantine
from corpus.repaired import Repaired
from corpus.store.harvests import Download
from corpus.store.soundness import Held, Soundness
from corpus.store.sounds import Sounds


class Lost:
    """The files that a check found missing, damaged or misplaced, each with what it found.

    Attributes
    ----------
    orphans : list of str
        Files that no sound has; those that were one of the lost go from it.
    changed : list of int
        Sounds whose file is another than it was.
    """

    def __init__(
        self,
        report: Repaired,
        soundness: Soundness,
        audio: AudioFolder,
        sounds: Sounds,
        freesound: Callable[[], AbstractContextManager[Client]],
        orphans: list[str],
    ) -> None:
        self.orphans = orphans
        self.changed: list[int] = []
        self._report = report
        self._soundness = soundness
        self._audio = audio
        self._home = audio.home
        self._quarantine = Quarantine(audio.home)
        self._sounds = sounds
        self._freesound = freesound

    def bring_back(self, lost: list[tuple[Held, Finding]]) -> None:
        """Bring back what can be had, and put away the rest."""
        lost = [one for one in lost if not self._where_it_is(*one)]
        lost = self._from_freesound(self._from_here(lost))
        for row, finding in lost:
            with self._report.leaving(row):
                self._give_up(row, finding)

    def _where_it_is(self, row: Held, finding: Finding) -> bool:
        """Believe a path of which only whether it is linked was wrong, and that leads to what it should."""
        linked = not row.linked
        if finding.of != "path" or misplaced(row.path, linked) or self._hash(row.path) != row.sha256:
            return False
        self._soundness.found(row.id, row.path, linked)
        self._report.say(row, f"the database says again that its file is {'' if linked else 'not '}linked")
        return True

    def _from_here(self, lost: list[tuple[Held, Finding]]) -> list[tuple[Held, Finding]]:
        """Put back what lies elsewhere in the home with the right hash; returns the rest."""
        if not lost:
            return []
        wrong = {row.id for row, _ in lost}
        wanted = {row.sha256: row.bytes for row, _ in lost}
        copies = {row.sha256: row.path for row in self._soundness.files_with(sorted(wanted)) if row.id not in wrong}
        lying = [*self._quarantine.lying(set(wanted.values())), *self.orphans]
        strays = {sha256: path for path in lying if (sha256 := self._hash(path)) in wanted}
        rest = []
        for row, finding in lost:
            with self._report.leaving(row):
                if row.sha256 in strays:
                    copies[row.sha256] = self._put_back(strays.pop(row.sha256), row)
                elif row.sha256 in copies and self._hash(copies[row.sha256]) == row.sha256:
                    with self._audio.incoming(self._home / copies[row.sha256]) as copy:
                        self._place(copy.temporary, row)
                    self._report.say(row, f"its file was copied from {copies[row.sha256]}, which has the same content")
                else:
                    rest.append((row, finding))
        return rest

    def _put_back(self, path: str, row: Held) -> str:
        """Give a row the file that lies at a path, under its own name or that of the row; returns under which."""
        if path in self.orphans:
            self.orphans.remove(path)
            if misplaced(row.path, linked=False):
                self._soundness.found(row.id, path, linked=False)
                self._report.say(row, f"the database says again that its file is {path}")
                return path
        place = self._place(self._home / path, row)
        self._quarantine.let_go(path, place)
        self._report.say(row, f"its file was found as {path} and put back")
        return str(place)

    def _hash(self, path: str) -> str | None:
        """The hash of a file; None of what is none, or a link."""
        place = self._home / path
        with contextlib.suppress(OSError):
            return None if place.is_symlink() or not place.is_file() else sha256_of(place)
        return None

    def _from_freesound(self, lost: list[tuple[Held, Finding]]) -> list[tuple[Held, Finding]]:
        """Fetch previews again; returns the rest."""
        previews = {row.sound_id: row for row, _ in lost if row.source in wire.PREVIEWS}
        if not previews:
            return lost
        ids = list(previews)
        records = zip(self._sounds.many(ids), self._sounds.records_of(ids), strict=True)
        addresses = {
            sound.id: (found.previews.get(previews[sound.id].source), sound.duration)
            for sound, record in records
            if (found := wire.record(record))
        }
        downloads = [Download(one, address, seconds) for one, (address, seconds) in addresses.items() if address]
        came: set[int] = set()
        try:
            with self._freesound() as client, alone(self._home):
                for download, result in Fetching(client, self._audio, None).over(downloads):
                    row = previews[download.sound_id]
                    if isinstance(result, Fetched):
                        with self._report.leaving(row):
                            self._fetched(row, result)
                    else:
                        self._report.leave(row, f"Freesound: {result}")
                    came.add(row.id)
        except (TokenRefused, FreesoundError, HarvestError) as error:
            for row in previews.values():
                if row.id not in came:
                    self._report.leave(row, f"cannot be fetched again now: {error}")
                    came.add(row.id)
        return [(row, finding) for row, finding in lost if row.id not in came]

    def _fetched(self, row: Held, fetched: Fetched) -> None:
        found = fetched.inspected
        self._place(fetched.part, row)
        if found.sha256 != row.sha256:
            self._soundness.describe(row.id, **vars(found), bytes=fetched.bytes)
            self.changed.append(row.sound_id)
            self._report.say(row, "its file was fetched from Freesound, which has another one by now")
        else:
            self._report.say(row, "its file was fetched again from Freesound")

    def _place(self, whole: Path, row: Held) -> Path:
        """Give a whole, flushed file the place of one that is missing or damaged; returns which."""
        place = Path(row.path)
        if misplaced(row.path, linked=False):
            sound = self._sounds.get(row.sound_id)
            place = self._audio.free_name(
                sound.id, sound.username, sound.name, row.format, row.sha256, self._soundness.paths()
            )
        elif os.path.lexists(self._home / place):
            self._quarantine.take(row.path, f"was damaged, and has been replaced in the corpus (sound {row.sound_id})")
        self._audio.keep(whole, place)
        if (str(place), False) != (row.path, row.linked):
            self._soundness.found(row.id, str(place), linked=False)
        return place

    def _give_up(self, row: Held, finding: Finding) -> None:
        """Put away what cannot be saved."""
        again = (
            "adopt it again from where it came (it is put back into its place), or restore it from a copy of the home"
        )
        if finding.of == "path":
            self._report.leave(row, f"{finding.error}, and no file with its hash lies in the home: {again}")
        elif finding.of == "missing":
            self._report.leave(row, f"{finding.error}: {again}; `mirla forget {row.sound_id}` if it is lost for good")
        else:
            why = f"of sound {row.sound_id}: {finding.error}; its SHA-256 was {row.sha256}"
            kept = self._quarantine.take(row.path, why)
            self._report.leave(row, f"{finding.error}; it is in {kept} now: {again}")
