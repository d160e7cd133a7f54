"""Training: an agent's labels become a numbered model, with its scores and all that reproduces it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

from corpus.library import Corpus
from corpus.model import Agent, Model
from engine.agent.calibration import calibrated, modest, probability, shown
from engine.agent.classifiers import AUTO, named
from engine.agent.evaluate import Evaluation, alike, cross_validate, varying
from engine.agent.examples import Examples as Examples
from engine.agent.examples import examples as examples
from engine.agent.fitting import Fitted as Fitted
from engine.agent.fitting import fit as fit
from engine.agent.flucoma_network import FLUCOMA
from engine.agent.loading import fingerprints
from engine.errors import TrainingError

_LIBRARIES = ("numpy", "scikit-learn", "scipy")
_DOUBTFUL = 10


def train(
    corpus: Corpus, agent: Agent | str, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> tuple[Model, dict[str, Any]]:
    """Train an agent, given as it is or by its name, on its labels (those for testing excepted) and keep the model.

    Returns
    -------
    model, report
        The new version, and what `mirla agent train --json` answers; its estimates are None where a class has
        fewer than two sounds.

    Raises
    ------
    TrainingError
        Labels of one class only, or none; or sounds that are all alike.
    NoVectors
        No labelled sound has a vector in each space that the agent looks at.
    """
    agent = corpus.agents.get(agent) if isinstance(agent, str) else agent
    given = lesson(corpus, agent)
    evaluation = cross_validate(given.X, given.y, given.groups, seed, progress, agent.classifier)
    fitted = fit(agent.classifier, given.X, given.y, seed, given.groups)
    own = evaluation
    if evaluation and agent.classifier == AUTO:  # what was held out there was judged by several, each on its own scale
        own = cross_validate(given.X, given.y, given.groups, seed, None, fitted.classifier.name, repeats=2)
    factor = temperature_of(fitted, own, given)
    p = probability(factor, fitted.scores(given.X))
    scores = {"good": given.good, "bad": given.bad, **(evaluation.as_json() if evaluation else unscored())}
    scores["doubtful"] = doubtful(given, own, factor) if own else []
    model = Model(
        version=0,
        recipe=fitted.recipe,
        arrays=fitted.arrays | {"inverse_temperature": factor},
        scores=scores,
        labels_hash=given.hash,
        seed=seed,
        versions={library: metadata.version(library) for library in _LIBRARIES},
        fingerprints=fingerprints(corpus, agent),
        until=given.until,
        verdicts={str(sound_id): round(float(one), 6) for sound_id, one in zip(given.ids, p, strict=True)},
    )
    kept = corpus.agents.add_model(agent, model)
    return kept, {
        "agent": agent.name,
        "version": kept.version,
        "classifier": fitted.classifier.name,
        **({"auto": fitted.recipe["auto"]} if "auto" in fitted.recipe else {}),
        **kept.scores,
        "left_out": given.left_out,
        "lacks": given.lacks,
        "notes": [*_notes(given), *fitted.notes],
    }


def lesson(corpus: Corpus, agent: Agent, classifier: str | None = None) -> Examples:
    """The examples of an agent, from which its classifier, or one in its place, can learn.

    Raises
    ------
    TrainingError
        Labels of one class only, or none; sounds that are all alike; or no such classifier.
    NoVectors
        No labelled sound has a vector in each space that the agent looks at.
    """
    learns(agent, classifier)
    labels = [label.label for label in corpus.agents.annotations(agent) if not label.test]
    _check_both(agent, labels.count("good"), labels.count("bad"))
    given = examples(corpus, agent)
    _check_both(agent, given.good, given.bad, len(given.left_out))
    if alike(given.X):
        raise TrainingError(
            f"the {len(given.y)} sounds that agent {agent.name!r} was taught are all alike in "
            f"{', '.join(agent.spaces)}: nothing tells good from bad; label others"
        )
    return given


def learns(agent: Agent, classifier: str | None = None) -> None:
    """Raise TrainingError where an agent's classifier, or one in its place, cannot learn at all."""
    if agent.classifier == FLUCOMA and classifier is None:
        raise TrainingError(
            f"agent {agent.name!r} was imported from FluCoMa and does not learn; `mirla agent new NAME` makes one that "
            "does"
        )
    named(classifier or agent.classifier)


def _check_both(agent: Agent, good: int, bad: int, left_out: int = 0) -> None:
    if good and bad:
        return
    more = f" ({left_out} more have no vectors)" if left_out else ""
    lacking = "good" if not good else "bad"
    raise TrainingError(
        f"agent {agent.name!r} has {good} good and {bad} bad sounds and needs both; "
        f"`mirla agent label {shlex.quote(agent.name)} --{lacking} ID…`{more}"
    )


def doubtful(given: Examples, evaluation: Evaluation, factor: float) -> list[dict[str, Any]]:
    """The labels that the classifier contradicted when their sounds were held out, the surest contradictions first."""
    p = probability(factor, evaluation.held_out).mean(axis=0)
    against = np.where(given.y == 1, 0.5 - p, p - 0.5)
    order = np.argsort(-against, kind="stable")[:_DOUBTFUL]
    return [
        {"id": int(given.ids[row]), "label": ("bad", "good")[given.y[row]], "p": shown(p[row])}
        for row in order.tolist()
        if against[row] > 0
    ]


def temperature_of(fitted: Fitted, own: Evaluation | None, given: Examples) -> float:
    """The factor that makes probabilities of a classifier's scores, by what it said itself of held-out sounds."""
    scores = fitted.scores(given.X)
    if own is None:
        return modest(scores, given.y)
    return 1.0 if fitted.classifier.natural else calibrated(own.held_out, scores, given.y)


def _notes(given: Examples) -> list[str]:
    dull = int((~varying(given.X)).sum())
    notes = [f"{dull} of {given.X.shape[1]} features are the same in all examples and tell nothing"] if dull else []
    missing = int((~np.isfinite(given.X)).any(axis=1).sum())
    return [*notes, *([f"{missing} examples lack a number, taken for the mean"] if missing else [])]


def unscored() -> dict[str, Any]:
    """In place of an evaluation, where nothing can be held out."""
    protocol = "none: a class has fewer than two sounds, so none can be held out"
    nothing = dict.fromkeys(("accuracy", "balanced", "auc", "confusion", "baseline"))
    return {**nothing, "protocol": protocol}
