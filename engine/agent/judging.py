"""Verdicts: what an agent calls good, of the whole corpus at once, kept as a derived cache.

The label is the sign of the classifier's score; `p` is its calibrated probability of good, above 0.5 exactly when the
label is good (see `engine.agent.calibration`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent, Model
from engine.agent import classifiers
from engine.agent.calibration import probability, shown
from engine.agent.examples import rows_of
from engine.agent.flucoma_network import FLUCOMA, stored
from engine.agent.forms import Floats
from engine.agent.forms import logits as logits
from engine.agent.loading import Scorer, model_of, scorer, temperature
from engine.errors import TrainingError
from engine.features import FeatureMatrix, among, load

Ids = npt.NDArray[np.int64]

SERVED_MFCC = "api_mfcc"
SERVED_AS = {"mfcc": SERVED_MFCC}
"""Spaces computed here of which Freesound serves the same numbers, rounded."""

DRIFT = 1e-3
"""By how much the probability of an example may differ from what it was when the model was made."""
_BLOCK = 1 << 14


@dataclass(frozen=True)
class Verdicts:
    """What one version of an agent says of every sound that has the vectors it looks at.

    Attributes
    ----------
    agent, version
        Who says so.
    ids : (n,) int64, ascending
    is_good : (n,) bool
    p : (n,) float64, optional
        Calibrated probability of good; None for a model that has none to give.
    drift : float, optional
        The most by which `p` of an example differs from what it was when the model was made; None if that is not known.
    """

    agent: str
    version: int
    ids: Ids
    is_good: npt.NDArray[np.bool_]
    p: Floats | None
    drift: float | None = None

    @cached_property
    def good(self) -> Ids:
        """Ids of the good sounds, ascending."""
        return self.ids[self.is_good]

    def of(self, sound_id: int) -> dict[str, Any]:
        """Verdict on one sound: `{"label", "p"}`, both None where it was not analysed."""
        row = int(np.searchsorted(self.ids, sound_id))
        if row == len(self.ids) or self.ids[row] != sound_id:
            return {"label": None, "p": None}
        label = "good" if self.is_good[row] else "bad"
        return {"label": label, "p": None if self.p is None else shown(self.p[row])}

    @property
    def warning(self) -> str:
        """That it judges otherwise than when it was made; empty if it does not."""
        if self.drift is None or self.drift <= DRIFT:
            return ""
        return (
            f"version {self.version} of agent {self.agent} judges its examples otherwise than when it was made "
            f"(p differs by up to {self.drift:.3f}): a library or their vectors changed; train it again"
        )


def judge(corpus: Corpus, name: str) -> Verdicts:
    """Judge the whole corpus by the version of an agent that is in use.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    TrainingError
        It was not trained, or on vectors of another extractor.
    ModelError
        Its model is damaged, or what it learns from anew is no longer there.
    NoVectors
        There is nothing in a space it looks at.
    """
    agent = corpus.agents.get(name)
    model = model_of(corpus, agent)
    states = [corpus.vectors.state(space) for space in agent.spaces]
    if None in states:
        return _judged(corpus, agent, model, _parts(corpus, agent))
    key = f"verdicts {agent.id}"

    def make() -> tuple[str, Verdicts]:
        parts = _parts(corpus, agent)
        stamp = _stamp(model, [part.state for part in parts])
        found = corpus.caches.find(key, stamp)
        if found is None:
            found = corpus.caches.store(key, stamp, _as_arrays(_judged(corpus, agent, model, parts)))
        return f"{agent.name} {stamp}", _from_arrays(agent, model, found)

    return corpus.caches.held(key, f"{agent.name} {_stamp(model, states)}", make)


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
    ModelError
        Its model is damaged, or what it learns from anew is no longer there.
    NoVectors
        No sound has served MFCCs.
    """
    agent, model = _served(corpus, name)
    return _judged(corpus, agent, model, [load(corpus, SERVED_MFCC)])


def check_served(corpus: Corpus, names: Sequence[str]) -> None:
    """Raise what `served_verdicts` would raise about the agents themselves, before anything is harvested for them."""
    for name in names:
        _served(corpus, name)


