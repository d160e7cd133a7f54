"""Any combination of agents, in every query: against sets in plain Python of what each agent says of each sound."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import Corpus
from corpus.model import Space
from corpus.store.vectors import Vector
from engine.agent.flucoma import import_agent
from engine.agent.judging import Verdicts, judge
from engine.agent.training import train
from engine.errors import QueryError
from engine.query.judged import allowed
from engine.query.run import Choice, path, random_sounds, search, similar
from tests.audio_files import write_tone
from tests.engine.made_up_flucoma import label, made_up, put

SURE = ("drums", "loops")
"""Agents with probabilities."""
LABELS = ("theirs", "others")
"""Agents of FluCoMa's."""
AGENTS = (*SURE, *LABELS)
TAUGHT = {"drums": ("bd", "drum", "sn", "tabla", "perc"), "loops": ("loop", "ambi", "guit")}
MEASURES = ("mfcc", "laion_clap", "freesound_list")
TARGETS = (100055, 13147)
NEAR = (("loudness", -20.0),)
QUERIES = {
    "mfcc": lambda corpus, choice: similar(corpus, TARGETS[0], choice, "mfcc"),
    "laion_clap": lambda corpus, choice: similar(corpus, TARGETS[1], choice, "laion_clap"),
    "freesound_list": lambda corpus, choice: similar(corpus, TARGETS[0], choice, "freesound_list"),
    "several": lambda corpus, choice: similar(corpus, TARGETS, choice, "mfcc", unlike=[75338]),
    "search": search,
    "text": lambda corpus, choice: search(corpus, Choice(**vars(choice) | {"text": "loop"})),
    "tag": lambda corpus, choice: search(corpus, Choice(**vars(choice) | {"tags": ("drum",)})),
    "near": lambda corpus, choice: search(corpus, Choice(**vars(choice) | {"near": NEAR})),
}
COMBINATIONS = {
    "one": {"agents": ("drums",)},
    "one of FluCoMa's": {"agents": ("theirs",)},
    "both": {"agents": ("drums", "theirs")},
    "any": {"any_agents": ("drums", "theirs")},
    "not": {"not_agents": ("loops",)},
    "all kinds": {"agents": ("theirs",), "any_agents": ("drums", "loops"), "not_agents": ("others",)},
    "strict": {"agents": ("drums",), "strict": 0.7},
}


@pytest.fixture(scope="module")
def judged_home(finished_home, tmp_path_factory):
    """The finished home with four agents, made-up CLAP vectors and lists, and two sounds that were not analysed."""
    folder = tmp_path_factory.mktemp("judged")
    home = folder / "home"
    shutil.copytree(finished_home, home)
    generator = np.random.default_rng(2)
    with Corpus(home) as corpus:
        ids, X = corpus.vectors.matrix("mfcc")
        for name, prefixes in TAUGHT.items():
            sounds = corpus.sounds.many(ids.tolist())
            good = [sound.id for sound in sounds if sound.name.split("_")[0] in prefixes][::3]
            bad = [sound.id for sound in sounds if sound.name.split("_")[0] not in prefixes][::6]
            agent = corpus.agents.create(name, "", ["mfcc"], "mlp")
            for said, some in (("good", good), ("bad", bad)):
                corpus.agents.annotate(agent, some, said, who="test", session="t")
            train(corpus, name)
        for seed, name in enumerate(LABELS):
            parts = made_up(seed=3 + seed)
            parts["standardizer"] |= {"mean": X.mean(axis=0).tolist(), "std": X.std(axis=0).tolist()}
            import_agent(corpus, name, put(folder / name, parts))
        for hertz in (440, 880):
            corpus.adopt([write_tone(folder / f"loop {hertz}.wav", hertz)])
        everything = corpus.sounds.ids().tolist()
        corpus.vectors.register(Space("laion_clap", 512, "freesound: laion_clap", "api"))
        with corpus.database.write() as connection:
            vectors = generator.normal(size=(len(everything), 512)).astype(np.float32)
            rows = [
                Vector("laion_clap", "freesound: laion_clap", i, None, x / np.linalg.norm(x), {"source": "made up"})
                for i, x in zip(everything, vectors, strict=True)
            ]
            corpus.vectors.put(connection, rows)
            for sound_id in everything[::-1]:
                corpus.descriptors.put(connection, sound_id, "api", {"loudness": float(generator.normal(-20, 6))})
            for target in TARGETS:
                order = [i for i in generator.permutation(everything).tolist() if i != target]
                corpus.similar_lists.put(connection, target, order[:120], 150)
    return home


