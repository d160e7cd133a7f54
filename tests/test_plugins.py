"""Spaces and measures of another package: a real distribution on the path, found by its entry points."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from corpus import Corpus
from corpus.analysis import spaces
from corpus.analysis.spaces import Extractor
from corpus.errors import AnalysisError
from corpus.plugins import Registry
from engine.agent import classifiers
from engine.agent.classifiers import Classifier
from engine.agent.judging import judge
from engine.agent.training import train
from engine.errors import TrainingError, UnknownMeasure
from engine.query.run import Choice, similar
from engine.similarity import measures
from engine.similarity.measures import Measure, VectorMeasure
from engine.similarity.metrics import EUCLIDEAN, as_is

CODE = """
    import numpy as np

    from corpus.analysis.spaces import space
    from engine.agent.classifiers import Classifier
    from engine.similarity.measures import VectorMeasure, vector_measure
    from engine.similarity.metrics import EUCLIDEAN


    @space("level", 2, "mean and peak level", library="earshot", parameters={"of": "absolute samples"})
    def level(mono):
        return np.array([np.abs(mono).mean(), np.abs(mono).max()], np.float32)


    @vector_measure("loud", "as loud as", "level")
    def loud(X):
        return np.log(X + 1e-6)


    quiet = VectorMeasure("peak", "the same peak", "level", lambda X: X[:, 1:], EUCLIDEAN)
    nonsense = 7


    def one_neighbour(seed):
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(1)


    nearer = Classifier("nearer", "as the nearest example", one_neighbour)
"""
ENTRY_POINTS = """
    [mirla.spaces]
    level = earshot:level

    [mirla.measures]
    loud = earshot:loud
    peak = earshot:quiet
    nonsense = earshot:nonsense
    lost = earshot.gone:lost
    mfcc = earshot:clash

    [mirla.classifiers]
    nearer = earshot:nearer
    mess = earshot:nonsense
"""


@pytest.fixture
def earshot(tmp_path, monkeypatch):
    """A distribution `earshot` on the path, and registries as of a new process, without what it adds."""
    place = tmp_path / "site"
    info = place / "earshot-0.3.dist-info"
    info.mkdir(parents=True)
    (place / "earshot.py").write_text(textwrap.dedent(CODE), encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: earshot\nVersion: 0.3\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS), encoding="utf-8")
    monkeypatch.syspath_prepend(place)
    _as_new(monkeypatch, spaces, "_EXTRACTORS", "mirla.spaces", Extractor)
    _as_new(monkeypatch, measures, "MEASURES", "mirla.measures", Measure)
    _as_new(monkeypatch, classifiers, "CLASSIFIERS", "mirla.classifiers", Classifier)
    yield place
    sys.modules.pop("earshot", None)
    spaces.fingerprinted.cache_clear()


def _as_new(monkeypatch, module, name, group, kind):
    registry = Registry(group, kind)
    for one in getattr(module, name)._items.values():
        registry.register(one)
    monkeypatch.setattr(module, name, registry)


def test_a_space_and_a_measure_from_outside(earshot, finished_home, home):
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        report = corpus.analyse(["level"], jobs=1)
        assert (report.spaces["level"].analysed, report.failed) == (165, [])
        ids, X = corpus.vectors.matrix("level")
        assert X.shape == (165, 2)
        target = int(ids[30])
        hits = similar(corpus, target, Choice(k=200), "peak").hits
        expected = sorted((abs(float(x[1]) - float(X[30, 1])), i) for i, x in zip(ids.tolist(), X, strict=True))
        assert [hit.sound.id for hit in hits] == [i for _, i in expected if i != target]
        assert similar(corpus, target, Choice(k=3), "0.5*loud+mfcc").hits
        assert measures.measure("loud").covers(corpus).sounds == 165


def test_a_classifier_from_outside(earshot, finished_home, home):
    """It is fitted anew by another session, and judges the same."""
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        agent = corpus.agents.create("taste", "", ["mfcc"], "nearer")
        ids = corpus.sounds.ids().tolist()
        for label, some in (("good", ids[:8]), ("bad", ids[-8:])):
            corpus.agents.annotate(agent, some, label, who="me", session="s")
        _, report = train(corpus, "taste")
        assert (report["classifier"], report["accuracy"]["n"]) == ("nearer", 16)
        first = judge(corpus, "taste")
        X = corpus.vectors.matrix("mfcc")[1].astype(float)
        apart = [np.linalg.norm(X[:, None] - X[rows], axis=2).min(axis=1) for rows in (slice(8), slice(-8, None))]
        np.testing.assert_array_equal(first.is_good, apart[0] < apart[1])
    shutil.rmtree(home / "cache")
    with Corpus(home) as corpus:
        np.testing.assert_array_equal(judge(corpus, "taste").p, first.p)
    assert list(classifiers.CLASSIFIERS)[-1] == "nearer"
    with pytest.raises(TrainingError, match="'mess' cannot be loaded: TypeError: earshot:nonsense is no Classifier"):
        classifiers.classifier("mess")


def test_they_come_behind_ours_and_what_is_broken_is_said_when_a_name_is_not_found(earshot):
    assert spaces.known()[-1] == "level"
    assert list(measures.MEASURES)[-2:] == ["loud", "peak"]
    assert measures.measure("mfcc").about.startswith("timbre"), "ours is not replaced"
    with pytest.raises(UnknownMeasure) as refusal:
        measures.measure("lost")
    words = str(refusal.value)
    assert "'nonsense' cannot be loaded: TypeError: earshot:nonsense is no Measure" in words
    assert "'lost' cannot be loaded: ModuleNotFoundError: " in words
    assert "\n" not in words


def test_the_program_finds_them(earshot, finished_home, home):
    shutil.copytree(finished_home, home)
    program = [Path(sys.executable).with_name("mirla"), "--home", home]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{earshot}:{Path(__file__).parents[1]}")
        run = lambda *words: subprocess.run([*program, *words], capture_output=True, text=True, timeout=120)  # noqa: E731
        assert "level" in run("analyse", "--help").stdout
        done = run("analyse", "--space", "level")
        assert "space level: 165 analysed, 0 up to date, 0 failed" in done.stdout, done.stderr
        assert "as loud as" in run("measures").stdout


def test_what_is_registered_in_a_program_is_known_there(earshot):
    made = measures.register(VectorMeasure("mine", "as it is", "mfcc", as_is, EUCLIDEAN))
    assert measures.measure("mine") is made
    assert measures.register(made) is made
    with pytest.raises(ValueError, match="'mine' is taken"):
        measures.register(VectorMeasure("mine", "otherwise", "mfcc", as_is))
    for name in ("a+b", "5th", ".5", "-1", "", "two words", "a*"):
        with pytest.raises(ValueError, match=f"'{re.escape(name)}' is no name for a measure"):
            measures.register(VectorMeasure(name, "a mix?", "mfcc", as_is))
    with pytest.raises(AnalysisError, match=r"no space 'mine'; known are mfcc, .*level"):
        spaces.extractor("mine")
