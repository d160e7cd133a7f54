"""Agents: what they learn, how they are judged, and what they refuse."""

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engine.agent.calibration import inverse_temperature
from engine.agent.evaluate import cross_validate, wilson
from engine.agent.fitting import fit
from engine.agent.forms import logits, sigmoid
from engine.agent.judging import judge
from engine.agent.network import Perceptron
from engine.agent.training import train
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


def taught(corpus, name="percussive", each=20):
    """An agent labelled by the samples' prefixes, and the ids it was taught."""
    sounds = corpus.sounds.many(corpus.sounds.ids().tolist())
    good = [s.id for s in sounds if s.name.split("_")[0] in PERCUSSIVE][:: 73 // each][:each]
    bad = [s.id for s in sounds if s.name.split("_")[0] in ("ambi", "bass", "guit", "loop", "vinyl", "misc")][:each]
    agent = corpus.agents.create(name, "", ["mfcc"], "mlp")
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
    """One step from known weights against finite differences of the loss."""
    from engine.agent.network import _loss, _start, _step

    X, y = split(10, 4)
    generator = np.random.default_rng(0)
    before = _start(4, 3, generator)
    after = [w.copy() for w in before]
    _step(after, [np.zeros_like(w) for w in before], X.astype(float), y, learning_rate=1.0, momentum=0.0)
    for part, (old, new) in enumerate(zip(before, after, strict=True)):
        numeric = np.zeros_like(old)
        for place in np.ndindex(old.shape):
            shifted = [[w.copy() for w in before] for _ in range(2)]
            shifted[0][part][place] += 1e-6
            shifted[1][part][place] -= 1e-6
            numeric[place] = (_loss(shifted[0], X, y) - _loss(shifted[1], X, y)) / 2e-6
        np.testing.assert_allclose(old - new, numeric, atol=1e-7)


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


def test_calibration_finds_the_temperature():
    """Labels drawn with probability sigmoid(2 z): the factor is 2."""
    generator = np.random.default_rng(5)
    z = generator.normal(size=20000)
    y = (generator.random(20000) < sigmoid(2 * z)).astype(int)
    assert inverse_temperature(z[None], y) == pytest.approx(2, rel=0.1)


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
