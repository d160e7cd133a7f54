"""How long it takes to compare all classifiers, and to judge a million sounds with each.

    python benchmarks/classifiers.py [--json FILE]

`bench` compares eight classifiers on 130 labels, by 20 times 5 folds, once with learning curves and once without. Then
each judges a corpus of a million sounds, in blocks, with one thread; memory is the peak resident set of a worker, what
is mapped from the cache included.

The vectors are those of real sounds with every number scattered by a tenth; good is what has a high second coefficient,
but for some noise.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from material import samples, task
from side_by_side import Figure, run
from similarity import build

from corpus.analysis.measuring import measure
from corpus.library import Corpus
from engine.agent.classifiers import CLASSIFIERS
from engine.bench.results import Asked
from engine.bench.run import bench

LABELS = 130
MOST = 120.0
SOUNDS = 10**6
_JUDGE = """
import json, resource, sys
from corpus.library import Corpus
from engine.bench.results import Asked
from engine.bench.run import bench
with Corpus(sys.argv[1]) as corpus:
    found = bench(corpus, Asked(("taste",), tuple(sys.argv[2:]), repeats=1, curves=False))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"cells": found.as_json()["sets"][0]["cells"], "peak": peak}))
"""
"""A process of its own, since workers inherit the peak of the one that starts them."""


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    real = np.array([measure(task(path)).vectors["mfcc"] for path in samples(folder)])
    named = tuple(CLASSIFIERS)[:8]
    figures = []
    with Corpus(taught(folder / "some", len(real), real)) as corpus:
        taken = seconds(corpus, Asked(("taste",), named))
        figures.append(Figure(f"{len(named)} classifiers on {LABELS} labels, 20 x 5 folds", [taken], "s", at_most=MOST))
        taken = seconds(corpus, Asked(("taste",), named, curves=False))
        figures.append(Figure("the same without learning curves", [taken], "s"))
    asked = [sys.executable, "-c", _JUDGE, str(taught(folder / "many", SOUNDS, real)), *named]
    found = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
    for cell in found["cells"]:
        assert cell["judging"]["judged"] == SOUNDS
        figures.append(Figure(f"10^6 sounds judged by {cell['classifier']}", [cell["judging"]["seconds"]], "s"))
    figures.append(Figure("peak memory of a worker", [found["peak"] / 1e6], "MB"))
    return figures, {"labels": str(LABELS)}


def seconds(corpus: Corpus, asked: Asked) -> float:
    start = time.perf_counter()
    bench(corpus, asked)
    return time.perf_counter() - start


def taught(home: Path, size: int, real: np.ndarray) -> Path:
    """A corpus with an agent that was told of its first sounds."""
    build(home, size, real)
    with Corpus(home) as corpus:
        ids, X = corpus.vectors.matrix("mfcc")
        second = X[:LABELS, 1] + np.random.default_rng(0).normal(scale=X[:LABELS, 1].std(), size=LABELS)
        good = second > np.median(second)
        agent = corpus.agents.create("taste", "", ["mfcc"], "mlp")
        for label, some in (("good", ids[:LABELS][good]), ("bad", ids[:LABELS][~good])):
            corpus.agents.annotate(agent, some.tolist(), label, who="benchmark", session="benchmark")
    return home


if __name__ == "__main__":
    run(__doc__ or "", main)
