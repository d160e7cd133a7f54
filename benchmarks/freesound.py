"""How many requests a local Freesound answers a second, and how its memory goes.

    python benchmarks/freesound.py [--json FILE]

One process serves a corpus of 100 000 sounds, whose texts are those of `text.py`, with MFCCs of chance and audio, a
few hundred of which are here as previews of 64 kB. Another process asks over 8 connections that stay open, each for its
next answer as soon as it has the last: the text queries of `text_queries.txt` (frequent and rare words mixed), then the
sounds similar to one, 15 a page. First the words of the file have yet to be counted, as after any change of any text.
Then come rounds of questions that were never asked before, drawn as those of the file were, so that only their words
are known; then the file's own again, which the server still has; weighted, sorted and deep ones, those of old clients,
and new ones while a performance is written down. Previews are held against the same files served by Starlette's own
static files on the same uvicorn. At the end 100 000 requests of all kinds, with the server's resident memory before,
half-way and after.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import sqlalchemy as sa
import text
from side_by_side import Figure, ratio, run

from corpus.analysis.spaces import fingerprinted
from corpus.library import Corpus
from corpus.store.tables import files, provenances, spaces, vectors
from engine.server.freesound.serve import listening

SOUNDS = 100_000
CONNECTIONS = 8
ROUNDS = 3
SIMILAR = 1000
PREVIEWS, PREVIEW_BYTES = 300, 65_536
MANY = int(os.environ.get("MIRLA_BENCHMARK_REQUESTS", "100000"))

SERVE = "import sys; from engine.cli import main; main(['--home', sys.argv[1], 'serve', '--freesound', sys.argv[2]])"
WRITE = """
import sys, time
from corpus import Corpus
with Corpus(sys.argv[1]) as corpus:
    while True:
        corpus.performances.begin(title="benchmark")
        time.sleep(0.1)
"""
STATIC = """
import sys, uvicorn
from starlette.staticfiles import StaticFiles
uvicorn.run(StaticFiles(directory=sys.argv[1]), port=int(sys.argv[2]), log_config=None, access_log=False)
"""


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    home = folder / "home"
    build(home)
    kept = searches(text.read())
    figures: list[Figure] = []
    with serving(SERVE, home) as (port, process), serving(STATIC, home / "sounds") as (static, _):
        load(port, ["/apiv2/search/"] * 100)
        figures += of_rounds("searches, words not yet counted", port, process, [kept], target=False)
        new = [searches(text.drawn_anew(seed)) for seed in range(ROUNDS)]
        figures += of_rounds("searches", port, process, new)
        figures += of_rounds("searches asked before", port, process, [kept] * ROUNDS)
        figures += of_rounds("similar by mfcc", port, process, [similar(seed) for seed in range(ROUNDS)])
        for name, paths in kinds().items():
            figures += of_rounds(name, port, process, [paths(seed) for seed in range(ROUNDS)], target=name in HELD_TO)
        with writing(home):
            anew = [searches(text.drawn_anew(ROUNDS + seed)) for seed in range(ROUNDS)]
            figures += of_rounds("searches beside a performance that is written down", port, process, anew)
        figures += of_previews(port, static)
        figures += of_memory(port, process, kept + similar(0) + previews())
    return figures, {"asked": f"{len(kept)} queries a round, {SOUNDS} sounds, {CONNECTIONS} connections, 15 a page"}


def of_rounds(name: str, port: int, process: int, rounds: Sequence[Sequence[str]], target: bool = True) -> list[Figure]:
    """What rounds of requests took; the processor's time tells of them on a busy machine too."""
    rates, slowest, worked = [], [], []
    for paths in rounds:
        before = processor(process)
        taken = load(port, paths)
        worked.append(1e3 * (processor(process) - before) / len(paths))
        rates.append(len(paths) / taken[0])
        slowest.append(1e3 * statistics.quantiles(taken[1:], n=100)[98])
    return [
        Figure(name, rates, "1/s", at_least=300 if target else None),
        Figure(f"{name}, 99th percentile", slowest, "ms", at_most=50 if target else None),
        Figure(f"{name}, processor's time for each", worked, "ms"),
    ]


def of_previews(port: int, static: int) -> list[Figure]:
    files = [f"/{number}.wav" for number in range(1, PREVIEWS + 1)]
    rates: dict[str, list[float]] = {"previews": [], "static": []}
    for _ in range(ROUNDS):
        for name, where, paths in (("previews", port, previews()), ("static", static, files)):
            taken = load(where, paths * 3)
            rates[name].append((len(taken) - 1) / taken[0])
    return [
        Figure("previews of 64 kB", rates["previews"], "1/s"),
        Figure("the same as static files", rates["static"], "1/s"),
        Figure("previews / static files", ratio(rates["previews"], rates["static"]), "", at_least=0.5),
    ]


