"""How long a similarity query takes, beside FAISS's own flat search with one thread on the same vectors.

    python benchmarks/similarity.py [--json FILE]

For corpora of 10^3 to 10^6 sounds of 26 numbers each. `search` is the search of the measure `mfcc` when it is ready;
`from ids` the same with the allowed sounds given as ids, as a query has them; `similar` the whole answer with its
sounds' names. Shares are drawn at random. FAISS is asked for as many neighbours, and is told which are allowed by its
own bitmap selector. Its plain search is the yardstick of them all. Contenders take turns.

`ready` is a new process: from the import of mirla to the first answer, less what the interpreter takes to start. Memory
is that process's resident set above what it has after its imports, and what of it is its own, not mapped from a file.

The corpora are synthetic: the vectors of real sounds, with every number scattered by a tenth, written as rows at once.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from material import samples, task
from side_by_side import Figure, by_turns, ratio, run

from corpus.analysis.measuring import measure as analysed
from corpus.analysis.spaces import fingerprinted
from corpus.library import Corpus
from corpus.store.tables import provenances, sounds, spaces, vectors
from corpus.store.vectors import Vector
from engine.query.run import Choice, similar
from engine.similarity.measures import measure

SIZES = (10**3, 10**4, 10**5, 10**6)
SHARES = (0.001, 0.01, 0.1, 0.3, 0.5, 0.9)
K = 10
QUERIES = 20
ROUNDS = 5
LAST = 1000
"""Queries for the 99th percentile."""
ADDED = 1000
STARTS = 3
READY = {10**5: 1.0, 10**6: 2.0}
MEMORY = {10**5: 1.5, 10**6: 1.5}
_START = """
import sys, time
start = time.perf_counter()
import faiss
from corpus.library import Corpus
from engine.similarity.measures import measure
def memory():
    facts = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return [int(facts[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon")]
imported, before = time.perf_counter() - start, memory()
with Corpus(sys.argv[1]) as corpus:
    around = measure("mfcc").around(corpus, 500)
    around.nearest(10, around.ids)
    ready = time.perf_counter() - start
    for target in range(1, 200):
        around = measure("mfcc").around(corpus, target)
        around.nearest(10, around.ids)
    del around
    print(imported, ready, *(after - b for after, b in zip(memory(), before)))
"""


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    real = np.array([analysed(task(path)).vectors["mfcc"] for path in samples(folder)])
    figures: list[Figure] = []
    facts = {"queries": f"{QUERIES} a round, k = {K}", "sounds added": str(ADDED)}
    for size in SIZES:
        home = folder / str(size)
        build(home, size, real)
        with Corpus(home) as corpus:
            figures += in_a_session(corpus, size)
        figures += of_new_processes(home, size)
        figures += after_adding(home, size, real)
    return figures, facts


def in_a_session(corpus: Corpus, size: int) -> list[Figure]:
    start = time.perf_counter()
    matrix, index = measure("mfcc").searchable(corpus)
    first = time.perf_counter() - start
    X = index.vectors
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatL2(X.shape[1])
    flat.add(X)
    generator = np.random.default_rng(1)
    rows = generator.integers(size, size=QUERIES).tolist()
    surroundings = {row: measure("mfcc").around(corpus, int(matrix.ids[row])) for row in rows}
    contenders: dict[str, Any] = {
        "FAISS": lambda row: flat.search(X[row : row + 1], K),
        "search": lambda row: index.nearest(X[row], K),
        "search from ids": lambda row: surroundings[row].nearest(K, surroundings[row].ids),
        "around and search": partial(whole, corpus, matrix.ids),
        "similar": lambda row: similar(corpus, int(matrix.ids[row]), Choice(k=K)),
    }
    for share in SHARES:
        allowed = generator.random(size) < share
        ids = matrix.ids[allowed]
        bitmap = np.packbits(allowed, bitorder="little")
        contenders |= {
            f"FAISS {share:.1%}": partial(selected, flat, X, bitmap),
            f"search {share:.1%}": lambda row, allowed=allowed: index.nearest(X[row], K, allowed),
            f"search from ids {share:.1%}": lambda row, ids=ids: surroundings[row].nearest(K, ids),
        }
    by_turns(contenders, rows[:2], 1)  # fills the processor's caches
    taken = by_turns(contenders, rows, ROUNDS)
    made = [Figure(f"{size}: first query of all, from the store", [first], "s")]
    for name, seconds in taken.items():
        made.append(Figure(f"{size}: {name}", [1e3 * one / QUERIES for one in seconds], "ms"))
        if not name.startswith("FAISS"):
            within = 2.0 if "%" in name else None if name == "similar" else 1.2
            within = within if size == max(SIZES) else None  # as is wanted of a million; below, Python costs more
            made.append(Figure(f"{size}: {name} / FAISS plain", ratio(seconds, taken["FAISS"]), "x", at_most=within))
    each: list[float] = []
    for row in generator.integers(size, size=LAST).tolist():
        start = time.perf_counter()
        whole(corpus, matrix.ids, row)
        each.append(1e3 * (time.perf_counter() - start))
    last = statistics.quantiles(each, n=100)[98]
    return [*made, Figure(f"{size}: around and search, 99th percentile", [last], "ms", at_most=10)]


def whole(corpus: Corpus, ids: npt.NDArray[np.int64], row: int) -> None:
    around = measure("mfcc").around(corpus, int(ids[row]))
    around.nearest(K, around.ids)


def selected(flat: Any, X: npt.NDArray[np.float32], bitmap: npt.NDArray[np.uint8], row: int) -> None:
    flat.search(X[row : row + 1], K, params=faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap)))


def of_new_processes(home: Path, size: int) -> list[Figure]:
    runs = []
    for _ in range(STARTS):
        done = subprocess.run([sys.executable, "-c", _START, str(home)], check=True, capture_output=True, text=True)
        runs.append([float(word) for word in done.stdout.split()])
    imported, ready, resident, own = zip(*runs, strict=True)
    matrices = size * 26 * 4 + size * 8
    return [
        Figure(f"{size}: imports", imported, "s"),
        Figure(f"{size}: ready, imports included", ready, "s", at_most=READY.get(size)),
        Figure(f"{size}: memory / matrix and ids", [one / matrices for one in resident], "x", at_most=MEMORY.get(size)),
        Figure(f"{size}: memory not mapped", [one / 1e6 for one in own], "MB"),
    ]


def after_adding(home: Path, size: int, real: npt.NDArray[np.float32]) -> list[Figure]:
    X = like(real, ADDED, seed=2)
    with Corpus(home) as corpus:
        around = measure("mfcc").around(corpus, 500)
        around.nearest(K, around.ids)
        known = fingerprinted("mfcc").fingerprint
        start = time.perf_counter()
        with corpus.database.write() as connection:
            new = range(size + 1, size + ADDED + 1)
            connection.execute(sa.insert(sounds), [sound(sound_id) for sound_id in new])
            facts = {"source": "synthetic"}
            each = zip(new, X, strict=True)
            corpus.vectors.put(connection, [Vector("mfcc", known, one, None, x, facts) for one, x in each])
        stored = time.perf_counter()
        around = measure("mfcc").around(corpus, size + 1)
        around.nearest(K, around.ids)
        assert len(around.ids) == size + ADDED - 1
        taken = time.perf_counter() - start
    return [
        Figure(f"{size}: {ADDED} sounds stored", [stored - start], "s"),
        Figure(f"{size}: {ADDED} sounds stored and searchable", [taken], "s", at_most=2),
    ]


def like(real: npt.NDArray[np.float32], size: int, seed: int = 0) -> npt.NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    scatter = generator.lognormal(sigma=0.1, size=(size, real.shape[1]))
    return np.asarray(real[generator.integers(len(real), size=size)] * scatter, np.float32)


def build(home: Path, size: int, real: npt.NDArray[np.float32]) -> None:
    """A corpus of sounds 1 to `size`, written as rows at once."""
    X = like(real, size)
    with Corpus(home) as corpus:
        corpus.vectors.register(fingerprinted("mfcc"))
        with corpus.database.write() as connection:
            space = connection.execute(sa.select(spaces.c.id)).scalar_one()
            made = connection.execute(sa.insert(provenances).values(facts="{}")).inserted_primary_key
            for first in range(0, size, 10_000):
                some = range(first, min(first + 10_000, size))
                connection.execute(sa.insert(sounds), [sound(row + 1) for row in some])
                fixed = {"space_id": space, "file_id": None, "provenance_id": made[0]}
                rows = [{**fixed, "sound_id": row + 1, "data": X[row].tobytes()} for row in some]
                connection.execute(sa.insert(vectors), rows)


def sound(sound_id: int) -> dict[str, object]:
    return {"id": sound_id, "name": f"sound {sound_id}", "licence": "CC0", "added": "2026-01-01T00:00:00Z"}


if __name__ == "__main__":
    run(__doc__ or "", main)
