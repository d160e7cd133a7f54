"""Agents kept for good: facts are only ever added, undoing is one of them, versions come back, nothing is lost."""

import subprocess
import sys
import time

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import Corpus, said
from corpus.errors import LabelsError, UnknownAgent
from corpus.model import Model, Sound
from engine.agent.judging import judge
from engine.agent.training import train
from engine.errors import ModelError
from tests.bad_input import one_line
from tests.engine.test_agent import taught

SOUNDS = range(1, 31)


@pytest.fixture
def corpus(home):
    """A corpus of records without audio, and an agent."""
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(id=number, name=f"sound {number}") for number in SOUNDS])
        corpus.agents.create("water", "wet", ["mfcc"], "mlp")
        yield corpus


@pytest.fixture
def water(corpus):
    return corpus.agents.get("water")


def say(corpus, agent, sound, label, session="s", who="anna", test=None):
    corpus.agents.annotate(agent, [sound], label, test=test, who=who, session=session)


def counting(corpus, agent):
    return {one.sound_id: (one.label, one.test) for one in corpus.agents.annotations(agent)}


def model(**more):
    facts = {"version": 0, "recipe": {"kind": "mlp"}, "arrays": {"w": [1.0]}, "scores": {}, "labels_hash": "x"}
    return Model(**facts, seed=1, versions={}, fingerprints={}, **more)


def test_undo_is_a_fact_and_walks_back(corpus, water):
    for label in ("good", "bad", None):
        say(corpus, water, 1, label)
    say(corpus, water, 2, "good", test=True)
    seen = [counting(corpus, water)]
    while done := corpus.agents.undo(water, who="ben"):
        seen.append(counting(corpus, water))
        assert (done.who, done.session) == ("ben", "s")
        assert counting(corpus, water).get(done.sound_id, (None, False)) == (done.label, done.test)
    one = ("good", False)
    assert seen == [{2: ("good", True)}, {}, {1: ("bad", False)}, {1: one}, {}]
    facts = corpus.agents.history(water)
    assert [fact.label for fact in facts[:4]] == ["good", "bad", None, "good"], "nothing is erased"
    assert [fact.undoes for fact in facts[4:]] == [fact.id for fact in reversed(facts[:4])]


def test_undoing_ones_own_session_leaves_what_another_said_later(corpus, water):
    say(corpus, water, 1, "good", "mine")
    say(corpus, water, 1, "bad", "yours", who="ben")
    say(corpus, water, 2, "bad", "yours", who="ben")
    assert corpus.agents.undo(water, "mine", who="anna").sound_id == 1
    assert counting(corpus, water) == {1: ("bad", False), 2: ("bad", False)}
    assert corpus.agents.undo(water, "mine", who="anna") is None
    assert corpus.agents.undo(water, "none such", who="anna") is None


def test_undo_takes_back_exactly_the_fact_it_is_told(corpus, water):
    """Whatever was said behind it, by the same session too."""
    first, second = corpus.agents.annotate(water, [2, 1], "good", who="anna", session="s")
    assert [one.id for one in corpus.agents.history(water)] == [first, second]
    assert [one.sound_id for one in corpus.agents.history(water)] == [2, 1]
    say(corpus, water, 3, "bad")
    done = corpus.agents.undo(water, who="anna", fact=first)
    assert (done.sound_id, done.label, done.undoes, done.session) == (2, None, first, "s")
    assert done == corpus.agents.history(water)[-1]
    assert counting(corpus, water) == {1: ("good", False), 3: ("bad", False)}
    before = corpus.agents.history(water)
    for fact, words in ((first, "was undone already"), (done.id, "has no fact"), (99, "has no fact 99 to undo")):
        with pytest.raises(LabelsError, match=words):
            corpus.agents.undo(water, who="anna", fact=fact)
    assert corpus.agents.history(water) == before
    assert corpus.agents.annotate(water, [], "good", who="anna", session="s") == []


def test_undoing_shows_whose_label_counts_not_who_undid(corpus, water, mirla):
    say(corpus, water, 1, "good", who="anna")
    say(corpus, water, 1, "bad", who="ben")
    corpus.agents.undo(water, who="carl")
    (shown,) = mirla("--json", "agent", "show", "water").json["labels"]
    assert (shown["id"], shown["label"], shown["who"]) == (1, "good", "anna")
    corpus.agents.undo(water, who="carl")
    assert mirla("--json", "agent", "show", "water").json["labels"] == []


