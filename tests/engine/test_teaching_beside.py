"""Lessons while others undo, rename, delete, label and train the same agent; and what a lesson leaves as it was."""

import contextlib
import io
import threading

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.errors import LabelsError, UnknownAgent
from engine.agent.refitting import Refitter
from engine.agent.training import train
from engine.errors import QueryError
from tests.engine.test_teaching import answer, lesson, piped, said, until

__all__ = ["lesson", "piped"]


@pytest.fixture
def elsewhere(sonic):
    """The same corpus as another process has it."""
    with Corpus(sonic.home) as corpus:
        yield corpus


@pytest.fixture
def known(sonic):
    """Agent water, which learnt twice from two labels of each kind: version 1 from these, 2 from one more."""
    water = sonic.agents.create("water", "", ["mfcc"], "mlp")
    ids = sonic.sounds.ids(with_audio=True).tolist()
    for label, some in (("good", ids[:2]), ("bad", ids[2:4])):
        sonic.agents.annotate(water, some, label, who="ben", session="before")
    train(sonic, "water")
    sonic.agents.annotate(water, ids[4:5], "good", who="ben", session="before")
    train(sonic, "water")
    return water


def versions(corpus, agent):
    return [model.version for model in corpus.agents.versions(agent)]


def test_undo_takes_back_the_answer_that_it_shows(lesson, elsewhere):
    teacher = lesson()
    first = teacher.random().sound
    second = teacher.ok().sound
    teacher.ko()
    elsewhere.agents.undo(elsewhere.agents.get("water"), who="ben")
    with pytest.raises(LabelsError, match="was undone already"):
        teacher.undo()
    assert teacher.status.sound == second  # it goes on as if it had been taken back here
    assert said(elsewhere) == {first.id: "good"}
    assert teacher.undo().sound == first
    assert said(elsewhere) == {}
    with pytest.raises(QueryError, match="nothing left"):
        teacher.undo()


def test_a_renamed_agent_goes_on_learning_and_no_other_does(lesson, elsewhere):
    teacher = lesson()
    teacher.random()
    answer(teacher, 6)
    water = elsewhere.agents.get("water")
    elsewhere.agents.rename(water, "sea")
    other = elsewhere.agents.create("water", "", ["mfcc"], "mlp")
    answer(teacher, 4)
    assert teacher.status.agent == "sea"
    until(lambda: teacher.status.learnt.labels == 10)  # its refits too
    report = teacher.stop()
    assert (report["agent"], report["good"] + report["bad"], report["version"]) == ("sea", 10, 1)
    assert elsewhere.agents.history(other) == []
    assert versions(elsewhere, other) == []
    assert versions(elsewhere, water) == [1]


def test_refits_of_an_agent_that_was_renamed_before_they_began(lesson, elsewhere):
    teacher = lesson()
    teacher.random()
    teacher.ok()
    elsewhere.agents.rename(elsewhere.agents.get("water"), "sea")
    teacher.ko()
    until(lambda: teacher.status.learnt.fits)


def test_a_deleted_agent_takes_no_answers_and_its_lesson_ends(lesson, elsewhere):
    teacher = lesson()
    teacher.random()
    asked = answer(teacher, 6)
    water = elsewhere.agents.get("water")
    elsewhere.agents.delete(water)
    for verb in (teacher.ok, teacher.undo):
        with pytest.raises(UnknownAgent, match="agent 'water' was deleted; `mirla agent restore water`"):
            verb()
    report = teacher.stop()
    assert (report["agent"], report["version"]) == ("water", None)
    assert report["problem"].startswith("agent 'water' was deleted")
    assert [one.sound_id for one in elsewhere.agents.history(water)] == asked


def test_keys_for_a_deleted_agent_are_refused_in_a_line(sonic, sonic_home, mirla, monkeypatch, known):
    class Keys(io.StringIO):
        def readline(self):
            with Corpus(sonic_home) as corpus, contextlib.suppress(UnknownAgent):
                corpus.agents.delete(corpus.agents.get("water"))
            return super().readline()

    monkeypatch.setattr("sys.stdin", Keys("g\nq\n"))
    done = mirla("agent", "teach", "water", "--silent", check=0)
    assert done.err.count("agent 'water' was deleted; `mirla agent restore water`") == 2  # the answer, and the end
    assert "Traceback" not in done.err


def test_a_lesson_begins_where_no_labelled_sound_has_vectors(lesson, sonic, known):
    left = [one.sound_id for one in sonic.agents.annotations(known)]
    with sonic.database.write() as connection:
        connection.execute(sa.text(f"delete from vectors where sound_id in ({','.join(map(str, left))})"))
    teacher = lesson()
    assert not teacher.behind
    assert "has no vector" in teacher.stop()["problem"]


