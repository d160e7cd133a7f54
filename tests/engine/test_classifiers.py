"""Each classifier: by scikit-learn's rules, with few examples and numbers that lack, kept or fitted anew alike."""

import json

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator

from engine.agent.auto import _simplest, choose
from engine.agent.classifiers import AUTO, CLASSIFIERS, Classifier, classifier, known, register
from engine.agent.fitting import Fitted, fit, refit
from engine.agent.forms import logits
from engine.agent.network import Perceptron
from engine.cli.agent.facts import choice_lines
from engine.errors import ModelError, TrainingError

NAMES = ["mlp", "logistic", "lda", "svm", "knn", "bayes", "forest", "gp"]
KEPT = ["mlp", "logistic", "lda", "bayes"]


def clouds(n=60, d=26, gap=1.0, seed=0):
    """Two classes, on scales like those of MFCCs."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = 40 * (generator.normal(size=(n, d)) + gap * y[:, None]) - 300 * (np.arange(d) == 0)
    return X.astype(np.float32), y


def test_the_registry():
    assert list(CLASSIFIERS)[:8] == NAMES
    assert known()[-1] == AUTO
    assert [name for name in NAMES if CLASSIFIERS[name].keep] == KEPT
    with pytest.raises(TrainingError, match=r"no classifier 'oracle'; known are mlp, logistic, .*, auto"):
        classifier("oracle")
    with pytest.raises(ValueError, match="'mlp' is taken"):
        register(Classifier("mlp", "another", lambda seed: None))
    with pytest.raises(ValueError, match="'auto' is no name"):
        register(Classifier("auto", "another", lambda seed: None))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_the_network_keeps_scikit_learns_rules():
    check_estimator(Perceptron(epochs_without_validation=30))


@pytest.mark.parametrize("name", NAMES)
def test_learns_and_says_the_same_as_its_estimator(name):
    X, y = clouds()
    fitted = fit(name, X[:40], y[:40])
    assert isinstance(fitted.estimator, Pipeline)
    z = fitted.scores(X[40:])
    assert z.shape == (20,)
    assert ((z > 0) == (y[40:] == 1)).mean() >= 0.9
    np.testing.assert_array_equal(z > 0, fitted.estimator.predict(X[40:].astype(float)) == 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_the_same_scores(name):
    X, y = clouds(gap=0.3)
    np.testing.assert_array_equal(fit(name, X, y, 3).scores(X), fit(name, X, y, 3).scores(X))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_few_examples(name, n):
    X, y = clouds(n)
    z = fit(name, X, y).scores(X)
    assert np.isfinite(z).all()
    if n == 2 and name != "knn":  # which has one neighbour of each, and so no opinion
        np.testing.assert_array_equal(z > 0, y == 1)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_infinite_or_constant(name):
    """Missing and infinite alike count as the mean, a number that never changes counts for nothing."""
    X, y = clouds()
    X[:, 5], X[:, 6] = 7, np.nan
    X[3, 2] = X[50, 1] = np.nan
    fitted = fit(name, X, y)
    infinite = np.where(np.isnan(X), np.inf, X)
    np.testing.assert_array_equal(fitted.scores(infinite), fitted.scores(X))
    assert np.isfinite(fitted.scores(X)).all()
    assert ((fitted.scores(X) > 0) == (y == 1)).mean() > 0.9
    if fitted.arrays:
        for rows in (X, infinite):
            np.testing.assert_allclose(logits(fitted.arrays, rows), fitted.scores(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", KEPT)
def test_kept_arrays_judge_as_the_estimator_does_also_many(name):
    X, y = clouds(gap=0.3)
    fitted = fit(name, X, y)
    many = clouds(5001, seed=1)[0]
    arrays = json.loads(json.dumps(fitted.arrays))
    np.testing.assert_allclose(logits(arrays, many), fitted.scores(many), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_plain_and_repeats_the_fit(name):
    X, y = clouds(gap=0.3)
    fitted = fit(name, X, y, 5)
    recipe = json.loads(json.dumps(fitted.recipe, allow_nan=False))
    assert recipe["classifier"] == name
    np.testing.assert_array_equal(refit(recipe, X, y, 5).scores(X), fitted.scores(X))


def test_a_recipes_parameters_are_followed():
    X, y = clouds(gap=0.3)
    recipe = fit("knn", X, y).recipe
    recipe["parameters"]["neighbours__n_neighbors"] = 1
    np.testing.assert_array_equal(refit(recipe, X, y, 0).scores(X) > 0, y == 1)


@pytest.mark.parametrize("parameters", [{"magic": 1}, {"neighbours__n_neighbors": "many"}, {"neighbours": 7}])
def test_a_recipe_that_cannot_be_followed(parameters):
    with pytest.raises(ModelError, match="its recipe cannot be followed: ") as refusal:
        refit({"classifier": "knn", "parameters": parameters}, *clouds(), 0)
    assert "\n" not in str(refusal.value)


def test_pca_takes_what_there_is_and_says_so():
    assert fit("mlp", *clouds(10)).notes == ["PCA has 10 components in place of 20: so few examples"]
    assert fit("mlp", *clouds(40)).notes == []
    assert fit("mlp", *clouds(40, d=13)).notes == [], "the space has no more"


def damaged(change):
    arrays = fit("mlp", *clouds()).arrays
    change(arrays)
    return arrays


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("scale"), "it has no 'scale'"),
        (lambda a: a.update(mean=[0.0] * 7), r"its 'mean' of shape \(7,\) does not fit"),
        (lambda a: a.update(mean="seven"), "its 'mean' is not an array of numbers"),
        (lambda a: a.update(mean=[[1], [2, 3]]), "its 'mean' is not an array of numbers"),
        (lambda a: a.update(mean={"a": 1}), "its 'mean' is not an array of numbers"),
        (lambda a: a["scale"].__setitem__(3, 0.0), "its 'scale' has a zero"),
        (lambda a: a["output_bias"].__setitem__(0, float("nan")), "its 'output_bias' has a number that is not finite"),
        (lambda a: a["hidden_bias"].append(1.0), "does not fit"),
        (lambda a: a.update(output_weights=[[1.0, 2.0]] * 14), "its 'output_weights' of shape"),
        (lambda a: a.update(components=3), r"its 'components' of shape \(\)"),
        (lambda a: a.update(hidden_weights=[[1.7e308] * 14] * 20), "its numbers are too large"),
        (lambda a: a.update(hidden_bias=np.zeros(10**7 + 1)), "more than any model"),
    ],
)
def test_damaged_arrays_are_refused(change, words):
    with pytest.raises(ModelError, match=words):
        logits(damaged(change), clouds()[0])


def test_a_classifier_that_gives_no_numbers():
    vague = Classifier("vague", "no opinion", CLASSIFIERS["lda"].build, lambda fitted, X: np.full(len(X), np.nan))
    fitted = fit("lda", *clouds())
    with pytest.raises(ModelError, match="classifier 'vague' gives no number"):
        Fitted(vague, fitted.estimator).scores(clouds()[0])


def test_arrays_for_other_dimensions_are_refused():
    with pytest.raises(ModelError, match="or 13 dimensions"):
        logits(fit("lda", *clouds()).arrays, clouds(d=13)[0])


def test_auto_takes_the_best_where_it_is_best_by_far():
    """Two rings: no line tells them apart."""
    generator = np.random.default_rng(0)
    y = np.arange(120) % 2
    angle, radius = generator.uniform(0, 2 * np.pi, 120), 1 + 2 * y
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    chosen = choose(X, y)
    why = chosen.recipe["auto"]
    assert set(why["accuracies"]) == set(CLASSIFIERS)
    assert chosen.classifier.name not in ("lda", "logistic")
    assert why["accuracies"][chosen.classifier.name] > 0.9 > why["accuracies"]["lda"]
    assert ((chosen.scores(X) > 0) == (y == 1)).all()
    assert chosen.recipe["classifier"] == chosen.classifier.name


@pytest.mark.parametrize("n", [3, 20])
def test_auto_leaves_out_what_raises(monkeypatch, n):
    """Also where nothing can be held out, and where it raises only when it judges."""
    from engine.agent import auto

    def broken(*_):
        raise RuntimeError("no luck\nat all")

    lda = CLASSIFIERS["lda"]
    some = {
        "lda": lda,
        "unbuilt": Classifier("unbuilt", "", broken, complexity=0),
        "silent": Classifier("silent", "", lda.build, broken, complexity=0),
    }
    monkeypatch.setattr(auto, "CLASSIFIERS", some)
    monkeypatch.setattr("engine.agent.classifiers.CLASSIFIERS", some)
    if n == 3:
        del some["silent"]  # which nobody asks there
    chosen = choose(*clouds(n))
    assert chosen.classifier.name == "lda"
    assert chosen.recipe["auto"]["failed"] == {
        name: "RuntimeError: no luck at all" for name in ("unbuilt", "silent") if name in some
    }
    assert any(
        "auto left out unbuilt, which failed: RuntimeError" in line
        for line in choice_lines(chosen.recipe["auto"], "lda")
    )
    del some["lda"]
    with pytest.raises(TrainingError, match="no classifier can learn from these examples: unbuilt: RuntimeError"):
        choose(*clouds(n))


def test_auto_prefers_the_simplest_within_one_standard_error():
    generator = np.random.default_rng(0)
    weights = generator.multinomial(100, np.full(100, 0.01), size=2000).astype(float)
    # accuracies 0.50, 0.77, 0.80: the standard error of 0.80 on a hundred sounds is 0.04
    right = np.array([np.arange(100) < count for count in (50, 77, 80)], float)
    name, why = _simplest(["plain", "middling", "best"], right, weights)
    assert (name, why["best"]) == ("middling", "best")
    assert why["standard_error"] == pytest.approx(0.04, abs=0.002)
    assert why["difference"]["value"] == pytest.approx(0.03)
    assert why["difference"]["interval"][0] >= 0, "it was never worse on the same sound"
    assert why["difference"]["n"] == 100


def test_auto_without_anything_to_hold_out_takes_the_simplest():
    chosen = choose(*clouds(2))
    assert chosen.classifier.name == "lda"
    assert chosen.recipe["auto"]["best"] is None
