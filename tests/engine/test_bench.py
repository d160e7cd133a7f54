"""The bench: sets, the same folds for all, the corrected test, going on after a kill, and the report in a browser."""

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import textwrap
import time
from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from corpus import Corpus
from corpus.store.tables import sounds, tags
from engine.agent.curve import learning_curve
from engine.agent.evaluate import cross_validate, folds_of
from engine.agent.examples import examples
from engine.bench.evidence import corrected_t, differences, held_to_learnt, holm
from engine.bench.sets import labelled
from engine.bench.work import CURVE_REPEATS
from engine.errors import NoVectors, TrainingError
from tests.bad_input import PROGRAM, one_line, run
from tests.engine.test_agent import split, taught

PLUGIN = """
    from engine.agent.classifiers import Classifier, classifier

    again = Classifier("lda_again", "the same", classifier("lda").build, keep=classifier("lda").keep)

    class Tired(type(classifier("lda").build(0))):
        def fit(self, X, y):
            raise ValueError("out of order\\nfor good")

    def build(seed):
        raise LookupError("no parts")

    tired = Classifier("tired", "never learns", lambda seed: Tired(classifier("lda").build(seed).steps))
    broken = Classifier("broken", "cannot be built", build)
"""
AGENT = "<svg&onload=alert(1)><b>"
TAG = "<script>alert(2)</script>"


def test_the_corrected_test_is_the_published_one():
    """Of scikit-learn's example "Statistical comparison of models using grid search": t 0.750, one-sided p 0.227."""
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (cross_val_score(SVC(kernel=one), X, y, scoring="roc_auc", cv=folds) for one in ("rbf", "linear"))
    t, p = corrected_t(rbf - linear, 10 / 90)
    assert (round(t, 3), round(p / 2, 3)) == (0.75, 0.227)


def test_the_corrected_test_in_plain_python():
    apart = [random.Random(seed).gauss(0.1, 0.2) for seed in range(50)]
    t, p = corrected_t(np.array(apart), 0.25)
    expected = statistics.mean(apart) / sqrt((1 / 50 + 0.25) * statistics.variance(apart))
    assert t == pytest.approx(expected)
    assert p == pytest.approx(2 * (1 - student.cdf(abs(expected), 49)))
    assert corrected_t(np.zeros(10), 0.25) == (0, 1)
    assert corrected_t(np.full(10, 0.1), 0.25) == (None, None), "no variance to hold it against"


def test_holm_is_the_published_one():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])  # R's p.adjust
    assert holm([]) == []
    some = [random.Random(seed).random() ** 3 for seed in range(20)]
    in_order = sorted(range(20), key=some.__getitem__)
    for place, adjusted in enumerate(holm(some)):
        smaller = in_order[: in_order.index(place) + 1]
        assert adjusted == pytest.approx(max(min(1, (20 - rank) * some[one]) for rank, one in enumerate(smaller)))


@pytest.mark.parametrize("uploaders", [60, 9])
def test_differences_are_paired_over_the_same_folds(uploaders):
    X, y = split(gap=0.5)
    groups = [str(number % uploaders) for number in range(60)]
    folds = folds_of(y, groups, 3, 4)
    held_out = [cross_validate(X, y, groups, 3, None, name, 4).held_out for name in ("lda", "bayes", "lda", "knn")]
    found = {(one.first, one.second): one for one in differences(held_out, y, folds, 3)}
    assert list(found) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    same = found[0, 2]
    assert (same.accuracy.value, same.accuracy.interval, same.t, same.p) == (0, (0, 0), 0, 1)
    accuracies = [((one > 0) == (y == 1)).mean() for one in held_out]
    adjusted = holm([one.p for one in found.values()])
    for ((a, b), one), p in zip(found.items(), adjusted, strict=True):
        assert one.accuracy.value == pytest.approx(accuracies[a] - accuracies[b])
        assert one.accuracy.interval[0] <= one.accuracy.value <= one.accuracy.interval[1]
        assert np.sign(one.t) == np.sign(round(one.accuracy.value, 9))
        assert (one.p_holm, one.df) == (pytest.approx(p), sum(map(len, folds.repeats)) - 1)
    splits = [(repeat, *split) for repeat, some in enumerate(folds.repeats) for split in some]
    right = [(one > 0) == (y == 1) for one in (held_out[0], held_out[3])]
    size = 4 * 60 / len(splits)
    by_fold = [(right[0][at, test].sum() - right[1][at, test].sum()) / size for at, _, test in splits]
    assert (len({len(test) for _, _, test in splits}) > 1) == (uploaders == 9), "grouped folds differ in size"
    assert held_to_learnt(folds) == pytest.approx(1 / (len(folds.repeats[0]) - 1))
    assert (found[0, 3].t, found[0, 3].p) == pytest.approx(corrected_t(np.array(by_fold), held_to_learnt(folds)))


