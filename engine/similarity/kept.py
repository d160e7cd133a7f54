"""What a measure makes of its space, kept: prepared vectors and the rows that FAISS compares, as memory-mapped caches.

Their stamp is the state of the space and the measure's definition: a digest of what its preparation answers on a
built-in probe, so that whatever changes an answer, in this program or another package, makes them anew. Rows that come
each from one vector alone are made for the vectors that were added, the others copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np

from corpus.library import Corpus
from engine.features import FeatureMatrix
from engine.similarity.index import ExactIndex
from engine.similarity.metrics import Matrix, Metric, as_is

_PROBES = 64


class Recipe(Protocol):
    """What is kept of a measure of vectors."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def prepare(self) -> Callable[[Matrix], Matrix]:
        """A space's matrix to the one that is compared."""
        ...

    @property
    def metric(self) -> Metric:
        """What near means."""
        ...


def kept(corpus: Corpus, matrix: FeatureMatrix, recipe: Recipe) -> Matrix:
    """The prepared vectors (n, d') of a space."""
    if recipe.prepare is as_is or matrix.state is None:
        return recipe.prepare(matrix.X)
    stamp = _stamp(matrix, recipe)

    def make() -> tuple[str, Matrix]:
        key = f"prepared {recipe.name}"
        found = corpus.caches.find(key, stamp) or corpus.caches.store(key, stamp, {"X": recipe.prepare(matrix.X)})
        return stamp, found["X"]

    return corpus.caches.held(f"prepared {recipe.name}", stamp, make)


def kept_index(corpus: Corpus, matrix: FeatureMatrix, recipe: Recipe) -> ExactIndex:
    """The search over the prepared vectors of a space."""
    if matrix.state is None:
        return ExactIndex(recipe.prepare(matrix.X), recipe.metric)
    stamp = _stamp(matrix, recipe)

    def make() -> tuple[str, ExactIndex]:
        X = kept(corpus, matrix, recipe)
        if recipe.metric.rows is None:
            return stamp, ExactIndex(X, recipe.metric)
        key = f"rows {recipe.name}"
        found = corpus.caches.find(key, stamp)
        if found is None:
            rows = _grown(corpus, matrix, recipe, X)
            rows = recipe.metric.rows(X) if rows is None else rows
            found = corpus.caches.store(key, stamp, {"rows": rows})
        return stamp, ExactIndex(X, recipe.metric, found["rows"])

    return corpus.caches.held(f"index {recipe.name}", stamp, make)


def _grown(corpus: Corpus, matrix: FeatureMatrix, recipe: Recipe, X: Matrix) -> Matrix | None:
    """Rows stored earlier and those of the vectors added since; None where that is not all there is to it."""
    if recipe.metric.rows is None or not recipe.metric.by_row or recipe.prepare is not as_is:
        return None
    for stamp, old in corpus.caches.others(f"rows {recipe.name}"):
        state, _, made_by = stamp.rpartition(" ")
        if made_by != definition(recipe, matrix.X.shape[1]):
            continue
        added = corpus.vectors.added(matrix.space, state)
        if added is None or added[0] != matrix.state:
            continue
        new = np.searchsorted(matrix.ids, added[1][0])
        rows = np.empty((len(X), old["rows"].shape[1]), np.float32)
        before = np.ones(len(X), bool)
        before[new] = False
        rows[before], rows[new] = old["rows"], recipe.metric.rows(X[new])
        return rows
    return None


def definition(recipe: Recipe, dims: int) -> str:
    """A digest of what a measure makes of a built-in probe of so many columns."""
    return _definition(recipe.prepare, recipe.metric, dims)


@cache
def _definition(prepare: Callable[[Matrix], Matrix], metric: Metric, dims: int) -> str:
    generator = np.random.default_rng(0)
    probe = (generator.lognormal(sigma=2, size=(_PROBES, dims)) * 10).astype(np.float32)
    lacking = probe.copy()
    lacking[generator.integers(_PROBES), generator.integers(dims)] = np.nan
    digest = hashlib.sha256()
    for X in (probe, lacking):
        try:
            with np.errstate(all="ignore"):
                prepared = prepare(X.copy())
                digest.update(np.ascontiguousarray(prepared, np.float32).tobytes())
                if metric.rows is not None:
                    digest.update(np.ascontiguousarray(metric.rows(prepared), np.float32).tobytes())
        except Exception as error:  # another's code may refuse the probe
            digest.update(repr(error).encode())
    return digest.hexdigest()[:16]


def _stamp(matrix: FeatureMatrix, recipe: Recipe) -> str:
    return f"{matrix.state} {definition(recipe, matrix.X.shape[1])}"
