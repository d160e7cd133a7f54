"""Agents: what they learn, how they are judged, and what they refuse."""

import json
import shutil
import sqlite3

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from corpus import Corpus
from engine.agent.evaluate import cross_validate, wilson
from engine.agent.examples import examples
from engine.agent.fitting import fit
from engine.agent.forms import logits
from engine.agent.judging import judge
from engine.agent.network import Perceptron
from engine.agent.training import doubtful, train
from engine.errors import TrainingError
from engine.query.run import Choice, random_sounds, search, similar

PERCUSSIVE = ("bd", "drum", "sn", "tabla", "perc")


def split(n=60, d=26, gap=1.0, seed=0):
    """Two clouds `gap` apart in every dimension."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return (generator.normal(size=(n, d)) + gap * y[:, None]).astype(np.float32), y


def arrays_of(X, y, seed=0):
    return {name: np.array(values) for name, values in fit("mlp", X, y, seed).arrays.items()}


def taught(corpus, name="percussive", each=20, classifier="mlp"):
    """An agent labelled by the samples' prefixes, and the ids it was taught."""
    sounds = corpus.sounds.many(corpus.sounds.ids().tolist())
    good = [s.id for s in sounds if s.name.split("_")[0] in PERCUSSIVE][:: 73 // each][:each]
    bad = [s.id for s in sounds if s.name.split("_")[0] in ("ambi", "bass", "guit", "loop", "vinyl", "misc")][:each]
    agent = corpus.agents.create(name, "", ["mfcc"], classifier)
    corpus.agents.annotate(agent, good, "good", who="test", session="t")
    corpus.agents.annotate(agent, bad, "bad", who="test", session="t")
    return good, bad


def test_folded_judging_equals_the_pipeline_step_by_step():
    X, y = split()
    arrays = arrays_of(X, y, seed=3)
    pipeline = make_pipeline(StandardScaler(), PCA(20, svd_solver="full")).fit(X.astype(float))
    hidden = np.maximum(pipeline.transform(X.astype(float)) @ arrays["hidden_weights"] + arrays["hidden_bias"], 0)
    expected = (hidden @ arrays["output_weights"] + arrays["output_bias"])[:, 0]
    np.testing.assert_allclose(logits(arrays, X), expected, rtol=1e-6, atol=1e-9)


def test_the_recipe_is_the_papers():
    arrays = arrays_of(*split())
    shapes = {name: values.shape for name, values in arrays.items()}
    assert shapes["components"] == (20, 26)
    assert shapes["hidden_weights"] == (20, 14)
    assert shapes["output_weights"] == (14, 1)


def test_gradient_is_that_of_the_cross_entropy():
    """Against finite differences of the loss."""
    from engine.agent.network import _differentiate, _loss, _parts, _start

    X, y = split(10, 4)
    shapes = [(4, 3), (3,), (3, 1), (1,)]
    flat = _start(shapes, np.random.default_rng(0))
    gradient = np.full_like(flat, np.nan)
    _differentiate(_parts(flat, shapes), X.astype(float), y[:, None], _parts(gradient, shapes))
    shifts = 1e-6 * np.eye(len(flat))
    losses = [[_loss(_parts(flat + side * shift, shapes), X, y) for side in (1, -1)] for shift in shifts]
    np.testing.assert_allclose(gradient, [(above - below) / 2e-6 for above, below in losses], atol=1e-7)


def test_same_seed_same_network_other_seed_another():
    X, y = split()
    first, again, other = (logits(arrays_of(X, y, seed), X) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_few_examples_train(n):
    X, y = split(n)
    assert np.isfinite(logits(arrays_of(X, y), X)).all()


def test_learns_what_a_line_cannot_tell():
    """Exclusive or: no linear classifier is better than chance."""
    generator = np.random.default_rng(1)
    X = generator.uniform(-1, 1, (400, 2))
    y = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int)
    network = Perceptron().fit(X, y)
    assert (network.predict(X) == y).mean() > 0.9


def test_evaluation_of_noise_is_chance_and_of_clear_classes_is_certain():
    X, _ = split(80, gap=0.0)
    y = np.arange(80) % 2
    alone = [str(i) for i in range(80)]
    noise = cross_validate(X, y, alone)
    assert noise.accuracy.interval[0] < 0.5 < noise.accuracy.interval[1]
    assert noise.auc.interval[0] < 0.5 < noise.auc.interval[1]
    clear = cross_validate(*split(80, gap=2.0), alone)
    assert clear.accuracy.value > 0.95
    assert clear.baseline == 0.5
    assert clear.accuracy.interval[0] <= clear.accuracy.value <= clear.accuracy.interval[1]


def test_uploaders_stay_on_one_side():
    """Each uploader's sounds are alike and of one label: splitting an uploader would look like knowledge."""
    generator = np.random.default_rng(2)
    makers = np.repeat(np.arange(12), 8)
    X = (generator.normal(size=(12, 26))[makers] * 3 + 0.1 * generator.normal(size=(96, 26))).astype(np.float32)
    y = (makers % 2).astype(int)
    leaking = cross_validate(X, y, [str(i) for i in range(96)])
    grouped = cross_validate(X, y, [f"user:{m}" for m in makers])
    assert leaking.accuracy.value > 0.95
    assert grouped.accuracy.value < 0.8
    assert "no uploader or pack on both sides" in grouped.protocol
    assert "uploader" not in leaking.protocol
    width = [e.accuracy.interval[1] - e.accuracy.interval[0] for e in (leaking, grouped)]
    assert width[1] > 2 * width[0]


def test_an_agent_learns_real_sounds(sonic):
    good, bad = taught(sonic)
    model, report = train(sonic, "percussive")
    assert (report["good"], report["bad"], report["version"]) == (20, 20, 1)
    assert report["accuracy"]["n"] == 40
    assert report["accuracy"]["value"] > report["baseline"]
    assert set(model.versions) == {"numpy", "scikit-learn", "scipy"}
    assert model.fingerprints == {"mfcc": sonic.vectors.space("mfcc").fingerprint}
    again, _ = train(sonic, "percussive")
    assert (again.version, again.labels_hash) == (2, model.labels_hash)
    assert again.arrays == model.arrays
    verdicts = judge(sonic, "percussive")
    assert len(verdicts.ids) == 165
    labels = {i: verdicts.of(i)["label"] for i in good + bad}
    right = [labels[i] == "good" for i in good] + [labels[i] == "bad" for i in bad]
    assert np.mean(right) > 0.7


def test_queries_with_an_agent_return_the_nearest_good_in_order(sonic):
    taught(sonic)
    train(sonic, "percussive")
    good = set(judge(sonic, "percussive").good.tolist())
    everything = similar(sonic, 100055, Choice(k=1000)).hits
    answer = similar(sonic, 100055, Choice(k=1000, agents=("percussive",)))
    assert [h.sound.id for h in answer.hits] == [h.sound.id for h in everything if h.sound.id in good]
    assert [h.distance for h in answer.hits] == [h.distance for h in everything if h.sound.id in good]
    assert all(hit.agents["percussive"]["label"] == "good" for hit in answer.hits)
    assert answer.refused["percussive"] == 165 - len(good)
    assert {h.sound.id for h in search(sonic, Choice(k=1000, agents=("percussive",))).hits} == good
    drawn = random_sounds(sonic, Choice(k=1000, agents=("percussive",), seed=1)).hits
    assert {h.sound.id for h in drawn} == good
    assert len(drawn) == len(good)


def test_labels_are_only_ever_added(sonic):
    agent = sonic.agents.create("a", "", ["mfcc"], "mlp")
    for label in ("good", "bad", None, "good"):
        sonic.agents.annotate(agent, [100055], label, who="me", session="s")
    sonic.agents.annotate(agent, [100057], "bad", test=True, who="me", session="s")
    import sqlalchemy as sa

    with sonic.database.read() as connection:
        rows = connection.execute(sa.text("select label, who, session, at from annotations order by id")).all()
    assert [row.label for row in rows] == ["good", "bad", None, "good", "bad"]
    assert all((row.who, row.session) == ("me", "s") and row.at.endswith("Z") for row in rows)
    assert [(one.sound_id, one.label, one.test) for one in sonic.agents.annotations(agent)] == [
        (100055, "good", False),
        (100057, "bad", True),
    ]


def test_sounds_kept_for_testing_are_never_trained_on(sonic):
    taught(sonic)
    before, _ = train(sonic, "percussive")
    agent = sonic.agents.get("percussive")
    sonic.agents.annotate(agent, [415549], "bad", test=True, who="me", session="s")
    after, _ = train(sonic, "percussive")
    assert after.arrays == before.arrays


def test_vectors_of_another_extractor_are_refused(sonic):
    from corpus.model import Space

    taught(sonic)
    train(sonic, "percussive")
    sonic.vectors.register(Space("mfcc", 26, "of another version"))
    with pytest.raises(TrainingError, match="vectors of another extractor"):
        judge(sonic, "percussive")
    assert len(sonic.vectors.matrix("mfcc")[0]) == 0


def test_a_model_is_plain_json(sonic):
    taught(sonic)
    model, report = train(sonic, "percussive")
    assert json.loads(json.dumps(model.arrays)) == model.arrays
    json.dumps(report, allow_nan=False)


def test_four_sounds_all_right_prove_little():
    """A bootstrap alone would find no doubt at all."""
    evaluation = cross_validate(*split(4, gap=9.0), ["a", "b", "c", "d"])
    assert evaluation.accuracy.value == 1.0
    assert evaluation.accuracy.interval[0] == pytest.approx(wilson(1.0, 4)[0]) == pytest.approx(0.51, abs=0.01)


def test_wilson_is_the_papers_interval():
    """24 of 30: 63 to 90 %."""
    assert wilson(0.8, 30) == pytest.approx((0.627, 0.905), abs=0.001)


@pytest.mark.parametrize("classifier", ["mlp", "lda", "svm", "knn"])
def test_a_model_judges_again_as_when_it_was_made(sonic, classifier):
    """Kept as arrays, or learnt anew from the labels up to it: whatever was said since."""
    good, bad = taught(sonic, classifier=classifier)
    agent = sonic.agents.get("percussive")
    model, _ = train(sonic, "percussive")
    assert set(model.verdicts) == {str(i) for i in good + bad}
    assert (len(model.arrays) > 1) == (classifier in ("mlp", "lda"))
    first = judge(sonic, "percussive")
    sonic.agents.annotate(agent, good[:5], "bad", who="me", session="s")
    sonic.agents.annotate(agent, bad[:5], None, who="me", session="s")
    shutil.rmtree(sonic.home / "cache")
    with Corpus(sonic.home) as other:
        again = judge(other, "percussive")
    np.testing.assert_array_equal(again.p, first.p)
    assert again.drift < 1e-6
    assert not again.warning


def test_drift_is_said(sonic, mirla):
    taught(sonic, classifier="lda")
    train(sonic, "percussive")
    with sqlite3.connect(sonic.database.file) as connection:
        (verdicts,) = connection.execute("select verdicts from models").fetchone()
        verdicts = json.loads(verdicts)
        one = next(iter(verdicts))
        verdicts[one] -= 0.004
        connection.execute("update models set verdicts = ?", [json.dumps(verdicts)])
    connection.close()
    assert "p differs by up to 0.004" in mirla("agent", "judge", "percussive", one).err
    assert "p differs by up to 0.004" in mirla("agent", "show", "percussive").err


def test_an_older_version_judges_when_it_is_in_use(sonic):
    good, bad = taught(sonic, classifier="knn")
    agent = sonic.agents.get("percussive")
    train(sonic, "percussive")
    first = judge(sonic, "percussive")
    sonic.agents.annotate(agent, good, "bad", who="me", session="s")
    sonic.agents.annotate(agent, bad, "good", who="me", session="s")
    train(sonic, "percussive")
    second = judge(sonic, "percussive")
    assert (first.version, second.version) == (1, 2)
    assert (first.is_good != second.is_good).mean() > 0.8
    sonic.agents.use(agent, 1)
    np.testing.assert_array_equal(judge(sonic, "percussive").p, first.p)


def test_the_corpus_is_judged_once(sonic, monkeypatch):
    from engine.agent import judging

    taught(sonic, classifier="svm")
    train(sonic, "percussive")
    first = judge(sonic, "percussive")
    monkeypatch.setattr(judging, "scorer", lambda *_: pytest.fail("judged again"))
    assert judge(sonic, "percussive") is first
    with Corpus(sonic.home) as other:
        kept = judge(other, "percussive")
        np.testing.assert_array_equal(kept.p, first.p)
        np.testing.assert_array_equal(kept.good, first.good)
        assert (kept.version, kept.drift) == (first.version, first.drift)
        other.agents.rename(other.agents.get("percussive"), "drums")
        assert judge(other, "drums").agent == "drums"


def test_what_changes_is_judged_anew(sonic):
    taught(sonic, classifier="lda")
    train(sonic, "percussive")
    before = judge(sonic, "percussive")
    with sqlite3.connect(sonic.database.file) as connection:
        connection.execute("delete from vectors where sound_id = (select min(sound_id) from vectors)")
    connection.close()
    after = judge(sonic, "percussive")
    assert after.ids.tolist() == before.ids.tolist()[1:]
    train(sonic, "percussive", seed=1)
    assert judge(sonic, "percussive").version == 2


def test_several_spaces_side_by_side(measured_home, home):
    """Only sounds that have both are judged, from both, in blocks as at once."""
    from engine.agent import judging
    from engine.features import side_by_side

    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        agent = corpus.agents.create("both", "", ["mfcc", "traits9"], "lda")
        ids = corpus.sounds.ids().tolist()
        corpus.agents.annotate(agent, ids[:20], "good", who="me", session="s")
        corpus.agents.annotate(agent, ids[-20:], "bad", who="me", session="s")
        model, _ = train(corpus, "both")
        assert len(model.arrays["mean"]) == 44
        matrix = side_by_side(corpus, agent.spaces)
        parts = [judging.load(corpus, space) for space in agent.spaces]
        judging._BLOCK, usual = 7, judging._BLOCK
        try:
            found, z = judging.judged_by(judging.scorer(corpus, agent, model), parts)
        finally:
            judging._BLOCK = usual
        np.testing.assert_array_equal(found, matrix.ids)
        arrays = {name: values for name, values in model.arrays.items() if name != "inverse_temperature"}
        np.testing.assert_allclose(z, logits(arrays, matrix.X), rtol=1e-9)


def test_an_agent_that_chooses_for_itself(sonic, monkeypatch, mirla):
    """Of two classifiers, so that it does not take long; the choice is told and kept."""
    from engine.agent import auto

    two = {name: auto.CLASSIFIERS[name] for name in ("lda", "knn")}
    monkeypatch.setattr(auto, "CLASSIFIERS", two)
    taught(sonic, classifier="auto")
    model, report = train(sonic, "percussive")
    assert report["classifier"] == model.recipe["classifier"] in two
    assert set(report["auto"]["accuracies"]) == set(two)
    assert report["protocol"].startswith("2 x 5-fold")
    assert report["auc"] is None, "each fold's scores are on a scale of their own"
    given = examples(sonic, sonic.agents.get("percussive"))
    own = cross_validate(given.X, given.y, given.groups, 0, None, report["classifier"], 2)
    assert report["doubtful"] == doubtful(given, own, model.arrays["inverse_temperature"])
    assert "no auc: each fold chose" in mirla("agent", "show", "percussive").out
    assert sonic.agents.get("percussive").classifier == "auto"
    assert len(judge(sonic, "percussive").ids) == 165


def test_scores_that_are_calibrated_by_nature_stay_as_they_are(sonic):
    good, bad = taught(sonic, classifier="gp")
    model, _ = train(sonic, "percussive")
    assert model.arrays == {"inverse_temperature": 1}
    ids, X = sonic.vectors.matrix("mfcc")
    rows = np.isin(ids, good + bad)
    z = fit("gp", X[rows], np.isin(ids[rows], good).astype(int)).scores(X)
    np.testing.assert_allclose(judge(sonic, "percussive").p, 1 / (1 + np.exp(-z)), rtol=1e-9)
