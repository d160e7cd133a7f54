"""How long an agent takes to learn and to judge, beside bare scikit-learn.

    python benchmarks/agents.py [--json FILE]

Refit: the paper's classifier on 26 numbers a sound, from examples to the arrays that judge, beside scikit-learn's
pipeline with an MLPClassifier of the same settings (its early stopping differs: see `engine.agent.network`). Judging: a
million synthetic sounds by the kept arrays, beside the pipeline's own predict_proba; and as a query has them, from a
corpus: the first time, by another process, and again.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import numpy as np
from side_by_side import Figure, by_turns, ratio, run
from similarity import build
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from corpus.library import Corpus
from engine.agent.classifiers import CLASSIFIERS
from engine.agent.fitting import fit
from engine.agent.forms import logits
from engine.agent.judging import judge
from engine.agent.training import train
from engine.query.run import Choice, similar

REFITS = {100: 0.05, 1000: 0.25}
SOUNDS = 10**6
ROUNDS = 9
LABELS = 130


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    figures = refits()
    figures += classifiers()
    figures += million()
    figures += in_a_corpus(folder)
    return figures, {"rounds": str(ROUNDS)}


def refits() -> list[Figure]:
    figures = []
    for count, target in REFITS.items():
        X, y = examples(count)
        contenders = {"ours": partial(learnt, X, y), "scikit-learn": partial(learnt_by_scikit_learn, X, y)}
        by_turns(contenders, [0], 1)
        taken = by_turns(contenders, [0], ROUNDS)
        figures += [
            Figure(f"refit of mlp, {count} labels", taken["ours"], "s", at_most=target),
            Figure(f"bare scikit-learn, {count} labels", taken["scikit-learn"], "s"),
            Figure("share of it", ratio(taken["ours"], taken["scikit-learn"]), "", at_most=1.2),
        ]
    return figures


def classifiers() -> list[Figure]:
    X, y = examples(LABELS)
    contenders = {name: partial(refit, name, X, y) for name in CLASSIFIERS}
    taken = by_turns(contenders, [0], 3)
    return [Figure(f"refit of {name}, {LABELS} labels", seconds, "s") for name, seconds in taken.items()]


def million() -> list[Figure]:
    X, y = examples(LABELS)
    arrays, pipeline = fit("mlp", X, y).arrays, learnt_by_scikit_learn(X, y, 0)
    rows = np.tile(X, (SOUNDS // LABELS + 1, 1))[:SOUNDS]
    contenders = {"ours": lambda _: logits(arrays, rows), "scikit-learn": lambda _: pipeline.predict_proba(rows)}
    by_turns(contenders, [0], 1)
    taken = by_turns(contenders, [0], 5)
    return [
        Figure("judging 10^6 with mlp", taken["ours"], "s", at_most=0.1),
        Figure("scikit-learn's pipeline", taken["scikit-learn"], "s"),
        Figure("times as fast", ratio(taken["scikit-learn"], taken["ours"]), ""),
    ]


def in_a_corpus(folder: Path) -> list[Figure]:
    """A query with an agent and without one."""
    X, _ = examples(165)
    build(folder / "home", SOUNDS, X)
    with Corpus(folder / "home") as corpus:
        agent = corpus.agents.create("taste", "", ["mfcc"], "mlp")
        ids = corpus.sounds.ids()[:LABELS].tolist()
        for label, some in (("good", ids[::2]), ("bad", ids[1::2])):
            corpus.agents.annotate(agent, some, label, who="benchmark", session="benchmark")
        train(corpus, "taste")
        targets = ids[:20]
        first = by_turns({"first": lambda _: judge(corpus, "taste")}, [0], 1)["first"]
        contenders = {
            "again": lambda _: judge(corpus, "taste"),
            "without": lambda target: similar(corpus, target, Choice(k=10)),
            "with": lambda target: similar(corpus, target, Choice(k=10, agents=("taste",))),
        }
        by_turns(contenders, targets[:2], 1)
        taken = by_turns(contenders, targets, 5)
    with Corpus(folder / "home") as corpus:
        process = by_turns({"process": lambda _: judge(corpus, "taste")}, [0], 1)["process"]
    per = {name: [1e3 * one / len(targets) for one in seconds] for name, seconds in taken.items()}
    return [
        Figure("verdicts of 10^6, made and kept", first, "s"),
        Figure("verdicts of 10^6, in another process", process, "s"),
        Figure("verdicts of 10^6, again", per["again"], "ms"),
        Figure("similar among 10^6", per["without"], "ms"),
        Figure("similar among 10^6 with an agent", per["with"], "ms"),
        Figure("of one without", ratio(per["with"], per["without"]), ""),
    ]


def examples(count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many sounds of 26 numbers, of two classes that lie over one another."""
    generator = np.random.default_rng(0)
    y = np.arange(count) % 2
    X = generator.normal(size=(count, 26)) * 40 + 12 * y[:, None] - 300 * (np.arange(26) == 0)
    return X.astype(np.float32), y


def learnt(X: np.ndarray, y: np.ndarray, _item: int) -> object:
    return fit("mlp", X, y).arrays


def refit(name: str, X: np.ndarray, y: np.ndarray, _item: int) -> object:
    return fit(name, X, y)


def learnt_by_scikit_learn(X: np.ndarray, y: np.ndarray, _item: int) -> Pipeline:
    network = MLPClassifier(
        (14,),
        solver="sgd",
        learning_rate_init=0.01,
        momentum=0.9,
        batch_size=10,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=10,
        max_iter=10000,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(StandardScaler(), PCA(20, svd_solver="full"), network).fit(X, y)


if __name__ == "__main__":
    run(__doc__ or "", main)
