"""`repair`: what a check found is mended from what is still there, or from Freesound. Nothing is ever deleted.

A file that is missing or damaged comes back from a file with its hash that lies in the home, in `quarantine/` too, else
from Freesound, where it was a preview. What it takes the place of, what cannot be had again and what no sound knows is
moved to `quarantine/`, under the path that it had, with a note beside it. Rows are brought in line with files whose
hash they have, and with where such a file lies; vectors are measured or asked for anew; caches are dropped, since they
are made anew when asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from corpus.analysis import spaces
from corpus.analysis.inspect import Inspected, inspect
from corpus.caches import Caches
from corpus.check import CheckReport, Finding
from corpus.credits import of_palette
from corpus.errors import AnalysisError, CorpusError
from corpus.files import AudioFolder
from corpus.freesound.client import Client
from corpus.known import known_spaces
from corpus.looking import nearly
from corpus.lost import Lost
from corpus.publishing import FOREIGN, PaletteFolder
from corpus.quarantine import Quarantine
from corpus.repaired import Repaired
from corpus.store import rows
from corpus.store.soundness import Held, Soundness
from corpus.store.sounds import Sounds
from corpus.store.vectors import Vectors
from corpus.text import many
from corpus.workers import Workers

_DEADLINE = 120.0
_LOST = ("file", "missing", "path")


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
        files = Lost(self._report, self._soundness, self._audio, self._sounds, self._freesound, orphans)
        files.bring_back(lost)
        self._put_away(files.orphans, check)
        self._rows([one for one in findings if one.of == "row"])
        self._measure(check, files.changed)
        self._drop_caches(check.stale_caches)
        self._publish([one for one in findings if one.of == "palette"])
        self._advise(findings, held)
        return self._report

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
            with self._report.leaving(path):
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
                    self._report.say(paths[path], "the database says again what its file is")
                    del held[paths[path].id]
        for row in held.values():
            self._report.leave(row, f"what the database says of it is damaged: {self._restore}")

    def _measure(self, check: CheckReport, changed: Sequence[int]) -> None:
        """Measure or ask for anew what is damaged, what is by another extractor, and what was fetched in a new form."""
        again: dict[str, list[int]] = {}
        for one in check.damaged:
            if one.of == "vector" and one.id is not None:
                again.setdefault(one.spaces[0], []).append(one.id)
        stale = [name for one in check.unanalysed if one.wrong for name in one.spaces]
        for name in [space.name for space in self._soundness.spaces() if space.origin == "computed"]:
            ids = sorted({*again.pop(name, []), *changed})
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
        with self._report.leaving("palettes"), self._palettes.alone():  # ends what was begun
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