def of_memory(port: int, process: int, paths: list[str]) -> list[Figure]:
    order = random.Random(1)
    sizes = []
    load(port, paths)
    for _ in range(2):
        sizes.append(resident(process))
        load(port, [order.choice(paths) for _ in range(MANY // 2)])
    sizes.append(resident(process))
    return [
        Figure(f"memory before {MANY} requests", sizes[:1], "MB"),
        Figure("memory half-way", sizes[1:2], "MB"),
        Figure("memory after", sizes[2:], "MB"),
        Figure("growth in the second half", [sizes[2] - sizes[1]], "MB", at_most=10),
    ]


def searches(queries: Iterable[text.Query]) -> list[str]:
    made = []
    for query in queries:
        params = {"query": query.choice.text, "page_size": 15}
        narrow = [query.choice.filter, *(f"tag:{tag}" for tag in query.choice.tags)]
        if any(narrow):
            params["filter"] = " ".join(filter(None, narrow))
        made.append(f"/apiv2/search/?{urlencode(params)}")
    random.Random(0).shuffle(made)
    return made


HELD_TO = ("weighted searches", "old clients: search", "old clients: similar", "old clients: content")


def kinds() -> dict[str, Callable[[int], list[str]]]:
    """Further requests, given a seed: those of old clients have 15 a page as well, with their analyses."""
    old = "descriptors=lowlevel.mfcc&fields=id,name,analysis"

    def drawn(seed: int, more: str) -> list[str]:
        return [f"{path}&{more}" for path in searches(text.drawn_anew(100 + seed))]

    def pages(seed: int) -> list[str]:
        place = f"/apiv2/search/?similar_to={seed + 1}&similarity_space=mfcc&fields=id&page_size=150"
        return [f"{place}&page={page}" for page in range(1, SOUNDS // 150, 4)]

    def content(seed: int) -> list[str]:
        values = np.random.default_rng(seed).uniform(0.1, 100, 300).round(3)
        return [f"/apiv2/search/content/?target=.sfx.duration:{value}&fields=id,name" for value in values]

    return {
        "weighted searches": lambda seed: drawn(seed, "weights=tag:4,name:2"),
        "sorted searches": lambda seed: drawn(seed, "sort=downloads_desc"),
        "deep pages": pages,
        # what nothing fits is no answer to them
        "old clients: search": lambda seed: [path for path in drawn(seed, old) if "filter=" not in path],
        "old clients: similar": lambda seed: [f"{path}&{old}" for path in similar(10 + seed)[:300]],
        "old clients: content": content,
    }


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Another process that writes down what is played, ten times a second."""
    with subprocess.Popen([sys.executable, "-c", WRITE, str(home)]) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def similar(seed: int) -> list[str]:
    ids = np.random.default_rng(seed).integers(1, SOUNDS + 1, SIMILAR)
    return [f"/apiv2/sounds/{number}/similar/?similarity_space=mfcc&page_size=15" for number in ids]


def previews() -> list[str]:
    return [f"/apiv2/previews/0/{number}_0-hq.ogg" for number in range(1, PREVIEWS + 1)]


def build(home: Path) -> None:
    """The sounds of `text.py`, with MFCCs and the facts of a file each; the first have theirs."""
    text.build(home, SOUNDS)
    generator = np.random.default_rng(0)
    (home / "sounds").mkdir(parents=True, exist_ok=True)
    with Corpus(home) as corpus:
        corpus.vectors.register(fingerprinted("mfcc"))
        with corpus.database.write() as connection:
            space = connection.execute(sa.select(spaces.c.id).where(spaces.c.name == "mfcc")).scalar_one()
            made = connection.execute(sa.insert(provenances).values(facts="{}")).inserted_primary_key
            fixed = {"space_id": space, "file_id": None, "provenance_id": made[0] if made else 1}
            for first in range(1, SOUNDS + 1, 10_000):
                X = generator.normal(0, 50, (10_000, 26)).astype(np.float32)
                rows = [{**fixed, "sound_id": first + place, "data": x.tobytes()} for place, x in enumerate(X)]
                connection.execute(sa.insert(vectors), rows)
            for number in range(1, PREVIEWS + 1):
                (home / "sounds" / f"{number}.wav").write_bytes(generator.bytes(PREVIEW_BYTES))
            connection.execute(sa.insert(files), [_file(number) for number in range(1, SOUNDS + 1)])


def _file(number: int) -> dict[str, object]:
    return {
        "sound_id": number,
        "path": f"sounds/{number}.wav",
        "linked": False,
        "preferred": True,
        "source": "original",
        "sha256": f"{number:064x}",
        "bytes": PREVIEW_BYTES,
        "format": "wav",
        "samplerate": 44100,
        "channels": 1,
        "frames": PREVIEW_BYTES // 2,
        "added": "2026-01-01T00:00:00Z",
    }


@contextmanager
def serving(program: str, where: Path) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and the process's number."""
    with listening("127.0.0.1", 0) as free:
        port = int(free.getsockname()[1])
    with subprocess.Popen([sys.executable, "-c", program, str(where), str(port)]) as process:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 5).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(20)


def load(port: int, paths: Sequence[str]) -> list[float]:
    """Ask for all paths from a process of its own: the seconds of all together, then those of each."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(generate, (port, list(paths)))


def generate(port: int, paths: list[str]) -> list[float]:
    taken: list[float] = []
    left = iter(paths)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in left:
            start = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(f"{path}: {head!r}")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
            taken.append(time.perf_counter() - start)
        writer.close()

    async def all_clients() -> None:
        await asyncio.gather(*(client() for _ in range(CONNECTIONS)))

    start = time.perf_counter()
    asyncio.run(all_clients())
    return [time.perf_counter() - start, *taken]


def processor(process: int) -> float:
    """Seconds of work that a process has done."""
    facts = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """A process's memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    run(__doc__ or "", main)
