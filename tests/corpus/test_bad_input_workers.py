"""Supervised workers: a crash, a hang or a bomb costs its own task, never the pool; and none outlives its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from functools import partial
from operator import call
from pathlib import Path

import pytest

from corpus.errors import AudioError
from corpus.workers import Workers

MEMORY = 1 << 30
HOSTILE = {
    "ends": (partial(os._exit, 3), r"crashed its decoder \(exit code 3\); "),
    "segfaults": (partial(ctypes.string_at, 0), r"crashed its decoder \(exit code -11\); "),
    "is killed": (partial(signal.raise_signal, signal.SIGKILL), r"crashed its decoder \(exit code -9\); "),
    "hangs": (partial(time.sleep, 3600), "took longer than 1 s and was given up; "),
    "takes all memory": (partial(eval, f"len(bytes({2 * MEMORY}))"), "needs more memory than a worker may take; "),
    "raises": (partial(int, "no number"), "ValueError: invalid literal"),
    "leaves": (partial(sys.exit, 4), "SystemExit|crashed its decoder"),
    "answers what cannot be sent": (partial(open, os.devnull), "cannot pickle"),
}


@pytest.fixture(scope="module")
def results():
    """What became of each hostile task, with good ones before, between and after them."""
    tasks = {name: task for name, (task, _) in HOSTILE.items()}
    mixed = [partial(abs, -100)]
    for number, task in enumerate(tasks.values()):
        mixed += [task, partial(abs, -number)]
    with Workers(jobs=2, memory=MEMORY) as workers:
        return dict(workers.over(mixed, call, lambda task: 1.0 if task is tasks["hangs"] else 60.0))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_task_is_one_failure(results, name):
    task, words = HOSTILE[name]
    assert isinstance(results[task], AudioError)
    with pytest.raises(AudioError, match=words):
        raise results[task]


def test_every_other_task_succeeds(results):
    hostile = {task for task, _ in HOSTILE.values()}
    good = sorted(result for task, result in results.items() if task not in hostile)
    assert good == [*range(len(HOSTILE)), 100]


def test_a_task_under_the_limit_gets_its_memory():
    with Workers(jobs=1, memory=MEMORY) as workers:
        assert len(workers.submit(bytes, MEMORY // 4, deadline=60).result()) == MEMORY // 4


PARENT = """
import time
from corpus.workers import Workers

with Workers(jobs=2) as workers:
    for _ in range(2):
        workers.submit(time.sleep, 0, deadline=60).result()
    for _ in range(4):
        workers.submit(time.sleep, 3600, deadline=3600)
    print("ready", flush=True)
    time.sleep(3600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_no_worker_outlives_its_parent(how):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout.readline() == "ready\n"
    workers = {pid for pid, (_, its_parent) in processes().items() if its_parent == parent.pid}
    assert len(workers) >= 2
    parent.send_signal(how)
    parent.communicate(timeout=10)
    deadline = time.monotonic() + 2
    while left := workers & {pid for pid, (state, _) in processes().items() if state != "Z"}:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)


def processes():
    """State and parent of each process, by its number."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        found[int(status.parent.name)] = state, int(parent)
    return found
