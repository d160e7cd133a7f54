"""scikit-learn's estimators where few examples would stop them: each takes what there is.

Imports scikit-learn: to be imported where something is fitted only.
"""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.neighbors import KNeighborsClassifier

_CHOOSING = 100
"""Examples of each class by which a kernel is chosen: the time goes by the cube of their number."""


class Components(TransformerMixin, BaseEstimator):
    """PCA, not whitened, to so many components, or as many as there are; `pca_` is scikit-learn's."""

    def __init__(self, n_components: int = 20) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any = None) -> Components:
        """Learn from X (n, d); `note_` says where examples were too few."""
        kept = min(self.n_components, *X.shape)
        with np.errstate(invalid="ignore"):  # no variance to share out where all sounds are alike
            self.pca_ = PCA(kept, svd_solver="full").fit(X)
        few = kept < min(self.n_components, X.shape[1])
        self.note_ = f"PCA has {kept} components in place of {self.n_components}: so few examples" if few else ""
        return self

    def transform(self, X: Any) -> Any:
        """Project X (n, d)."""
        return self.pca_.transform(X)


class Neighbours(KNeighborsClassifier):
    """The k nearest, or all examples where these are fewer."""

    def fit(self, X: Any, y: Any) -> Neighbours:
        """Learn from X (n, d) and y (n,)."""
        super().fit(X, y)
        self.n_neighbors_ = min(self.n_neighbors, len(y))
        return self

    def share(self, X: Any) -> Any:
        """Share (n,) of the neighbours that are of the second class, drawn to a half by one more that is neither."""
        rows = self.kneighbors(X, self.n_neighbors_, return_distance=False)
        return (self._y[rows].sum(axis=1) + 0.5) / (self.n_neighbors_ + 1)


class Discriminant(LinearDiscriminantAnalysis):
    """Linear discriminant analysis; the nearer mean where no class has two different examples.

    That is what it comes to when the covariance is shrunk all the way, which scikit-learn cannot do without variance.
    """

    def fit(self, X: Any, y: Any) -> Discriminant:
        """Learn from X (n, d) and y (n,) of two classes."""
        self.classes_ = np.unique(y)
        groups = [X[y == label] for label in self.classes_]
        if any(np.ptp(group, axis=0).any() for group in groups):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Only one sample available")
                super().fit(X, y)
            return self
        bad, good = (group[0] for group in groups)
        self.coef_ = (good - bad)[None]
        self.intercept_ = -0.5 * self.coef_ @ (good + bad)
        self.n_features_in_ = X.shape[1]
        return self


class Process(ClassifierMixin, BaseEstimator):
    """A Gaussian process whose kernel is the likeliest of a few; scikit-learn's search over all takes seconds.

    Lengths are in root-mean-square distances of standardised examples over the square root of 2. `process_` is
    scikit-learn's.
    """

    def __init__(
        self,
        variances: tuple[float, ...] = (1.0, 4.0, 16.0),
        lengths: tuple[float, ...] = (0.5, 1.0, 2.0),
        random_state: int = 0,
    ) -> None:
        self.variances = variances
        self.lengths = lengths
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Process:
        """Learn from standardised X (n, d) and y (n,) of two classes."""
        some = np.concatenate([np.flatnonzero(y == label)[:_CHOOSING] for label in np.unique(y)])
        kernels = [
            ConstantKernel(variance) * RBF(length * np.sqrt(X.shape[1]))
            for variance, length in product(self.variances, self.lengths)
        ]
        likeliest = max(
            kernels, key=lambda kernel: self._fitted(kernel, X[some], y[some]).log_marginal_likelihood_value_
        )
        self.process_ = self._fitted(likeliest, X, y)
        self.classes_ = self.process_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probability (n, 2) of each class."""
        return self.process_.predict_proba(X)

    def predict(self, X: Any) -> Any:
        """Class (n,) of each row."""
        return self.process_.predict(X)

    def _fitted(self, kernel: Any, X: Any, y: Any) -> GaussianProcessClassifier:
        return GaussianProcessClassifier(kernel, optimizer=None, random_state=self.random_state).fit(X, y)
