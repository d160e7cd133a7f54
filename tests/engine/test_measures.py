"""Each measure against its definition in plain NumPy, on real sounds and on degenerate corpora."""

import shutil

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from corpus.analysis.traits import MAY_MISS
from corpus.store.vectors import Vector
from engine.agent.judging import judge
from engine.agent.training import train
from engine.query.run import Choice, similar
from engine.similarity import index
from engine.similarity.measures import MEASURES, measure
from engine.similarity.metrics import DIVERGENCE
from engine.similarity.preparations import principal_components, standardise
from tests.engine.measured import MEASURED, SPACES, apart, order

BRANCHES = {"gathered": (1.0, 0.25), "selected": (0.0, 0.0), "fetched ahead": (0.0, 1.0), "as chosen": None}


@pytest.fixture(scope="module", params=MEASURED)
def reference(request, measured):
    """A measure's name, ids, and all distances by its definition."""
    return request.param, *apart(measured, request.param)


def found(corpus, target, name, k=1000):
    hits = similar(corpus, target, Choice(k=k), name).hits
    return [hit.sound.id for hit in hits], [hit.distance for hit in hits]


def test_whole_ranking(measured, reference):
    name, ids, distances = reference
    assert len(ids) == 165
    for target in ids[::8].tolist():
        got, got_distances = found(measured, target, name)
        expected, expected_distances = order(ids, distances, target)
        assert got == expected
        np.testing.assert_allclose(got_distances, expected_distances, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_constrained_in_every_branch(measured, reference, monkeypatch, branch, share):
    """Few, some and many allowed; each way through the index alone, and as the index chooses."""
    name, ids, distances = reference
    if BRANCHES[branch]:
        monkeypatch.setattr(index, "GATHER", BRANCHES[branch][0])
        monkeypatch.setattr(index, "SELECT", BRANCHES[branch][1])
    monkeypatch.setattr(index, "_SPARE", 2)  # so that 165 sounds are not few
    generator = np.random.default_rng(12)
    for target in ids[3::40].tolist():
        surroundings = measure(name).around(measured, target)
        allowed = surroundings.ids[generator.random(len(surroundings.ids)) < share]
        for k in (1, 7):
            got, got_distances = surroundings.nearest(k, allowed)
            expected, expected_distances = order(ids, distances, target, set(allowed.tolist()))
            assert got.tolist() == expected[:k]
            np.testing.assert_allclose(got_distances, expected_distances[:k], rtol=1e-4, atol=1e-5)


def test_what_float32_may_round_is_little_beside_real_divergences(measured):
    """Else the index would have to measure most of a large corpus to be sure; hence the mean that is taken off."""
    _, X = measured.vectors.matrix("mfcc_frames")
    embedding = DIVERGENCE.embedding(X)
    ratios = []
    for row in X:
        fifth = np.sort(DIVERGENCE.distances(X.astype(float), row.astype(float)))[5]
        ratios.append(embedding.rounding(embedding.of_query(row)) / fifth)
    assert np.median(ratios) < 0.1


PREFIXED = {"mfcc_raw": 0.15, "mfcc_means": 0.30, "mfcc": 0.28, "mfcc_cosine": 0.31, "mfcc_gauss": 0.32}


@pytest.mark.parametrize("name", PREFIXED)
def test_tag_precision_of_the_demo_corpus(measured, name):
    """The share of the 5 nearest that have the target's prefix, the one tag of these samples; chance is 0.09."""
    ids, _ = measured.vectors.matrix("mfcc")
    prefix = {sound.id: sound.name.partition("_")[0] for sound in measured.sounds.many(ids.tolist())}
    shares = [
        np.mean([prefix[near] == prefix[target] for near in found(measured, target, name, 5)[0]])
        for target in ids.tolist()
    ]
    assert np.mean(shares) == pytest.approx(PREFIXED[name], abs=0.01)


@pytest.mark.parametrize("name", MEASURED)
def test_equal_sounds_come_in_order_of_id(measured_home, home, name):
    """Twelve sounds with one and the same vector: a tie that is longer than k, also seen from another sound."""
    shutil.copytree(measured_home, home)
    space = SPACES.get(name, "mfcc")
    with Corpus(home) as corpus:
        ids, X = corpus.vectors.matrix(space)
        same, fingerprint = ids[20:32].tolist(), corpus.vectors.space(space).fingerprint
        with corpus.database.write() as connection:
            corpus.vectors.put(connection, [Vector(space, fingerprint, i, None, X[20], {"made": "up"}) for i in same])
        assert found(corpus, same[3], name, 5) == ([i for i in same if i != same[3]][:5], [0.0] * 5)
        got, distances = found(corpus, int(ids[100]), name)
        assert [sound_id for sound_id in got if sound_id in same] == same
        assert len({distances[got.index(sound_id)] for sound_id in same}) == 1


CORPORA = {
    "one sound": [np.sin(np.arange(20000) / 9)],
    "one sample": [np.ones(1), np.ones(1) / 2],
    "identical sounds": [np.sin(np.arange(20000) / 9)] * 4,
    "silence": [np.zeros(20000 + i) for i in range(3)],
    "silence and a tone": [np.zeros(20000), np.sin(np.arange(20000) / 9), np.sin(np.arange(900) / 5)],
}
MIXES = ["mfcc+traits", "mfcc_cosine+0.5*mfcc_gauss"]


@pytest.mark.parametrize("kind", CORPORA)
def test_degenerate_corpora(home, tmp_path, kind):
    """No crash, no warning, no NaN; k is larger than the corpus."""
    for place, signal in enumerate(CORPORA[kind]):
        soundfile.write(tmp_path / f"{place}.wav", 0.5 * signal, 44100, subtype="FLOAT")
        with (tmp_path / f"{place}.wav").open("ab") as file:
            file.write(bytes([place] * 8))  # equal samples in files that are not
    with Corpus(home) as corpus:
        ids = corpus.adopt([tmp_path]).ids
        assert not corpus.analyse(["mfcc", "mfcc_frames", "traits9"], jobs=1).failed
        for name in [*MEASURED, *MIXES]:
            for target in ids:
                got, distances = found(corpus, target, name)
                assert sorted([*got, target]) == sorted(ids)
                assert np.isfinite(distances).all()
                if kind == "identical sounds":  # standardised, all their numbers are 0, and have no direction
                    assert distances == [1.0 if name == "mfcc_cosine" else 0.0] * 3 or "+" in name


def test_fewer_sounds_than_components():
    X = np.random.default_rng(2).normal(size=(5, 26)).astype(np.float32)
    prepared = principal_components(X)
    assert prepared.shape == (5, 4)
    np.testing.assert_allclose(prepared.T @ prepared / 5, np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(principal_components(X[:1]), [[0]])


def test_signs_of_components_do_not_hang_on_the_solver(monkeypatch):
    X = np.random.default_rng(2).normal(size=(40, 26)).astype(np.float32)
    before, eigh = principal_components(X), np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda A: (eigh(A)[0], eigh(A)[1] * np.tile([-1, 1], 13)))
    np.testing.assert_array_equal(principal_components(X), before)


def test_a_missing_number_is_taken_for_the_mean_of_those_that_are_known():
    X = np.array([[1, 5], [3, np.nan], [5, 7], [np.nan, 9]], np.float32)
    np.testing.assert_allclose(
        standardise(X), [[-np.sqrt(1.5), -np.sqrt(1.5)], [0, 0], [np.sqrt(1.5), 0], [0, np.sqrt(1.5)]], rtol=1e-6
    )
    np.testing.assert_array_equal(standardise(np.full((3, 2), np.nan, np.float32)), np.zeros((3, 2)))


def test_an_agent_learns_from_sounds_without_a_pitch(measured_home, home):
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        ids, X = corpus.vectors.matrix("traits9")
        fingerprint = corpus.vectors.space("traits9").fingerprint
        X[::3, [0, 9]] = np.nan
        with corpus.database.write() as connection:
            each = zip(ids.tolist(), X, strict=True)
            rows = [Vector("traits9", fingerprint, i, None, x, {}, may_miss=MAY_MISS) for i, x in each]
            corpus.vectors.put(connection, rows)
        agent = corpus.agents.create("taste", "", ["traits9"], "mlp")
        corpus.agents.annotate(agent, ids[:8].tolist(), "good", who="me", session="s")
        corpus.agents.annotate(agent, ids[8:16].tolist(), "bad", who="me", session="s")
        train(corpus, "taste")
        verdicts = judge(corpus, "taste")
        assert len(verdicts.p) == 165
        assert np.isfinite(verdicts.p).all()


def test_they_are_listed_with_what_they_cover(measured, measured_home, mirla):
    rows = {row["name"]: row for row in mirla("--json", "measures", home=measured_home).json["measures"]}
    assert list(rows) == list(MEASURES)
    assert [rows[name]["sounds"] for name in MEASURED] == [165] * len(MEASURED)
    assert (rows["mfcc_gauss"]["dims"], rows["mfcc_gauss"]["metric"]) == (104, "symmetrised KL")
    assert (rows["traits"]["dims"], rows["traits"]["metric"]) == (18, "euclidean")
