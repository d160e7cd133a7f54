"""Lessons: the verbs and what they keep, where sounds come from, refits, and the most useful question."""

import io
import time

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from corpus.errors import UnknownSound
from corpus.model import Sound
from engine.agent.judging import judge
from engine.agent.useful import POOL, Pool
from engine.errors import NoVectors, QueryError
from engine.features import FeatureMatrix, load
from engine.teaching import Teacher

DRUMS = ("bd", "drum", "sn", "tabla", "perc")


@pytest.fixture
def lesson(sonic):
    """Begin lessons of one agent; they end with the test."""
    begun = []

    def begin(name="water", seed=1, corpus=sonic):
        begun.append(Teacher(corpus, name, who="anna", seed=seed))
        return begun[-1]

    yield begin
    for teacher in begun:
        teacher.close()


def said(corpus, name="water"):
    return {one.sound_id: one.label for one in corpus.agents.annotations(corpus.agents.get(name))}


def answer(teacher, times):
    """Call drums good and all else bad; returns the sounds asked."""
    asked = []
    for _ in range(times):
        sound = teacher.status.sound
        asked.append(sound.id)
        (teacher.ok if sound.name.split("_")[0] in DRUMS else teacher.ko)()
    return asked


def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_answers_are_facts_with_who_and_session_and_bring_the_next_sound(lesson, sonic):
    teacher = lesson()
    assert teacher.made
    first = teacher.random().sound
    coming = teacher.upcoming
    status = teacher.ok()
    assert status.sound == coming != first
    with Corpus(sonic.home) as elsewhere:  # as another process sees it
        [fact] = elsewhere.agents.history(elsewhere.agents.get("water"))
    assert (fact.sound_id, fact.label, fact.who, fact.session) == (first.id, "good", "anna", teacher.session)
    assert (status.good, status.bad, status.last.sound, status.last.said) == (1, 0, first, "good")
    assert teacher.again().sound == coming
    second = teacher.ko().last.sound
    assert said(sonic) == {first.id: "good", second.id: "bad"}
    assert status.as_json()["last"] == {"id": first.id, "said": "good", "verdict": None}


def test_a_source_asks_each_sound_once_and_then_has_no_more(lesson, sonic):
    expected = set(sonic.sounds.ids(with_tags=["tabla"]).tolist())
    teacher = lesson()
    teacher.tag("tabla")
    asked = []
    while teacher.status.sound:
        asked.append(teacher.status.sound.id)
        [teacher.ok, teacher.ko, teacher.skip][len(asked) % 3]()
    assert len(asked) == len(expected)
    assert set(asked) == expected
    with pytest.raises(QueryError, match="no sound is being asked; choose a source"):
        teacher.ok()
    with pytest.raises(QueryError, match="no sound to ask from tag:tabla"):
        teacher.tag("tabla")
    assert teacher.random().sound.id not in asked


def test_the_order_of_each_source(lesson, sonic, finished):
    from engine.query.run import Choice, search, similar

    teacher = lesson()
    near = [hit.sound.id for hit in similar(finished, 100055, Choice(k=3)).hits]
    assert teacher.like(100055).sound.id == near[0]
    assert teacher.skip().sound.id == near[1]
    assert teacher.source("like").source == f"like:{near[1]}"
    found = [hit.sound.id for hit in search(finished, Choice(k=2, text="tabla ghe")).hits]
    assert teacher.search("tabla ghe").sound.id == found[0]
    assert teacher.skip().sound.id == found[1]
    assert teacher.random().sound.id == lesson("other").random().sound.id  # the same seed
    assert teacher.source("id:4832").sound.id == 4832
    for words in ("like:x", "tag:", "id:", "loud", "useful:3", ""):
        with pytest.raises(QueryError, match="no source"):
            teacher.source(words)
    assert teacher.status.sound.id == 4832  # what cannot be done changes nothing