def test_a_sound_kept_for_testing_stays_so_until_it_is_told_otherwise(corpus, water, mirla):
    say(corpus, water, 1, "good", test=True)
    for label in ("bad", None, "good"):
        say(corpus, water, 1, label, session="teaching", who="ben")
        assert counting(corpus, water) == ({1: (label, True)} if label else {})
    one_line(mirla("agent", "label", "water", "--bad", 1, 2), "kept for testing: 1;", "--train")
    assert counting(corpus, water) == {1: ("bad", True), 2: ("bad", False)}
    assert mirla("agent", "label", "water", "--bad", 1, "--train").err == ""
    assert counting(corpus, water)[1] == ("bad", False)
    assert mirla("agent", "label", "water", "--bad", 1, "--test").err == ""
    corpus.agents.undo(water, who="ben")
    assert counting(corpus, water)[1] == ("bad", False)


ACTS = st.lists(
    st.tuples(st.sampled_from(["good", "bad", None, "undo"]), st.integers(1, 3), st.sampled_from("ab"), st.booleans()),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_last_fact_of_a_sound_is_what_stands(corpus, acts):
    """Against a list from which what is undone is really taken out."""
    agent = corpus.agents.create(f"a{time.monotonic_ns()}", "", ["mfcc"], "mlp")
    model = []
    for act, sound, person, own in acts:
        if act != "undo":
            say(corpus, agent, sound, act, session=person, who=person)
            model.append((sound, act, person))
            continue
        of = [place for place, fact in enumerate(model) if not own or fact[2] == person]
        done = corpus.agents.undo(agent, person if own else None, who="c")
        assert (done is None) == (not of)
        if of:
            del model[of[-1]]
    last = {sound: label for sound, label, _ in model}
    assert {number: label for number, (label, _) in counting(corpus, agent).items()} == {
        sound: label for sound, label in last.items() if label
    }
    assert [(one.sound_id, one.label, one.who) for one in said.standing(corpus.agents.history(agent))] == model


def test_a_copy_has_the_same_facts_and_goes_its_own_way(corpus, water):
    say(corpus, water, 1, "good")
    say(corpus, water, 2, "bad", who="ben", session="t", test=True)
    corpus.agents.undo(water, who="cara")
    until = corpus.agents.history(water)[1].id
    corpus.agents.add_model(water, model(until=until))
    corpus.agents.add_model(water, model())
    copied = corpus.agents.copy(corpus.agents.use(water, 1), "rain")
    assert (copied.about, copied.spaces, copied.classifier, copied.in_use) == ("wet", ("mfcc",), "mlp", None)
    facts, before = corpus.agents.history(copied), corpus.agents.history(water)
    assert [(f.sound_id, f.label, f.test, f.who, f.session, f.at) for f in facts] == [
        (f.sound_id, f.label, f.test, f.who, f.session, f.at) for f in before
    ]
    assert facts[2].undoes == facts[1].id
    (kept,) = corpus.agents.versions(copied)
    assert (kept.version, kept.until, kept.arrays) == (1, facts[1].id, {"w": [1.0]})
    say(corpus, copied, 3, "good")
    corpus.agents.undo(copied, who="anna")
    corpus.agents.undo(copied, who="anna")
    assert counting(corpus, copied) == {}
    assert corpus.agents.history(water) == before
    assert counting(corpus, water) == {1: ("good", False)}


def test_a_copy_judges_at_once_as_its_source_does(sonic):
    taught(sonic)
    train(sonic, "percussive")
    sonic.agents.copy(sonic.agents.get("percussive"), "drums")
    np.testing.assert_array_equal(judge(sonic, "drums").p, judge(sonic, "percussive").p)


def test_a_model_that_keeps_its_examples_says_what_to_do_when_one_is_forgotten(sonic):
    good, _ = taught(sonic, classifier="svm")
    train(sonic, "percussive")
    sonic.forget(good[:1], for_good=True)
    with pytest.raises(ModelError, match="not there any more; `mirla agent train percussive` makes another"):
        judge(sonic, "percussive")
    train(sonic, "percussive")
    assert good[0] not in judge(sonic, "percussive").ids


def test_versions_come_back(corpus, water):
    assert corpus.agents.model(water) is None
    with pytest.raises(UnknownAgent, match="has no version 1; there are: none yet"):
        corpus.agents.use(water, 1)
    for seed in range(3):
        corpus.agents.add_model(water, model())
        assert corpus.agents.model(water).version == seed + 1
    assert corpus.agents.use(water, 2).in_use == 2
    assert corpus.agents.model(water).version == 2, "whatever the agent in hand says"
    with pytest.raises(UnknownAgent, match=r"has no version 9; there are: 1, 2, 3$"):
        corpus.agents.use(water, 9)
    assert corpus.agents.model(water).version == 2
    assert corpus.agents.use(water, None).in_use is None
    assert corpus.agents.model(water).version == 3
    corpus.agents.use(water, 1)
    corpus.agents.add_model(water, model())
    assert corpus.agents.model(water).version == 4, "what was learnt last is used"
    assert [one.version for one in corpus.agents.versions(water)] == [1, 2, 3, 4]


def test_deleting_loses_nothing_and_frees_the_name(corpus, water):
    say(corpus, water, 1, "good")
    corpus.agents.add_model(water, model())
    corpus.agents.delete(water)
    assert corpus.agents.all() == []
    for name in "water", f"water/{water.id}":
        with pytest.raises(UnknownAgent, match="no agent"):
            corpus.agents.get(name)
    say(corpus, water, 2, "bad")  # of a session that was still teaching it
    again = corpus.agents.create("water", "", ["mfcc"], "mlp")
    assert corpus.agents.history(again) == []
    with pytest.raises(UnknownAgent, match="already"):
        corpus.agents.restore("water")
    corpus.agents.rename(again, "wet")
    back = corpus.agents.restore("water")
    assert back.id == water.id
    assert counting(corpus, back) == {1: ("good", False), 2: ("bad", False)}
    assert corpus.agents.model(back).version == 1
    with pytest.raises(UnknownAgent, match="no agent 'water' was deleted"):
        corpus.agents.restore("water")


def test_of_several_deleted_the_last_comes_back(corpus, water):
    corpus.agents.delete(water)
    second = corpus.agents.create("water", "", ["mfcc"], "mlp")
    corpus.agents.delete(second)
    assert corpus.agents.restore("water").id == second.id


def test_the_commands(corpus, mirla):
    mirla("agent", "label", "water", "--good", 1, 2, "--by", "anna")
    mirla("agent", "label", "water", "--bad", 2, "--by", "ben")
    undone = mirla("--json", "agent", "undo", "water", "-n", 9)
    assert undone.json["undone"] == [
        {"id": 2, "label": "bad", "now": "good"},
        {"id": 2, "label": "good", "now": None},
        {"id": 1, "label": "good", "now": None},
    ]
    one_line(undone, "nothing more to undo")
    history = mirla("--json", "agent", "history", "water").json["history"]
    assert [(one["id"], one["label"], one["who"]) for one in history[:3]] == [
        (1, "good", "anna"),
        (2, "good", "anna"),
        (2, "bad", "ben"),
    ]
    assert [one["undoes"] for one in history[3:]] == [one["fact"] for one in history[2::-1]]
    assert "anna" in mirla("agent", "history", "water").out
    assert mirla("--json", "agent", "rename", "water", "rain").json["name"] == "rain"
    assert mirla("--json", "agent", "describe", "rain", "drops").json["about"] == "drops"
    assert mirla("--json", "agent", "copy", "rain", "snow").json["about"] == "drops"
    assert mirla("--json", "agent", "delete", "rain").json["deleted"]
    assert [one["name"] for one in mirla("--json", "agent", "list").json["agents"]] == ["snow"]
    assert mirla("--json", "status").json["agents"] == ["snow"]
    assert mirla("--json", "agent", "restore", "rain").json["name"] == "rain"
    one_line(mirla("agent", "use", "rain", "--version", 3, check=9), "no version 3", "mirla agent train rain")


LONG = "x" * 101
NAMES = ["", " ", " water", "a/b", "/", "..", "a\\b", "-x", "\x1b[2J", "new\nline", "\u202e", "\x00", "\udcff", LONG]
NAMES += ["two words", "we ird*?#,{[", *"#*,?[]{}"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_agent_can_have(corpus, mirla, tmp_path, name):
    (tmp_path / "l.csv").write_text("1,good\n")
    for command in (
        ("new", "--", name),
        ("rename", "--", "water", name),
        ("copy", "--", "water", name),
        ("merge", "--", name, "water"),
        ("import", "--labels", tmp_path / "l.csv", "--", name),
    ):
        line = one_line(mirla("agent", *command, check=9), "an agent cannot be called")
        assert len(line) < 200
    assert [agent.name for agent in corpus.agents.all()] == ["water"]


@pytest.mark.parametrize("name", ["w\u0430ter", "two-words", "日本語", "<b>", "$(reboot)", "x" * 100, "é", "a.b"])
def test_odd_names_that_are_fine(corpus, mirla, name):
    mirla("agent", "new", name)
    mirla("agent", "label", name, "--good", 1)
    assert mirla("--json", "agent", "show", name).json["good"] == 1
    mirla("agent", "delete", name)
    assert mirla("--json", "agent", "restore", name).json["name"] == name


def test_a_name_that_osc_keeps_comes_with_one_that_would_do(mirla):
    one_line(mirla("agent", "new", "two words", check=9), "OSC keeps a space for itself; 'two_words' would do")
    one_line(mirla("agent", "new", "we ird*?#", check=9), "OSC keeps #*? for itself; 'we_ird' would do")
    one_line(mirla("agent", "new", "#", check=9), "OSC keeps # for itself; 'water' would do")


def test_agents_of_before_with_such_names_go_on(corpus, mirla, water):
    with corpus.database.write() as connection:
        connection.execute(sa.text("update agents set name = 'wet sand*'"))
    mirla("agent", "label", "wet sand*", "--good", 1)
    mirla("agent", "delete", "wet sand*")
    assert mirla("--json", "agent", "restore", "wet sand*").json["good"] == 1
    assert mirla("--json", "agent", "rename", "wet sand*", "sand").json["name"] == "sand"


def test_what_looks_the_same_is_one_name(corpus, mirla, tmp_path):
    composed, apart = "caf\u00e9", "cafe\u0301"
    assert mirla("--json", "agent", "new", apart).json["name"] == composed
    one_line(mirla("agent", "new", composed, check=9), "already")
    (tmp_path / "l.csv").write_text("1,good\n")
    mirla("agent", "import", apart, "--labels", tmp_path / "l.csv")
    assert mirla("--json", "agent", "show", apart).json["good"] == 1
    mirla("agent", "delete", apart)
    assert mirla("--json", "agent", "restore", apart).json["name"] == composed


def test_of_many_agents_a_few_are_named(corpus):
    for number in range(9):
        corpus.agents.create(f"a{number}", "", ["mfcc"], "mlp")
    with pytest.raises(UnknownAgent, match="there are: a0, a1, a2, a3, a4, a5, a6, a7 and 2 more; `mirla agent new x`"):
        corpus.agents.get("x")


def test_a_copy_may_look_and_learn_otherwise(corpus, mirla, water):
    say(corpus, water, 1, "good")
    corpus.agents.add_model(water, model())
    mirla("agent", "copy", "water", "same", "--classifier", "mlp", "--space", "mfcc")
    assert corpus.agents.model(corpus.agents.get("same")).version == 1
    options = {"classifier": ("--classifier", "lda"), "spaces": ("--space", "traits9", "--space", "mfcc")}
    for changed, option in options.items():
        one_line(mirla("agent", "copy", "water", changed, *option), f"`mirla agent train {changed}`")
        copied = corpus.agents.get(changed)
        assert counting(corpus, copied) == counting(corpus, water)
        assert corpus.agents.versions(copied) == []
    assert corpus.agents.get("classifier").classifier == "lda"
    assert corpus.agents.get("spaces").spaces == ("traits9", "mfcc")
    one_line(mirla("agent", "copy", "water", "other", "--space", "magic", check=12), "no space 'magic'")
    mirla("agent", "new", "twice", "--space", "mfcc", "--space", "mfcc")
    assert corpus.agents.get("twice").spaces == ("mfcc",)


@pytest.mark.parametrize("who", [" ", "a\nb", "\x1b[2J", "x" * 101])
def test_who_labels_has_a_name(corpus, mirla, water, who):
    code = LabelsError.exit_code
    one_line(mirla("agent", "label", "water", "--good", 1, "--by", who, check=code), "is no name of who labels")
    assert corpus.agents.history(water) == []
    say(corpus, water, 1, "good")
    one_line(mirla("agent", "undo", "water", "--by", who, check=code), "is no name of who labels")
    assert len(corpus.agents.history(water)) == 1


LABELLER = """
import sys, time
from pathlib import Path
from corpus import Corpus
home, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Corpus(home) as corpus:
    water = corpus.agents.get("water")
    (home / f"{who}.ready").touch()
    while not (home / "go").exists():
        time.sleep(0.002)
    for number in range(1, count + 1):
        label = "good" if who == "anna" else "bad"
        corpus.agents.annotate(water, [number], label, who=who, session=who)
        if number % 5 == 0:
            assert corpus.agents.undo(water, who, who=who).sound_id == number
        time.sleep(0.002)  # let the other have the lock
"""


def test_two_processes_label_one_agent_and_no_label_is_lost(corpus, home, water):
    count = len(SOUNDS)
    people = ["anna", "ben"]
    labellers = [subprocess.Popen([sys.executable, "-c", LABELLER, home, who, str(count)]) for who in people]
    until = time.monotonic() + 60
    while not all((home / f"{who}.ready").exists() for who in people) and time.monotonic() < until:
        time.sleep(0.01)
    (home / "go").touch()
    assert [labeller.wait(timeout=60) for labeller in labellers] == [0, 0]
    facts = corpus.agents.history(water)
    for who in people:
        own = [one for one in facts if one.who == who]
        assert [one.sound_id for one in own if one.undoes is None] == list(SOUNDS)
        undone = {one.undoes for one in own if one.undoes}
        assert [one.sound_id for one in own if one.id in undone] == [n for n in SOUNDS if n % 5 == 0]
    last = said.last(facts)
    assert counting(corpus, water) == {n: (one.label, False) for n, one in sorted(last.items()) if one.label}
