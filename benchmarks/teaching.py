"""How long a key waits while an agent is taught, and whether the most useful question teaches faster than chance.

    python benchmarks/teaching.py [--json FILE]

From a key to the next sound: the verb, the answer on disk, the next sound chosen, and its audio, loaded ahead, at hand.
An answer comes every 0.3 s while the agent is refitted, in a process of its own (as mirla does), in a thread of the
same process (an endless cross-validation) or not at all. Without a device: to start a voice takes the audio process
another millisecond. `useful` on a large corpus: to make the pool, and to choose from it after an answer.

What it teaches: on the samples, good is what a rule of names calls good; after so many answers the agent judges all
that was not asked, and its balanced accuracy is compared with that of as many random questions, a round a seed.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from material import samples
from side_by_side import Figure, run

from corpus.library import Corpus
from engine.agent.evaluate import cross_validate
from engine.agent.examples import examples
from engine.agent.forms import sigmoid
from engine.agent.training import fit
from engine.agent.useful import Pool
from engine.cli.hearing import Hearing
from engine.features import FeatureMatrix, load
from engine.teaching import Teacher

KEYS = 30
KEY_ROUNDS = 3
BEFORE = 10
PACE = 0.3
LARGE = 10**6
ROUNDS = 5
RULES = {"drums": ("bd", "drum", "sn", "tabla", "perc"), "ambience": ("ambi", "bass", "guit", "vinyl")}
LABELS = (10, 20, 40)
SEEDS = 20


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    with Corpus(folder / "home") as corpus:
        corpus.adopt(samples(folder))
        corpus.analyse()
        figures = [*waits(corpus, "process", 50), *waits(corpus, "thread"), *waits(corpus, "none")]
        figures += large()
        figures += taught(corpus)
    return figures, {"keys": f"{KEYS} a round, after {BEFORE} labels", "seeds": str(SEEDS)}


def waits(corpus: Corpus, refits: str, at_most: float | None = None) -> list[Figure]:
    rounds = [keys(corpus, f"{refits}{number}", refits) for number in range(KEY_ROUNDS)]
    where = {"process": "refits in a process", "thread": "refits in a thread", "none": "no refits"}[refits]
    return [
        Figure(f"key to next sound, {where}", [statistics.median(one) for one in rounds], "ms", at_most=at_most),
        Figure(f"the slowest of {KEYS}, {where}", [max(one) for one in rounds], "ms"),
    ]


def keys(corpus: Corpus, name: str, refits: str) -> list[float]:
    """What some keys took, in ms."""
    teacher = Teacher(corpus, name, who="benchmark", seed=0)
    if refits != "process":
        teacher._pupil.refit = lambda ids: None  # the refits of a thread are made below
    hearing = Hearing(corpus, None, None, print)
    status = teacher.useful()
    over = threading.Event()
    background = threading.Thread(target=_refits, args=(corpus, name, over))
    taken = []
    for key in range(BEFORE + KEYS):
        hearing.keep(status.sound, teacher.upcoming)
        if key >= BEFORE:
            time.sleep(PACE)
        start = time.perf_counter()
        status = (teacher.ok if key % 2 else teacher.ko)()
        assert status.sound
        hearing.play(hearing.clip(status.sound))
        taken.append(1e3 * (time.perf_counter() - start))
        if key == BEFORE - 1 and refits == "thread":
            background.start()
    over.set()
    if refits == "thread":
        background.join()
    hearing.close()
    teacher.close()
    return taken[BEFORE:]


def _refits(corpus: Corpus, name: str, over: threading.Event) -> None:
    def stop(_done: int, _total: int) -> None:
        if over.is_set():
            raise InterruptedError

    while not over.is_set():
        given = examples(corpus, corpus.agents.get(name))
        try:
            cross_validate(given.X, given.y, given.groups, 0, stop)
        except InterruptedError:
            return


def large() -> list[Figure]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(LARGE, 26)).astype(np.float32)
    matrix = FeatureMatrix("synthetic", np.arange(1, LARGE + 1), X)
    asked = generator.choice(matrix.ids, 100, replace=False).tolist()
    made, chosen = [], []
    for seed in range(ROUNDS):
        start = time.perf_counter()
        pool = Pool(matrix, matrix.ids, asked, seed)
        made.append(1e3 * (time.perf_counter() - start))
        p = generator.random(len(pool.ids))
        start = time.perf_counter()
        best = pool.best(asked, p)
        assert best
        pool.ask(best)
        chosen.append(1e3 * (time.perf_counter() - start))
    return [
        Figure(f"{LARGE} sounds, 100 asked: pool of the most useful", made, "ms"),
        Figure(f"{LARGE} sounds, 100 asked: the next of them", chosen, "ms", at_most=50),
    ]


def taught(corpus: Corpus) -> list[Figure]:
    matrix = load(corpus, "mfcc")
    names = [sound.name for sound in corpus.sounds.many(matrix.ids.tolist())]
    figures = []
    for rule, prefixes in RULES.items():
        y = np.array([name.split("_")[0] in prefixes for name in names], np.int64)
        ways: dict[str, Callable[[int], list[float]]] = {
            "chance": lambda seed, y=y: _by_chance(matrix, y, seed),
            "useful": lambda seed, y=y: _by_use(matrix, y, seed),
        }
        scores = {way: np.array([ask(seed) for seed in range(SEEDS)]) for way, ask in ways.items()}
        for place, labels in enumerate(LABELS):
            of = {way: scores[way][:, place] for way in ways}
            gain = of["useful"] - of["chance"]
            error = 1.96 * float(gain.std(ddof=1)) / SEEDS**0.5
            what = f"{rule}, {labels} labels"
            figures += [Figure(f"{what} by {way}", values.tolist(), "balanced") for way, values in of.items()]
            figures.append(Figure(f"{what}: mean gain by use", [float(gain.mean())], "balanced"))
            figures.append(Figure(f"{what}: its 95 % half width", [error], "balanced"))
    return figures


def _by_chance(matrix: FeatureMatrix, y: npt.NDArray[np.int64], seed: int) -> list[float]:
    order = np.random.default_rng(seed).permutation(len(y)).tolist()
    return [_balanced(matrix, y, order[:labels], seed) for labels in LABELS]


def _by_use(matrix: FeatureMatrix, y: npt.NDArray[np.int64], seed: int) -> list[float]:
    """As a lesson asks; the first sound is drawn, so that seeds differ."""
    rows = [int(np.random.default_rng(seed).integers(len(y)))]
    pool = Pool(matrix, matrix.ids, [int(matrix.ids[rows[0]])], seed)
    while len(rows) < max(LABELS):
        p = None
        if 0 < y[rows].sum() < len(rows):
            scores = fit("mlp", matrix.X[rows], y[rows], seed).scores(matrix.X)
            p = sigmoid(scores)
        best = pool.best(matrix.ids[rows].tolist(), p)
        assert best
        pool.ask(best)
        rows.append(int(np.searchsorted(matrix.ids, best)))
    return [_balanced(matrix, y, rows[:labels], seed) for labels in LABELS]


def _balanced(matrix: FeatureMatrix, y: npt.NDArray[np.int64], rows: list[int], seed: int) -> float:
    others = np.setdiff1d(np.arange(len(y)), rows)
    if not 0 < y[rows].sum() < len(rows):
        return 0.5
    good = fit("mlp", matrix.X[rows], y[rows], seed).scores(matrix.X[others]) > 0
    return float(np.mean([(good[y[others] == label] == bool(label)).mean() for label in (0, 1)]))


if __name__ == "__main__":
    run(__doc__ or "", main)
