"""What a harvest costs beside the waiting for Freesound: time, memory, growth with the corpus, readers held up.

    python benchmarks/harvest.py [--json FILE]

10 000 records with their vectors (150 a page, no audio, no throttle) come from a local Freesound in a process of its
own; each harvest is a process too. Time outside waiting is what passes outside of `requests` sending a request and
reading its answer. The large corpus holds 300 000 sounds, made by copying the rows of the 10 000 under other ids: with
records, tags, full text and vectors. The two harvests take turns, each into a fresh copy of its corpus.

Readers: another process fetches one sound, its tags and its file again and again while the harvest writes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from side_by_side import Figure, ratio, run

from corpus.library import Corpus

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.freesound.apart import apart  # noqa: E402

SOUNDS = 10_000
LARGE = 300_000
ROUNDS = 3
LINES = {"local": float("inf"), "100 Mbit/s": 12.5e6}
"""Bytes a second."""
_KEYS = {"sounds": "id", **dict.fromkeys(("tags", "vectors", "traits", "served"), "sound_id")}
"""The tables with rows of sounds, and which column says of which."""
_OTHERS = 10_000_000
"""Ids of the copies begin here, far above those of the server."""

_HARVEST = """
import json, resource, sys, time
import requests
from corpus.library import Corpus
from corpus.wanted import Query, Wanted

waiting, send = 0.0, requests.Session.send
line = float(sys.argv[2])
def timed(*arguments, **named):
    global waiting
    start = time.perf_counter()
    try:
        answer = send(*arguments, **named)
        time.sleep(max(0, len(answer.content) / line - (time.perf_counter() - start)))
        return answer
    finally:
        waiting += time.perf_counter() - start
requests.Session.send = timed
with Corpus(sys.argv[1]) as corpus:
    start = time.perf_counter()
    report = corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), max_sounds=10**6, audio="none"))
    wall = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"wall": wall, "waiting": waiting, "peak": peak, "added": report.added, "requests": report.requests}))
