"""`repair`: what a check found is mended from what is still there, or from Freesound. Nothing is ever deleted.

A file that is missing or damaged comes back from a file with its hash that lies in the home, in `quarantine/` too, else
from Freesound, where it was a preview. What it takes the place of, what cannot be had again and what no sound knows is
moved to `quarantine/`, under the path that it had, with a note beside it. Rows are brought in line with files whose
hash they have, and with where such a file lies; vectors are measured or asked for anew; caches are dropped, since they
are made anew when asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.analysis import spaces
from corpus.analysis.inspect import Inspected, inspect
from corpus.caches import Caches
from corpus.check import CheckReport, Finding
from corpus.credits import of_palette
from corpus.errors import AnalysisError, AudioError, CorpusError, FreesoundError, HarvestError, HomeError, TokenRefused
from corpus.fetching import Fetched, Fetching
from corpus.files import AudioFolder, misplaced, sha256_of
from corpus.freesound import wire
from corpus.freesound.client import Client
from corpus.harvest import alone
from corpus.known import known_spaces
from corpus.looking import nearly
from corpus.publishing import FOREIGN, PaletteFolder
from corpus.quarantine import Quarantine
from corpus.store import rows
from corpus.store.harvests import Download
from corpus.store.soundness import Held, Soundness
from corpus.store.sounds import Sounds
from corpus.store.vectors import Vectors
from corpus.text import many
from corpus.workers import Workers

_DEADLINE = 120.0
_LOST = ("file", "missing", "path")


@dataclass
class Repaired:
    """What was done, a line each; and what could not be, as (what, words that say what you can do)."""

    done: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


class Repairing:
    """One repair of a corpus."""

    def __init__(
        self,
        soundness: Soundness,
        audio: AudioFolder,
        caches: Caches,
        sounds: Sounds,
        vectors: Vectors,
        palettes: PaletteFolder,
        freesound: Callable[[], AbstractContextManager[Client]],
        analyse: Callable[..., Any],
        refresh: Callable[..., Any],
    ) -> None:
        self._soundness = soundness
        self._audio = audio
        self._home = audio.home
        self._quarantine = Quarantine(audio.home)
        self._caches = caches
        self._sounds = sounds
        self._vectors = vectors
        self._palettes = palettes
        self._freesound = freesound
        self._analyse = analyse
        self._refresh = refresh
        self._report = Repaired()
        self._changed: list[int] = []

    def run(self, check: CheckReport) -> Repaired:
        """Mend what a check found.

        Raises
        ------
        HomeError
            The home cannot be written.
        """
        findings = check.damaged + check.missing
        wrong = {one.file_id: one for one in findings if one.of in _LOST and one.file_id is not None}
        held = {row.id: row for row in self._soundness.files(list(wrong))}
        lost = [(row, wrong[row.id]) for row in held.values() if not row.linked or wrong[row.id].of == "path"]
        orphans = [one.path for one in check.orphaned if one.path]
        lost = [one for one in lost if not self._where_it_is(*one)]
        lost = self._from_here(lost, orphans)
        lost = self._from_freesound(lost)
        for row, finding in lost:
            with self._leaving(row):
                self._give_up(row, finding)
        self._put_away(orphans, check)
        self._rows([one for one in findings if one.of == "row"])
        self._measure(check)
        self._drop_caches(check.stale_caches)
        self._publish([one for one in findings if one.of == "palette"])
        self._advise(findings, held)
        return self._report

    def _where_it_is(self, row: Held, finding: Finding) -> bool:
        """Believe a path of which only whether it is linked was wrong, and that leads to what it should."""
        linked = not row.linked
        if finding.of != "path" or misplaced(row.path, linked) or self._hash(row.path) != row.sha256:
            return False
        self._soundness.found(row.id, row.path, linked)
        self._say(row, f"the database says again that its file is {'' if linked else 'not '}linked")
        return True

    def _from_here(self, lost: list[tuple[Held, Finding]], orphans: list[str]) -> list[tuple[Held, Finding]]:
        """Put back what lies elsewhere in the home with the right hash; returns the rest."""
        if not lost:
            return []
        wrong = {row.id for row, _ in lost}
        wanted = {row.sha256: row.bytes for row, _ in lost}
        copies = {row.sha256: row.path for row in self._soundness.files_with(sorted(wanted)) if row.id not in wrong}
        lying = [*self._quarantine.lying(set(wanted.values())), *orphans]
        strays = {sha256: path for path in lying if (sha256 := self._hash(path)) in wanted}
        rest = []
        for row, finding in lost:
            with self._leaving(row):
                if row.sha256 in strays:
                    copies[row.sha256] = self._put_back(strays.pop(row.sha256), row, orphans)
                elif row.sha256 in copies and self._hash(copies[row.sha256]) == row.sha256:
                    with self._audio.incoming(self._home / copies[row.sha256]) as copy:
                        self._place(copy.temporary, row)
                    self._say(row, f"its file was copied from {copies[row.sha256]}, which has the same content")
                else:
                    rest.append((row, finding))
        return rest

    def _put_back(self, path: str, row: Held, orphans: list[str]) -> str:
        """Give a row the file that lies at a path, under its own name or that of the row; returns under which."""
        if path in orphans:
            orphans.remove(path)
            if misplaced(row.path, linked=False):
                self._soundness.found(row.id, path, linked=False)
                self._say(row, f"the database says again that its file is {path}")
                return path
        place = self._place(self._home / path, row)
        self._quarantine.let_go(path, place)
        self._say(row, f"its file was found as {path} and put back")
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
                        with self._leaving(row):
                            self._fetched(row, result)
                    else:
                        self._leave(row, f"Freesound: {result}")
                    came.add(row.id)
        except (TokenRefused, FreesoundError, HarvestError) as error:
            for row in previews.values():
                if row.id not in came:
                    self._leave(row, f"cannot be fetched again now: {error}")
                    came.add(row.id)
        return [(row, finding) for row, finding in lost if row.id not in came]

    def _fetched(self, row: Held, fetched: Fetched) -> None:
        found = fetched.inspected
        self._place(fetched.part, row)
        if found.sha256 != row.sha256:
            self._soundness.describe(row.id, **vars(found), bytes=fetched.bytes)
            self._changed.append(row.sound_id)
            self._say(row, "its file was fetched from Freesound, which has another one by now")
        else:
            self._say(row, "its file was fetched again from Freesound")

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
            self._leave(row, f"{finding.error}, and no file with its hash lies in the home: {again}")
        elif finding.of == "missing":
            self._leave(row, f"{finding.error}: {again}; `mirla forget {row.sound_id}` if it is lost for good")
        else:
            why = f"of sound {row.sound_id}: {finding.error}; its SHA-256 was {row.sha256}"
            kept = self._quarantine.take(row.path, why)
            self._leave(row, f"{finding.error}; it is in {kept} now: {again}")

    def _put_away(self, orphans: list[str], check: CheckReport) -> None:
        """Put away what no sound has; a damaged database may have lost who has it."""
        words = "no sound has it; `mirla adopt` takes it in, if you want it"
        if orphans and any(one.of == "database" for one in check.damaged):
            what = many(len(orphans), "file")
            self._report.left.append((f"{what} in sounds/", "stay until the database is whole, which may know of them"))
            return
        for path in orphans:
            if not os.path.lexists(self._home / path):
                continue
            with self._leaving(path):
                self._report.done.append(f"{path}: moved to {self._quarantine.take(path, words)}: {words}")

    def _rows(self, findings: Iterable[Finding]) -> None:
        """Bring rows in line with their files, whose hashes they have."""
        held = {row.id: row for row in self._soundness.files([one.file_id for one in findings if one.file_id])}
        paths = {self._home / row.path: row for row in held.values() if (self._home / row.path).is_file()}
        if not paths:
            return
        with Workers(min(len(paths), 2)) as workers:
            for path, answer in workers.over(paths, inspect, lambda _: _DEADLINE):
                if isinstance(answer, Inspected) and nearly(answer.sha256, paths[path].sha256):
                    self._soundness.describe(paths[path].id, **vars(answer), bytes=path.stat().st_size)
                    self._say(paths[path], "the database says again what its file is")
                    del held[paths[path].id]
        for row in held.values():
            self._leave(row, f"what the database says of it is damaged: {self._restore}")

    def _measure(self, check: CheckReport) -> None:
        """Measure or ask for anew what is damaged, what is by another extractor, and what was fetched in a new form."""
        again: dict[str, list[int]] = {}
        for one in check.damaged:
            if one.of == "vector" and one.id is not None:
                again.setdefault(one.spaces[0], []).append(one.id)
        stale = [name for one in check.unanalysed if one.wrong for name in one.spaces]
        for name in [space.name for space in self._soundness.spaces() if space.origin == "computed"]:
            ids = sorted({*again.pop(name, []), *self._changed})
            if ids:
                self._measured(name, ids, redo=True)
            if name in stale:
                self._measured(name, None, redo=False)
        served = sorted({one for ids in again.values() for one in ids})
        if served:
            self._ask_again(served)

    def _measured(self, name: str, ids: list[int] | None, redo: bool) -> None:
        try:
            spaces.extractor(name)
            report = self._analyse([name], ids, redo=redo)
        except AnalysisError as error:
            self._report.left.append((f"space {name}", str(error)))
            return
        self._report.left += [(f"sound {one}", f"cannot be measured: {words}") for one, words in report.failed]
        self._report.done.append(f"space {name}: {report.spaces[name].analysed} vectors measured again")

    def _ask_again(self, ids: list[int]) -> None:
        try:
            self._refresh(ids)
            still = {one for one, _, _ in self._soundness.damaged_vectors(known_spaces())}
            mended = [one for one in ids if one not in still]
            self._report.done += [f"{len(mended)} sounds: served vectors asked for again"] if mended else []
            left = "its served vectors are damaged, and Freesound does not serve them any more"
            self._report.left += [(f"sound {one}", left) for one in ids if one in still]
        except CorpusError as error:
            self._report.left.append((f"{len(ids)} served vectors", f"cannot be asked for again now: {error}"))

    def _drop_caches(self, findings: list[Finding]) -> None:
        for one in findings:
            self._caches.drop(self._home / str(one.path))
        if findings:
            self._report.done.append(f"{len(findings)} caches dropped; they are made anew when asked for")

    def _publish(self, findings: list[Finding]) -> None:
        """Let others see of palettes what the database says, as far as their files are there."""
        if not findings:
            return
        with self._leaving("palettes"), self._palettes.alone():  # ends what was begun
            self._palettes.write_texts(of_palette)
        still = {one.path: one.words for one in self._palettes.problems(of_palette)}
        for path in [str(one.path) for one in findings]:
            if path not in still:
                self._report.done.append(f"{path}: is again what the database says")
            else:
                advice = "" if still[path] == FOREIGN else "; publish the palette again"
                self._report.left.append((path, still[path] + advice))

    def _advise(self, findings: Iterable[Finding], held: dict[int, Held]) -> None:
        """Mend or say what is left of the database and of linked files."""
        for one in findings:
            if one.of == "database" and "full-text index" in one.error:
                self._soundness.rebuild_texts()
                self._report.done.append("full-text index made anew")
            elif one.of == "database" and rows.UNPLAYED in one.error:
                self._report.done.append(f"{self._soundness.prefer()} sounds: the largest of their files is played")
            elif one.of == "database":
                words = one.error if "`mirla" in one.error else f"{one.error}; {self._restore}"
                self._report.left.append(("database", words))
            elif one.of == "unreadable":
                self._report.left.append((str(one.path), one.error))
            elif one.of != "path" and one.file_id in held and held[one.file_id].linked:
                advice = "put the file back as it was, or forget the sound and adopt the file again"
                self._report.left.append((str(one.path), f"sound {one.id}, linked: {one.error}; {advice}"))

    @property
    def _restore(self) -> str:
        """What can be done about a database."""
        if self._soundness.backed_up:
            return "`mirla restore --latest` puts back a backup and says which labels it lacks"
        return "there is no backup of it; `mirla backup` makes one of a database that is whole"

    @contextlib.contextmanager
    def _leaving(self, what: Held | str) -> Iterator[None]:
        """Go on with the rest, should one thing not be possible here."""
        try:
            yield
        except (HomeError, AudioError) as error:
            named = what if isinstance(what, str) else f"sound {what.sound_id} ({what.path})"
            self._report.left.append((named, str(error)))

    def _say(self, row: Held, words: str) -> None:
        self._report.done.append(f"sound {row.sound_id}: {words}")

    def _leave(self, row: Held, words: str) -> None:
        self._report.left.append((f"sound {row.sound_id} ({row.path})", words))
