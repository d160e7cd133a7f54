"""Fixtures for all tests: a home, the command line, and Sonic Pi's samples as a finished corpus."""

import io
import json
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.folder import Adoption
from engine.demo import sonic_pi
from tests import fuzzing  # noqa: F401  # before any test says how long it fuzzes
from tests.freesound.fixture import ask, freesound, freesound_server  # noqa: F401

SAMPLES = Path("/usr/share/sonic-pi/samples")

# started by nohup, or in a shell's background, tests would hand these on to their programs as ignored
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Out(io.TextIOWrapper):
    """A stream in memory that behaves like standard output."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self):
        return self.buffer.getvalue().decode()


@pytest.fixture
def home(tmp_path):
    """An empty place for a corpus."""
    return tmp_path / "home"


@pytest.fixture
def mirla(home, monkeypatch):
    """Run the command line on `home`: in this process, or with `process=True` as the installed program.

    Fails unless the exit code is `check` (None: any).
    """
    monkeypatch.delenv("MIRLA_HOME", raising=False)

    def run(*arguments, home=home, check=0, process=False):
        arguments = ["--home", str(home), *map(str, arguments)]
        done = _as_program(arguments) if process else _in_process(arguments)
        assert check is None or done.code == check, f"exit code {done.code}\n{done.out}\n{done.err}"
        return done

    return run


@pytest.fixture(scope="session")
def samples():
    """Sonic Pi's samples, the smallest first."""
    found = sorted(SAMPLES.glob("*.flac"), key=lambda path: path.stat().st_size)
    assert len(found) == 165, "the tests want Debian's sonic-pi-samples: apt-get install sonic-pi-samples"
    return found


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory, samples):
    """A home with all the samples adopted and analysed; to be copied, not changed."""
    home = tmp_path_factory.mktemp("sonic") / "home"
    with Corpus(home) as corpus:
        report = corpus.adopt([SAMPLES], Adoption(catalogue=sonic_pi.catalogue()))
        assert not report.failed
        assert not corpus.analyse().failed
    return home


@pytest.fixture
def sonic_home(finished_home, home):
    """A copy of the finished home that a test may change; what other tests had derived from it is not in it."""
    shutil.copytree(finished_home, home, ignore=shutil.ignore_patterns("cache"))
    return home


@pytest.fixture
def sonic(sonic_home):
    """The finished corpus, open."""
    with Corpus(sonic_home) as corpus:
        yield corpus


@pytest.fixture(scope="session")
def finished(finished_home):
    """The finished corpus, open, for tests that only read."""
    with Corpus(finished_home) as corpus:
        yield corpus


def _in_process(arguments):
    from engine.cli import main

    out, err = Out(), Out()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(arguments)
    return Done(int(end.value.code or 0), out.text, err.text)


def _as_program(arguments):
    program = Path(sys.executable).with_name("mirla")
    done = subprocess.run([program, *arguments], capture_output=True, timeout=300)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