def test_what_cannot_be_heard_or_seen_is_asked_by_id_alone(lesson, sonic, tmp_path):
    soundfile.write(tmp_path / "new.wav", np.random.default_rng(0).normal(size=4410) * 0.1, 44100)
    [unseen] = sonic.adopt([tmp_path / "new.wav"]).ids
    with sonic.database.write() as connection:
        sonic.sounds.insert(connection, [Sound(77, "unheard")], {})
    teacher = lesson()
    for words in ("new", "unheard"):
        assert len(sonic.sounds.ids(words)) == 1
        with pytest.raises(QueryError, match="no sound to ask"):
            teacher.search(words)
    with pytest.raises(UnknownSound):
        teacher.id(78)
    teacher.random()
    first = teacher.status.sound
    assert teacher.id(unseen).sound.id == unseen
    assert teacher.ok().sound == first  # what was asked comes again
    assert teacher.id(77).sound.id == 77


def test_undo_is_a_fact_and_asks_again(lesson, sonic):
    sonic.agents.create("water", "", ["mfcc"], "mlp")
    sonic.agents.annotate(sonic.agents.get("water"), [4832], "bad", who="ben", session="before")
    teacher = lesson()
    first = teacher.random().sound
    second = teacher.ok().sound
    teacher.skip()
    third = teacher.id(4832).last
    assert third.said is None
    teacher.ok()
    assert said(sonic) == {first.id: "good", 4832: "good"}
    assert teacher.undo().sound.id == 4832
    assert said(sonic) == {first.id: "good", 4832: "bad"}
    assert teacher.undo().sound == second
    assert teacher.undo().sound == first
    assert said(sonic) == {4832: "bad"}
    with pytest.raises(QueryError, match="nothing left to undo in this session"):
        teacher.undo()
    assert [one.undoes is not None for one in sonic.agents.history(sonic.agents.get("water"))] == [0, 0, 0, 1, 1]
    assert teacher.ko().sound == second  # and what was put back comes again in turn
    assert teacher.ok().sound.id == 4832


def test_a_lesson_goes_on_where_the_last_one_stopped(lesson, sonic):
    teacher = lesson()
    teacher.tag("tabla")
    asked = answer(teacher, 5)
    skipped = teacher.status.sound.id
    teacher.skip()
    teacher.close()
    later = lesson(seed=2)
    assert not later.made
    assert later.status.good == 5
    left = len(sonic.sounds.ids(with_tags=["tabla"])) - 5
    assert len(set(asked)) == 5
    later.tag("tabla")
    again = answer(later, left)
    assert later.status.sound is None
    assert not set(again) & set(asked)
    assert skipped in again


def test_what_others_say_and_delete_meanwhile_is_not_asked(lesson, sonic):
    sonic.agents.create("water", "", ["mfcc"], "mlp")
    teacher = lesson()
    teacher.search("tabla ghe")
    coming = [teacher.upcoming.id]
    with Corpus(sonic.home) as elsewhere:
        elsewhere.agents.annotate(elsewhere.agents.get("water"), coming, "bad", who="ben", session="b")
    teacher.again()
    status = teacher.random()
    assert (status.good, status.bad) == (0, 0)
    status = teacher.ok()
    assert (status.good, status.bad) == (1, 1)  # the labels of both
    gone = teacher.upcoming.id
    sonic.forget([gone])
    teacher.tag("tabla")
    asked = answer(teacher, 3)
    assert not {*coming, gone} & set(asked)


def test_sounds_for_testing_are_never_learnt_from(lesson, sonic):
    sonic.agents.create("water", "", ["mfcc"], "mlp")
    sonic.agents.annotate(sonic.agents.get("water"), [4832], "good", test=True, who="ben", session="t")
    teacher = lesson()
    assert teacher.status.test == 1
    with pytest.raises(QueryError, match="4832 is kept for testing"):
        teacher.id(4832)


