"""Training: an agent's labels become a numbered model, with its scores and all that reproduces it."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

from corpus.library import Corpus
from corpus.model import Agent, Annotation, Model
from engine.agent.classifiers import RECIPE, Mlp
from engine.agent.evaluate import cross_validate, inverse_temperature
from engine.agent.judging import fingerprints
from engine.agent.flucoma_network import FLUCOMA
from engine.errors import TrainingError
from engine.features import side_by_side

_LIBRARIES = ("numpy", "scikit-learn", "scipy")


def train(
    corpus: Corpus, name: str, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> tuple[Model, dict[str, Any]]:
    """Train an agent on its labels (those kept for testing excepted) and keep the model.

    Returns
    -------
    model, report
        The new version, and what `mirla agent train --json` answers; its estimates are None where a class has
        fewer than two sounds.

    Raises
    ------
    TrainingError
        Labels of one class only, or none.
    NoVectors
        A labelled sound has no vector in a space that the agent looks at.
    """
    agent = corpus.agents.get(name)
    if agent.classifier == FLUCOMA:
        raise TrainingError(
            f"agent {name!r} was imported from FluCoMa and does not learn; `mirla agent new NAME` makes one that does"
        )
    labels = [label for label in corpus.agents.annotations(agent) if not label.test]
    y = np.array([label.label == "good" for label in labels], np.int64)
    _check(agent, int(y.sum()), int(len(y) - y.sum()))
    matrix = side_by_side(corpus, agent.spaces)
    X = matrix.X[matrix.rows([label.sound_id for label in labels])]
    sounds = corpus.sounds.many(label.sound_id for label in labels)
    evaluation = cross_validate(X, y, [sound.uploader_group for sound in sounds], seed, progress)
    arrays: dict[str, Any] = {key: values.tolist() for key, values in Mlp(seed).fit(X, y).arrays_.items()}
    # without held-out logits nothing is known of how sure the network may be: it keeps its own word
    arrays["inverse_temperature"] = inverse_temperature(evaluation.logits, y) if evaluation else 1.0
    scores = evaluation.as_json() if evaluation else _unscored()
    counts = {"good": int(y.sum()), "bad": int(len(y) - y.sum())}
    model = Model(
        version=0,
        recipe=RECIPE,
        arrays=arrays,
        scores=counts | scores,
        labels_hash=_hash(labels),
        seed=seed,
        versions={library: metadata.version(library) for library in _LIBRARIES},
        fingerprints=fingerprints(corpus, agent),
    )
    kept = corpus.agents.add_model(agent, model)
    return kept, {"agent": name, "version": kept.version, **kept.scores}


def _check(agent: Agent, good: int, bad: int) -> None:
    if good and bad:
        return
    lacking = "good" if not good else "bad"
    raise TrainingError(
        f"agent {agent.name!r} has {good} good and {bad} bad sounds and needs both; "
        f"`mirla agent label {shlex.quote(agent.name)} --{lacking} ID…`"
    )


def _unscored() -> dict[str, Any]:
    protocol = "none: a class has fewer than two sounds, so none can be held out"
    return {"accuracy": None, "balanced": None, "auc": None, "baseline": None, "protocol": protocol}


def _hash(labels: list[Annotation]) -> str:
    facts = [(label.sound_id, label.label) for label in labels]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
