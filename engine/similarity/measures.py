"""Measures: named definitions of similarity, each one short definition.

A measure says what can be compared with a sound, and orders it. Most compare vectors: a space, a preparation and a
metric. One is an order that was given, without distances. A preparation is fitted on the whole space, never on the
sounds that a filter left. A sound is never in its own surroundings; ties go to the smaller id.

Another package adds a measure by an entry point of the group `mirla.measures` that names a `Measure`, or a preparation
declared by `vector_measure`; a program by `register`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import FIRST_LOCAL_ID
from corpus.plugins import Registry
from engine.errors import NoVectors, UnknownMeasure
from engine.features import FeatureMatrix, among, load
from engine.similarity.index import ExactIndex
from engine.similarity.kept import kept, kept_index
from engine.similarity.metrics import COSINE, DIVERGENCE, EUCLIDEAN, Floats, Matrix, Metric, as_is
from engine.similarity.preparations import log_variances, means, principal_components, standardise

Ids = npt.NDArray[np.int64]

_NAME = re.compile(r"[^\W\d][\w.-]*")
"""Names that a mix can read."""


@dataclass(frozen=True)
class Coverage:
    """What a measure compares at present: the space, its dimension, by which metric, how many sounds."""

    space: str | None
    dims: int | None
    metric: str
    sounds: int


@dataclass(frozen=True)
class Surroundings:
    """What a measure can compare with one sound.

    Attributes
    ----------
    ids : (n,) int64
        Sounds, not all of which need be held; never the one itself.
    nearest : callable
        Given k and which of `ids` are allowed: the nearest k of these, nearest first, and their distances (<=k,)
        float64, None for an order without distances.
    held : bool
        Whether all of `ids` are sounds that the corpus holds.
    """

    ids: Ids
    nearest: Callable[[int, Ids], tuple[Ids, Floats | None]]
    held: bool = False


@dataclass(frozen=True)
class Measure(ABC):
    """A named definition of similarity.

    Attributes
    ----------
    name, about : str
        What it is called, and one line for people.
    """

    name: str
    about: str

    @abstractmethod
    def covers(self, corpus: Corpus) -> Coverage:
        """What it can compare in this corpus."""

    @abstractmethod
    def knows(self, corpus: Corpus) -> Ids:
        """Ids (n,) of the sounds held that it can be asked about, ascending."""

    @abstractmethod
    def around(self, corpus: Corpus, target: int) -> Surroundings:
        """What it can compare with one sound.

        Raises
        ------
        NoVectors
            It knows nothing of that sound, or of any.
        """


@dataclass(frozen=True)
class VectorMeasure(Measure):
    """The distance between vectors.

    Attributes
    ----------
    space : str
        The space it compares in.
    prepare : callable
        The space's matrix (n, d), not to be written into, to the matrix (n, d') that is compared.
    metric : Metric
        How far apart two rows are.
    """

    space: str
    prepare: Callable[[Matrix], Matrix]
    metric: Metric = EUCLIDEAN

    def covers(self, corpus: Corpus) -> Coverage:
        """The sounds that have a vector."""
        space = corpus.vectors.space(self.space)
        return Coverage(self.space, space.dim if space else None, self.metric.name, corpus.vectors.count(self.space))

    def knows(self, corpus: Corpus) -> Ids:
        """The sounds that have a vector."""
        return corpus.vectors.ids(self.space)

    def around(self, corpus: Corpus, target: int) -> Surroundings:
        """All sounds that have a vector."""
        matrix, index = self.searchable(corpus)
        return among_others(matrix.ids, int(matrix.rows([target])[0]), index)

    def prepared(self, corpus: Corpus) -> tuple[FeatureMatrix, Matrix]:
        """The vectors of its space, and what it makes of them to compare; neither is to be written into.

        Raises
        ------
        NoVectors
            There are none.
        """
        matrix = load(corpus, self.space)
        return matrix, kept(corpus, matrix, self)

    def searchable(self, corpus: Corpus) -> tuple[FeatureMatrix, ExactIndex]:
        """The vectors of its space, and the search over what it makes of them.

        Raises
        ------
        NoVectors
            There are none.
        """
        matrix = load(corpus, self.space)
        return matrix, kept_index(corpus, matrix, self)


def among_others(ids: Ids, row: int, index: ExactIndex) -> Surroundings:
    """What an index over sounds `ids` finds near one of them."""
    others = np.delete(ids, row)

    def nearest(k: int, allowed: Ids) -> tuple[Ids, Floats]:
        if allowed is others or np.array_equal(allowed, others):
            rows, distances = index.nearest(index.vectors[row], k + 1)
            others_only = np.flatnonzero(rows != row)[: max(k, 0)]
            return ids[rows[others_only]], distances[others_only]
        rows, distances = index.nearest(index.vectors[row], k, among(ids, allowed))
        return ids[rows], distances

    return Surroundings(others, nearest, held=True)


@dataclass(frozen=True)
class ListMeasure(Measure):
    """The order of the API's own list of similar sounds, as it was when it was fetched."""

    def covers(self, corpus: Corpus) -> Coverage:
        """The sounds held that have a list."""
        return Coverage(None, None, "rank", len(self.knows(corpus)))

    def knows(self, corpus: Corpus) -> Ids:
        """The sounds held that have a list."""
        held = corpus.sounds.ids()
        return np.setdiff1d(held, corpus.similar_lists.lacking(held.tolist(), 0))

    def around(self, corpus: Corpus, target: int) -> Surroundings:
        """The sounds on its list, held or not, each once."""
        listed = corpus.similar_lists.of(target)
        if listed is None:
            if target >= FIRST_LOCAL_ID:
                raise NoVectors(f"sound {target} is none of Freesound's and has no similar list; try another --measure")
            raise NoVectors(f"sound {target} has no similar list; `mirla harvest --ids FILE --similar 150` fetches it")
        ids = np.array([sound_id for sound_id in dict.fromkeys(listed) if sound_id != target], np.int64)

        def nearest(k: int, allowed: Ids) -> tuple[Ids, None]:
            return ids[np.isin(ids, allowed)][:k], None

        return Surroundings(ids, nearest)