def test_a_tag_against_as_many_without_it(finished):
    known = finished.vectors.ids("mfcc")
    tagged = finished.sounds.ids(with_tags=["tabla"]).tolist()
    found = labelled(finished, "tag:tabla", known[known != tagged[3]], seed=1)
    assert (found.good, found.bad, found.left_out) == (26, 26, 1)
    assert found.drawn_from == (26, 138)
    assert found.ids[found.y == 1].tolist() == [one for one in tagged if one != tagged[3]]
    assert not set(found.ids[found.y == 0].tolist()) & set(tagged)
    assert found.ids.tolist() == sorted(set(found.ids.tolist()))
    assert found.groups == [sound.uploader_group for sound in finished.sounds.many(found.ids.tolist())]
    again, other, few = (
        labelled(finished, "tag:Tabla", known, seed, most) for seed, most in ((1, 500), (2, 500), (1, 7))
    )
    assert (again.good, few.good, few.bad) == (27, 7, 7)
    assert again.hash == labelled(finished, "tag:tabla", known, 1).hash != other.hash


def test_only_categories_that_makers_gave_count(sonic):
    ids = sonic.sounds.ids().tolist()
    given = {"Music": ids[:20], "Speech": ids[20:30], "guessed": ids[30:60]}
    with sonic.database.write() as connection:
        for name, some in given.items():
            record = {"category": "Music", "category_is_user_provided": False} if name == "guessed" else None
            record = record or {"category": name, "category_is_user_provided": True}
            connection.execute(sounds.update().where(sounds.c.id.in_(some)).values(record=record))
    found = labelled(sonic, "category:music", np.array(ids))
    assert set(found.ids[found.y == 1]) == set(given["Music"])
    assert set(found.ids[found.y == 0]) == set(given["Speech"])
    with pytest.raises(TrainingError, match="gave a sound here the category 'Noise'; there are: Music, Speech"):
        labelled(sonic, "category:Noise", np.array(ids))


