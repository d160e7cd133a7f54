"""Why: the nearest examples, and the labels that a verdict hangs on, against learning without each by hand."""

import numpy as np
import pytest

from engine.agent.examples import examples
from engine.agent.fitting import fit
from engine.agent.judging import judge
from engine.agent.training import train
from engine.agent.why import why
from engine.errors import NoVectors, TrainingError
from tests.engine.test_agent import taught


@pytest.fixture
def hasty(sonic):
    """An agent that three sounds were enough for: each of them decides."""
    agent = sonic.agents.create("hasty", "", ["mfcc"], "lda")
    ids = sonic.sounds.ids().tolist()
    for label, some in (("good", ids[10:12]), ("bad", ids[40:43])):
        sonic.agents.annotate(agent, some, label, who="me", session="s")
    train(sonic, "hasty")
    return agent


def test_the_nearest_examples_by_hand(sonic):
    good, bad = taught(sonic, classifier="lda")
    train(sonic, "percussive")
    report = why(sonic, "percussive", good[0], seconds=1e-9)
    ids, X = sonic.vectors.matrix("mfcc")
    taught_rows = np.isin(ids, good + bad)
    Z = (X - X[taught_rows].astype(float).mean(axis=0)) / X[taught_rows].astype(float).std(axis=0)
    distances = np.linalg.norm(Z - Z[ids == good[0]], axis=1)
    for label, some in (("good", good[1:]), ("bad", bad)):
        expected = min((distances[ids == one][0], one) for one in some)
        found = report["nearest"][label]
        assert found == {"id": expected[1], "label": label, "distance": pytest.approx(expected[0], abs=1e-3)}
    assert report["taught"] == "good"
    assert (report["label"], report["p"]) == tuple(judge(sonic, "percussive").of(good[0]).values())


def test_the_labels_that_would_change_it_by_hand(sonic, hasty):
    given = examples(sonic, hasty)
    ids, X = sonic.vectors.matrix("mfcc")
    found = 0
    for sound_id in ids[::9].tolist():
        x = X[ids == sound_id]
        label = judge(sonic, "hasty").of(sound_id)["label"]
        expected = set()
        for row in range(5):
            rest = np.arange(5) != row
            changed = fit("lda", given.X[rest], given.y[rest]).scores(x)[0] > 0
            if changed != (label == "good"):
                expected.add(int(given.ids[row]))
        report = why(sonic, "hasty", sound_id)
        assert {one["id"] for one in report["would_change"]} == expected
        assert all((one["p"] > 0.5) != (label == "good") for one in report["would_change"])
        assert (report["tried"], report["labels"]) == (5, 5)
        found += len(expected)
    assert found, "five labels: some verdicts hang on one"


def test_the_only_one_of_its_class_cannot_be_left_out(sonic, mirla):
    agent = sonic.agents.create("lone", "", ["mfcc"], "lda")
    ids = sonic.sounds.ids().tolist()
    sonic.agents.annotate(agent, ids[:1], "good", who="me", session="s")
    sonic.agents.annotate(agent, ids[40:43], "bad", who="me", session="s")
    train(sonic, "lone")
    report = why(sonic, "lone", ids[60])
    assert [one["id"] for one in report["cannot_leave_out"]] == ids[:1]
    assert (report["tried"], report["labels"]) == (3, 4)
    lines = mirla("agent", "why", "lone", ids[60]).out
    assert f"the good {ids[0]} " in lines
    assert "cannot be left out" in lines
    assert "--seconds" not in lines, "there is no more to try"
    assert "no single label" not in lines


def test_it_ends_in_time(sonic, hasty):
    report = why(sonic, "hasty", int(sonic.sounds.ids()[0]), seconds=1e-9)
    assert (report["tried"], report["would_change"]) == (0, [])


def test_what_cannot_be_explained(sonic, hasty):
    sonic.agents.create("blank", "", ["mfcc"], "lda")
    with pytest.raises(TrainingError, match="not trained yet"):
        why(sonic, "blank", 100055)
    sonic.agents.create("copied", "", ["mfcc"], "flucoma")
    with pytest.raises(TrainingError, match="imported from FluCoMa without its examples"):
        why(sonic, "copied", 100055)
    import sqlite3

    connection = sqlite3.connect(sonic.database.file)
    with connection:
        connection.execute("delete from vectors where sound_id = 100055")
    connection.close()
    with pytest.raises(NoVectors, match="sound 100055 has no vector"):
        why(sonic, "hasty", 100055)


def test_in_words(sonic_home, mirla):
    from corpus import Corpus

    with Corpus(sonic_home) as corpus:
        good, bad = taught(corpus, classifier="lda")
        train(corpus, "percussive")
    lines = mirla("agent", "why", "percussive", good[0]).out
    assert f"calls {good[0]}" in lines
    assert "it was taught that this sound is good" in lines
    assert "nearest bad example: " in lines
    report = mirla("--json", "agent", "why", "percussive", bad[0]).json
    assert set(report["nearest"]) == {"good", "bad"}
