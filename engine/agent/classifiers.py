"""The registry of classifiers: each is a scikit-learn estimator or pipeline, and adding one is adding one.

Another package adds one by an entry point of the group `mirla.classifiers` that names a `Classifier`.

X is (n, d) with NaN where something is missing, y is (n,) of 0 (bad) and 1 (good). A score is logit-like: good when
above 0. What a classifier keeps are arrays of one of the forms of `engine.agent.forms`, by which NumPy alone judges.
scikit-learn is imported when something is built.

Reference for `mlp`: A. Xambó, G. Roma, "A Virtual Agent for Live Coding with Crowdsourced Sounds", NIME 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus import plugins
from engine.agent.forms import Floats, Matrix
from engine.errors import TrainingError

AUTO = "auto"
"""In place of a name: chosen by cross-validation (see `engine.agent.auto`)."""
_SURE = 1e-6


def margins(fitted: Any, X: Matrix | Floats) -> Floats:
    """The decision function, else the logit of the probability of good."""
    if hasattr(fitted, "decision_function"):
        return np.asarray(fitted.decision_function(X), np.float64)
    return _logit(np.clip(fitted.predict_proba(X)[:, 1], _SURE, 1 - _SURE))


@dataclass(frozen=True)
class Classifier:
    """How an agent may learn.

    Attributes
    ----------
    name, about : str
        What it is called; one line for people.
    build : callable
        A seed to an unfitted estimator that copes with NaN and with two examples.
    scores : callable
        The fitted estimator and X to scores (n,).
    keep : callable, optional
        The fitted estimator to the arrays by which it is judged from then on; without, it is fitted anew when loaded.
    natural : bool
        Whether its scores are calibrated logits already.
    complexity : int
        Of two that do equally well, `auto` takes the one with less.
    """

    name: str
    about: str
    build: Callable[[int], Any]
    scores: Callable[[Any, Matrix | Floats], Floats] = margins
    keep: Callable[[Any], dict[str, Floats]] | None = None
    natural: bool = False
    complexity: int = 9


CLASSIFIERS: plugins.Registry[Classifier] = plugins.Registry("mirla.classifiers", Classifier)


def register(classifier: Classifier) -> Classifier:
    """Add one.

    Raises
    ------
    ValueError
        There is another of that name.
    """
    if classifier.name == AUTO:
        raise ValueError(f"{AUTO!r} is no name for a classifier: it stands for the best of all")
    return CLASSIFIERS.register(classifier)


def classifier(name: str) -> Classifier:
    """One by name.

    Raises
    ------
    TrainingError
        There is none.
    """
    if name not in CLASSIFIERS:
        raise TrainingError(f"no classifier {name!r}; known are {', '.join(known())}{CLASSIFIERS.why_broken()}")
    return CLASSIFIERS[name]


def named(name: str) -> str:
    """The name of a classifier, or `auto`; raises TrainingError for any other."""
    return name if name == AUTO else classifier(name).name


def known() -> list[str]:
    """All names, and `auto`."""
    return [*CLASSIFIERS, AUTO]


def _scaled(*steps: Any) -> Any:
    """A pipeline: what is missing becomes the mean, all is standardised, then these steps."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), *steps)


def _mlp(seed: int) -> Any:
    from engine.agent.estimators import Components
    from engine.agent.network import Perceptron

    return _scaled(Components(20), Perceptron(random_state=seed))


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _scaled(LogisticRegression(max_iter=1000, random_state=seed))


def _lda(_seed: int) -> Any:
    from engine.agent.estimators import Discriminant

    return _scaled(Discriminant(solver="lsqr", shrinkage="auto"))


def _svm(seed: int) -> Any:
    from sklearn.svm import SVC

    return _scaled(SVC(random_state=seed))


def _knn(_seed: int) -> Any:
    from engine.agent.estimators import Neighbours

    return _scaled(Neighbours(5))


def _bayes(_seed: int) -> Any:
    from sklearn.naive_bayes import GaussianNB

    return _scaled(GaussianNB())


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return _scaled(RandomForestClassifier(100, random_state=seed))


def _gp(seed: int) -> Any:
    from engine.agent.estimators import Process

    return _scaled(Process(random_state=seed))


def _network_arrays(fitted: Any) -> dict[str, Floats]:
    scaler, pca = fitted[1], fitted[2].pca_
    names = ("hidden_weights", "hidden_bias", "output_weights", "output_bias")
    arrays = dict(zip(names, fitted[-1].weights_, strict=True))
    return {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "pca_mean": pca.mean_,
        "components": pca.components_,
        **arrays,
    }


def _linear_arrays(fitted: Any) -> dict[str, Floats]:
    scaler, linear = fitted[1], fitted[-1]
    return {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "weights": linear.coef_[0],
        "bias": np.atleast_1d(linear.intercept_),
    }


def _bayes_arrays(fitted: Any) -> dict[str, Floats]:
    """The log of the ratio of two products of Gaussians, as a quadratic form."""
    scaler, bayes = fitted[1], fitted[-1]
    precision, mean = 1 / bayes.var_, bayes.theta_
    constant = -0.5 * (mean**2 * precision - np.log(precision)).sum(axis=1) + np.log(bayes.class_prior_)
    linear, squares = mean * precision, -0.5 * precision
    return {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "squares": squares[1] - squares[0],
        "weights": linear[1] - linear[0],
        "bias": np.array([constant[1] - constant[0]]),
    }


def _bayes_scores(fitted: Any, X: Matrix | Floats) -> Floats:
    joint = fitted[-1].predict_joint_log_proba(fitted[:-1].transform(X))
    return np.asarray(joint[:, 1] - joint[:, 0])


def _forest_scores(fitted: Any, X: Matrix | Floats) -> Floats:
    trees = fitted[-1].n_estimators
    return _logit((fitted.predict_proba(X)[:, 1] * trees + 0.5) / (trees + 1))


def _knn_scores(fitted: Any, X: Matrix | Floats) -> Floats:
    return _logit(fitted[-1].share(fitted[:-1].transform(X)))


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p), np.float64)


for _one in (
    Classifier("mlp", "the paper's network: PCA to 20, 14 hidden units", _mlp, keep=_network_arrays, complexity=7),
    Classifier("logistic", "logistic regression", _logistic, keep=_linear_arrays, complexity=2),
    Classifier("lda", "linear discriminant, shrunk", _lda, keep=_linear_arrays, complexity=1),
    Classifier("svm", "support vectors, Gaussian kernel", _svm, complexity=5),
    Classifier("knn", "the five nearest examples", _knn, _knn_scores, complexity=4),
    Classifier("bayes", "naive Bayes of Gaussians", _bayes, _bayes_scores, keep=_bayes_arrays, complexity=3),
    Classifier("forest", "a hundred random trees", _forest, _forest_scores, complexity=8),
    Classifier("gp", "Gaussian process, Gaussian kernel", _gp, natural=True, complexity=6),
):
    register(_one)