@pytest.fixture(scope="module")
def corpus(judged_home):
    """That corpus, open, for tests that only read."""
    with Corpus(judged_home) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def said(corpus):
    """By agent, what it says of each sound, as label and p; nothing of sounds that were not analysed."""
    ids, X = corpus.vectors.matrix("mfcc")
    words = {}
    for seed, name in enumerate(LABELS):
        parts = made_up(seed=3 + seed)
        parts["standardizer"] |= {"mean": X.mean(axis=0).tolist(), "std": X.std(axis=0).tolist()}
        words[name] = {int(i): (label(parts, x), None) for i, x in zip(ids, X, strict=True)}
    for name in SURE:
        p = dict(zip(ids.tolist(), judge(corpus, name).p.tolist(), strict=True))
        words[name] = {i: ("good" if value > 0.5 else "bad", value) for i, value in p.items()}
    for name in AGENTS:
        labels = [one for one, _ in words[name].values()]
        assert 15 < labels.count("good") < 150, name
    return words


def allows(said, sound_id, agents=(), any_agents=(), not_agents=(), strict=None):
    def good(name):
        word, p = said[name].get(sound_id, (None, None))
        return word == "good" and (strict is None or p >= strict)

    return (
        all(good(name) for name in agents)
        and (not any_agents or any(good(name) for name in any_agents))
        and all(said[name].get(sound_id, (None,))[0] == "bad" for name in not_agents)
    )


def ids(answer):
    return [hit.sound.id for hit in answer.hits]


