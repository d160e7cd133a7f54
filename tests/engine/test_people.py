"""Several people: Cohen's kappa against scikit-learn's and its interval against simulation; merging by each rule."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from corpus import Corpus
from corpus.errors import UnknownSound
from corpus.model import Annotation, Sound
from engine.agent.people import agreement, kappa, merge
from tests.bad_input import one_line

WORDS = np.array(["bad", "good"])


def two(n, same=0.8, good=0.6, seed=0):
    """Two people's labels of n sounds, of which the second repeats the first's with probability `same`."""
    generator = np.random.default_rng(seed)
    a = generator.random(n) < good
    b = np.where(generator.random(n) < same, a, ~a)
    return [dict(enumerate(WORDS[labels.astype(int)])) for labels in (a, b)]


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_cohens(seed):
    a, b = two(40, seed=seed)
    found = kappa(a, b)
    expected = cohen_kappa_score(list(a.values()), list(b.values()))
    assert found.kappa.value == pytest.approx(expected, abs=1e-12)
    assert (found.n, found.kappa.n) == (40, 40)
    assert found.same == sum(a[n] == b[n] for n in a)
    low, high = found.kappa.interval
    assert -1 <= low <= expected <= high <= 1
    assert kappa(b, a).kappa.value == pytest.approx(expected)


def test_the_interval_covers_the_true_kappa():
    """With half of all sounds good and 80 % alike kappa is 0.6; 95 % of intervals should hold it."""
    intervals = [kappa(*two(60, good=0.5, seed=seed)).kappa.interval for seed in range(200)]
    assert np.mean([low <= 0.6 <= high for low, high in intervals]) > 0.92
    assert np.mean([high - low for low, high in intervals]) < 0.5


def test_kappa_where_little_or_nothing_is_known():
    labels = {1: "good", 2: "bad", 3: "good", 4: "bad"}
    certain = kappa(labels, labels).kappa
    assert certain.value == 1
    assert certain.interval[0] < 0.3, "four sounds prove little"
    assert kappa(labels, {9: "good"}).kappa is None
    assert kappa({1: "good", 2: "good"}, {1: "good", 2: "good"}).kappa is None, "there was no choice"
    turned = {number: "bad" if word == "good" else "good" for number, word in labels.items()}
    assert kappa(labels, turned).kappa.value == -1
    assert kappa(labels, labels | {5: "good"}).n == 4, "only what both have labelled"


@pytest.fixture
def corpus(home):
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(id=number, name=f"sound {number}") for number in range(1, 7)])
        yield corpus


def labelled(corpus, name, *facts, spaces=("mfcc",)):
    """An agent with facts (sound, label, who, hour)."""
    agent = corpus.agents.create(name, "", spaces, "mlp")
    corpus.agents.take_in(
        agent, [Annotation(n, label, False, who, "s", f"2026-01-01T{hour:02}:00:00Z") for n, label, who, hour in facts]
    )
    return agent


@pytest.fixture
def three(corpus):
    """All agree on 1; 2 is two to one; on 3 they differ one to one; 4 has one voice only."""
    labelled(corpus, "a", (1, "good", "anna", 1), (2, "bad", "anna", 9), (3, "good", "anna", 5), (4, "bad", "anna", 1))
    labelled(corpus, "b", (1, "good", "ben", 2), (2, "good", "ben", 2), (3, "bad", "ben", 4), spaces=("traits9",))
    labelled(corpus, "c", (2, "good", "cara", 3))
    return corpus


RULES = {
    "majority": ({1: "good", 2: "good", 4: "bad"}, {2: "good", 3: None}),
    "newest": ({1: "good", 2: "bad", 3: "good", 4: "bad"}, {2: "bad", 3: "good"}),
    "list": ({1: "good", 4: "bad"}, {2: None, 3: None}),
}


@pytest.mark.parametrize("rule", RULES)
def test_conflicts_are_settled_by_the_rule(three, rule):
    labels, conflicts = RULES[rule]
    before = [three.agents.history(three.agents.get(name)) for name in "abc"]
    merged = merge(three, "ours", ["a", "b", "c"], rule)
    assert {one.sound_id: one.label for one in three.agents.annotations(merged.agent)} == labels
    assert {one["id"]: one["label"] for one in merged.conflicts} == conflicts
    assert merged.conflicts[0]["said"] == [
        {"who": "ben", "label": "good", "when": "2026-01-01T02:00:00Z"},
        {"who": "cara", "label": "good", "when": "2026-01-01T03:00:00Z"},
        {"who": "anna", "label": "bad", "when": "2026-01-01T09:00:00Z"},
    ]
    assert merged.agent.spaces == ("mfcc",)
    assert [three.agents.history(three.agents.get(name)) for name in "abc"] == before
    (first, *_) = three.agents.annotations(merged.agent)
    assert (first.who, first.at) == ("ben", "2026-01-01T02:00:00Z")


@pytest.mark.parametrize(("others", "expected"), [(["c"], (("traits9",), "lda")), ([], (("mfcc",), "mlp"))])
def test_of_an_agent_of_flucoma_and_others_one_is_made_that_learns(three, mirla, others, expected):
    three.agents.create("imported", "", ["mfcc"], "flucoma")
    three.agents.create("d", "", ["traits9"], "lda")
    told = one_line(mirla("agent", "label", "imported", "--good", 1, 2), "learns nothing from labels; they are kept")
    assert "`mirla agent merge NEW imported`" in told
    merged = merge(three, "ours", ["imported", *(["d"] if others else []), *others], "newest").agent
    assert (merged.spaces, merged.classifier) == expected
    assert {one.sound_id: one.label for one in three.agents.annotations(merged)} == {1: "good", 2: "good"}


def test_an_agent_is_made_with_all_its_labels_or_not_at_all(three):
    """As when another process forgets a sound while agents are merged."""
    facts = [Annotation(1, "good", False, "anna", "s", "2026-01-01T01:00:00Z"), Annotation(99, "good", who="anna")]
    with pytest.raises(UnknownSound, match="no sound 99"):
        three.agents.create("ours", "", ["mfcc"], "mlp", facts)
    assert "ours" not in [agent.name for agent in three.agents.all()]


def test_a_copy_is_no_second_voice(three):
    three.agents.copy(three.agents.get("a"), "a2")
    merged = merge(three, "ours", ["a", "a2", "b"], "majority")
    assert {one["id"]: one["label"] for one in merged.conflicts} == {2: None, 3: None}


def test_several_people_in_one_agent_have_a_voice_each(corpus):
    labelled(corpus, "a", (1, "good", "anna", 1), (1, "good", "ben", 2), (1, "bad", "cara", 3), (2, "bad", "cara", 3))
    merged = merge(corpus, "ours", ["a"], "majority")
    assert {one.sound_id: one.label for one in corpus.agents.annotations(merged.agent)} == {1: "good", 2: "bad"}


def test_what_one_keeps_for_testing_is_for_testing(corpus):
    a, b = (labelled(corpus, name) for name in "ab")
    corpus.agents.annotate(a, [1, 2], "good", who="anna", session="s", test=True)
    corpus.agents.annotate(b, [1], "good", who="ben", session="s")
    corpus.agents.annotate(b, [1], "bad", who="cara", session="s")
    merged = merge(corpus, "ours", ["a", "b"], "majority")
    assert [(one.sound_id, one.test) for one in corpus.agents.annotations(merged.agent)] == [(1, True), (2, True)]


def test_agreement_is_between_people_and_between_agents(three):
    three.agents.annotate(three.agents.get("a"), [1], "bad", who="ben", session="s")
    found = agreement(three, ["a", "b", "c", "a"])
    people = {(pair.a, pair.b): (pair.n, pair.same) for pair in found.annotators}
    assert people == {("anna", "ben"): (3, 0), ("anna", "cara"): (1, 0), ("ben", "cara"): (1, 1)}, "the newest word"
    agents = {(pair.a, pair.b): (pair.n, pair.same) for pair in found.agents}
    assert agents == {("a", "b"): (3, 0), ("a", "c"): (1, 0), ("b", "c"): (1, 1)}
    alone = agreement(three, ["a"])
    assert [(pair.a, pair.b, pair.n) for pair in alone.annotators] == [("anna", "ben", 1)]
    assert alone.agents == []


def test_the_commands(three, mirla):
    done = mirla("--json", "agent", "merge", "ours", "a", "b", "c", "--conflicts", "list").json
    assert (done["agent"], done["good"], done["bad"], done["rule"]) == ("ours", 1, 1, "list")
    assert [one["id"] for one in done["skipped"]] == [2, 3]
    pair = done["agreement"]["annotators"][0]
    assert (pair["a"], pair["b"], pair["n"], pair["same"]) == ("anna", "ben", 3, 1)
    assert set(pair["kappa"]) == {"value", "interval", "n"}
    shown = mirla("agent", "merge", "more", "a", "b").out
    assert "2 conflicts, 2 left open" in shown
    assert "bad by ben, good by anna" in shown
    assert mirla("--json", "agent", "agreement", "a", "b").json["agreement"]["agents"][0]["n"] == 3
    one_line(mirla("agent", "agreement", "c"), "mirla agent label NAME --by WHO")
    one_line(mirla("agent", "merge", "a", "b", "c", check=9), "'a' already")
    one_line(mirla("agent", "merge", "new", "a", "none", check=9), "no agent 'none'")
    assert "new" not in [agent.name for agent in three.agents.all()]


def test_agents_without_labels(corpus, mirla):
    labelled(corpus, "a")
    assert mirla("--json", "agent", "merge", "ours", "a").json["skipped"] == []
    assert mirla("--json", "agent", "agreement", "a").json["agreement"] == {"annotators": [], "agents": []}
