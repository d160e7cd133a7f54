"""The network of a FluCoMa model: checked, and judging as FluCoMa does.

It standardises (dividing by no less than the machine epsilon), projects on the first components, as many as the first
layer takes in, not whitened, and goes through the layers. The label is that of the greatest output: FluCoMa looks for
what is greater than the greatest so far and than 0, so that of equal outputs, or of two below 0, the first is taken.
There is no probability.

References: FluCoMa's source, github.com/flucoma/flucoma-core (Standardization, PCA, MLP, NNFuncs, LabelSetEncoder).
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.model import Agent, Model
from engine.agent.flucoma_files import PARTS, Fields, Floats, Parts

FLUCOMA: Final = "flucoma"
"""What the classifier of an imported agent is called."""
INPUTS: Final = 26
"""Numbers that MIRLCa takes of a sound: those of the space `mfcc`."""
MOST_LAYERS: Final = 10
RELU: Final = 2
SIGMOID: Final = 1
_EPSILON = float(np.finfo(np.float64).eps)
_ROWS = 65536
"""Sounds judged at a time, to keep memory flat."""


def _sigmoid(z: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-z)))


ACTIVATIONS: Final[dict[int, Callable[[Floats], Floats]]] = {
    0: lambda z: z,
    SIGMOID: _sigmoid,
    RELU: lambda z: np.maximum(z, 0),
    3: np.tanh,
}


@dataclass(frozen=True)
class Layer:
    """One layer: weights (rows, cols), biases (cols,), and the number of its activation."""

    weights: Floats
    biases: Floats
    activation: int


@dataclass(frozen=True)
class Network:
    """A checked model.

    Attributes
    ----------
    mean, std : (d,) float64
        What is taken off, and what by it is divided.
    centre : (d,) float64
        What is taken off the standardised numbers before they are projected.
    bases : (d, k) float64
        The components that the first layer takes in.
    layers : tuple of Layer
    good : int
        Which of the two outputs is that of the label good.
    """

    mean: Floats
    std: Floats
    centre: Floats
    bases: Floats
    layers: tuple[Layer, ...]
    good: int

    def outputs(self, X: npt.NDArray[Any]) -> Floats:
        """The two outputs (n, 2), in the order of the labels, for each row of X (n, d).

        What is missing (NaN) or infinite is taken for the mean.
        """
        parts = [self._outputs(X[first : first + _ROWS]) for first in range(0, len(X), _ROWS)]
        return np.concatenate(parts) if parts else np.empty((0, 2))

    def is_good(self, X: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Whether each row of X (n, d) gets the label good."""
        outputs = self.outputs(X)
        second = outputs[:, 1] > np.maximum(outputs[:, 0], 0)
        return np.asarray(second if self.good == 1 else ~second)

    def _outputs(self, X: npt.NDArray[Any]) -> Floats:
        from_mean = np.where(np.isfinite(X), X.astype(np.float64) - self.mean, 0)
        values = (from_mean / np.maximum(self.std, _EPSILON) - self.centre) @ self.bases
        for layer in self.layers:
            values = ACTIVATIONS[layer.activation](values @ layer.weights + layer.biases)
        return np.asarray(values)


def stored(agent: Agent, model: Model) -> Network:
    """The network of a model from the store, checked as one from files is.

    Raises
    ------
    ModelError
        See `network`.
    """
    return network(model.arrays, {part: f"agent {agent.name!r}, version {model.version}, {part}" for part in PARTS})


def network(parts: Parts, names: Mapping[str, str]) -> Network:
    """Check the three parts and make a network of them.

    Parameters
    ----------
    parts : Parts
        From files or from the store.
    names : mapping
        What to call each part where it is wrong.

    Raises
    ------
    ModelError
        Something lacks, is no number, is too large, or does not fit the rest.
    """
    standardizer, pca, model = (Fields(names[part], parts.get(part)) for part in PARTS)
    mean = standardizer.numbers("mean", INPUTS)
    std = standardizer.numbers("std", INPUTS)
    standardizer.count("cols", INPUTS)
    if (std < 0).any():
        raise standardizer.wrong(f"std {std.min():g} is below 0")
    centre = pca.numbers("mean", INPUTS)
    bases = pca.table("bases", INPUTS)
    pca.numbers("values", bases.shape[1])
    pca.count("rows", INPUTS)
    pca.count("cols", bases.shape[1])
    pca.count("numpoints")
    layers = _layers(model.fields("mlp"))
    taken = len(layers[0].weights)
    if taken > bases.shape[1]:
        raise model.wrong(f"the first layer takes in {taken} numbers, and the PCA has {bases.shape[1]} components")
    return Network(mean, std, centre, bases[:, :taken], layers, _good(model.fields("labels")))


def _layers(mlp: Fields) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for place, content in enumerate(mlp.items("layers", MOST_LAYERS)):
        fields = Fields(f"{mlp.name}: layer {place + 1}", content)
        weights = fields.table("weights", layers[-1].weights.shape[1] if layers else None)
        rows, cols = weights.shape
        activation = fields.value("activation")
        if type(activation) is not int or activation not in ACTIVATIONS:
            raise fields.wrong(f"activation {reprlib.repr(activation)} is none of {', '.join(map(str, ACTIVATIONS))}")
        fields.count("rows", rows)
        fields.count("cols", cols)
        layers.append(Layer(weights, fields.numbers("biases", cols), activation))
    if layers[-1].weights.shape[1] != 2:
        raise mlp.wrong(f"the last layer has {layers[-1].weights.shape[1]} outputs, and good and bad are 2")
    return tuple(layers)


def _good(labels: Fields) -> int:
    given = labels.items("labels")
    lowered = [label.lower() if isinstance(label, str) else label for label in given]
    labels.count("rows", len(given))
    if lowered not in (["good", "bad"], ["bad", "good"]):
        raise labels.wrong(f"they are {reprlib.repr(given)}, not good and bad")
    return lowered.index("good")
