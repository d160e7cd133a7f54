"""Positions: sounds in two dimensions, as near to one another as a measure has them.

Vectors compared by Euclidean distance are projected as they are, those by the cosine at unit length, so that both keep
what can be kept of their distances. Any other measure with distances (a Gaussian's, a mix) is first laid out by
landmark multidimensional scaling: V. de Silva, J. B. Tenenbaum, "Sparse multidimensional scaling using landmark
points", 2004.

The axes of PCA have their greatest weight positive, so that the same sounds make the same map. UMAP (L. McInnes et al.,
"UMAP: Uniform Manifold Approximation and Projection", 2018) keeps neighbourhoods rather than distances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from engine.errors import EngineError, NoVectors, QueryError
from engine.similarity.measures import Ids, Measure, VectorMeasure
from engine.similarity.metrics import COSINE, DIVERGENCE, EUCLIDEAN, Floats, Matrix

PROJECTIONS = ("pca", "umap")
_LANDMARKS = 100
_DIMENSIONS = 10
"""What landmarks lay out, at most."""
_NOTHING = 1e-9
"""Share of the greatest variance below which an axis is but rounding."""
_BLOCK = 1 << 14
_NEIGHBOURS = 15
"""UMAP's own default."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Positions:
    """Where sounds are.

    Attributes
    ----------
    ids : (n,) int64
        Sounds, ascending.
    xy : (n, 2) float32
        Centred at 0 for PCA.
    explained : tuple of float, optional
        The share of the variance on either axis, where PCA sees all of it.
    """

    ids: Ids
    xy: Matrix
    explained: tuple[float, float] | None


def positions(
    corpus: Corpus, measure: Measure, projection: str = "pca", seed: int = 0, progress: Progress | None = None
) -> Positions:
    """Lay out all sounds that a measure knows.

    Parameters
    ----------
    projection : {"pca", "umap"}
    seed : int
        For what is left to chance: UMAP, and the landmarks.

    Raises
    ------
    NoVectors
        It knows none.
    QueryError
        It has no distances, or there are too few sounds for UMAP.
    EngineError
        UMAP is not installed.
    """
    if projection == "umap" and find_spec("umap") is None:
        raise EngineError("UMAP is not installed; `pip install 'mirla[map]'` brings it, PCA does without")
    direct = isinstance(measure, VectorMeasure) and measure.metric in (EUCLIDEAN, COSINE)
    if direct:
        assert isinstance(measure, VectorMeasure)
        matrix, X = measure.prepared(corpus)
        ids, rows = matrix.ids, measure.metric.rows(X) if measure.metric.rows else X
    else:
        ids, rows = _by_landmarks(corpus, measure, seed, progress)
    if projection == "umap":
        return Positions(ids, _umap(rows, seed), None)
    xy, explained = _principal(rows)
    return Positions(ids, xy, explained if direct else None)


def _principal(X: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """The first two principal components, and the share of the variance on each; zeros where there is none."""
    blocks = [slice(first, first + _BLOCK) for first in range(0, len(X), _BLOCK)]
    mean = sum(X[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(X)
    products = sum((Z := X[block] - mean).T @ Z for block in blocks)
    variances, axes = np.linalg.eigh(products)
    total = max(float(np.trace(products)), 1e-300)
    found = [place for place in (-1, -2) if len(variances) >= -place and variances[place] > _NOTHING * variances[-1]]
    xy = np.zeros((len(X), 2), np.float32)
    shares = [0.0, 0.0]
    for column, place in enumerate(found):
        axis = axes[:, place] * np.sign(axes[np.abs(axes[:, place]).argmax(), place])
        for block in blocks:
            xy[block, column] = (X[block] - mean) @ axis
        shares[column] = float(variances[place]) / total
    return xy, (shares[0], shares[1])


def _umap(X: Matrix, seed: int) -> Matrix:
    if len(X) < 5:
        raise QueryError(f"UMAP wants at least 5 sounds and there are {len(X)}; PCA does with fewer")
    from umap import UMAP

    # one thread, which a seed wants
    made = UMAP(n_neighbors=min(_NEIGHBOURS, len(X) - 1), random_state=seed, n_jobs=1).fit_transform(X)
    return np.asarray(made, np.float32)


def _by_landmarks(corpus: Corpus, measure: Measure, seed: int, progress: Progress | None) -> tuple[Ids, Matrix]:
    """Sounds, and a position of each in as many dimensions as their distances to some landmarks tell."""
    if measure.covers(corpus).metric == "rank":
        raise QueryError(f"measure {measure.name!r} is an order without distances, which no map can show; try another")
    ids = measure.knows(corpus)
    if not len(ids):
        held = corpus.sounds.ids()
        measure.around(corpus, int(held[0]) if len(held) else 0)  # says which vectors there are none of
        raise NoVectors(f"measure {measure.name!r} knows no sound; `mirla measures` says how many each knows")
    count = min(_LANDMARKS, len(ids))
    landmarks = np.sort(np.random.default_rng(seed).choice(len(ids), count, replace=False))
    squares = np.zeros((count, len(ids)))
    for done, landmark in enumerate(landmarks, 1):
        squares[done - 1] = _squares(corpus, measure, ids, int(landmark))
        if progress:
            progress(done, count)
    return ids, _laid_out(squares, landmarks)


def _squares(corpus: Corpus, measure: Measure, ids: Ids, landmark: int) -> Floats:
    """Squared distances (n,) of all sounds from one; a divergence is a squared distance as it is."""
    around = measure.around(corpus, int(ids[landmark]))
    found, distances = around.nearest(len(ids), around.ids)
    if distances is None or len(found) != len(ids) - 1:
        raise QueryError(f"measure {measure.name!r} has no distance between some sounds, so no map can show it")
    squares = np.zeros(len(ids))
    divergence = isinstance(measure, VectorMeasure) and measure.metric is DIVERGENCE
    squares[np.searchsorted(ids, found)] = distances if divergence else distances**2
    return squares


def _laid_out(squares: Floats, landmarks: npt.NDArray[np.intp]) -> Matrix:
    """Landmark multidimensional scaling from squared distances (landmarks, sounds)."""
    among = squares[:, landmarks]
    means = among.mean(axis=1)
    centred = -0.5 * (among - means[:, None] - means[None] + means.mean())
    values, vectors = np.linalg.eigh(centred)
    kept = np.flatnonzero(values > _NOTHING * max(values[-1], 1e-300))[::-1][:_DIMENSIONS]
    if not len(kept):
        return np.zeros((squares.shape[1], 1), np.float32)
    return np.asarray(-0.5 * (squares - means[:, None]).T @ (vectors[:, kept] / np.sqrt(values[kept])), np.float32)
