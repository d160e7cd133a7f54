"""Evaluation: the same folds for all, three protocols, the learning curve."""

import tracemalloc

import numpy as np
import pytest

from corpus import Corpus
from engine.agent.curve import _in_proportion, learning_curve
from engine.agent.estimates import resamples
from engine.agent.evaluate import cross_validate, folds_of, scored, split_as_the_paper, wilson
from engine.agent.examples import examples
from engine.agent.scoring import score
from engine.agent.training import train
from engine.errors import TrainingError
from tests.engine.test_agent import split, taught

ALONE = [str(number) for number in range(60)]


def test_the_folds_depend_on_labels_groups_and_seed_alone():
    _, y = split()
    first, again, other = folds_of(y, ALONE, 1), folds_of(y, ALONE, 1), folds_of(y, ALONE, 2)
    flat = [np.concatenate([test for _, test in splits]) for splits in first.repeats]
    assert all(sorted(tests) == list(range(60)) for tests in flat), "each sound is held out once a repeat"
    np.testing.assert_array_equal(flat, [np.concatenate([test for _, test in one]) for one in again.repeats])
    assert not np.array_equal(flat, [np.concatenate([test for _, test in one]) for one in other.repeats])


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("abcde", "fghij", "10 x 5-fold cross-validation, ungrouped: no two are known to be by one maker; interval"),
        (
            "aabcd",
            "efghi",
            "10 x 5-fold cross-validation, grouped by maker: no uploader or pack on both sides; interval",
        ),
        (
            "aaabb",
            "bbbaa",
            "10 x 2-fold cross-validation, grouped by maker: no uploader or pack on both sides; interval",
        ),
        ("aaaaa", "bcdef", "10 x 5-fold cross-validation, ungrouped: all of a label are from one uploader"),
        ("ab", "cdefg", "10 x 2-fold"),
    ],
)
def test_the_protocol_says_how_it_was_dealt(good, bad, words):
    y = np.array([1] * len(good) + [0] * len(bad))
    folds = folds_of(y, [*good, *bad])
    assert folds.protocol.startswith(words)
    if "no uploader" in words:
        for train_rows, test_rows in folds.repeats[0]:
            assert not {(good + bad)[row] for row in train_rows} & {(good + bad)[row] for row in test_rows}


def test_sounds_of_unknown_makers_are_said():
    """As all of one's own are."""
    y = np.array([1, 0] * 5)
    own = [f"sound:{number}" for number in range(10)]
    assert ", ungrouped: makers unknown; interval: bootstrap over sounds" in folds_of(y, own).protocol
    some = ["user:a", "user:a", "user:b", "user:b", *own[:6]]
    assert "both sides (6 of unknown makers count as one each); interval" in folds_of(y, some).protocol


def _by_pairs(held_out, y, weights):
    """The area under the curve from its definition: weighted pairs of a good and a bad."""
    found = np.zeros(len(weights))
    for z in held_out:
        above = z[y == 1][:, None] - z[y == 0]
        won = (above > 0) + 0.5 * (above == 0)
        found += np.einsum("bi,ij,bj->b", weights[:, y == 1], won, weights[:, y == 0])
    return found / len(held_out) / weights[:, y == 1].sum(axis=1) / weights[:, y == 0].sum(axis=1)


@pytest.mark.parametrize("groups", [40, 7])
def test_the_auc_by_ranks_is_that_by_pairs(groups):
    """With ties, over groups, and in every resample."""
    generator = np.random.default_rng(3)
    y, members = np.arange(40) % 2, np.arange(40) % groups
    held_out = generator.integers(0, 6, (3, 40)) + y * 1.0
    weights = resamples(members, y, 9).astype(float)
    expected = _by_pairs(held_out, y, weights)
    found = scored(held_out, y, members, "by hand", 9).auc
    assert found.value == pytest.approx(_by_pairs(held_out, y, np.ones((1, 40)))[0])
    low, high = np.percentile(expected, [2.5, 97.5])
    least, most = wilson(found.value, groups)
    assert found.interval == pytest.approx((min(low, least), max(high, most)))


def test_ten_thousand_labels_are_scored_within_memory():
    generator = np.random.default_rng(3)
    y = np.arange(10_000) % 2
    tracemalloc.start()
    scored(generator.normal(size=(1, 10_000)) + y, y, np.arange(10_000), "by hand")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_nothing_can_be_held_out_of_one():
    assert folds_of(np.array([0, 0, 1]), "abc") is None
    assert cross_validate(*split(3), "abc") is None
    assert split_as_the_paper(*split(3), "abc") is None
    assert learning_curve(*split(3), "abc")[0] == []


def test_confusion_and_figures_of_known_scores():
    y = np.array([1, 1, 1, 0, 0])
    held_out = np.array([[3.0, 1.0, -1.0, -2.0, 2.0], [3.0, 1.0, 1.0, -2.0, -2.0]])
    found = scored(held_out, y, np.arange(5), "by hand")
    assert found.confusion == {"good": {"good": 2.5, "bad": 0.5}, "bad": {"good": 0.5, "bad": 1.5}}
    assert found.accuracy.value == pytest.approx(0.8)
    assert found.balanced.value == pytest.approx((2.5 / 3 + 0.75) / 2)
    assert found.auc.value == pytest.approx((4 / 6 + 1) / 2)
    assert found.baseline == 0.6


