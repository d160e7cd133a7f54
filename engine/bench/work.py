"""What the worker processes do: parts of a cell, each with one thread.

A cell is one classifier on one space (or several side by side) and one labelled set. Its parts are the repeats of the
cross-validation, the learning curve, and judging the whole corpus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from corpus.library import Corpus
from engine.agent.curve import learning_curve
from engine.agent.evaluate import Split, held_out_scores
from engine.agent.examples import rows_of
from engine.agent.fitting import fit
from engine.agent.forms import Classes, Floats, Matrix, logits
from engine.agent.judging import judged_by
from engine.features import load

CURVE_REPEATS = 5
"""Of the learning curve, which takes most of the time."""
_FITS = 3
"""The median of so many is the time of a fit."""
_FEWEST = 1 << 14
"""Sounds by which judging is timed at least: as many as are judged at once."""


@dataclass(frozen=True)
class Cell:
    """What a cell learns from.

    Attributes
    ----------
    classifier : str
    spaces : tuple of str
    X : (n, d) float32
    y : (n,) 0 or 1
    groups : list of str
        The uploader of each sound.
    seed : int
    """

    classifier: str
    spaces: tuple[str, ...]
    X: Matrix
    y: Classes
    groups: list[str]
    seed: int

    @property
    def space(self) -> str:
        """The spaces as they were asked for."""
        return "+".join(self.spaces)


def repeat(cell: Cell, splits: Sequence[Split], number: int) -> Floats:
    """Scores (n,) of the sounds when they were held out, by one repeat's splits."""
    held_out = np.empty(len(cell.y))
    for split in splits:
        held_out[split[1]] = held_out_scores(cell.classifier, cell.X, cell.y, cell.groups, split, cell.seed + number)
    return held_out


def curve(cell: Cell) -> Floats:
    """The learning curve (points, 7): labels, then value and interval of accuracy and of balanced accuracy."""
    points, _ = learning_curve(cell.X, cell.y, cell.groups, cell.seed, None, cell.classifier, CURVE_REPEATS)
    rows = [
        [point.labels, *(number for one in (point.accuracy, point.balanced) for number in (one.value, *one.interval))]
        for point in points
    ]
    return np.array(rows, np.float64).reshape(len(rows), 7)


def judging(cell: Cell, home: Path) -> Floats:
    """Learn from all labels and judge the whole corpus, as an agent does; a small corpus several times over.

    Returns
    -------
    (5,) float64
        Seconds to fit; sounds in the corpus, and how many of them are good; how many were judged, in how many seconds.
    """
    fits = [_timed(lambda: fit(cell.classifier, cell.X, cell.y, cell.seed, cell.groups)) for _ in range(_FITS)]
    fitted = fits[0][1]
    arrays = fitted.arrays
    score = (lambda X: logits(arrays, X)) if arrays else fitted.scores
    with Corpus(home) as corpus:
        parts = [load(corpus, space) for space in cell.spaces]
        seconds, (ids, z) = _timed(lambda: judged_by(score, parts))
        judged = len(ids)
        if judged < _FEWEST:
            X = np.tile(rows_of(parts, ids), (-(-_FEWEST // judged), 1))
            judged, (seconds, _) = len(X), _timed(lambda: score(X))
    return np.array([median(taken for taken, _ in fits), len(ids), (z > 0).sum(), judged, seconds], np.float64)


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result
