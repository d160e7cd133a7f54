"""How long a text query takes, by itself and with a tag, a filter, a word that must not occur, and as a phrase.

    python benchmarks/text.py [--json FILE]

For corpora of 10^3 to 10^6 sounds. Their names, tags and descriptions are made of words whose frequency is that of
their place (Zipf: the n-th word is 1/n as frequent as the first), about 25 a sound: the first word is in nine sounds of
ten, and most words in a few of a million. The queries are those of `text_queries.txt`, whose words were drawn in the
same way, so that they mix frequent and rare ones; `--write-queries` draws them anew. What is timed is the whole answer,
`engine.query.run.search` for 10 sounds, their names included. Queries are asked twice: first when frequent words have
yet to be counted, as after any change of any text, then with the counts there; only the latter's times have a target.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from side_by_side import Figure, run

from corpus.library import Corpus
from corpus.licences import from_text
from corpus.model import Sound
from engine.query.run import Choice, search

SIZES = (10**3, 10**4, 10**5, 10**6)
QUERIES = Path(__file__).with_name("text_queries.txt")
EACH = 60
"""Queries of a kind."""
WORDS = 50_000
USERS = 5_000
AT_ONCE = 10_000
CC0 = from_text("CC0")


@dataclass(frozen=True)
class Query:
    """A query, and what kind it is."""

    kind: str
    choice: Choice


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    figures: list[Figure] = []
    queries = list(read())
    for size in SIZES:
        home = folder / str(size)
        start = time.perf_counter()
        build(home, size)
        figures.append(Figure(f"{size}: built", [time.perf_counter() - start], "s"))
        with Corpus(home) as corpus:
            counting = taken(corpus, queries)
            figures.append(
                Figure(
                    f"{size}: slowest of all while words are counted",
                    [max(max(each) for each in counting.values())],
                    "ms",
                )
            )
            figures += of_queries(corpus, size, queries)
    return figures, {"queries": f"{len(queries)}, k = 10", "words": f"{WORDS} of which the n-th has 1/n the frequency"}


def of_queries(corpus: Corpus, size: int, queries: list[Query]) -> list[Figure]:
    by_kind = taken(corpus, queries)
    by_kind["all"] = list(chain.from_iterable(by_kind.values()))
    figures: list[Figure] = []
    for kind, each in by_kind.items():
        quantiles = statistics.quantiles(each, n=100)
        figures.append(Figure(f"{size}: {kind}, median", [quantiles[49]], "ms"))
        figures.append(Figure(f"{size}: {kind}, 99th percentile", [quantiles[98]], "ms", at_most=100))
    return figures


def taken(corpus: Corpus, queries: list[Query]) -> dict[str, list[float]]:
    """Milliseconds of each query, by kind."""
    found: dict[str, list[float]] = {}
    for query in queries:
        start = time.perf_counter()
        search(corpus, query.choice)
        found.setdefault(query.kind, []).append(1e3 * (time.perf_counter() - start))
    return found


def read() -> Iterator[Query]:
    """The queries of the file."""
    return parsed(QUERIES.read_text(encoding="utf-8"))


def parsed(written: str) -> Iterator[Query]:
    kind = ""
    for line in written.splitlines():
        if line.startswith("# "):
            kind = line[2:]
        elif line:
            text, *options = line.split("\t")
            given = dict(option.split("=", 1) for option in options)
            tagged = (given["tag"],) if "tag" in given else ()
            yield Query(kind, Choice(text=text, tags=tagged, filter=given.get("filter", "")))


def drawn_anew(seed: int) -> Iterator[Query]:
    """Queries as those of the file, but others."""
    return parsed(draw(seed + 1000))


def draw(seed: int) -> str:
    """Draw queries, each kind under its name."""
    generator = np.random.default_rng(seed)
    words = vocabulary()

    def some(least: int, most: int) -> str:
        return " ".join(words[drawn(generator, int(generator.integers(least, most + 1)))])

    def short() -> str:
        return f"filter=duration:[0 TO {generator.integers(1, 30)}]"

    made = {
        "words": lambda: some(1, 3),
        "words and tag": lambda: f"{some(1, 3)}\ttag={some(1, 1)}",
        "words and filter": lambda: f"{some(1, 3)}\t{short()}",
        "without a word": lambda: f"{some(1, 2)} -{some(1, 1)}",
        "phrase": lambda: f'"{some(2, 2)}"',
    }
    lines = []
    for kind, draw in made.items():
        lines += [f"# {kind}", *(draw() for _ in range(EACH)), ""]
    lines += ["# frequent words", *words[:5], *(f"{one} {other}" for one, other in product(words[:3], words[3:6])), ""]
    return "\n".join(lines)


@cache
def vocabulary() -> npt.NDArray[Any]:
    """The words, the most frequent first: of two syllables or three, in an order drawn from one seed."""
    syllables = ["".join(letters) for letters in product("bdfgklmnprtvz", "aiou")]
    made = ["".join(parts) for length in (2, 3) for parts in product(syllables, repeat=length)]
    return np.random.default_rng(0).permutation(np.array(made, object))[:WORDS]


def drawn(generator: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Places of words, the n-th 1/n as often as the first."""
    return np.searchsorted(_up_to(), generator.random(count) * _up_to()[-1])


@cache
def _up_to() -> npt.NDArray[np.float64]:
    return np.cumsum(1 / np.arange(1, WORDS + 1))


def build(home: Path, size: int) -> None:
    """A corpus of sounds 1 to `size`, in the order in which harvests write them."""
    generator = np.random.default_rng(1)
    with Corpus(home) as corpus:
        for first in range(1, size + 1, AT_ONCE):
            ids = range(first, min(first + AT_ONCE, size + 1))
            with corpus.database.write() as connection:
                corpus.sounds.insert(connection, list(described(generator, ids)))


def described(generator: np.random.Generator, ids: range) -> Iterator[Sound]:
    sizes = generator.integers((2, 2, 5), (5, 7, 31), size=(len(ids), 3))
    words = vocabulary()[drawn(generator, int(sizes.sum()))].tolist()
    ends = np.cumsum(sizes).reshape(-1, 3).tolist()
    users, durations = generator.integers(USERS, size=len(ids)).tolist(), generator.lognormal(1, 1.5, len(ids)).tolist()
    start = 0
    for sound_id, (name, tagged, description), user, duration in zip(ids, ends, users, durations, strict=True):
        yield Sound(
            id=sound_id,
            name=" ".join(words[start:name]),
            username=f"user{user}",
            licence=CC0,
            tags=tuple(words[name:tagged]),
            description=" ".join(words[tagged:description]),
            duration=duration,
        )
        start = description


if __name__ == "__main__":
    if "--write-queries" in sys.argv:
        QUERIES.write_text(draw(7), encoding="utf-8")
    else:
        run(__doc__ or "", main)