@pytest.mark.parametrize("asked", COMBINATIONS.values(), ids=COMBINATIONS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_only_what_the_agents_allow_comes_in_the_querys_own_order(corpus, said, query, asked):
    plain = query(corpus, Choice(k=1000))
    expected = [hit for hit in plain.hits if allows(said, hit.sound.id, **asked)]
    answer = query(corpus, Choice(k=1000, **asked))
    if len(plain.hits) > 100:
        assert 0 < len(expected) < len(plain.hits)
    assert [(hit.sound.id, hit.score) for hit in answer.hits] == [(hit.sound.id, hit.score) for hit in expected]
    distances = [[hit.distance for hit in hits if hit.distance is not None] for hits in (answer.hits, expected)]
    np.testing.assert_allclose(*distances, rtol=1e-5)
    assert (answer.allowed, answer.fitted) == (len(expected), len(plain.hits))
    assert ids(query(corpus, Choice(k=3, **asked))) == [hit.sound.id for hit in expected[:3]]


@pytest.mark.parametrize("asked", COMBINATIONS.values(), ids=COMBINATIONS)
def test_chance_draws_from_what_the_agents_allow(corpus, said, asked):
    expected = {i for i in corpus.sounds.ids().tolist() if allows(said, i, **asked)}
    for how in ({}, {"even_by": "tag"}):
        drawn = ids(random_sounds(corpus, Choice(k=1000, seed=1, **asked), **how))
        assert len(drawn) == len(set(drawn))
        assert set(drawn) == expected
    few = {sound_id for seed in range(40) for sound_id in ids(random_sounds(corpus, Choice(k=2, seed=seed, **asked)))}
    assert len(few) > min(len(expected) / 2, 8)
    assert few <= expected


@pytest.mark.parametrize("asked", COMBINATIONS.values(), ids=COMBINATIONS)
@pytest.mark.parametrize("measure", ["mfcc", "laion_clap"])
def test_a_path_walks_over_what_the_agents_allow(corpus, said, asked, measure):
    between = ids(path(corpus, *TARGETS, Choice(k=8, **asked), measure))[1:-1]
    assert len(between) == 6
    assert all(allows(said, i, **asked) for i in between)


names = st.lists(st.sampled_from(AGENTS), max_size=3).map(tuple)
sure = st.lists(st.sampled_from(SURE), max_size=2).map(tuple)
asked_anyhow = st.one_of(
    st.fixed_dictionaries({"agents": names, "any_agents": names, "not_agents": names}),
    st.fixed_dictionaries(
        {
            "agents": st.lists(st.sampled_from(SURE), min_size=1, max_size=2).map(tuple),
            "any_agents": sure,
            "not_agents": names,
            "strict": st.floats(0, 1),
        }
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=asked_anyhow, k=st.integers(1, 200))
def test_any_combination_is_that_of_sets(corpus, said, asked, k):
    everything = corpus.sounds.ids().tolist()
    expected = [i for i in everything if allows(said, i, **asked)]
    answer = search(corpus, Choice(k=k, **asked))
    assert ids(answer) == expected[:k]
    assert answer.allowed == len(expected)
    mentioned = {name for kind in ("agents", "any_agents", "not_agents") for name in asked[kind]}
    assert set(answer.refused) == mentioned
    for hit in answer.hits:
        assert {name: verdict["label"] for name, verdict in hit.agents.items()} == {
            name: said[name].get(hit.sound.id, (None,))[0] for name in mentioned
        }


def sureness(said, sound_id, agents=(), any_agents=(), not_agents=()):
    """The probability of what it is to say, of the least sure agent; None where one of them says nothing."""

    def p(name):
        word, value = said[name].get(sound_id, (None, None))
        return value if value is not None else None if word is None else float(word == "good")

    each = [p(name) for name in agents]
    each += [None if p(name) is None else 1 - p(name) for name in not_agents]
    if any_agents:
        known = [p(name) for name in any_agents if p(name) is not None]
        each.append(max(known) if known else None)
    return None if None in each else min(each)


NONE = {
    "a sound both good and bad": {"agents": ("drums",), "not_agents": ("drums",)},
    "too strict": {"agents": ("drums", "loops"), "strict": 1.0},
    "of several": {"any_agents": ("drums", "theirs"), "not_agents": ("drums", "theirs", "loops")},
}


@pytest.mark.parametrize("asked", NONE.values(), ids=NONE)
@pytest.mark.parametrize("query", [*QUERIES.values(), random_sounds], ids=[*QUERIES, "random"])
def test_where_none_is_allowed_nothing_comes_or_the_least_bad(corpus, said, query, asked):
    assert ids(query(corpus, Choice(k=1000, **asked))) == []
    plain = ids(query(corpus, Choice(k=1000)))
    groups = {kind: of for kind, of in asked.items() if kind != "strict"}
    sure = {i: sureness(said, i, **groups) for i in plain}
    least_bad = sorted((-value, i) for i, value in sure.items() if value is not None)[:4]
    answer = query(corpus, Choice(k=4, best=True, seed=1, **asked))
    expected = [i for i in plain if i in {i for _, i in least_bad}]
    assert answer.least_bad
    assert (ids(answer) if query is not random_sounds else sorted(ids(answer))) == (
        expected if query is not random_sounds else sorted(expected)
    )


def test_best_changes_nothing_where_there_are_good_ones(corpus):
    answer = search(corpus, Choice(k=5, agents=("drums",), best=True))
    assert not answer.least_bad
    assert ids(answer) == ids(search(corpus, Choice(k=5, agents=("drums",))))
    assert len(search(corpus, Choice(k=5, best=True)).hits) == 5


def test_fresh_and_the_least_bad(judged_home, home):
    shutil.copytree(judged_home, home)
    with Corpus(home) as corpus:
        good = search(corpus, Choice(k=1000, agents=("drums",), fresh=True))
        again = search(corpus, Choice(k=3, agents=("drums",), fresh=True))
        assert (again.hits, again.stale) == ([], len(good.hits))
        least_bad = search(corpus, Choice(k=3, agents=("drums",), fresh=True, best=True))
        assert least_bad.least_bad
        assert len(least_bad.hits) == 3
        assert not set(ids(least_bad)) & set(ids(good))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"agents": ("drums", "theirs"), "strict": 0.5}, "agent 'theirs' gives labels without probabilities"),
        ({"any_agents": ("others",), "strict": 0}, "agent 'others' gives labels without probabilities"),
        ({"not_agents": ("drums",), "strict": 0.5}, "strict is about what agents call good; name one"),
        ({"agents": ("drums",), "strict": 1.5}, "a probability of 1.5 is not from 0 to 1"),
        ({"agents": ("drums",), "strict": float("nan")}, "a probability of nan is not from 0 to 1"),
    ],
)
def test_strict_without_probabilities_is_refused(corpus, asked, words):
    with pytest.raises(QueryError, match=words):
        search(corpus, Choice(**asked))