def test_it_is_refitted_after_each_answer_and_stopping_keeps_a_version(lesson, sonic):
    teacher = lesson()
    teacher.tag("tabla")
    answer(teacher, 2)
    assert teacher.stop()["version"] is None  # one class alone
    teacher = lesson()
    teacher.random()
    answer(teacher, 10)
    until(lambda: teacher.status.learnt.labels == 12 and teacher._pupil.verdict(teacher.status.sound.id))
    sound, verdict = teacher.status.sound, teacher._pupil.verdict(teacher.status.sound.id)
    assert (teacher.status.learnt.problem, teacher.status.learnt.accuracy.n) == ("", 12)
    with Corpus(sonic.home) as elsewhere:
        assert Teacher(elsewhere, "water", who="ben").stop()["version"] == 1
    assert judge(sonic, "water").of(sound.id) == pytest.approx(verdict.as_json(), abs=1e-4)  # it is that model's
    assert teacher.ok().last.verdict == verdict
    teacher.id(sound.id)
    until(lambda: sound.id in teacher._pupil._from and sound.id in teacher._pupil.p)
    assert teacher.ko().last.verdict is None  # it learnt from that one
    report = teacher.stop()
    assert report == teacher.stop()  # nothing new to learn
    assert (report["version"], report["good"] + report["bad"], report["problem"]) == (2, 13, None)
    assert report["scores"]["accuracy"]["n"] == 13
    assert not teacher.behind


def test_a_lesson_goes_on_without_its_refits(lesson):
    teacher = lesson()
    teacher.random()
    answer(teacher, 10)
    teacher._pupil._refitter._process.kill()
    until(lambda: teacher.status.learnt.problem)
    assert teacher.status.learnt.problem.startswith("no refits any more: their process ended")
    answer(teacher, 2)
    assert teacher.stop()["version"] == 1


def test_no_agent_is_made_where_it_would_see_nothing(home):
    with Corpus(home) as corpus:
        with pytest.raises(NoVectors, match="no sound was analysed"):
            Teacher(corpus, "water", who="anna")
        assert corpus.agents.all() == []


def matrix_of(n=50, d=4, seed=0):
    generator = np.random.default_rng(seed)
    X = (generator.normal(size=(n, d)) * [1, 10, 100, 0]).astype(np.float32)
    X[3, 1] = np.nan
    return FeatureMatrix("s", np.arange(1, n + 1) * 3, X)


