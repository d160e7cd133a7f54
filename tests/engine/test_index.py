"""Every way through the exact search gives the same answer as NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.similarity import index
from engine.similarity.index import ExactIndex


def brute_force(X, query, k, allowed):
    distances = np.sqrt(((X.astype(float) - query.astype(float)) ** 2).sum(axis=1))
    order = np.lexsort((np.arange(len(X)), distances))
    order = order if allowed is None else order[allowed[order]]
    return order[:k], distances[order[:k]]


@pytest.fixture(scope="module")
def vectors():
    generator = np.random.default_rng(11)
    X = generator.normal(size=(6000, 26)).astype(np.float32)
    X[2000:2040] = X[7]  # a tie longer than what is fetched at first
    return X


@pytest.fixture(scope="module")
def exact(vectors):
    return ExactIndex(vectors)


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 1.0, None])
@pytest.mark.parametrize("k", [1, 10, 500, 10000])
def test_same_answer_at_every_share_allowed(vectors, exact, share, k):
    generator = np.random.default_rng(3)
    allowed = None if share is None else generator.random(len(vectors)) < share
    for row in (7, 100, 5999):
        rows, distances = exact.nearest(vectors[row], k, allowed)
        expected, expected_distances = brute_force(vectors, vectors[row], k, allowed)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(distances, expected_distances, rtol=1e-12)


@pytest.mark.parametrize(("gather", "select"), [(1.0, 0.25), (0.0, 0.0), (0.0, 1.0)])
def test_each_branch_alone_gives_the_same_answer(vectors, exact, monkeypatch, gather, select):
    """Only gathering, only the selector, only over-fetching."""
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    allowed = np.random.default_rng(4).random(len(vectors)) < 0.2
    for row in (7, 3000):
        rows, _ = exact.nearest(vectors[row], 30, allowed)
        np.testing.assert_array_equal(rows, brute_force(vectors, vectors[row], 30, allowed)[0])


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 200),
    distinct=st.integers(1, 20),
    k=st.integers(1, 50),
    share=st.floats(0, 1),
    scale=st.sampled_from([1e-6, 1.0, 1e5]),
)
def test_few_distinct_vectors_of_any_size(seed, n, distinct, k, share, scale):
    generator = np.random.default_rng(seed)
    X = (generator.normal(size=(distinct, 3))[generator.integers(0, distinct, n)] * scale).astype(np.float32)
    allowed = generator.random(n) < share
    rows, _ = ExactIndex(X).nearest(X[0], k, allowed)
    np.testing.assert_array_equal(rows, brute_force(X, X[0], k, allowed)[0])
