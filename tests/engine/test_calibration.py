"""Probabilities: fitted to what was held out, modest where little is known, on the label's side of one half."""

import numpy as np
import pytest

from engine.agent.calibration import calibrated, inverse_temperature, modest, probability, shown
from engine.agent.evaluate import cross_validate
from engine.agent.examples import Examples
from engine.agent.fitting import fit
from engine.agent.forms import sigmoid
from engine.agent.training import temperature_of
from tests.engine.test_agent import split


def test_calibration_finds_the_temperature():
    """Labels drawn with probability sigmoid(2 z): the factor is 2."""
    generator = np.random.default_rng(5)
    z = generator.normal(size=20000)
    y = (generator.random(20000) < sigmoid(2 * z)).astype(int)
    assert inverse_temperature(z[None], y) == pytest.approx(2, rel=0.1)


def test_two_hundred_labels_are_calibrated_as_without_platts_targets():
    generator = np.random.default_rng(5)
    z = 2 * generator.normal(size=(10, 200))
    y = (generator.random(200) < sigmoid(z.mean(axis=0) * 2)).astype(int)
    factors = np.geomspace(0.05, 5, 2000)
    plain = [np.logaddexp(0, -factor * z * np.where(y == 1, 1, -1)).mean() for factor in factors]
    assert inverse_temperature(z, y) == pytest.approx(factors[np.argmin(plain)], rel=0.03)


@pytest.mark.parametrize(("good", "bad"), [(2, 2), (9, 4), (100, 100)])
@pytest.mark.parametrize("repeats", [1, 10])
def test_scores_that_separate_prove_no_more_than_there_are_sounds(good, bad, repeats):
    """Platt's targets, by sounds and not by sounds times repeats."""
    y = np.array([1] * good + [0] * bad)
    z = np.where(y == 1, np.log(good + 1), -np.log(bad + 1)) * 1e-3
    p = sigmoid(inverse_temperature(np.tile(z, (repeats, 1)), y) * z)
    np.testing.assert_allclose(p, np.where(y == 1, (good + 1) / (good + 2), 1 / (bad + 2)), rtol=1e-4)


def test_small_held_out_scores_do_not_blow_up_those_of_all_labels():
    y = np.array([1, 1, 0, 0])
    z = np.where(y == 1, 1.0, -1.0)
    assert calibrated(1e-9 * z[None], z, y) == pytest.approx(np.log(3), rel=1e-3)


def _factor(name, n, seed, gap):
    X, y = split(n, gap=gap, seed=seed)
    given = Examples(ids=np.arange(n), X=X, y=y, groups=[str(row) for row in range(n)], left_out=[], until=None)
    fitted = fit(name, X, y, seed)
    return fitted, temperature_of(fitted, cross_validate(X, y, given.groups, seed, None, name, 2), given)


@pytest.mark.parametrize("name", ["lda", "svm", "logistic"])
def test_few_labels_claim_little(name):
    """On new sounds of which nothing can be learnt, p of 4 to 8 labels costs little more than saying one half."""
    losses = []
    for n in (4, 6, 8):
        for seed in range(8):
            fitted, factor = _factor(name, n, seed, 0.0)
            X, y = split(100, gap=0.0, seed=1000 + seed)
            p = probability(factor, fitted.scores(X))
            losses.append(-np.log(np.where(y == 1, p, 1 - p)).mean())
    assert np.mean(losses) < np.log(2) + 0.05
    assert np.max(losses) < np.log(2) + 0.6


def test_where_nothing_is_held_out_no_example_is_surer_than_platts_targets():
    for name in ("mlp", "lda", "svm", "gp"):
        fitted, factor = _factor(name, 3, 1, 1.0)
        X, y = split(3, gap=1.0, seed=1)
        p = probability(factor, fitted.scores(X))
        assert p.max() <= 2 / 3 + 1e-9, "one is good"
        assert p.min() >= 1 / 4 - 1e-9, "two are bad"
        assert y.sum() == 1
    assert modest(np.array([0.1, -0.1]), np.array([1, 0])) == 1, "never surer than the classifier itself"


def test_good_is_above_one_half_however_little_also_as_shown():
    z = np.array([1e-300, 1e-12, 1e-5, 0.0, -1e-12, -1e-5, -1e-300, 3.0, -3.0])
    for factor in (1e-3, 1.0, 50.0):
        p = probability(factor, z)
        np.testing.assert_array_equal(p > 0.5, z > 0)
        np.testing.assert_array_equal(np.array([shown(one) for one in p]) > 0.5, z > 0)
    assert shown(0.50004) == 0.5001
    assert shown(0.49996) == 0.5
    assert shown(0.73216) == 0.7322
