"""The paper's classifier: standardise, PCA to 20 (not whitened), a perceptron with one hidden layer of 14.

Classes are 0 bad and 1 good.

Reference: A. Xambó, G. Roma, "A Virtual Agent for Live Coding with Crowdsourced Sounds", NIME 2021.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.network import Classes, Floats, Manner, Perceptron

Matrix = npt.NDArray[np.float32]

COMPONENTS = 20
RECIPE: dict[str, Any] = {"classifier": "mlp", "components": COMPONENTS, **asdict(Manner())}
"""Everything that a model depends on besides labels, seed and library versions."""


class Mlp:
    """One fitted classifier; `arrays_` is what judging needs (see `engine.agent.judging.logits`)."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Matrix | Floats, y: Classes) -> Mlp:
        """Learn from X (n, d) and y (n,) with both classes in it; what is missing (NaN) is taken for the mean."""
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler

        X = _filled(X.astype(np.float64))
        scaler = StandardScaler().fit(X)
        scaled = scaler.transform(X)
        with np.errstate(invalid="ignore"):  # no variance to share out where all sounds are alike
            pca = PCA(min(COMPONENTS, *X.shape), svd_solver="full").fit(scaled)
        hidden_weights, hidden_bias, output_weights, output_bias = (
            Perceptron(seed=self.seed).fit(pca.transform(scaled), y).weights_
        )
        self.arrays_: dict[str, Floats] = {
            "mean": scaler.mean_,
            "scale": scaler.scale_,
            "pca_mean": pca.mean_,
            "components": pca.components_,
            "hidden_weights": hidden_weights,
            "hidden_bias": hidden_bias,
            "output_weights": output_weights,
            "output_bias": output_bias,
        }
        return self


def _filled(X: Floats) -> Floats:
    known = ~np.isnan(X)
    mean = np.where(known, X, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, X, mean)