def test_a_lesson_begins_where_the_model_is_damaged(lesson, sonic, known):
    with sonic.database.write() as connection:
        connection.execute(sa.text("update models set recipe = 'nonsense' where version = 2"))
    sonic.agents.use(known, 2)
    teacher = lesson()
    assert teacher.behind
    report = teacher.stop()
    assert (report["version"], report["problem"]) == (3, None)
    sonic.agents.use(known, 2)
    report = lesson().stop()  # the labels of version 3
    assert report["version"] is None
    assert report["problem"].startswith("version 2 of agent 'water' is damaged")


def test_a_lesson_without_an_answer_leaves_the_version_in_use(lesson, sonic, known):
    sonic.agents.use(known, 1)
    teacher = lesson()
    assert not teacher.behind
    teacher.random()
    teacher.skip()
    teacher.ok()
    teacher.undo()
    assert teacher.stop()["version"] == 1
    assert versions(sonic, known) == [1, 2]
    teacher = lesson()
    teacher.random()
    teacher.ok()
    assert teacher.stop()["version"] == 3


def test_an_answer_that_brings_older_labels_back_is_learnt(lesson, sonic, known):
    sonic.agents.use(known, 1)
    last = max(one.sound_id for one in sonic.agents.annotations(known))
    teacher = lesson()
    teacher.id(last)
    teacher.ok()  # as it was: the labels of version 2, which is not in use
    assert teacher.stop()["version"] == 3


def test_labels_that_nothing_learnt_from_are_learnt_without_an_answer(lesson, sonic, known):
    sonic.agents.annotate(known, sonic.sounds.ids(with_audio=True)[5:6].tolist(), "bad", who="ben", session="later")
    teacher = lesson()
    assert teacher.behind
    assert teacher.stop()["version"] == 3


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--from", "nonsense"], 26, "no source 'nonsense'"),
        (["--from", "tag:"], 26, "no source 'tag:'"),
        (["--from", "like:99"], 8, "99"),
        (["--measure", "nonsense", "--from", "like:4832"], 21, "nonsense"),
        (["--by", "   "], LabelsError.exit_code, "is no name of who labels"),
    ],
)
def test_wrong_options_make_no_agent(mirla, sonic, options, code, words):
    done = mirla("agent", "teach", "water", "--silent", *options, check=code)
    assert words in done.err.splitlines()[-1]
    assert sonic.agents.all() == []


def test_a_wrong_device_or_name_makes_no_agent(mirla, sonic, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("g\n"))
    mirla("agent", "teach", "water", "--device", "no such device", check=24)
    assert "cannot be called" in mirla("agent", "teach", "a/b", "--silent", check=9).err
    assert sonic.agents.all() == []


def test_a_lesson_without_an_answer_makes_no_agent(piped, sonic):
    done = piped("s\nq\n", "--json")
    assert (done.json["agent"], done.json["version"], done.json["problem"]) == ("water", None, None)
    assert sonic.agents.all() == []


def test_two_lessons_ask_different_sounds(lesson, elsewhere):
    one, other = lesson(), lesson(corpus=elsewhere)
    one.tag("tabla")
    other.tag("tabla")  # the same seed: the same order
    assert one.upcoming == other.upcoming
    one.ok()
    one.ok()
    assert other.skip().sound.id not in said(elsewhere)
    one.ok()
    one.ok()
    assert other.ko().sound.id not in said(elsewhere)
    assert len(elsewhere.agents.all()) == 1


def test_lessons_that_make_one_agent_at_once_share_it(lesson, sonic):
    corpora = [Corpus(sonic.home) for _ in range(4)]
    teachers = [lesson(seed=seed, corpus=corpus) for seed, corpus in enumerate(corpora)]
    for teacher in teachers:
        teacher.random()
    threads = [threading.Thread(target=teacher.ok) for teacher in teachers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [water] = sonic.agents.all()
    assert len(sonic.agents.history(water)) == 4
    for corpus in corpora:
        corpus.close()


def test_a_line_that_the_kill_cut_is_no_answer(sonic, known):
    """The process dies in the middle of a line; what came before counts, and its end is told."""
    heard = []
    refits = Refitter(sonic.home, known.id, 0, heard.append)
    refits.ask([])
    until(lambda: heard)
    refits._process.kill()
    refits._process.wait()
    refits._listener.join()
    heard.clear()
    refits._process.stdout = io.BytesIO(b'{"problem": "a whole one"}\n{"fit": 1, "lear')
    refits._listen()
    assert [sorted(answer) for answer in heard] == [["problem"], ["problem"]]
    assert heard[0]["problem"] == "a whole one"
    assert "their process ended" in heard[1]["problem"]
    refits.close()