"""


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    with apart(sounds=SOUNDS) as server:
        template = folder / "template"
        first = harvest(server, template)
        assert first["added"] == SOUNDS, first
        large = folder / "large"
        grow(template, large)
        waits = {"idle": read_while(large, None)}
        done: dict[str, list[dict[str, Any]]] = {"empty": [], "large": [], "line": []}
        for turn in range(ROUNDS):
            done["line"].append(harvest(server, folder / f"line {turn}", "100 Mbit/s"))
            for name in ("empty", "large") if turn % 2 else ("large", "empty"):
                home = folder / "home"
                if name == "large":
                    copy_of(large, home)
                done[name].append(harvest(server, home))
                shutil.rmtree(home)
        home = folder / "home"
        copy_of(large, home)
        waits["writing"] = read_while(home, begin(server, home))
    return figures(done, waits), {
        "harvest": f"{SOUNDS} records by {first['requests']} requests",
        "large corpus": f"{LARGE} sounds, {(large / 'corpus.sqlite').stat().st_size / 1e9:.2f} GB",
    }


def figures(done: dict[str, list[dict[str, Any]]], waits: dict[str, list[float]]) -> list[Figure]:
    def of(name: str, what: str) -> list[float]:
        return [each[what] for each in done[name]]

    own = {name: [each["wall"] - each["waiting"] for each in runs] for name, runs in done.items()}
    milliseconds = {name: sorted(1000 * wait for wait in some) for name, some in waits.items()}
    late = {name: some[int(0.999 * len(some))] for name, some in milliseconds.items()}
    return [
        Figure("harvest over a line of 100 Mbit/s", of("line", "wall"), "s"),
        Figure("  outside waiting for the server", ratio(own["line"], of("line", "wall")), "of it", at_most=0.30),
        Figure("harvest into an empty corpus", of("empty", "wall"), "s"),
        Figure("  outside waiting for the server", ratio(own["empty"], of("empty", "wall")), "of it"),
        Figure("  own time a record", [1e6 * seconds / SOUNDS for seconds in own["empty"]], "us"),
        Figure("  greatest memory", [peak / 1e6 for peak in of("empty", "peak")], "MB", at_most=300),
        Figure(f"harvest into a corpus of {LARGE}", of("large", "wall"), "s"),
        Figure("  greatest memory", [peak / 1e6 for peak in of("large", "peak")], "MB", at_most=300),
        Figure("  own time, large / empty", ratio(own["large"], own["empty"]), "x", at_most=1.3),
        Figure("  whole time, large / empty", ratio(of("large", "wall"), of("empty", "wall")), "x", at_most=1.3),
        Figure("a read, nobody writing, 99.9 %", [late["idle"]], "ms"),
        Figure("a read while a harvest writes, 99.9 %", [late["writing"]], "ms"),
        Figure("a read while a harvest writes, longest", [milliseconds["writing"][-1]], "ms", at_most=50),
    ]


def begin(server: SimpleNamespace, home: Path, line: str = "local") -> subprocess.Popen[str]:
    """A harvest of everything into `home`, in a process of its own."""
    key = {"MIRLA_FREESOUND_URL": server.url, "FREESOUND_TOKEN": server.token}
    limits = {"MIRLA_FREESOUND_PER_MINUTE": "1000000", "MIRLA_FREESOUND_PER_DAY": "1000000"}
    command = [sys.executable, "-c", _HARVEST, str(home), str(LINES[line])]
    return subprocess.Popen(command, env=os.environ | key | limits, stdout=subprocess.PIPE, text=True)


def harvest(server: SimpleNamespace, home: Path, line: str = "local") -> dict[str, Any]:
    """The same, waited for: what it says of itself."""
    with begin(server, home, line) as process:
        answer: dict[str, Any] = json.loads(process.communicate()[0])
    return answer


def copy_of(corpus: Path, home: Path) -> None:
    """A fresh copy that is on the disk: else the first checkpoint would wait for all of it."""
    shutil.copytree(corpus, home)
    os.sync()


def grow(template: Path, home: Path) -> None:
    """A corpus of LARGE sounds out of the rows of a smaller one."""
    shutil.copytree(template, home)
    with Corpus(home) as corpus:
        for copy in range(LARGE // SOUNDS - 1):
            with corpus.database.write(foreign_keys=False) as connection:
                for table, key in _KEYS.items():
                    names = [row[1] for row in connection.execute(sa.text(f"pragma table_info({table})"))]
                    values = [f"{name} + :by" if name == key else name for name in names]
                    _copy(connection, table, names, values, copy)
                text = ["name", "tags", "description", "username"]
                _copy(connection, "sound_text", ["rowid", *text], ["rowid + :by", *text], copy)
        with corpus.database.write(foreign_keys=False) as connection:
            # the server's own sounds leave again, to be harvested anew
            connection.execute(sa.text("delete from harvested"))
            connection.execute(sa.text("delete from harvests"))
            for table, key in (_KEYS | {"sound_text": "rowid"}).items():
                connection.execute(sa.text(f"delete from {table} where {key} < {_OTHERS}"))


def _copy(connection: Any, table: str, names: list[str], values: list[str], copy: int) -> None:
    key = _KEYS.get(table, "rowid")
    selected = f"select {', '.join(values)} from {table} where {key} < {_OTHERS}"
    by = _OTHERS + copy * 100_000
    connection.execute(sa.text(f"insert into {table} ({', '.join(names)}) {selected}"), {"by": by})


def read_while(home: Path, writing: subprocess.Popen[str] | None) -> list[float]:
    """Seconds that each read takes until the writer ends, or for some seconds if there is none."""
    waits, generator, end = [], random.Random(0), time.perf_counter() + 3
    with Corpus(home) as corpus:
        ids = corpus.sounds.ids()[:5000].tolist()
        while (time.perf_counter() < end) if writing is None else (writing.poll() is None):
            start = time.perf_counter()
            corpus.sounds.get(generator.choice(ids))
            waits.append(time.perf_counter() - start)
            time.sleep(0.002)
    return waits


if __name__ == "__main__":
    run(__doc__ or "", main)
