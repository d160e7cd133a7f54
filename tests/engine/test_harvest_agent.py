"""Metadata first: an agent judges by the served MFCCs what a query finds, and only what it calls good is fetched."""

import pytest

from corpus import Corpus
from corpus.wanted import Query, Wanted
from engine.agent.judging import check_served, served_verdicts, surest_served
from engine.agent.training import train
from engine.errors import TrainingError
from tests.corpus.harvested import enter


@pytest.fixture
def account(freesound, monkeypatch):
    enter(monkeypatch, freesound)
    return freesound


@pytest.fixture
def taught(account, home):
    """A corpus of records without audio, and an agent that likes tablas better than loops."""
    with Corpus(home) as corpus:
        corpus.harvest(Wanted((Query(tags=("tabla",)), Query(text="loop")), audio="none"))
        agent = corpus.agents.create("dry", "short and dry", ["api_mfcc"], "mlp")
        tablas, loops = corpus.sounds.ids(with_tags=["tabla"]), corpus.sounds.ids("loop")
        only = [number for number in tablas.tolist() if number not in loops.tolist()]
        corpus.agents.annotate(agent, only[:12], "good", who="test", session="test")
        corpus.agents.annotate(agent, loops[:12].tolist(), "bad", who="test", session="test")
        train(corpus, "dry")
    return home


def test_only_what_the_agent_calls_good_is_fetched(taught, account, mirla):
    before = len(account.asked("cdn"))
    done = mirla("--json", "harvest", "--filter", "duration:[0 TO *]", "--agent", "dry", "-k", "20").json
    assert (done["state"], done["found"], done["chosen"], done["audio"]) == ("done", 165, 20, 20)
    assert len(account.asked("cdn")) - before == 20
    with Corpus(taught) as corpus:
        verdicts = served_verdicts(corpus, "dry")
        heard = {sound.id for sound in corpus.sounds.many(corpus.sounds.ids()) if sound.file}
        assert heard == set(surest_served(corpus, ["dry"])[:20])
        assert heard <= set(verdicts.good.tolist())
        assert len(verdicts.good) > 20, "and there were more that it called good"
        assert len(verdicts.good) < len(verdicts.ids), "and some that it did not"
    good = mirla("--json", "similar", min(heard), "--measure", "api_mfcc", "--agent", "dry", "-k", "9").json["results"]
    assert {hit["agents"]["dry"]["label"] for hit in good} == {"good"}


def test_in_the_cellar_one_asks_for_what_can_be_heard(taught, mirla):
    mirla("harvest", "--ids", ids_file(taught, 130404, 130405))
    hits = mirla("--json", "random", "-k", "99", "--with-audio").json["results"]
    assert sorted(hit["id"] for hit in hits) == [130404, 130405]
    assert all(hit["audio"] for hit in hits)
    every = mirla("--json", "search", "tabla", "-k", "99").json["results"]
    assert {hit["audio"] for hit in every} == {True, False}
    lines = mirla("search", "tabla", "-k", "99").out.splitlines()
    assert [line.split()[1] for line in lines[1:] if " none " not in line] == ["130404", "130405"]
    assert len(mirla("--json", "credits").json["credits"]) == 2


def ids_file(home, *ids):
    file = home.with_name("ids")
    file.write_text(" ".join(map(str, ids)))
    return file


def test_two_agents_must_agree(taught, account, mirla):
    with Corpus(taught) as corpus:
        agent = corpus.agents.create("other", "the other way round", ["api_mfcc"], "mlp")
        labels = corpus.agents.annotations(corpus.agents.get("dry"))
        for one in labels:
            other = "bad" if one.label == "good" else "good"
            corpus.agents.annotate(agent, [one.sound_id], other, who="test", session="test")
        train(corpus, "other")
        both = surest_served(corpus, ["dry", "other"])
        assert both == sorted(both, key=lambda number: -worse(corpus, number))
        assert set(both) == set(served_verdicts(corpus, "dry").good) & set(served_verdicts(corpus, "other").good)
        assert len(both) < len(surest_served(corpus, ["dry"]))
    done = mirla("--json", "harvest", "--tag", "tabla", "--agent", "dry", "--agent", "other").json
    assert done["audio"] == done["chosen"] <= len(both)


def worse(corpus, number):
    return min(served_verdicts(corpus, name).of(number)["p"] for name in ("dry", "other"))


def test_stopped_before_the_judging_it_judges_when_it_goes_on(taught, account, mirla, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("engine.agent.judging.surest_served", interrupt)
        assert mirla("harvest", "--tag", "tabla", "--agent", "dry", check=130).err.endswith("what was done is kept\n")
    assert mirla("--json", "status").json["with_audio"] == 0
    done = mirla("--json", "harvest", "--resume").json
    assert (done["state"], done["audio"]) == ("done", done["chosen"])
    assert 0 < done["chosen"] < 27


def interrupt(*_):
    raise KeyboardInterrupt


def test_lists_are_asked_for_only_of_what_was_chosen(taught, account, mirla):
    done = mirla("--json", "harvest", "--tag", "tabla", "--agent", "dry", "--similar", "3").json
    assert done["lists"] == done["chosen"]


def test_an_agent_that_looks_at_audio_is_refused_before_anything_is_asked(taught, account, mirla):
    with Corpus(taught) as corpus:
        corpus.agents.create("deep", "", ["mfcc", "api_mfcc"], "mlp")
        with pytest.raises(TrainingError, match="looks at mfcc, api_mfcc"):
            check_served(corpus, ["dry", "deep"])
    before = len(account.requests)
    assert "looks at mfcc, api_mfcc" in mirla("harvest", "x", "--agent", "deep", check=23).err
    assert len(account.requests) == before
    assert "found" in mirla("--json", "harvest", "nothing at all", "--agent", "dry").json