def plainly(matrix, asked, p=None):
    """The worth of every sound, from the definition."""
    X = matrix.X.astype(float)
    deviation = np.nanstd(X, axis=0)
    Z = np.nan_to_num((X - np.nanmean(X, axis=0)) / np.where(deviation > 0, deviation, 1))
    apart = np.array([min(np.linalg.norm(z - Z[a // 3 - 1]) for a in asked) for z in Z])
    return apart if p is None else (1 - np.abs(2 * p - 1)) * apart


def test_the_most_useful_is_as_defined():
    matrix = matrix_of()
    pool = Pool(matrix, matrix.ids)
    first = pool.best()
    Z = np.nan_to_num((matrix.X - np.nanmean(matrix.X, 0)) / np.where(np.nanstd(matrix.X, 0) > 0, matrix.X.std(0), 1))
    assert first is not None
    asked = [first]
    pool.ask(first)
    for _ in range(5):
        worth = plainly(matrix, asked)
        np.testing.assert_allclose(pool.worth(), worth, atol=1e-5)
        assert pool.best() == matrix.ids[worth.argmax()]
        asked.append(pool.best())
        pool.ask(asked[-1])
    p = np.random.default_rng(1).random(50)
    np.testing.assert_allclose(pool.worth(p), plainly(matrix, asked, p), atol=1e-5)
    assert pool.best(p=p) == matrix.ids[plainly(matrix, asked, p).argmax()]
    assert pool.best(closed=[pool.best(p=p)], p=p) != pool.best(p=p)
    assert pool.best(closed=matrix.ids.tolist()) is None
    assert len(Z) == 50


def test_a_pool_of_a_large_corpus_is_bounded_and_repeatable():
    matrix = matrix_of(n=3 * POOL)
    one, same, other = (Pool(matrix, matrix.ids, [3], seed) for seed in (1, 1, 2))
    assert len(one.ids) == POOL
    np.testing.assert_array_equal(one.ids, same.ids)
    assert set(one.ids) != set(other.ids)
    one.ask(10**8)  # a sound without vectors
    assert len(Pool(matrix, matrix.ids[:0]).ids) == 0
    assert Pool(matrix, matrix.ids[:0], [3]).best() is None


def test_useful_asks_what_differs_and_then_what_is_uncertain(lesson, sonic):
    teacher = lesson()
    matrix = load(sonic, "mfcc")
    Z = (matrix.X - matrix.X.mean(axis=0)) / matrix.X.std(axis=0)
    first = teacher.useful().sound.id
    assert first == matrix.ids[np.linalg.norm(Z, axis=1).argmin()]
    second = teacher.ok().sound.id
    assert second == matrix.ids[np.linalg.norm(Z - Z[matrix.ids == first], axis=1).argmax()]
    asked = [first, *answer(teacher, 8)]
    until(lambda: teacher._pupil._from == frozenset(asked))
    known = {*asked, teacher.status.sound.id}
    apart = np.min([np.linalg.norm(Z - Z[matrix.ids == one], axis=1) for one in known], axis=0)
    with teacher._lock:  # no newer refit between the two
        p = np.array([teacher._pupil.p.get(one, 0.0) for one in matrix.ids.tolist()])
        upcoming = teacher.upcoming.id
    worth = np.where(np.isin(matrix.ids, list(known)), -1, (1 - np.abs(2 * p - 1)) * apart)
    assert upcoming == matrix.ids[worth.argmax()]


def test_suggestions_are_open_and_differ(sonic_home, mirla):
    mirla("agent", "new", "water")
    before = mirla("--json", "agent", "suggest", "water", "-k", 5).json
    assert before["version"] is None
    assert before["results"][0]["distance"] is None
    mirla("agent", "label", "water", "--good", *(hit["id"] for hit in before["results"][:3]))
    mirla("agent", "label", "water", "--bad", *(hit["id"] for hit in before["results"][3:]))
    mirla("agent", "train", "water")
    after = mirla("--json", "agent", "suggest", "water", "-k", 4).json
    ids = [hit["id"] for hit in after["results"]]
    assert len(set(ids)) == 4
    assert not set(ids) & {hit["id"] for hit in before["results"]}
    assert after["version"] == 1
    assert all(hit["distance"] > 0 and hit["agents"]["water"]["label"] for hit in after["results"])


@pytest.fixture
def piped(mirla, sonic_home, monkeypatch):
    """Teach with keys from a pipe."""

    def run(keys, *options, check=0):
        monkeypatch.setattr("sys.stdin", io.StringIO(keys))
        return mirla(*options, "agent", "teach", "water", "--silent", "--seed", 1, check=check)

    return run


def test_keys_from_a_pipe(piped, sonic_home):
    done = piped("g\n\nbad\nx\nf\ntag:tabla\ngood\nu\nu\nu\ns\ng\nq\ng\n", "--json")
    with Corpus(sonic_home) as corpus:
        assert list(done.json) == ["agent", "session", "good", "bad", "test", "version", "scores", "problem"]
        assert (done.json["good"], done.json["bad"], done.json["version"]) == (1, 0, None)
        [fact] = corpus.agents.annotations(corpus.agents.get("water"))
        assert (fact.label, fact.session) == ("good", done.json["session"])
    assert "new agent water" in done.err
    assert "no key 'x'; ? shows the keys" in done.err
    assert done.err.count("g good") == 1
    assert done.err.count("taken back") == 3
    done = piped("g\nb\nf\nloud\nb\n")  # the end of the input stops as well
    assert "no source 'loud'" in done.err
    assert "agent water: 2 good, 2 bad, version 1" in done.out
    assert "accuracy" in done.out


def test_a_source_without_sounds_is_one_line(mirla, sonic_home):
    done = mirla("agent", "teach", "water", "--silent", "--from", "tag:none", check=26)
    assert done.err.splitlines()[-1].startswith("mirla: no sound to ask from tag:none")
