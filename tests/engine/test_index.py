"""Every way through the exact search gives the same answer as NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.similarity import index
from engine.similarity.index import ExactIndex
from engine.similarity.metrics import COSINE, DIVERGENCE, EUCLIDEAN

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


@pytest.fixture(scope="module")
def gaussians():
    """Sounds so near one another, far from the corpus's mean, that float32 mixes up their inner products; and others.

    Half have no covariance at all, as sounds of one frame; 40 are the same.
    """
    generator = np.random.default_rng(8)
    X = np.zeros((3000, 104))
    X[:, :13] = generator.normal(size=13) * 300 + generator.normal(size=(3000, 13)) * 0.02
    X[2500:, :13] += generator.normal(size=(500, 13)) * 400
    frames = generator.normal(size=(3000, 30, 13)) * generator.uniform(0.1, 100, (3000, 1, 13))
    covariances = np.einsum("nfi,nfj->nij", frames, frames) / 30
    X[1500:, 13:] = covariances[1500:, *np.triu_indices(13)]
    X[600:640] = X[5]
    return X.astype(np.float32)


def divergences(X, query):
    """KL(a, b) + KL(b, a), by the two traces and lengths."""
    mean, covariance = X[:, :13], np.zeros((len(X), 13, 13))
    upper = np.triu_indices(13)
    covariance[:, upper[0], upper[1]] = covariance[:, upper[1], upper[0]] = X[:, 13:]
    covariance += np.eye(13)
    one = np.zeros((13, 13))
    one[upper] = one.T[upper] = query[13:]
    one += np.eye(13)
    apart, precision, turned = mean - query[:13], np.linalg.inv(covariance), np.linalg.inv(one)
    traces = np.einsum("nij,ij->n", precision, one) + np.einsum("ij,nij->n", turned, covariance) - 26
    return 0.5 * (traces + np.einsum("ni,nij,nj->n", apart, precision + turned, apart))


@pytest.mark.parametrize(("gather", "select"), [(0.02, 0.25), (0.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.9, None])
def test_divergences_are_exact_where_float32_is_not(gaussians, monkeypatch, gather, select, share):
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    exact = ExactIndex(gaussians, DIVERGENCE)
    allowed = None if share is None else np.random.default_rng(9).random(3000) < share
    for row in (0, 5, 700, 1600, 2999):
        expected = divergences(gaussians.astype(float), gaussians[row].astype(float))
        order = np.lexsort((np.arange(3000), np.round(expected, 9)))
        order = order if allowed is None else order[allowed[order]]
        for k in (1, 10, 60):
            rows, distances = exact.nearest(gaussians[row], k, allowed)
            np.testing.assert_array_equal(rows, order[:k])
            np.testing.assert_allclose(distances, expected[order[:k]], rtol=1e-8, atol=1e-9)


def test_float32_alone_would_have_been_wrong(gaussians):
    """Else the test above would prove nothing."""
    embedding = DIVERGENCE.embedding(gaussians)
    wrong = 0
    for row in range(0, 600, 50):
        query = gaussians[row]
        expected = divergences(gaussians.astype(float), query.astype(float))
        products = embedding.rows @ embedding.of_query(query)
        first = np.argsort(-products, kind="stable")[:40]
        wrong += not set(np.argsort(expected, kind="stable")[:10]) <= set(first)
    assert wrong


def test_divergences_of_real_sizes_are_rounded_by_less_than_the_bound():
    """The products of float32 against those of float64, beside what the index allows for."""
    generator = np.random.default_rng(10)
    frames = generator.normal(size=(400, 50, 13)) * generator.uniform(1, 60, (400, 1, 13)) * [4] + 30
    means = generator.normal(size=(400, 13)) * 80 + np.array([-700, *[0] * 12])
    centred = frames - frames.mean(axis=1, keepdims=True)
    covariances = np.einsum("nfi,nfj->nij", centred, centred) / 50
    X = np.hstack([means, covariances[:, *np.triu_indices(13)]]).astype(np.float32)
    embedding = DIVERGENCE.embedding(X)
    for row in range(0, 400, 40):
        query = embedding.of_query(X[row])
        distances = divergences(X.astype(float), X[row].astype(float))
        off = embedding.rows @ query + distances
        off -= np.median(off)  # each product is the distance but for its sign and one constant
        assert 4 * np.abs(off).max() < embedding.rounding(query) < 0.05 * np.median(distances)


@pytest.mark.parametrize("span", [20, 200])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_a_centre_that_float32_cannot_hold_is_answered_exactly(span, k):
    """Coordinates so large that float32 moves the centre of some vectors by half their distance."""
    for seed in range(8):
        generator = np.random.default_rng(seed)
        X = (1e5 + 2.0**-7 * generator.integers(0, span, (2000, 2))).astype(np.float32)
        rows = X.astype(np.float64)
        for _ in range(8):
            centre = rows[generator.choice(len(X), 3, replace=False)].mean(axis=0)
            distances = np.linalg.norm(rows - centre, axis=1)
            expected = np.lexsort((np.arange(len(X)), distances))[:k]
            np.testing.assert_array_equal(ExactIndex(X, EUCLIDEAN).nearest(centre, k)[0], expected)
