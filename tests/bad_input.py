"""What the tests of bad input share: the program as another process sees it, and what a line of it must be like."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("mirla")


@dataclass(frozen=True)
class Ran:
    """What a process of `mirla` left: its exit code, and what it wrote, which must be UTF-8."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON object of `--json`, with nothing but Unicode in it."""
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        json.dumps(answer, ensure_ascii=False).encode()  # a lone surrogate is no Unicode
        return answer


def run(*arguments, home=None, check=0, before=(), env=None, timeout=120, **how):
    """Run `mirla --home HOME ARGUMENTS` in a process of its own, with `before` in front of its command line."""
    at = () if home is None else ("--home", home)
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MIRLA_")}
    done = subprocess.run(
        [*before, PROGRAM, *at, *arguments], capture_output=True, timeout=timeout, env=settings | (env or {}), **how
    )
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert check is None or ran.code == check, f"exit code {ran.code}\n{ran.out}\n{ran.err}"
    return ran


def unprivileged():
    """What to put before a command so that permissions hold for it even when root runs the tests."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may read everything, and there is no setpriv to take that away")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def one_line(ran, *words):
    """The one line on standard error, which holds all of `words`; nothing but JSON went to standard output."""
    lines = ran.err.splitlines()
    assert len(lines) == 1, ran.err
    for word in words:
        assert str(word) in lines[0]
    assert "please report" not in lines[0]
    assert_safe(ran.err)
    return lines[0]


def assert_safe(text):
    """No character that a terminal acts upon, line feeds excepted: controls, formats, surrogates, separators."""
    unsafe = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not unsafe, f"{sorted(map(ascii, unsafe))} in {text!r}"
