"""The local Freesound in a process of its own, for benchmarks: `with apart(sounds=10_000) as where: where.url`."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[2]


@contextmanager
def apart(sounds=None):
    """Yields `url`, `cdn_url`, `token` and `pid`. There are no faults and no log to be had from here."""
    command = [sys.executable, "-m", "tests.freesound", *([] if sounds is None else ["--sounds", str(sounds)])]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield SimpleNamespace(**json.loads(process.stdout.readline()), pid=process.pid)
        finally:
            process.stdin.close()
            process.wait(30)
