"""`check`: is what the corpus says of itself still so? Nothing is changed here; `repair` does that.

Looked at are the database itself, each vector against the sum stored with it and each space against its extractor's
fingerprint, each cache against its stamp and its sums, palettes against their rows, files without a row, and each file
against its row: there, of that hash, with what its header says. A file is decoded from end to end where that was never
done for its hash, or all of them where that is asked for: a hash that is as it was needs no second decoding, since what
decodes once decodes again.

Files are read in the order of their rows, and after each few hundred it is noted in `cache/check.json` how far this
came: a check that was stopped goes on from there within a day, looking again at what it had found wrong. A sample
leaves out the reading of content, never whether a file is there with its size.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from corpus.analysis import spaces
from corpus.analysis.inspect import inspect
from corpus.caches import Caches
from corpus.credits import of_palette
from corpus.errors import CheckError, CorpusError, StoreError
from corpus.files import AudioFolder
from corpus.known import known_spaces
from corpus.looking import Looked, look
from corpus.model import Space
from corpus.partway import Memory, Wanted
from corpus.publishing import PaletteFolder
from corpus.store.soundness import Held, Soundness
from corpus.text import storable
from corpus.workers import Workers, cores

_AT_ONCE = 512
_DEADLINE = 120.0
_STATE = re.compile(r"(?:[0-9a-f]{64}|freesound: [\w, ]+) (\d+) (-?\d+)(?= |$)")
"""How the stamps of caches name the state of a space (see `corpus.store.vectors`)."""
_FINGERPRINTS: dict[str, str] = {}
"""Of the extractors installed here, once asked for: to load their libraries takes a second."""
_TEXTS = ("texts-", "text_")

Progress = Callable[[str, int, int | None, str], None]
"""Called with a phase, the items done, of how many (None: unknown), and what they are."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, or not yet.

    `of` is what kind of thing it is: file, missing, unreadable, row, path, vector, cache, palette or database. What is
    not `wrong` does no harm and wants no hurry: a sound that was never analysed, a cache of something older.
    """

    of: str
    error: str
    id: int | None = None
    path: str | None = None
    spaces: tuple[str, ...] = ()
    file_id: int | None = None
    wrong: bool = True

    def as_json(self) -> dict[str, Any]:
        """Without what there is nothing to say about."""
        return {key: value for key, value in asdict(self).items() if value not in (None, ()) and key != "file_id"}


@dataclass
class CheckReport:
    """What a check found; `read` files of `bytes` were read, by a sample drawn with `seed` if it was one."""

    sounds: int
    files: int
    missing: list[Finding] = field(default_factory=list)
    damaged: list[Finding] = field(default_factory=list)
    orphaned: list[Finding] = field(default_factory=list)
    unanalysed: list[Finding] = field(default_factory=list)
    stale_caches: list[Finding] = field(default_factory=list)
    read: int = 0
    decoded: int = 0
    bytes: int = 0
    seed: int | None = None
    went_on: bool = False
    seconds: float = 0.0

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return [*self.damaged, *self.missing, *self.orphaned, *self.unanalysed, *self.stale_caches]

    @property
    def wrong(self) -> list[Finding]:
        """Those that are wrong."""
        return [one for one in self.findings if one.wrong]


class Checking:
    """One check of a corpus."""

    def __init__(
        self,
        soundness: Soundness,
        audio: AudioFolder,
        caches: Caches,
        palettes: PaletteFolder,
        wanted: Wanted,
        progress: Progress | None = None,
    ) -> None:
        self._soundness = soundness
        self._palettes = palettes
        self._audio = audio
        self._home = audio.home
        self._caches = caches
        self._memory = Memory(self._home)
        self._wanted = self._memory.recall(wanted)
        self._show = progress or (lambda phase, done, total, words: None)

    def run(self) -> CheckReport:
        """Look at everything, as far as the database can be read.

        Raises
        ------
        CheckError
            Another check is at work here.
        """
        start = time.monotonic()
        with _alone(self._home), contextlib.ExitStack() as held:
            self._workers = _Pool(held, self._wanted.jobs)
            report = self._report = CheckReport(0, 0, seed=self._wanted.seed if self._sampled else None)
            self._show("database", 0, 1, "")
            quick = self._sampled
            problems = self._soundness.problems(quick)
            for look_at in (self._count, self._vectors, self._stale, self._orphans, self._published, self._files):
                try:
                    look_at()
                except StoreError as error:
                    problems.append(str(error))
            report.damaged += [Finding("database", words) for words in dict.fromkeys(problems)]
        self._memory.forget()
        report.seconds = time.monotonic() - start
        return report

    @property
    def _sampled(self) -> bool:
        return self._wanted.percent < 100

    def _count(self) -> None:
        self._report.sounds, self._report.files = self._soundness.sounds(), self._soundness.count()

    def _vectors(self) -> None:
        self._show("vectors", 0, 1, "")
        damaged = self._soundness.damaged_vectors(known_spaces())
        self._report.damaged += [Finding("vector", words, one, spaces=(name,)) for one, name, words in damaged]
        computed = [space for space in self._soundness.spaces() if space.origin == "computed"]
        names = [space.name for space in computed]
        lacking = self._soundness.unanalysed(names or [spaces.default()])
        never = "not measured yet"
        self._report.unanalysed += [
            Finding("vector", never, one, spaces=tuple(own), wrong=False) for one, own in lacking.items()
        ]
        for space in computed:
            if _is_stale(space):
                words = f"all vectors of space {space.name} are by another version of its extractor"
                self._report.unanalysed.append(Finding("vector", words, spaces=(space.name,)))

    def _stale(self) -> None:
        self._show("caches", 0, 1, "")
        current, texts = self._soundness.states()
        for place, stamp, problem in self._caches.inspected():
            path = str(place.relative_to(self._home))
            if problem:
                self._report.stale_caches.append(Finding("cache", f"damaged: {problem}", path=path))
            elif place.parent.name.startswith(_TEXTS):
                self._note_stale(path, stamp != texts)
            else:
                named = {(int(space), int(changes)) for space, changes in _STATE.findall(stamp)}
                self._note_stale(path, not named <= current)

    def _note_stale(self, path: str, stale: bool) -> None:
        if stale:
            finding = Finding("cache", "of what was there before; made anew when asked for", path=path, wrong=False)
            self._report.stale_caches.append(finding)

    def _orphans(self) -> None:
        self._show("folders", 0, 1, "")
        awaited = self._soundness.awaited()
        lying = [str(path.relative_to(self._home)) for path in self._audio.lying(awaited)]
        known = self._soundness.paths()
        holding = {str(folder) for path in known for folder in Path(path).parents}  # some may be links to other disks
        strange = [path for path in lying if path not in known and path not in holding]
        unknown = [path for path in strange if path != storable(path)]  # which no database can hold
        unknown += self._soundness.unknown([path for path in strange if path == storable(path)])
        words = "no sound has this file"
        found = sorted(path for path in unknown if self._exists(path))
        self._report.orphaned += [Finding("file", words, path=path) for path in found]

    def _exists(self, path: str) -> bool:
        """Whether there is anything by a name, a link that leads nowhere too."""
        return os.path.lexists(self._home / path)

    def _published(self) -> None:
        for one in self._palettes.problems(of_palette):
            some = self._report.missing if one.missing else self._report.damaged
            some.append(Finding("palette", one.words, one.sound_id, one.path))

    def _files(self) -> None:
        report, memory = self._report, self._memory
        report.went_on = memory.after > 0
        again = self._soundness.files(memory.again)
        looked_at = self._soundness.count(memory.after)
        with ThreadPoolExecutor(self._wanted.jobs or cores()) as threads:
            self._settle(list(threads.map(self._look, again)))
            while some := self._soundness.files_after(memory.after, _AT_ONCE):
                self._show("files", looked_at, report.files, "files")
                wrong = self._settle(list(threads.map(self._look, some)))
                memory.remember(self._wanted, some[-1].id, wrong)
                looked_at += len(some)

    def _look(self, held: Held) -> Looked:
        return look(self._home, held, self._wanted.draws(held.id))

    def _settle(self, some: Sequence[Looked]) -> list[int]:
        """Decode what wants decoding, and report; returns the ids of what is wrong."""
        report = self._report
        report.read += sum(one.read for one in some)
        report.bytes += sum(one.held.bytes for one in some if one.read)
        answers = self._decoded([one for one in some if self._wants_decoding(one)])
        report.decoded += len(answers)
        settled = [one.with_answer(answers.get(one.held.id)) for one in some]
        self._soundness.decoded([one.held.id for one in settled if one.held.id in answers and not one.of])
        wrong = [one for one in settled if one.of]
        as_they_are = set(self._soundness.files([one.held.id for one in wrong]))
        wrong = [one for one in wrong if one.held in as_they_are]  # else another process changed it meanwhile
        for one in wrong:
            held = one.held
            finding = Finding(one.of, one.words, held.sound_id, held.path, file_id=held.id)
            (report.missing if one.of == "missing" else report.damaged).append(finding)
        return [one.held.id for one in wrong]

    def _wants_decoding(self, one: Looked) -> bool:
        """Whether its hash is another, or it is as it was and was never decoded, or that is asked for."""
        never = one.held.decoded is None
        return one.of == "file" or (one.read and not one.of and (self._wanted.decode or never))

    def _decoded(self, some: Sequence[Looked]) -> dict[int, Any]:
        """By file id, what inspecting each gave: Inspected or an error."""
        if not some:
            return {}
        tasks = {self._home / one.held.path: one.held.id for one in some}
        answers = self._workers.get().over(tasks, inspect, lambda _: _DEADLINE)
        return {tasks[path]: answer for path, answer in answers}


def _is_stale(space: Space) -> bool:
    """Whether the extractor that is installed here has another fingerprint; no where it is not installed."""
    try:
        extractor = spaces.extractor(space.name)
    except CorpusError:
        return False
    made_of = f"{extractor.name} {extractor.version} {extractor.parameters}"
    if made_of not in _FINGERPRINTS:
        with Workers(1) as worker:
            (answer,) = (found for _, found in worker.over([space.name], spaces.fingerprinted, lambda _: _DEADLINE))
        if not isinstance(answer, Space):
            return False
        _FINGERPRINTS[made_of] = answer.fingerprint
    return _FINGERPRINTS[made_of] != space.fingerprint


class _Pool:
    """Workers that start when they are first needed, and end with a stack."""

    def __init__(self, stack: contextlib.ExitStack, jobs: int | None) -> None:
        self._stack = stack
        self._jobs = jobs
        self._workers: Workers | None = None

    def get(self) -> Workers:
        if self._workers is None:
            self._workers = self._stack.enter_context(Workers(self._jobs))
        return self._workers


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / "check.lock", timeout=0):
            yield
    except Timeout as error:
        raise CheckError(f"another check is at work in {home}; wait until it ends, or stop it with Ctrl-C") from error
