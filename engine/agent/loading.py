"""A model as it was kept becomes a judge again: from its arrays, or fitted anew from the labels it was made of.

What is kept is checked first: a row of a database may be damaged.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator

import numpy as np

from corpus.library import Corpus
from corpus.model import Agent, Model
from corpus.said import labels_hash
from engine.agent.examples import Examples, gathered
from engine.agent.fitting import refit
from engine.agent.flucoma_network import FLUCOMA
from engine.agent.forms import Floats, Matrix, logits
from engine.errors import ModelError, NoVectors, TrainingError

Scorer = Callable[[Matrix], Floats]


def model_of(corpus: Corpus, agent: Agent) -> Model:
    """The version of an agent that is in use.

    Raises
    ------
    TrainingError
        It was not trained, or on vectors of another extractor.
    StoreError
        Its row is damaged.
    """
    model = corpus.agents.model(agent)
    if model is None:
        raise TrainingError(
            f"agent {agent.name!r} was not trained yet; label some sounds, then "
            f"`mirla agent train {shlex.quote(agent.name)}`"
        )
    if agent.classifier != FLUCOMA and model.fingerprints != fingerprints(corpus, agent):
        raise TrainingError(
            f"agent {agent.name!r} learnt from vectors of another extractor than the present ones; "
            f"`mirla agent train {shlex.quote(agent.name)}`"
        )
    return model


def fingerprints(corpus: Corpus, agent: Agent) -> dict[str, str]:
    """The current fingerprint of each space an agent looks at."""
    current = {name: corpus.vectors.space(name) for name in agent.spaces}
    return {name: space.fingerprint if space else "" for name, space in current.items()}


def scorer(corpus: Corpus, agent: Agent, model: Model) -> Scorer:
    """What gives the scores (n,) of vectors X (n, d), good above 0.

    Raises
    ------
    ModelError
        The model is damaged, or what it was made of is no longer there.
    TrainingError
        Its classifier is not known here.
    """
    arrays = {name: values for name, values in model.arrays.items() if name != "inverse_temperature"}
    if not arrays:
        past = examples_of(corpus, agent, model)
        with _explained(agent, model):
            return refit(model.recipe, past.X, past.y, model.seed).scores

    def score(X: Matrix) -> Floats:
        with _explained(agent, model):
            return logits(arrays, X)

    return score


def temperature(agent: Agent, model: Model) -> float:
    """The factor that makes probabilities of scores.

    Raises
    ------
    ModelError
        It is not a positive number.
    """
    value = model.arrays.get("inverse_temperature")
    if not isinstance(value, (int, float)) or not 0 < value < np.inf:
        raise _unusable(agent, model, f"its 'inverse_temperature' is {value!r}")
    return float(value)


def examples_of(corpus: Corpus, agent: Agent, model: Model) -> Examples:
    """What a model learnt from.

    Raises
    ------
    ModelError
        Some of it is no longer there, or was not kept.
    """
    if not model.verdicts:
        raise _unusable(agent, model, "what it learnt from was not kept with it")
    was = corpus.agents.annotations(agent, until=model.until)
    labels = [label for label in was if str(label.sound_id) in model.verdicts]
    if not labels or labels_hash((label.sound_id, label.label) for label in labels) != model.labels_hash:
        raise _unusable(agent, model, "the labels that it learnt from are not there any more")
    try:
        past = gathered(corpus, agent, labels)
    except NoVectors as error:
        raise _unusable(agent, model, str(error)) from error
    if past.left_out:
        raise _unusable(agent, model, f"it learnt from sound {past.left_out[0]}, whose vectors are not there any more")
    return past


@contextlib.contextmanager
def _explained(agent: Agent, model: Model) -> Iterator[None]:
    """What is wrong with a model is said with its name."""
    try:
        yield
    except ModelError as error:
        raise _unusable(agent, model, str(error)) from error


def _unusable(agent: Agent, model: Model, why: str) -> ModelError:
    return ModelError(
        f"version {model.version} of agent {agent.name!r} cannot be used: {why}; "
        f"`mirla agent train {shlex.quote(agent.name)}` makes another"
    )
