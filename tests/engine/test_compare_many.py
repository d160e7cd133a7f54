"""Many sounds asked about at once against one after the other, for every kind of measure, with ties and makers."""

import itertools
import shutil
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from scipy.stats import kendalltau

from corpus import Corpus
from corpus.store.tables import sounds
from engine.compare import figures
from engine.compare.run import compare
from engine.similarity.index import ExactIndex
from engine.similarity.many import Many
from engine.similarity.measures import measure
from engine.similarity.metrics import COSINE, DIVERGENCE, EUCLIDEAN

VECTORS = ["mfcc", "mfcc_raw", "mfcc_cosine", "mfcc_pca", "mfcc_gauss", "traits", "0.7*mfcc+0.3*traits"]
KINDS = [*VECTORS, "mfcc+mfcc_cosine", "freesound_list"]
GOOD = 13
"""Every so manieth sound is good."""


@pytest.fixture(scope="module")
def made(measured_home, tmp_path_factory):
    """The samples, in tens that sound the same to the last bit, with makers, packs, categories and similar lists."""
    home = tmp_path_factory.mktemp("many") / "home"
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        ids = corpus.sounds.ids().tolist()
        generator = np.random.default_rng(3)
        with corpus.database.write() as connection:
            for first in range(0, 60, 10):
                same = ",".join(map(str, ids[first + 1 : first + 10]))
                connection.exec_driver_sql(
                    f"update vectors set data = (select data from vectors v where v.sound_id = {ids[first]} and"
                    f" v.space_id = vectors.space_id) where sound_id in ({same})"
                )
            for place, number in enumerate(ids):
                record = {"category": f"c{place % 4}", "category_is_user_provided": place % 3 > 0}
                facts = {
                    "username": f"u{place % 3}" if place % 7 else None,
                    "pack": f"p{place // 40}",
                    "record": record,
                }
                connection.execute(sounds.update().where(sounds.c.id == number).values(facts))
                listed = generator.permutation([*ids, 5, 6])[: 40 + place % 9].tolist()
                corpus.similar_lists.put(connection, number, listed, 50)
        yield corpus


def one_by_one(corpus, name, target, k, allowed):
    return measure(name).around(corpus, target).nearest(k, allowed[allowed != target])[0].tolist()


@pytest.mark.parametrize("k", [1, 8, 300])
@pytest.mark.parametrize("name", KINDS)
def test_many_at_once_are_answered_as_one_by_one(made, name, k):
    ids = made.sounds.ids()
    for allowed in (ids, ids[::2], ids[:3]):
        answers = Many(made, measure(name), allowed).nearest(ids, k)
        expected = [one_by_one(made, name, target, k, allowed) for target in ids.tolist()]
        assert [answer[answer >= 0].tolist() for answer in answers] == expected


@pytest.mark.parametrize("name", KINDS)
def test_the_rank_of_the_nearest_good_one_is_its_place_in_the_whole_order(made, name):
    ids = made.sounds.ids()
    for some in (ids[::GOOD], ids[10:12], ids[-1:], np.array([5])):
        expected = []
        for target in ids.tolist():
            order = one_by_one(made, name, target, len(ids), ids)
            expected.append(next((place for place, one in enumerate(order, 1) if one in some), np.nan))
        np.testing.assert_array_equal(Many(made, measure(name), ids).ranks_of_nearest(ids, some), expected)


