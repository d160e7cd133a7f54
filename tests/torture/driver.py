"""Killing a command at a random moment, and what must hold then: the driver of `make torture`.

A job is a command line (or a function), begun in a process that is forked from one with everything imported, so that
kills fall on the work and not on start-up. It is killed by SIGKILL at a random moment within the time that it takes
undisturbed, again and again in the same home, and then goes on to its end. What its log says is what it acknowledged.
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from corpus import Corpus
from tests.corpus.harvested import whole

IN_ONE_HOME = 4
"""Kills before a job may come to its end in a home."""
PRELOADED = [
    *("alembic.command", "engine.cli", "engine.session", "engine.palette", "engine.teaching", "engine.clips"),
    *("engine.cli.agent.teach", "engine.playback.offline", "engine.agent.training", "corpus.analysis.runner"),
    *("corpus.analysis.decode", "corpus.backup", "corpus.repair", "corpus.folder", "corpus.harvest", "sklearn.svm"),
    *("sklearn.neural_network", "scipy.signal", "soundfile", "essentia.standard", "pebble", "rich.progress"),
]
BEGUN = "-- begun --\n"


@dataclass
class Job:
    """Something that may be killed.

    Attributes
    ----------
    base : Path
        The home as it is before; copied for each round.
    work : list of str or callable
        Arguments of `mirla` behind `--home HOME` (in them `{home}` is its path), or a function of the home.
    state : callable
        Of a home: what its end is judged by; None where each end is another.
    look : callable
        Of a home and the log of the run that was killed: asserts that nothing acknowledged is lost.
    env : dict
        The environment it runs in.
    keys : str
        What it reads from standard input.
    loose : frozenset of str
        What `mirla check` may find wrong right after a kill, which the next run sees to.
    audio : bool
        Whether there are audio files; else the database alone is checked.
    """

    base: Path
    work: list[str] | Callable[[Path], None]
    state: Callable[[Path], object] | None
    look: Callable[[Path, str], None] = lambda home, log: None
    env: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    loose: frozenset[str] = frozenset({"no sound has this file"})
    audio: bool = True


@dataclass
class Count:
    """What was done so far."""

    kills: int = 0
    homes: int = 0
    ended: int = 0


class Torture:
    """Kills one job again and again."""

    def __init__(self, name: str, job: Job, folder: Path, seed: int) -> None:
        self.name, self.job, self.folder = name, job, folder
        self.count = Count()
        self._generator = random.Random(f"{name} {seed}")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._took = 0.0
        calm = self._home("calm")
        self._run(calm, None)
        self._seconds = self._took
        self.expected = job.state(calm) if job.state else None
        self.alike(calm, frozenset())

    def run(self, kills: int) -> None:
        """Kill so many times, in one home after another; each goes on to the same end."""
        while self.count.kills < kills:
            self.count.homes += 1
            home = self._home(str(self.count.homes))
            here = 0
            while here < IN_ONE_HOME and self.count.kills < kills:
                killed = self._run(home, self._generator.uniform(0, self._seconds))
                here += 1
                self.count.kills += killed
                self.count.ended += not killed
                self.alike(home, self.job.loose)
                self.job.look(home, self._log.read_text(errors="replace"))
            self._run(home, None)
            self.alike(home, frozenset())
            self.job.look(home, self._log.read_text(errors="replace"))
            if self.job.state:
                assert self.job.state(home) == self.expected, f"{home} ended otherwise"
            shutil.rmtree(home)

    def alike(self, home: Path, loose: frozenset[str]) -> None:
        """Assert that the corpus is what it says it is."""
        if not (home / "corpus.sqlite").exists():
            return
        with Corpus(home) as corpus:
            assert corpus.soundness.problems() == []
            if not self.job.audio:
                return
            assert whole(corpus)
            wrong = [one for one in corpus.check().wrong if one.error not in loose]
            assert wrong == [], f"{home}: {wrong}"

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def _home(self, number: str) -> Path:
        home = self.folder / f"{self.name}-{number}"
        shutil.copytree(self.job.base, home, symlinks=True)
        return home

    def _run(self, home: Path, seconds: float | None) -> bool:
        """Whether it had to be killed; one that ends by itself must end well."""
        self._log.write_text("")
        keys = self.folder / f"{self.name}.keys"
        keys.write_text(self.job.keys)
        process = self._context.Process(target=run_here, args=(self.job.work, home, self._log, keys, self.job.env))
        process.start()
        while not self._log.stat().st_size:
            assert process.is_alive() or process.exitcode == 0 or self._log.stat().st_size, "it did not begin"
            time.sleep(0.002)
        begun = time.monotonic()
        process.join(seconds)
        self._took = time.monotonic() - begun
        if process.exitcode is None:
            process.kill()
            process.join()
            return True
        assert process.exitcode == 0, self._log.read_text(errors="replace")
        return False


def run_here(work: list[str] | Callable[[Path], None], home: Path, log: Path, keys: Path, env: dict[str, str]) -> None:
    """Do a job in this process, with its standard streams on files."""
    os.environ.update(env)
    for number, path, flags in ((0, keys, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_APPEND)):
        os.dup2(os.open(path, flags), number)
    os.dup2(1, 2)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, buffering=1, closefd=False)  # noqa: SIM115
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    sys.stdout.write(BEGUN)
    if callable(work):
        work(home)
        return
    from engine.cli import main

    with contextlib.chdir(log.parent):
        main(["--home", str(home), *(word.replace("{home}", str(home)) for word in work)])
