"""What an agent learns from: the vectors of the sounds that were labelled, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent, Annotation
from corpus.said import labels_hash
from engine.agent.forms import Classes, Matrix
from engine.errors import NoVectors
from engine.features import FeatureMatrix, load


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Sounds called good or bad, in ascending order of id.

    Attributes
    ----------
    ids : (n,) int64
    y : (n,) int64
        0 bad, 1 good.
    groups : list of str
        The uploader of each.
    """

    ids: npt.NDArray[np.int64]
    y: Classes
    groups: list[str]

    @property
    def good(self) -> int:
        """How many are good."""
        return int(self.y.sum())

    @property
    def bad(self) -> int:
        """How many are bad."""
        return len(self.y) - self.good

    @property
    def hash(self) -> str:
        """A digest of what was said of which sound."""
        return labels_hash(zip(self.ids.tolist(), (("bad", "good")[label] for label in self.y), strict=True))


@dataclass(frozen=True, kw_only=True)
class Examples(Labelled):
    """Labelled sounds that have vectors in all spaces an agent looks at.

    Attributes
    ----------
    X : (n, d) float32
    left_out : list of int
        Labelled sounds without such vectors, or no longer there.
    until : int, optional
        The last annotation among those of all these.
    lacks : str
        What the first of those left out lacks, and how to get it.
    """

    X: Matrix
    left_out: list[int]
    until: int | None
    lacks: str = ""


def counts(labels: Sequence[Annotation]) -> dict[str, int]:
    """How many labels are `good` and `bad`, to learn from, and how many are kept for the `test`."""
    return {
        "good": sum(one.label == "good" and not one.test for one in labels),
        "bad": sum(one.label == "bad" and not one.test for one in labels),
        "test": sum(one.test for one in labels),
    }


def examples(corpus: Corpus, agent: Agent, test: bool = False) -> Examples:
    """Gather the examples of an agent: those to learn from, or with `test` those kept for testing.

    Raises
    ------
    NoVectors
        None of the labelled sounds has a vector in a space that the agent looks at.
    """
    labels = [label for label in corpus.agents.annotations(agent) if label.test == test]
    return gathered(corpus, agent, labels)


def gathered(corpus: Corpus, agent: Agent, labels: Sequence[Annotation]) -> Examples:
    """The same of given labels, in ascending order of their sounds."""
    parts = [load(corpus, space) for space in agent.spaces] if labels else []
    wanted = np.array([label.sound_id for label in labels], np.int64)
    there = np.ones(len(labels), bool)
    for part in parts:
        rows = np.minimum(np.searchsorted(part.ids, wanted), len(part.ids) - 1)
        there &= part.ids[rows] == wanted
    if labels and not there.any():
        for part in parts:
            part.rows(wanted[:1])  # says which is lacking and how to get it
        raise NoVectors(
            f"no sound that agent {agent.name!r} was taught has vectors in all of {', '.join(agent.spaces)}"
        )
    kept = [label for label, one in zip(labels, there.tolist(), strict=True) if one]
    ids = wanted[there]
    return Examples(
        ids=ids,
        X=rows_of(parts, ids),
        y=np.array([label.label == "good" for label in kept], np.int64),
        groups=[sound.uploader_group for sound in corpus.sounds.many(ids.tolist())],
        left_out=wanted[~there].tolist(),
        until=max((label.id or 0 for label in labels), default=None),
        lacks=_lacks(parts, wanted[~there][:1]),
    )


def _lacks(parts: Sequence[FeatureMatrix], ids: npt.NDArray[np.int64]) -> str:
    try:
        for part in parts:
            part.rows(ids)
    except NoVectors as error:
        return str(error)
    return ""


def rows_of(parts: Sequence[FeatureMatrix], ids: npt.NDArray[np.int64]) -> Matrix:
    """The vectors (n, d) of sounds that all the parts have, side by side."""
    if not parts:
        return np.empty((len(ids), 0), np.float32)
    return np.hstack([part.X[np.searchsorted(part.ids, ids)] for part in parts])
