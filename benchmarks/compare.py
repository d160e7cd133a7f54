"""How long `mirla compare` takes, and how that grows with the corpus.

    python benchmarks/compare.py [--json FILE]

Four measures, k = 10, all sounds of corpora of 10^3 to 10^5, and a sample at 10^6; with their evidence, that is
agreement, precision, hubness and their bootstrap intervals. Again with an agent, from 10^5 on for a sample. `growth` is
how many times longer ten times as many sounds take. What measures make of their spaces is there already; making it is
timed alone.

The corpora are synthetic: the vectors of real sounds, scattered by a tenth, written as rows at once. A tenth as many
makers as sounds have three packs each; tags are the beginnings of the real sounds' names; every second sound has a
category from its maker.
"""

from __future__ import annotations

import resource
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from material import samples, task
from side_by_side import Figure, run

from corpus.analysis.measuring import measure as analysed
from corpus.analysis.spaces import fingerprinted
from corpus.library import Corpus
from corpus.store.tables import provenances, sounds, spaces, tags, vectors
from engine.agent.training import train
from engine.compare.run import compare
from engine.similarity.many import Many
from engine.similarity.measures import measure

SIZES = (10**3, 10**4, 10**5)
SAMPLED = 10**6
SAMPLE = 1000
MOST_WITH_AGENT = 10**4
"""From more sounds on, an agent's taste is looked for on a sample: its rank may lie anywhere."""
MEASURES = ("mfcc", "mfcc_raw", "mfcc_cosine", "mfcc_gauss")
SPACES = ("mfcc", "mfcc_frames")
WITHIN = 60.0
"""Seconds for 10 000 sounds."""
_COEFFICIENTS = 13

Rows = npt.NDArray[np.float32]


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    paths = samples(folder)
    measured = [analysed(task(path, SPACES)).vectors for path in paths]
    real = {space: np.array([one[space] for one in measured]) for space in SPACES}
    names = [path.stem.split("_")[0] for path in paths]
    figures: list[Figure] = []
    taken: dict[str, float] = {}
    for size in (*SIZES, SAMPLED):
        home = folder / str(size)
        build(home, size, real, names)
        with Corpus(home) as corpus:
            figures += of_corpus(corpus, size, taken)
    return figures, {"measures": ", ".join(MEASURES), "peak memory": f"{peak():.0f} MB over all"}


def of_corpus(corpus: Corpus, size: int, before: dict[str, float]) -> list[Figure]:
    start = time.perf_counter()
    for name in MEASURES:
        Many(corpus, measure(name), measure(name).knows(corpus))
    made = [Figure(f"{size}: caches", [time.perf_counter() - start], "s")]
    for what, agent, most in (("compare", None, max(SIZES)), ("with an agent", "taste", MOST_WITH_AGENT)):
        sample = None if size <= most else SAMPLE
        start = time.perf_counter()
        compare(corpus, MEASURES, agent=agent, sample=sample)
        seconds = time.perf_counter() - start
        within = WITHIN if size == 10**4 and agent is None else None
        asked = f", {sample} asked about" if sample else ""
        made.append(Figure(f"{size}: {what}{asked}", [seconds], "s", at_most=within))
        if what in before and not sample:
            made.append(Figure(f"{size}: {what}, growth", [seconds / before[what]], "x"))
        before[what] = seconds
    return [*made, Figure(f"{size}: peak memory so far", [peak()], "MB")]


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def like(real: dict[str, Rows], chosen: npt.NDArray[np.int64], seed: int = 0) -> dict[str, Rows]:
    """Vectors of sounds like the chosen ones: each coefficient scaled in its mean, and in its covariances alike."""
    generator = np.random.default_rng(seed)
    scatter = generator.lognormal(sigma=0.1, size=(len(chosen), real["mfcc"].shape[1]))
    upper = np.triu_indices(_COEFFICIENTS)
    scale = scatter[:, :_COEFFICIENTS]
    frames = np.hstack([scale, scale[:, upper[0]] * scale[:, upper[1]]])
    scales = {"mfcc": scatter, "mfcc_frames": frames}
    return {space: np.asarray(X[chosen] * scales[space], np.float32) for space, X in real.items()}


def build(home: Path, size: int, real: dict[str, Rows], names: list[str]) -> None:
    """A corpus of sounds 1 to `size` and an agent, written as rows at once."""
    chosen = np.random.default_rng(1).integers(len(names), size=size)
    with Corpus(home) as corpus:
        for space in SPACES:
            corpus.vectors.register(fingerprinted(space))
        with corpus.database.write() as connection:
            numbers = dict(connection.execute(sa.select(spaces.c.name, spaces.c.id)).tuples().all())
            made = connection.execute(sa.insert(provenances).values(facts="{}")).inserted_primary_key
            for first in range(0, size, 10_000):
                some = range(first, min(first + 10_000, size))
                connection.execute(sa.insert(sounds), list(map(partial(sound, size), some)))
                each = [{"sound_id": row + 1, "tag": names[chosen[row]], "position": 0} for row in some]
                connection.execute(sa.insert(tags), each)
                X = like(real, chosen[some.start : some.stop], first)
                for space, number in numbers.items():
                    fixed = {"space_id": number, "file_id": None, "provenance_id": made[0]}
                    rows = [{**fixed, "sound_id": row + 1, "data": X[space][row - first].tobytes()} for row in some]
                    connection.execute(sa.insert(vectors), rows)
        agent = corpus.agents.create("taste", "", ["mfcc"], "mlp")
        good = [row + 1 for row in range(size) if names[chosen[row]] == names[0]]
        bad = [row + 1 for row in range(size) if names[chosen[row]] != names[0]]
        for label, ids in (("good", good), ("bad", bad)):
            corpus.agents.annotate(agent, ids[:40], label, who="benchmark", session="benchmark")
        train(corpus, "taste")


def sound(size: int, row: int) -> dict[str, Any]:
    maker = row * 7919 % max(size // 10, 1)
    record = {"category": f"category {row % 20}", "category_is_user_provided": row % 2 == 0}
    fixed = {"licence": "CC0", "added": "2026-01-01T00:00:00Z", "record": record}
    return {"id": row + 1, "name": f"sound {row}", "username": f"maker {maker}", "pack": f"{maker} {row % 3}", **fixed}


if __name__ == "__main__":
    run(__doc__ or "", main)
