"""ENOSPC and EIO at each write of each command: a clear line, nothing lost, and it goes on once the disk does.

A library that is preloaded has the n-th write, flush or cut below a folder fail. One of each command here; all with
`MIRLA_TORTURE`.
"""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpus import Corpus
from tests.corpus.harvested import whole
from tests.torture.jobs import WRITING, Makers

HERE = Path(__file__).parent
COMMANDS = (*WRITING, "label", "render")
if "MIRLA_TORTURE" not in os.environ:  # for these a disk fills up elsewhere in the tests
    COMMANDS = tuple(one for one in COMMANDS if one not in ("adopt", "analyse", "harvest", "unpack"))
CAUSES = {
    errno.EIO: r"I/O error|Input/output error|System error",
    errno.ENOSPC: r"No space left|is full|I/O error|System error",
}
"""What is said of each; libsndfile says no more than `System error`, and SQLite calls a full log an I/O error."""

FOUND = {"restore": [(errno.ENOSPC, 1)]}  # a good database was taken for a damaged one, and moved aside


class Failing:
    """Runs jobs on a disk that may fail below a folder."""

    def __init__(self, folder):
        self.folder = folder
        library = folder / "failing.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "failing.c", "-ldl"], check=True)
        env = os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(HERE.parents[1])}
        command = [sys.executable, "-m", "tests.torture.forking"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def run(self, job, below, at=0, error=errno.EIO):
        """Exit code, what it said, and how many writes there were; the home is `below`/home."""
        count, log = self.folder / "count", self.folder / "log"
        count.write_text("")
        log.write_text("")
        env = {"MIRLA_FAIL_COUNT": count, "MIRLA_FAIL_UNDER": below, "MIRLA_FAIL_AT": at, "MIRLA_FAIL_WITH": error}
        env = {name: str(value) for name, value in (job.env | env).items()}
        asked = {"work": job.work, "home": str(below / "home"), "log": str(log), "env": env}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, log.read_text(errors="replace"), count.stat().st_size

    def end(self):
        self._process.communicate()


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no C compiler here to make a disk fail with")
    made = Failing(tmp_path_factory.mktemp("failing"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def makers(tmp_path_factory):
    return Makers(tmp_path_factory.mktemp("failing-homes"))


@pytest.mark.parametrize("command", COMMANDS)
def test_whichever_write_fails_nothing_is_lost(command, makers, failing, tmp_path, request, capsys):
    given = [request.getfixturevalue("freesound")] if command == "harvest" else []
    job = getattr(makers, command)(*given)
    code, said, writes = failing.run(job, begun(job, tmp_path / "calm"))
    assert code == 0, said
    assert writes > 1
    expected = job.state(tmp_path / "calm" / "home") if job.state else None
    failed = tried = 0
    for error, at in faults(command, writes):
        below = begun(job, tmp_path / f"{error}-{at}")
        code, said, _ = failing.run(job, below, at, error)
        tried += 1
        failed += code != 0
        assert_said(code, said, error, f"write {at} of {writes}")
        assert_whole(job, below)
        again, words, _ = failing.run(job, below)
        assert again == 0, words
        if job.state:
            assert job.state(below / "home") == expected, f"write {at} of {writes}"
        shutil.rmtree(below)
    with capsys.disabled():
        print(f"\n{command}: {tried} failing writes, {failed} told as an error", flush=True)


def faults(command, writes):
    """Every fault at every write; or one in the middle, and those that were found to do harm once."""
    if "MIRLA_TORTURE" not in os.environ:
        return [(list(CAUSES)[COMMANDS.index(command) % 2], 1 + writes // 2), *FOUND.get(command, [])]
    return [(error, at) for error in CAUSES for at in range(1, writes + 1)]


def begun(job, below):
    """A copy of what the job begins from."""
    below.mkdir()
    shutil.copytree(job.base, below / "home", symlinks=True)
    return below


def assert_said(code, said, error, where):
    """What went wrong was said in a line for whoever reads it; some writes, as of a cache, may fail without harm."""
    assert "Traceback" not in said, f"{where}: {said}"
    assert "please report" not in said, f"{where}: {said}"
    if code:
        assert re.search(CAUSES[error], said), f"{where}: {said}"


def assert_whole(job, below):
    with Corpus(below / "home") as corpus:
        assert corpus.soundness.problems() == []
        assert not job.audio or whole(corpus)