def test_the_papers_protocol_is_one_split_and_wilsons_interval():
    found = split_as_the_paper(*split(100, gap=0.5), [str(i) for i in range(100)])
    assert found.held_out.shape == (1, 30)
    assert found.accuracy.interval == wilson(found.accuracy.value, 30)
    assert "70 sounds to learn from and 30 held out" in found.protocol


def test_scores_of_an_agent_by_each_protocol(sonic):
    good, bad = taught(sonic, classifier="lda")
    agent = sonic.agents.get("percussive")
    with pytest.raises(TrainingError, match="0 good and 0 bad sounds for testing"):
        score(sonic, "percussive", "test")
    for label, ids in (("good", good[:5]), ("bad", bad[:5])):
        sonic.agents.annotate(agent, ids, label, test=True, who="me", session="s")
    _, report = train(sonic, "percussive")
    assert report["good"] == report["bad"] == 15, "what is for testing is not learnt from"
    again = score(sonic, "percussive")
    assert {name: again[name] for name in ("accuracy", "auc", "confusion", "protocol")} == {
        name: report[name] for name in ("accuracy", "auc", "confusion", "protocol")
    }
    tested = score(sonic, "percussive", "test")
    assert (tested["good"], tested["bad"], tested["accuracy"]["n"]) == (5, 5, 10)
    assert tested["protocol"].startswith("version 1 on 10 sounds labelled for testing")
    assert tested["version"] == 1
    other = score(sonic, "percussive", "test", "bayes")
    assert other["classifier"] == "bayes"
    assert "bayes on 10 sounds" in other["protocol"]
    assert score(sonic, "percussive", "paper", "lda")["accuracy"]["n"] == 9
    assert len(sonic.agents.versions(agent)) == 1, "nothing is kept"
    with pytest.raises(TrainingError, match="no classifier 'oracle'"):
        score(sonic, "percussive", "cv", "oracle")


def test_the_test_protocol_asks_the_version_in_use(sonic):
    """Half of the labels to learn from, right and then wrong, the other half for testing."""
    good, bad = taught(sonic, classifier="lda")
    agent = sonic.agents.get("percussive")
    for label, ids in (("good", good[::2]), ("bad", bad[::2])):
        sonic.agents.annotate(agent, ids, label, test=True, who="me", session="s")
    train(sonic, "percussive")
    for label, ids in (("bad", good[1::2]), ("good", bad[1::2])):
        sonic.agents.annotate(agent, ids, label, who="me", session="s")
    train(sonic, "percussive")
    taught_wrong = score(sonic, "percussive", "test")
    sonic.agents.use(agent, 1)
    taught_right = score(sonic, "percussive", "test")
    assert (taught_wrong["version"], taught_right["version"]) == (2, 1)
    assert taught_wrong["accuracy"]["value"] < 0.4 < 0.6 < taught_right["accuracy"]["value"]


def test_what_a_version_learnt_from_tests_it_no_more(sonic):
    """The original tested on sounds it had learnt from: all that are given for testing afterwards."""
    good, bad = taught(sonic, classifier="lda")
    agent = sonic.agents.get("percussive")
    sonic.agents.annotate(agent, [*good[:5]], "good", test=True, who="me", session="s")
    sonic.agents.annotate(agent, [*bad[:5]], "bad", test=True, who="me", session="s")
    train(sonic, "percussive")
    alone = score(sonic, "percussive", "test")
    assert alone["learnt_from"] == []
    sonic.agents.annotate(agent, good[5:8], "good", test=True, who="me", session="s")
    found = score(sonic, "percussive", "test")
    assert found["learnt_from"] == sorted(good[5:8])
    assert (found["good"], found["bad"], found["accuracy"]) == (5, 5, alone["accuracy"])
    assert "on 10 sounds labelled for testing, without 3 that it learnt from" in found["protocol"]
    other = score(sonic, "percussive", "test", "bayes")
    assert (other["good"], other["learnt_from"]) == (8, []), "it learns without them"
    sonic.agents.annotate(agent, good[:5] + bad[:5], None, who="me", session="s")
    sonic.agents.annotate(agent, bad[5:8], "bad", test=True, who="me", session="s")
    with pytest.raises(TrainingError, match="0 good and 0 bad sounds for testing, without 6 that it learnt from"):
        score(sonic, "percussive", "test")


def test_the_curve_rises_with_the_labels():
    points, protocol = learning_curve(*split(60, gap=0.7), ALONE, classifier="lda")
    sizes = [point.labels for point in points]
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (4, 48)
    assert points[-1].accuracy.value > points[0].accuracy.value + 0.1
    for point in points:
        low, high = point.accuracy.interval
        assert low <= point.accuracy.value <= high
        assert point.accuracy.n == 60
    assert "10 x 5-fold" in protocol


