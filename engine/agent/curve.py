"""The learning curve: accuracy on held-out sounds against the number of labels there are to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.library import Corpus
from engine.agent.evaluate import Estimate, Progress, Rows, folds_of, held_out_scores, scored, usual_repeats
from engine.agent.forms import Classes, Floats, Matrix
from engine.agent.training import lesson, unscored

_FEWEST = 4
_POINTS = 8


@dataclass(frozen=True)
class Point:
    """Accuracies of what was learnt from so many labels."""

    labels: int
    accuracy: Estimate
    balanced: Estimate

    def as_json(self) -> dict[str, Any]:
        """`{"labels", "accuracy", "balanced"}`."""
        return {"labels": self.labels, "accuracy": self.accuracy.as_json(), "balanced": self.balanced.as_json()}


def learning_curve(
    X: Matrix | Floats,
    y: Classes,
    groups: Sequence[str],
    seed: int = 0,
    progress: Progress | None = None,
    classifier: str = "mlp",
    repeats: int | None = None,
) -> tuple[list[Point], str]:
    """Accuracy by number of labels, and the protocol in words.

    The folds are those of `engine.agent.evaluate`, as many times; from what each may learn from, ever larger parts are
    taken, each with the one before in it, and the classes in their proportion. The last takes all there is, so that its
    accuracy is the one of `cross_validate`: its number is that of the largest fold. No points where nothing can be held
    out.
    """
    folds = folds_of(y, groups, seed, repeats or usual_repeats(classifier))
    if folds is None:
        return [], unscored()["protocol"]
    lengths = [len(train) for splits in folds.repeats for train, _ in splits]
    steps = np.geomspace(min(_FEWEST, min(lengths)), min(lengths), _POINTS)[:-1]
    sizes = sorted({*(round(size) for size in steps), max(lengths)})
    points = []
    for done, size in enumerate(sizes):
        held_out = np.empty((len(folds.repeats), len(y)))
        for repeat, splits in enumerate(folds.repeats):
            for train, test in splits:
                some = np.sort(_in_proportion(train, y, seed + repeat)[:size])  # as `cross_validate` has them
                held_out[repeat, test] = held_out_scores(classifier, X, y, groups, (some, test), seed + repeat)
        found = scored(held_out, y, folds.members, folds.protocol, seed)
        points.append(Point(size, found.accuracy, found.balanced))
        if progress:
            progress(done + 1, len(sizes))
    return points, folds.protocol


def curve(
    corpus: Corpus, name: str, classifier: str | None = None, seed: int = 0, progress: Progress | None = None
) -> dict[str, Any]:
    """The learning curve of an agent, as `mirla agent curve --json` answers it.

    Raises
    ------
    TrainingError
        There is nothing to learn from, or no such classifier.
    """
    agent = corpus.agents.get(name)
    given = lesson(corpus, agent, classifier)
    learner = classifier or agent.classifier
    points, protocol = learning_curve(given.X, given.y, given.groups, seed, progress, learner)
    return {
        "agent": name,
        "classifier": learner,
        "good": given.good,
        "bad": given.bad,
        "baseline": round(max(given.good, given.bad) / len(given.y), 4),
        "points": [point.as_json() for point in points],
        "protocol": protocol,
        "left_out": given.left_out,
        "lacks": given.lacks,
    }


def _in_proportion(rows: Rows, y: Classes, seed: int) -> Rows:
    """Rows at random, but so that any first few have the classes as all have, and the first two have both."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    place = np.empty(len(rows))
    for label in (0, 1):
        mine = y[shuffled] == label
        place[mine] = np.arange(mine.sum()) / max(1, mine.sum())
    return np.asarray(shuffled[np.argsort(place, kind="stable")])