@pytest.fixture(scope="module")
def taught_home(measured_home, tmp_path_factory):
    """The samples with an agent and a tag of hostile names, and a package that adds classifiers."""
    home = tmp_path_factory.mktemp("bench") / "home"
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        taught(corpus)
        taught(corpus, AGENT)
        kept_for_testing = corpus.sounds.ids()[-2:].tolist()
        corpus.agents.annotate(
            corpus.agents.get("percussive"), kept_for_testing, "good", test=True, who="t", session="t"
        )
        with corpus.database.write() as connection:
            rows = [{"sound_id": one, "tag": TAG, "position": 99} for one in corpus.sounds.ids()[::9].tolist()]
            connection.execute(tags.insert(), rows)
    return home


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The environment of a process that finds another package's classifiers."""
    place = tmp_path_factory.mktemp("site")
    info = place / "outside-1.dist-info"
    info.mkdir()
    (place / "outside.py").write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1\n", encoding="utf-8")
    entries = "[mirla.classifiers]\nlda_again = outside:again\nbroken = outside:broken\ntired = outside:tired\n"
    (info / "entry_points.txt").write_text(entries, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH")]))}


def test_every_classifier_on_every_space_by_the_same_folds(taught_home, elsewhere):
    how = ["--classifiers", "lda,lda_again", "--classifiers", "knn", "--spaces", "mfcc,mfcc+traits9", "--repeats", "2"]
    answer = run("--json", "bench", "percussive", *how, home=taught_home, env=elsewhere).json
    assert (answer["classifiers"], answer["spaces"]) == (["lda", "lda_again", "knn"], ["mfcc", "mfcc+traits9"])
    (agent,) = answer["sets"]
    names = [{"classifier": name, "space": space} for space in answer["spaces"] for name in answer["classifiers"]]
    assert [{key: cell[key] for key in ("classifier", "space")} for cell in agent["cells"]] == names
    assert len(agent["differences"]) == 15
    same = [one for one in agent["differences"] if one["second"] == {**one["first"], "classifier": "lda_again"}]
    found = [(one["difference"]["value"], one["difference"]["interval"], one["t"], one["p"]) for one in same]
    assert found == [(0, [0, 0], 0, 1)] * 2
    for cell in agent["cells"]:
        assert set(cell["accuracy"]) == {"value", "interval", "n"}
        assert cell["judging"]["sounds"] == 165
        assert cell["judging"]["judged"] >= 1 << 14
        assert cell["fit_seconds"] > 0 < cell["judging"]["seconds_per_million"]
    with Corpus(taught_home) as corpus:
        given = examples(corpus, corpus.agents.get("percussive"))
        found = cross_validate(given.X, given.y, given.groups, 0, None, "knn", 2)
        points, _ = learning_curve(given.X, given.y, given.groups, 0, None, "knn", CURVE_REPEATS)
        expected = {name: found.as_json()[name] for name in ("accuracy", "balanced", "auc", "confusion")}
        assert {name: agent["cells"][2][name] for name in expected} == expected
        assert agent["cells"][2]["curve"] == [point.as_json() for point in points]
        assert (agent["labels_hash"], agent["protocol"]) == (given.hash, found.protocol)
        assert "no uploader or pack on both sides" in agent["protocol"]
        assert answer["provenance"]["fingerprints"] == {
            space: corpus.vectors.space(space).fingerprint for space in ("mfcc", "traits9")
        }


@pytest.mark.parametrize(
    ("name", "words"),
    [("broken", "LookupError: no parts"), ("tired", "on mfcc of 'percussive': ValueError: out of order")],
)
def test_a_classifier_that_fails_is_named(taught_home, elsewhere, name, words):
    asked = ["bench", "percussive", "--classifiers", f"lda,{name}", "--repeats", "1", "--no-curves"]
    ran = run(*asked, home=taught_home, env=elsewhere, check=TrainingError.exit_code)
    one_line(ran, f"{name} failed", words, f"leave {name} out of --classifiers")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_bench_that_was_stopped_goes_on(taught_home, tmp_path, how):
    home = tmp_path / "home"
    shutil.copytree(taught_home, home, ignore=shutil.ignore_patterns("bench_*"))
    asked = ["bench", "percussive", "--classifiers", "lda,bayes,logistic", "--repeats", "3", "--jobs", "1"]
    process = subprocess.Popen([PROGRAM, "--home", home, *asked], stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not (kept := whole(home)) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(how)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == (-how if how == signal.SIGKILL else 130)
    assert how == signal.SIGKILL or said == "mirla: stopped; what was done is kept\n"
    kept = whole(home)
    assert kept
    assert len(kept) < 3, "stopped before the end"
    if how == signal.SIGINT:
        return
    resumed = run("--json", *asked, "--resume", home=home)
    assert resumed.err == f"{len(kept)} of 3 cells were there already\n"
    resumed = resumed.json
    assert kept.items() < whole(home).items(), "what was kept is not made again"
    anew = run("--json", *asked, home=home).json
    assert not kept.items() & whole(home).items(), "without --resume all is made anew"
    assert json.dumps(without_times(resumed)) == json.dumps(without_times(anew))


def whole(home):
    """Cells that are kept, and when they were."""
    return {
        path.parent.parent.name: path.stat().st_mtime_ns for path in (home / "cache").glob("bench_*/[!.]*/about.json")
    }


def without_times(answer):
    if isinstance(answer, dict):
        return {key: without_times(value) for key, value in answer.items() if "seconds" not in key and key != "date"}
    return [without_times(one) for one in answer] if isinstance(answer, list) else answer


def test_what_was_made_of_something_else_is_not_taken_over(sonic, mirla, sonic_home):
    good, _ = taught(sonic)
    asked = ["bench", "percussive", "--classifiers", "lda", "--repeats", "1", "--no-curves"]
    mirla(*asked)
    first = whole(sonic_home)
    mirla(*asked, "--resume")
    assert whole(sonic_home) == first
    sonic.agents.annotate(sonic.agents.get("percussive"), good[:1], "bad", who="t", session="t")
    mirla(*asked, "--resume")
    assert whole(sonic_home) != first


def test_the_report_is_opened(taught_home, mirla, tmp_path, browse):
    html = tmp_path / "report.html"
    how = ["--classifiers", "lda", "--spaces", "mfcc,traits9", "--repeats", "1", "--html", html]
    answer = mirla("--json", "bench", AGENT, f"tag:{TAG}", *how, home=taught_home).json
    assert answer["html"] == str(html)
    with browse(html) as opened:
        text = opened.find("main").inner_text()
        assert opened.find("main img, main a, main b, main script").count() == 0
        assert opened.find("h2").all_inner_texts()[1:3] == [AGENT, f"tag:{TAG}"]
        assert opened.find(".figure").count() == 4
        for one in answer["sets"]:
            assert one["labels_hash"] in text
            for cell in one["cells"]:
                low, high = cell["accuracy"]["interval"]
                assert f"{cell['accuracy']['value']:.2f} ({low:.2f} to {high:.2f})" in text
        table = opened.find("section:nth-of-type(2) table").last.inner_text().splitlines()
        assert len(table) == 1 + 1
        assert answer["provenance"]["fingerprints"]["mfcc"] in text
        assert "--spaces mfcc,traits9 --seed 0 --repeats 1" in text


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["percussive", "--classifiers", "oracle"], TrainingError, "no classifier 'oracle'; known are mlp,"),
        (["percussive", "--spaces", "mfcc+smell"], 12, "no space 'smell'; known are"),
        (["percussive", "--spaces", "laion_clap"], NoVectors, "no sound has a vector in space 'laion_clap' yet"),
        (["nobody"], 9, "no agent 'nobody'; there are:"),
        (["tag:\x1b[2J"], TrainingError, "no sound has the tag '\\x1b[2J'"),
        (["category:Music"], TrainingError, "no maker gave a sound here the category 'Music'"),
        (["glad"], TrainingError, "'glad' has 5 good and 0 bad sounds known to every space asked for and needs two"),
        (["few"], TrainingError, "'few' has 3 good and 1 bad sounds known to every space asked for and needs two"),
        (["tag:everywhere"], TrainingError, "'tag:everywhere' has 165 good and 0 bad"),
    ],
)
def test_bad_input_is_one_clear_line(puzzled_home, mirla, asked, code, words):
    code = getattr(code, "exit_code", code)
    done = mirla("bench", *asked, "--repeats", "1", "--no-curves", home=puzzled_home, check=code)
    assert words in done.err
    assert len(done.err.splitlines()) == 1


@pytest.fixture(scope="module")
def puzzled_home(taught_home, tmp_path_factory):
    """The same with agents that were taught too little, and a tag that all have."""
    home = tmp_path_factory.mktemp("puzzled") / "home"
    shutil.copytree(taught_home, home)
    with Corpus(home) as corpus:
        ids = corpus.sounds.ids().tolist()
        for name, good, bad in (("glad", ids[:5], []), ("few", ids[:3], ids[3:4])):
            agent = corpus.agents.create(name, "", ["mfcc"], "mlp")
            for label, some in (("good", good), ("bad", bad)):
                corpus.agents.annotate(agent, some, label, who="t", session="t")
        with corpus.database.write() as connection:
            connection.execute(tags.insert(), [{"sound_id": one, "tag": "everywhere", "position": 98} for one in ids])
    return home


def test_nothing_was_measured_yet(mirla, home):
    done = mirla("bench", "tag:x", check=NoVectors.exit_code)
    assert "no sound was analysed in space 'mfcc' yet" in done.err
