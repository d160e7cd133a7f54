"""Verdicts: what an agent calls good. A model's arrays fold into one matrix and one small layer; no scikit-learn.

Labels are the sign of the network's logit z (good when z > 0); `p = 1 / (1 + exp(-a z))` with the inverse temperature a
fitted on held-out logits, so that p > 0.5 exactly when the label is good.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent, Model
from engine.agent.flucoma_network import FLUCOMA, stored
from engine.errors import TrainingError
from engine.features import FeatureMatrix, load, side_by_side

Floats = npt.NDArray[np.float64]

SERVED_MFCC = "api_mfcc"
SERVED_AS = {"mfcc": SERVED_MFCC}
"""Spaces computed here of which Freesound serves the same numbers, rounded."""


@dataclass(frozen=True)
class Verdicts:
    """What one version of an agent says of every sound that has the vectors it looks at.

    Attributes
    ----------
    agent, version
        Who says so.
    ids : (n,) int64, ascending
    p : (n,) float64
        Calibrated probability of good.
    """

    agent: str
    version: int
    ids: npt.NDArray[np.int64]
    is_good: npt.NDArray[np.bool_]
    p: Floats | None

    @property
    def good(self) -> npt.NDArray[np.int64]:
        """Ids of the good sounds, ascending."""
        return self.ids[self.is_good]

    def of(self, sound_id: int) -> dict[str, Any]:
        """Verdict on one sound: `{"label", "p"}`, both None where it was not analysed."""
        row = int(np.searchsorted(self.ids, sound_id))
        if row == len(self.ids) or self.ids[row] != sound_id:
            return {"label": None, "p": None}
        p = None if self.p is None else round(float(self.p[row]), 4)
        return {"label": "good" if self.is_good[row] else "bad", "p": p}


def judge(corpus: Corpus, name: str) -> Verdicts:
    """Judge the whole corpus by the newest model of an agent.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    TrainingError
        It was not trained, or on vectors of another extractor.
    NoVectors
        There is nothing in a space it looks at.
    """
    agent = corpus.agents.get(name)
    return _judged(agent, _model(corpus, agent), side_by_side(corpus, agent.spaces))


def served_verdicts(corpus: Corpus, name: str) -> Verdicts:
    """Judge by the MFCCs that Freesound serves, before there is audio: every sound that has them.

    An agent that learnt from MFCCs computed here judges these by the same model: they are the same numbers to three
    decimals.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    TrainingError
        It looks at something else, was not trained, or on vectors of another extractor.
    NoVectors
        No sound has served MFCCs.
    """
    return _judged(*_served(corpus, name), load(corpus, SERVED_MFCC))


def check_served(corpus: Corpus, names: Sequence[str]) -> None:
    """Raise what `served_verdicts` would raise about the agents themselves, before anything is harvested for them."""
    for name in names:
        _served(corpus, name)


def surest_served(corpus: Corpus, names: Sequence[str]) -> list[int]:
    """Sounds that all the agents call good by what is served: the surest first, by the least sure agent, then by id."""
    verdicts = [served_verdicts(corpus, name) for name in names]
    p = np.min([verdict.p for verdict in verdicts], axis=0)
    ids = verdicts[0].ids
    order = np.lexsort((ids, -p))
    return [int(sound_id) for sound_id in ids[order[p[order] > 0.5]]]


def _served(corpus: Corpus, name: str) -> tuple[Agent, Model]:
    agent = corpus.agents.get(name)
    if tuple(SERVED_AS.get(space, space) for space in agent.spaces) != (SERVED_MFCC,):
        raise TrainingError(
            f"agent {name!r} looks at {', '.join(agent.spaces)}; only one that looks at "
            f"{' or '.join([*SERVED_AS, SERVED_MFCC])} alone judges before there is audio: "
            f"`mirla agent new NAME --space {SERVED_MFCC}`"
        )
    return agent, _model(corpus, agent)


def _model(corpus: Corpus, agent: Agent) -> Model:
    model = corpus.agents.model(agent)
    name = agent.name
    if model is None:
        raise TrainingError(
            f"agent {name!r} was not trained yet; label some sounds, then `mirla agent train {shlex.quote(name)}`"
        )
    if agent.classifier != FLUCOMA and model.fingerprints != fingerprints(corpus, agent):
        raise TrainingError(
            f"agent {name!r} learnt from vectors of another extractor than the present ones; "
            f"`mirla agent train {shlex.quote(name)}`"
        )
    return model


def _judged(agent: Agent, model: Model, matrix: FeatureMatrix) -> Verdicts:
    if agent.classifier == FLUCOMA:
        return Verdicts(agent.name, model.version, matrix.ids, stored(agent, model).is_good(matrix.X), None)
    p = probabilities(model, matrix.X)
    return Verdicts(agent.name, model.version, matrix.ids, p > 0.5, p)


def fingerprints(corpus: Corpus, agent: Agent) -> dict[str, str]:
    """The current fingerprint of each space an agent looks at."""
    current = {name: corpus.vectors.space(name) for name in agent.spaces}
    return {name: space.fingerprint if space else "" for name, space in current.items()}


def probabilities(model: Model, X: npt.NDArray[np.float32]) -> Floats:
    """Probability of good for each row of X (n, d)."""
    return sigmoid(model.arrays["inverse_temperature"] * logits(model.arrays, X))


def logits(arrays: dict[str, Any], X: npt.NDArray[np.float32]) -> Floats:
    """Logit of good for each row of X: standardise, project, one hidden ReLU layer, one output.

    A missing number (NaN) is taken for the mean of the examples.
    """
    a = {name: np.asarray(values, np.float64) for name, values in arrays.items()}
    first = (a["components"] / a["scale"]).T @ a["hidden_weights"]
    offset = a["hidden_bias"] - (a["pca_mean"] @ a["components"].T) @ a["hidden_weights"] - a["mean"] @ first
    known = np.where(np.isnan(X), a["mean"], X.astype(np.float64))
    hidden = np.maximum(known @ first + offset, 0)
    return np.asarray((hidden @ a["output_weights"] + a["output_bias"])[:, 0])


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))