@pytest.mark.parametrize("makers", [60, 57, 9])
def test_the_curve_ends_where_the_score_is(makers):
    """The same folds, as many times, the same rows in the same order: also where folds differ in size."""
    X, y = split(57, gap=0.4)
    groups = [f"user:{row % makers}" for row in range(57)]
    last = learning_curve(X, y, groups, 3, classifier="lda")[0][-1]
    found = cross_validate(X, y, groups, 3, classifier="lda")
    assert (last.accuracy, last.balanced) == (found.accuracy, found.balanced)


def test_the_first_few_of_a_curve_have_both_classes():
    y = np.array([1] * 3 + [0] * 27)
    dealt = [_in_proportion(np.arange(30), y, seed) for seed in range(5)]
    assert len({tuple(rows) for rows in dealt}) == 5
    for rows in dealt:
        assert sorted(rows) == list(range(30))
        assert y[rows[:2]].sum() == 1
        assert [y[rows[:size]].sum() for size in (10, 20, 30)] == [1, 2, 3]


def test_doubtful_labels_are_those_that_were_given_wrong(sonic):
    """A bass drum among the bad, and a drone among the good."""
    good, bad = taught(sonic, classifier="lda")
    agent = sonic.agents.get("percussive")
    wrong = [good[0], bad[0]]
    sonic.agents.annotate(agent, [good[0]], "bad", who="me", session="s")
    sonic.agents.annotate(agent, [bad[0]], "good", who="me", session="s")
    _, report = train(sonic, "percussive")
    doubtful = report["doubtful"]
    assert {one["id"] for one in doubtful} & set(wrong)
    given = {one.sound_id: one.label for one in sonic.agents.annotations(agent)}
    for one in doubtful:
        assert one["label"] == given[one["id"]]
        assert (one["p"] > 0.5) == (one["label"] == "bad")
    against = [abs(one["p"] - 0.5) for one in doubtful]
    assert against == sorted(against, reverse=True)
    assert examples(sonic, agent).good == 20


def test_doubts_that_no_longer_hold_are_not_shown(sonic, mirla):
    good, bad = taught(sonic, classifier="lda")
    agent = sonic.agents.get("percussive")
    for label, ids in (("bad", good[:4]), ("good", bad[:4])):
        sonic.agents.annotate(agent, ids, label, who="me", session="s")
    _, report = train(sonic, "percussive")
    doubtful = [one["id"] for one in report["doubtful"]]
    assert len(doubtful) >= 4
    assert "as of version 1" in mirla("agent", "show", "percussive").out
    first, second, third = report["doubtful"][:3]
    other = {"good": "bad", "bad": "good"}[first["label"]]
    sonic.agents.annotate(agent, [first["id"]], other, who="me", session="s")
    sonic.agents.annotate(agent, [second["id"]], None, who="me", session="s")
    mirla("forget", third["id"], "--yes")
    shown = mirla("--json", "agent", "show", "percussive").json["doubtful"]
    assert [one["id"] for one in shown] == doubtful[3:]


def test_without_a_curve_no_page_is_drawn(sonic_home, mirla, tmp_path):
    with Corpus(sonic_home) as corpus:
        agent = corpus.agents.create("few", "", ["mfcc"], "lda")
        ids = corpus.sounds.ids().tolist()
        corpus.agents.annotate(agent, ids[:1], "good", who="me", session="s")
        corpus.agents.annotate(agent, ids[-2:], "bad", who="me", session="s")
    file = tmp_path / "curve.html"
    assert mirla("--json", "agent", "curve", "few", "--html", file).json["html"] is None
    assert "no curve: none: a class has fewer" in mirla("agent", "curve", "few", "--html", file).out
    assert not file.exists()


def test_the_curve_in_words_as_json_and_as_a_page(sonic_home, mirla, tmp_path):
    with Corpus(sonic_home) as corpus:
        taught(corpus, "<i>drums", classifier="lda")
    file = tmp_path / "curve.html"
    report = mirla("--json", "agent", "curve", "<i>drums", "--html", file).json
    assert (report["good"], report["bad"], report["baseline"], report["html"]) == (20, 20, 0.5, str(file))
    assert report["points"][-1]["accuracy"]["value"] > report["baseline"]
    lines = mirla("agent", "curve", "<i>drums", "--html", file).out.splitlines()
    assert "".join(lines).endswith(f"page: {file}")
    for point, line in zip(report["points"], lines[1:], strict=False):
        number, bar, value = line.split()[:3]
        assert (int(number), float(value)) == (point["labels"], round(point["accuracy"]["value"], 2))
        low, high = point["accuracy"]["interval"]
        assert bar.index("█") == int(40 * point["accuracy"]["value"])
        assert {bar.index("░"), bar.rindex("░")} <= {*range(int(40 * low), int(40 * high) + 1)}
    page = file.read_text()
    assert "&lt;i&gt;drums" in page
    assert "<i>" not in page
    assert f'<td class="number">{report["points"][-1]["accuracy"]["value"]}</td>' in page
