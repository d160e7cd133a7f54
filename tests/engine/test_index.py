"""Every way through the exact search gives the same answer as NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.similarity import index
from engine.similarity.index import ExactIndex
from engine.similarity.metrics import COSINE, EUCLIDEAN

METRICS = {metric.name: metric for metric in (EUCLIDEAN, COSINE)}


def euclidean(X, query):
    return np.sqrt(((X - query) ** 2).sum(axis=1))


def one_minus_cosine(X, query):
    """By its definition; what rounding makes of equal directions is evened out. A zero vector is at right angles."""
    lengths = np.linalg.norm(X, axis=1) * np.linalg.norm(query)
    return 1 - np.round(np.divide(X @ query, lengths, out=np.zeros(len(X)), where=lengths > 0), 13)


def brute_force(X, query, k, allowed, metric="euclidean"):
    distances = {"euclidean": euclidean, "cosine": one_minus_cosine}[metric](X.astype(float), query.astype(float))
    order = np.lexsort((np.arange(len(X)), distances))
    order = order if allowed is None else order[allowed[order]]
    return order[:k], distances[order[:k]]


@pytest.fixture(scope="module")
def vectors():
    generator = np.random.default_rng(11)
    X = generator.normal(size=(6000, 26)).astype(np.float32)
    X[2000:2040] = X[7]  # a tie longer than what is fetched at first
    X[3000:3040] = 0
    return X


@pytest.fixture(scope="module", params=METRICS)
def metric(request):
    return request.param


@pytest.fixture(scope="module")
def exact(vectors, metric):
    return ExactIndex(vectors, METRICS[metric])


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 1.0, None])
@pytest.mark.parametrize("k", [1, 10, 500, 10000])
def test_same_answer_at_every_share_allowed(vectors, exact, metric, share, k):
    generator = np.random.default_rng(3)
    allowed = None if share is None else generator.random(len(vectors)) < share
    for row in (7, 100, 3003, 5999):
        rows, distances = exact.nearest(vectors[row], k, allowed)
        expected, expected_distances = brute_force(vectors, vectors[row], k, allowed, metric)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(distances, expected_distances, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("gather", "select"), [(1.0, 0.25), (0.0, 0.0), (0.0, 1.0)])
def test_each_branch_alone_gives_the_same_answer(vectors, exact, metric, monkeypatch, gather, select):
    """Only gathering, only the selector, only over-fetching."""
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    allowed = np.random.default_rng(4).random(len(vectors)) < 0.2
    for row in (7, 3000, 4000):
        rows, _ = exact.nearest(vectors[row], 30, allowed)
        np.testing.assert_array_equal(rows, brute_force(vectors, vectors[row], 30, allowed, metric)[0])


def test_memory_stays_flat_and_the_answer_the_same_where_all_rows_are_measured(vectors, exact, metric, monkeypatch):
    monkeypatch.setattr(index, "_BLOCK", 1000)
    rows, _ = exact.nearest(vectors[7], len(vectors))
    np.testing.assert_array_equal(rows, brute_force(vectors, vectors[7], len(vectors), None, metric)[0])


@pytest.mark.parametrize("length", [1e-38, 1e-3, 1.0, 1e30])
def test_the_length_of_a_vector_is_nothing_to_the_cosine(length):
    """Also at lengths that float32 cannot square."""
    X = np.random.default_rng(5).normal(size=(500, 100)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    longer = X * np.random.default_rng(6).choice([0.25, 1, 8], (500, 1)).astype(np.float32) * np.float32(length)
    found = ExactIndex(longer, COSINE).nearest(longer[3], 40)
    expected = brute_force(X, X[3], 40, None, "cosine")
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], atol=1e-6)


def test_a_zero_vector_is_at_distance_1_from_all():
    X = np.array([[0, 0], [3, 4], [0, 0], [-3, -4], [6, 8]], np.float32)
    exact = ExactIndex(X, COSINE)
    assert [part.tolist() for part in exact.nearest(X[0], 5)] == [[0, 1, 2, 3, 4], [1.0] * 5]
    assert [part.tolist() for part in exact.nearest(X[1], 5)] == [[1, 4, 0, 2, 3], [0.0, 0.0, 1.0, 1.0, 2.0]]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 200),
    distinct=st.integers(1, 20),
    k=st.integers(1, 50),
    share=st.floats(0, 1),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e5]),
    metric=st.sampled_from(list(METRICS)),
)
def test_few_distinct_vectors_of_any_size(seed, n, distinct, k, share, scale, metric):
    generator = np.random.default_rng(seed)
    X = (generator.normal(size=(distinct, 3))[generator.integers(0, distinct, n)] * scale).astype(np.float32)
    allowed = generator.random(n) < share
    rows, _ = ExactIndex(X, METRICS[metric]).nearest(X[0], k, allowed)
    np.testing.assert_array_equal(rows, brute_force(X, X[0], k, allowed, metric)[0])