def surest_served(corpus: Corpus, names: Sequence[str]) -> list[int]:
    """Sounds that all the agents call good by what is served: the surest first, by the least sure agent, then by id."""
    verdicts = [served_verdicts(corpus, name) for name in names]
    good = np.all([verdict.is_good for verdict in verdicts], axis=0)
    p = np.min([verdict.is_good if verdict.p is None else verdict.p for verdict in verdicts], axis=0)
    ids = verdicts[0].ids
    order = np.lexsort((ids, -p))
    return [int(sound_id) for sound_id in ids[order[good[order]]]]


def judged_by(score: Scorer, parts: Sequence[FeatureMatrix]) -> tuple[Ids, Floats]:
    """Ids (n,) of the sounds that all the parts have, and their scores (n,); several spaces are joined in blocks."""
    if len(parts) == 1:
        return parts[0].ids, score(parts[0].X)
    ids = reduce(np.intersect1d, (part.ids for part in parts))
    blocks = [ids[first : first + _BLOCK] for first in range(0, len(ids), _BLOCK)]
    return ids, np.concatenate([np.empty(0), *(score(rows_of(parts, block)) for block in blocks)])


def _judged(corpus: Corpus, agent: Agent, model: Model, parts: Sequence[FeatureMatrix]) -> Verdicts:
    if agent.classifier == FLUCOMA:
        matrix = parts[0]
        return Verdicts(agent.name, model.version, matrix.ids, stored(agent, model).is_good(matrix.X), None)
    ids, z = judged_by(scorer(corpus, agent, model), parts)
    p = probability(temperature(agent, model), z)
    return Verdicts(agent.name, model.version, ids, z > 0, p, _drift(model, ids, p))


def _drift(model: Model, ids: Ids, p: Floats) -> float | None:
    kept = model.verdicts.items()
    then = {int(name): value for name, value in kept if name.isdecimal() and isinstance(value, (int, float))}
    examples = np.array(sorted(then), np.int64)
    there = among(examples, ids)
    rows = np.searchsorted(ids, examples[there])
    apart = np.abs(p[rows] - np.array([then[int(sound_id)] for sound_id in examples[there]]))
    return float(apart.max()) if len(apart) else None


def _parts(corpus: Corpus, agent: Agent) -> list[FeatureMatrix]:
    return [load(corpus, space) for space in agent.spaces]


def _served(corpus: Corpus, name: str) -> tuple[Agent, Model]:
    agent = corpus.agents.get(name)
    if tuple(SERVED_AS.get(space, space) for space in agent.spaces) != (SERVED_MFCC,):
        raise TrainingError(
            f"agent {name!r} looks at {', '.join(agent.spaces)}; only one that looks at "
            f"{' or '.join([*SERVED_AS, SERVED_MFCC])} alone judges before there is audio: "
            f"`mirla agent new NAME --space {SERVED_MFCC}`"
        )
    return agent, model_of(corpus, agent)


def _stamp(model: Model, states: Sequence[str | None]) -> str:
    """What verdicts hang on: of a model fitted anew when loaded also the versions of its libraries.

    Of a classifier that a program registered by itself there is no version to know: after a change of its code train
    again.
    """
    libraries = ""
    if len(model.arrays) <= 1:
        theirs = classifiers.CLASSIFIERS.origin(str(model.recipe.get("classifier")))
        libraries = f" scikit-learn {_sklearn()} {theirs}".rstrip()
    return f"{model.version} {model.at} {model.labels_hash} {' '.join(map(str, states))}{libraries}"


@cache
def _sklearn() -> str:
    return metadata.version("scikit-learn")


def _as_arrays(verdicts: Verdicts) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {"ids": verdicts.ids, "is_good": verdicts.is_good}
    if verdicts.p is not None:
        arrays["p"] = verdicts.p
    if verdicts.drift is not None:
        arrays["drift"] = np.array([verdicts.drift])
    return arrays


def _from_arrays(agent: Agent, model: Model, found: Any) -> Verdicts:
    drift = float(found["drift"][0]) if "drift" in found else None
    return Verdicts(agent.name, model.version, found["ids"], found["is_good"], found.get("p"), drift)