def test_strict_asks_more_of_the_good_not_of_the_bad(corpus, said):
    found = ids(search(corpus, Choice(k=1000, agents=("drums",), not_agents=("loops", "theirs"), strict=0.8)))
    assert found
    assert all(said["drums"][i][1] >= 0.8 and said["loops"][i][0] == said["theirs"][i][0] == "bad" for i in found)


def test_what_was_not_analysed_is_neither_good_nor_bad(corpus):
    unknown = [i for i in corpus.sounds.ids().tolist() if judge(corpus, "drums").of(i)["label"] is None]
    assert len(unknown) == 2
    for kind in ("agents", "any_agents", "not_agents"):
        assert not set(unknown) & set(ids(search(corpus, Choice(k=1000, **{kind: ("drums",)}))))
    answer = search(corpus, Choice(text="loop", filter=f"id:[{min(unknown)} TO *]", not_agents=("drums",)))
    assert (answer.hits, answer.fitted, answer.refused, answer.unjudged) == ([], 2, {"drums": 2}, {"drums": 2})


def test_the_command_line_says_why_there_is_none(judged_home, mirla):
    both = ("--agent", "theirs", "--not-agent", "theirs")
    done = mirla("--json", "random", *both, home=judged_home)
    assert done.json == {"results": []}
    assert done.err == (
        "no sound: of 167 that fit the rest, agent theirs refuses 167 (2 not analysed); --best takes the least bad\n"
    )
    done = mirla(
        "--json", "random", "--agent", "drums", "--agent", "loops", "--strict", "1", "--best", home=judged_home
    )
    assert len(done.json["results"]) == 10
    assert done.err.endswith("agent loops refuses 167 (2 not analysed); these are the least bad\n")
    refused = mirla("search", "--agent", "theirs", "--strict", "0.8", home=judged_home, check=26)
    assert refused.err == "mirla: agent 'theirs' gives labels without probabilities; ask it without strict\n"
    assert "no sound" in mirla("path", *TARGETS, *both, home=judged_home).err


def test_hits_tell_the_verdict_of_every_agent_asked(judged_home, mirla):
    options = ("--agent", "drums", "--any-agent", "theirs", "--any-agent", "drums", "--not-agent", "loops")
    done = mirla("--json", "similar", "100055", "-k", "2", *options, home=judged_home)
    for hit in done.json["results"]:
        assert list(hit["agents"]) == ["drums", "theirs", "loops"]
        assert hit["agents"]["drums"]["label"] == "good"
        assert hit["agents"]["loops"]["label"] == "bad"
        assert hit["agents"]["theirs"]["p"] is None
    assert " good " in mirla("random", "--agent", "theirs", home=judged_home).out


@pytest.mark.parametrize("asked", [slice(None), slice(1, None), slice(None, None, -1)], ids=["same", "fewer", "mixed"])
@pytest.mark.parametrize("strict", [None, 0.8])
def test_the_agents_allow_the_same_whether_all_or_some_are_asked_about(asked, strict):
    generator = np.random.default_rng(8)
    ids = np.sort(generator.choice(10**6, 500, replace=False))
    good, bad = (Verdicts(name, 1, ids, p > 0.5, p) for name, p in zip("gb", generator.random((2, 500)), strict=True))
    choice = Choice(agents=("g",), not_agents=("b",), strict=strict)
    mask, refused = allowed(choice, {"g": good, "b": bad}, ids[asked])
    is_good, is_bad = (good.p > (strict or 0.5))[asked], (bad.p <= 0.5)[asked]
    np.testing.assert_array_equal(mask, is_good & is_bad)
    assert refused == {"g": int((~is_good).sum()), "b": int((~is_bad).sum())}