@pytest.mark.parametrize("metric", [EUCLIDEAN, COSINE, DIVERGENCE], ids=lambda one: one.name)
def test_many_rows_of_an_index_are_answered_as_one_by_one_by_way_of_faiss(metric):
    generator = np.random.default_rng(1)
    X = np.abs(generator.normal(size=(3000, 5))).astype(np.float32)  # means of 2, a covariance of 3 for the divergence
    X[:, 3] *= 0.1
    X[500:1500] = X[generator.integers(50, size=1000)]  # many more ties than are fetched
    index = ExactIndex(X, metric)
    rows = generator.integers(len(X), size=80)
    for allowed in (None, generator.random(len(X)) < 0.3, generator.random(len(X)) < 0.003):
        everyone = np.ones(len(X), bool) if allowed is None else allowed
        for row, near in zip(rows.tolist(), index.nearest_each(rows, 9, allowed), strict=True):
            others = everyone & (np.arange(len(X)) != row)
            order = index.nearest(X[row], len(X), others)[0]
            assert near.tolist() == order[:9].tolist()
            for place in (0, 1, 2, 7, len(order) // 2, len(order) - 1):
                if place < len(order):
                    assert index.place(row, int(order[place]), allowed) == place


@pytest.mark.parametrize("name", ["mfcc", "mfcc_gauss", "freesound_list"])
def test_precision_is_of_the_nearest_that_are_unrelated(made, name):
    found = compare(made, [name], 6).measures[0]
    everyone = {one.id: one for one in made.sounds.many(made.sounds.ids())}
    records = dict(zip(everyone, made.sounds.records_of(list(everyone)), strict=True))
    counts = Counter(tag for one in everyone.values() for tag in one.tags)
    common = sorted(counts, key=lambda tag: (-counts[tag], tag))[: len(counts) // 100]
    tags = {number: set(one.tags) - set(common) for number, one in everyone.items()}
    shares = {(what, at): [] for what in ("tags", "categories") for at in range(6)}
    for target, own in everyone.items():
        apart = [
            number
            for number, one in everyone.items()
            if number != target
            and not (own.username and one.username == own.username)
            and not (own.pack and one.pack == own.pack)
        ]
        near = one_by_one(made, name, target, 6, np.array(apart))
        for at in range(6):
            some = near[: at + 1]
            if tags[target] and some:
                shares["tags", at].append(np.mean([bool(tags[target] & tags[one]) for one in some]))
            if records[target]["category_is_user_provided"] and some:
                same = [given(records[one]) == given(records[target]) for one in some]
                shares["categories", at].append(np.mean(same))
    for (what, at), each in shares.items():
        estimate = getattr(found, what)[at]
        assert (estimate.value, estimate.n) == (pytest.approx(np.mean(each)), len(each))


def given(record):
    return record["category"] if record["category_is_user_provided"] else None


def test_lists_of_different_lengths_are_compared_as_far_as_they_go():
    a, b = np.array([[1, 2, 3, -1], [7, -1, -1, -1], [-1] * 4]), np.array([[3, 1, 9, 4], [8, 9, -1, -1], [-1] * 4])
    np.testing.assert_allclose(figures.overlap(a, b), [2 / 4, 0, np.nan])
    np.testing.assert_allclose(figures.kendall_tau(a, b), [-1, np.nan, np.nan])
    sums = 0.9**3 * 2 / 3 + (0.1 / 0.9) * (0 * 0.9 + 1 / 2 * 0.9**2 + 2 / 3 * 0.9**3)
    np.testing.assert_allclose(figures.rank_biased_overlap(a, b), [sums, 0, np.nan])


@pytest.mark.parametrize("k", [1, 2, 7, 40])
def test_agreement_of_many_lists_is_that_of_each_by_its_definition(k):
    generator = np.random.default_rng(k)
    a, b = (np.array([generator.permutation(k + 9)[:k] for _ in range(30)]) for _ in range(2))
    for lists in (a, b):
        lists[np.arange(k) >= generator.integers(k + 1, size=30)[:, None]] = -1
    overlap, tau, rbo = figures.overlap(a, b), figures.kendall_tau(a, b), figures.rank_biased_overlap(a, b)
    for row, (one, other) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        one, other = ([number for number in each if number >= 0] for each in (one, other))
        common = [number for number in one if number in other]
        longer = max(len(one), len(other))
        np.testing.assert_allclose(overlap[row], len(common) / longer if longer else np.nan)
        pairs = [np.sign(other.index(y) - other.index(x)) for x, y in itertools.combinations(common, 2)]
        np.testing.assert_allclose(tau[row], np.mean(pairs) if pairs else np.nan)
        depth = min(len(one), len(other))
        shares = [len(set(one[:d]) & set(other[:d])) / d for d in range(1, depth + 1)]
        weights = 0.9 ** np.arange(1, depth + 1)
        expected = shares[-1] * 0.9**depth + 0.1 / 0.9 * np.dot(shares, weights) if depth else np.nan
        np.testing.assert_allclose(rbo[row], expected)


def test_long_lists_are_compared_in_little_memory():
    k = 10_000
    generator = np.random.default_rng(0)
    a, b = (generator.permutation(2 * k)[None, :k] for _ in range(2))
    tracemalloc.start()
    try:
        found = [one(a, b)[0] for one in (figures.overlap, figures.rank_biased_overlap, figures.kendall_tau)]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    common = np.intersect1d(a, b)
    places = [np.argsort(each[0])[np.searchsorted(np.sort(each[0]), common)] for each in (a, b)]
    assert found[2] == pytest.approx(kendalltau(*places)[0])
    assert most < 400 * k  # bytes; pairs of places would take that times 250 and more


def test_an_interval_is_that_of_plain_resamples_however_many_draws_are_taken_at_a_time(monkeypatch):
    values = np.random.default_rng(2).random(300)
    draws = np.random.default_rng(4).integers(300, size=(1000, 300))
    expected = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    monkeypatch.setattr(figures, "_BLOCK", 300 * 70)
    several = figures.estimates({"a": values, "b": np.append(values, np.nan), "none": np.array([np.nan])}, seed=4)
    np.testing.assert_allclose(several["a"].interval, expected)
    assert several["a"] == several["b"]
    assert several["none"] is None


def test_hubness_has_an_interval_over_sounds():
    counts = np.random.default_rng(0).geometric(0.2, size=500)
    found = figures.hubness(counts)
    assert found.interval[0] < found.value < found.interval[1]
    assert found.n == 500
    assert figures.hubness(np.full(9, 3)) is None


def test_more_neighbours_than_there_are_are_all(made):
    asked, there = (compare(made, ["mfcc", "mfcc_raw"], k, sample=20) for k in (10**6, 164))
    assert asked.as_json() == there.as_json() | {"k": 10**6}