# the registry only asks whether something is one, so the abstract class will do
MEASURES: Registry[Measure] = Registry("mirla.measures", Measure)  # type: ignore[type-abstract]
"""By name, those of other packages last."""


def register(measure: Measure) -> Measure:
    """Add a measure.

    Raises
    ------
    ValueError
        There is another of that name, or no mix could name it.
    """
    if not _NAME.fullmatch(measure.name):
        raise ValueError(
            f"{measure.name!r} is no name for a measure: letters, digits, '_', '.' and '-', a letter first"
        )
    return MEASURES.register(measure)


def vector_measure(
    name: str, about: str, space: str, metric: Metric = EUCLIDEAN
) -> Callable[[Callable[[Matrix], Matrix]], VectorMeasure]:
    """Declare the decorated preparation as a new measure: it makes a VectorMeasure of it and registers it.

    Examples
    --------
    >>> @vector_measure("first", "the first coefficient alone", "mfcc")       # doctest: +SKIP
    ... def first(X):
    ...     return X[:, :1]
    """

    def declare(prepare: Callable[[Matrix], Matrix]) -> VectorMeasure:
        made = VectorMeasure(name, about, space, prepare, metric)
        register(made)
        return made

    return declare


def measure(name: str) -> Measure:
    """One measure by name, or a mix by its expression (see `engine.similarity.mix`).

    Raises
    ------
    UnknownMeasure
        There is none, or the expression is malformed.
    """
    found = MEASURES.get(name)
    if found is not None:
        return found
    if set(name) & set("+*"):
        from engine.similarity.mix import parse

        return parse(name)
    raise UnknownMeasure(f"no measure {name!r}; known are {', '.join(MEASURES)}{MEASURES.why_broken()}")


register(VectorMeasure("mfcc", "timbre: standardised MFCC statistics by Essentia", "mfcc", standardise))
register(VectorMeasure("mfcc_librosa", "timbre: standardised MFCC statistics by librosa", "mfcc_librosa", standardise))
register(VectorMeasure("mfcc_raw", "timbre: MFCC statistics as they are", "mfcc", as_is))
register(VectorMeasure("mfcc_means", "timbre: means of MFCCs as they are, the first by far the loudest", "mfcc", means))
register(
    VectorMeasure(
        "mfcc_cosine", "timbre: the direction of MFCC statistics, log variances", "mfcc", log_variances, COSINE
    )
)
register(VectorMeasure("mfcc_pca", "timbre: 10 whitened principal components", "mfcc", principal_components))
register(VectorMeasure("mfcc_gauss", "timbre: a Gaussian of MFCCs for each sound", "mfcc_frames", as_is, DIVERGENCE))
register(VectorMeasure("traits", "pitch, rhythm, brightness and noisiness", "traits9", standardise))
register(
    VectorMeasure("api_mfcc", "timbre: standardised MFCC statistics as Freesound serves them", "api_mfcc", standardise)
)
register(
    VectorMeasure(
        "freesound_classic", "Freesound's acoustic descriptors, projected", "freesound_classic", as_is, COSINE
    )
)
register(VectorMeasure("laion_clap", "meaning: what LAION-CLAP hears in a sound", "laion_clap", as_is, COSINE))
register(ListMeasure("freesound_list", "Freesound's own order of similar sounds, as it was fetched"))
