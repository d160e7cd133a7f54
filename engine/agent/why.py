"""Why an agent says what it says of a sound: its nearest examples, and the labels without which it would say otherwise.

Near is meant as the classifiers see it: Euclidean, over features standardised by the examples, what is missing taken
for their mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from corpus.library import Corpus
from corpus.model import Model
from engine.agent.calibration import probability, shown
from engine.agent.evaluate import Progress, alike
from engine.agent.examples import Examples, rows_of
from engine.agent.fitting import refit
from engine.agent.flucoma_network import FLUCOMA
from engine.agent.forms import Floats, Matrix
from engine.agent.loading import examples_of, model_of, scorer, temperature
from engine.errors import TrainingError
from engine.features import load

SECONDS = 10.0
"""How long labels are tried; the nearest to the sound first."""


def why(
    corpus: Corpus, name: str, sound_id: int, seconds: float = SECONDS, progress: Progress | None = None
) -> dict[str, Any]:
    """Explain a verdict, as `mirla agent why --json` answers it.

    Each label is left out in turn, all else learnt again with the same seed; `would_change` has those without which the
    verdict is the other, `tried` says how many there was time for. `cannot_leave_out` has those without which nothing
    could be learnt, as the only one of its class: these are not tried.

    Raises
    ------
    TrainingError
        It was not trained, or was imported: then there are no examples.
    ModelError
        What it learnt from is no longer there.
    UnknownSound, NoVectors
        There is no such sound, or it has no vector.
    """
    agent = corpus.agents.get(name)
    if agent.classifier == FLUCOMA:
        raise TrainingError(f"agent {name!r} was imported from FluCoMa without its examples, which could explain it")
    model = model_of(corpus, agent)
    corpus.sounds.many([sound_id])
    parts = [load(corpus, space) for space in agent.spaces]
    for part in parts:
        part.rows([sound_id])
    x = rows_of(parts, np.array([sound_id], np.int64))
    past = examples_of(corpus, agent, model)
    factor = temperature(agent, model)
    z = float(scorer(corpus, agent, model)(x)[0])
    distances = _distances(past.X, x)
    order = np.argsort(distances, kind="stable")
    changing, needed, tried = _changing(model, past, x, z > 0, order.tolist(), seconds, progress)

    def example(row: int) -> dict[str, Any]:
        label = ("bad", "good")[past.y[row]]
        return {"id": int(past.ids[row]), "label": label, "distance": round(float(distances[row]), 4)}

    others = [row for row in order.tolist() if past.ids[row] != sound_id]
    return {
        "agent": name,
        "version": model.version,
        "id": sound_id,
        "label": "good" if z > 0 else "bad",
        "p": _p(factor, z),
        "taught": next((("bad", "good")[past.y[row]] for row in order.tolist() if past.ids[row] == sound_id), None),
        "nearest": {
            label: next((example(row) for row in others if past.y[row] == number), None)
            for number, label in ((1, "good"), (0, "bad"))
        },
        "would_change": [example(row) | {"p": _p(factor, other)} for row, other in changing],
        "cannot_leave_out": [example(row) for row in needed],
        "tried": tried,
        "labels": len(past.y),
    }


def _changing(
    model: Model, past: Examples, x: Matrix, good: bool, order: list[int], seconds: float, progress: Progress | None
) -> tuple[list[tuple[int, float]], list[int], int]:
    """Rows without which the verdict is the other, with the score it has then; rows needed to learn; how many tried."""
    found, needed, end, tried = [], [], time.monotonic() + seconds, 0
    for row in order:
        if time.monotonic() > end:
            break
        rest = np.delete(np.arange(len(order)), row)
        y, X = past.y[rest], past.X[rest]
        if y.min() == y.max() or alike(X):  # nothing could be learnt without it
            needed.append(row)
            continue
        tried += 1
        if progress:
            progress(tried + len(needed), len(order))
        z = float(refit(model.recipe, X, y, model.seed).scores(x)[0])
        if (z > 0) != good:
            found.append((row, z))
    return found, needed, tried


def _distances(X: Matrix, x: Matrix) -> Floats:
    known = np.where(np.isfinite(X), X.astype(np.float64), np.nan)
    count = np.maximum(np.isfinite(known).sum(axis=0), 1)
    mean = np.nansum(known, axis=0) / count
    deviation = np.sqrt(np.nansum((known - mean) ** 2, axis=0) / count)
    scale = np.where(deviation > 0, deviation, 1)
    scaled: Callable[[Matrix], Floats] = lambda rows: np.where(np.isfinite(rows), (rows - mean) / scale, 0)  # noqa: E731
    return np.asarray(np.sqrt(((scaled(X) - scaled(x)) ** 2).sum(axis=1)))


def _p(factor: float, z: float) -> float:
    return shown(probability(factor, np.array([z]))[0])
