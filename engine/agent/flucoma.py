"""Agents exchanged with MIRLCa, as the three files of a FluCoMa model.

An agent read from them has the classifier `flucoma`, looks at `mfcc`, and keeps the three as its model's arrays, as
they are but for what nobody asks for. Labels are the network's; there is no probability, and nothing to train.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from corpus.library import Corpus
from corpus.model import Model
from engine.agent.flucoma_files import Floats, Parts, find, parse, write
from engine.agent.flucoma_network import FLUCOMA, RELU, SIGMOID, network, stored
from engine.agent.judging import SERVED_MFCC
from engine.errors import ModelError

SPACE: Final = "mfcc"


def read(folder: Path) -> Parts:
    """Read the three files of a folder and check them.

    Raises
    ------
    ModelError
        One of them is not there, or wrong in any way.
    """
    paths = find(folder)
    parts = {part: parse(path) for part, path in paths.items()}
    network(parts, {part: str(path) for part, path in paths.items()})
    return _known(parts)


def import_agent(corpus: Corpus, name: str, folder: Path) -> Model:
    """Read the files of a folder as an agent of that name, or as the next version of one that was read so before.

    Raises
    ------
    ModelError
        The files cannot be used; nothing is stored then.
    UnknownAgent
        There is an agent of that name, and it learns from labels; or none can be called so.
    """
    parts = read(folder)
    known = {agent.name: agent for agent in corpus.agents.all()}
    agent = known.get(name)
    if agent is None or agent.classifier != FLUCOMA:
        agent = corpus.agents.create(name, "", [SPACE], FLUCOMA)
    model = Model(
        version=0,
        recipe={"classifier": FLUCOMA},
        arrays=parts,
        scores={},
        labels_hash="",
        seed=0,
        versions={},
        fingerprints={},
    )
    return corpus.agents.add_model(agent, model)


def export_agent(corpus: Corpus, name: str, folder: Path, force: bool = False) -> list[Path]:
    """Write the model of an agent as the three files; returns where they are.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    ModelError
        It has no model that FluCoMa could have, or the files are there already and `force` is not given.
    """
    agent = corpus.agents.get(name)
    model = corpus.agents.model(agent)
    if model is None:
        raise ModelError(f"agent {name!r} has no model yet; `mirla agent train {shlex.quote(name)}` makes one")
    if agent.classifier == FLUCOMA:
        stored(agent, model)
        return write(model.arrays, folder, force)
    kind, spaces = model.recipe["classifier"], ", ".join(agent.spaces)
    if kind != "mlp" or agent.spaces not in ((SPACE,), (SERVED_MFCC,)):
        raise ModelError(
            f"agent {name!r} is {kind} over {spaces}; FluCoMa's files hold mlp over {SPACE} or {SERVED_MFCC} alone"
        )
    return write(of_mlp(model.arrays, model.scores["good"] + model.scores["bad"]), folder, force)


def of_mlp(arrays: Mapping[str, Any], examples: int) -> Parts:
    """The parts of a model of the classifier `mlp` whose label is the same for every sound.

    Its one logit z becomes the two outputs sigmoid(-z) of bad and sigmoid(z) of good.

    Parameters
    ----------
    arrays : mapping
        As `engine.agent.judging` takes them.
    examples : int
        How many sounds it was trained on.
    """
    a = {name: np.asarray(values, np.float64) for name, values in arrays.items()}
    components, inputs = a["components"].shape
    out, bias = a["output_weights"], a["output_bias"]
    layers = [
        _layer(a["hidden_weights"], a["hidden_bias"], RELU),
        _layer(np.hstack([-out, out]), np.concatenate([-bias, bias]), SIGMOID),
    ]
    return {
        "standardizer": {"cols": inputs, "mean": a["mean"].tolist(), "std": a["scale"].tolist()},
        "pca": {
            "bases": a["components"].T.tolist(),
            "cols": components,
            "mean": a["pca_mean"].tolist(),
            "numpoints": examples,
            "rows": inputs,
            "values": [1.0] * components,  # singular values, which are not kept: FluCoMa whitens by them, MIRLCa never
        },
        "model": {"labels": {"labels": ["bad", "good"], "rows": 2}, "mlp": {"layers": layers}},
    }


def _layer(weights: Floats, biases: Floats, activation: int) -> dict[str, Any]:
    rows, cols = weights.shape
    shape = {"activation": activation, "cols": cols, "rows": rows}
    return {**shape, "biases": biases.tolist(), "weights": weights.tolist()}


def _known(parts: Parts) -> Parts:
    """The parts without what nobody asks for, which was not checked."""
    model = parts["model"]
    layers = [_only(layer, "activation", "biases", "cols", "rows", "weights") for layer in model["mlp"]["layers"]]
    return {
        "standardizer": _only(parts["standardizer"], "cols", "mean", "std"),
        "pca": _only(parts["pca"], "bases", "cols", "mean", "numpoints", "rows", "values"),
        "model": {"labels": _only(model["labels"], "labels", "rows"), "mlp": {"layers": layers}},
    }


def _only(content: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: content[key] for key in keys if key in content}
