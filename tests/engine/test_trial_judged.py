"""Trials by rule: each target in both arms, taught sounds in neither, shuffled labels as control."""

import numpy as np
import pytest

from engine.agent.training import train
from engine.errors import ModelError
from engine.query.run import Choice, similar
from engine.trial.arms import Arms
from engine.trial.control import good_by_shuffled_labels
from engine.trial.judged import judged
from tests.engine.test_agent import taught
from tests.engine.test_trial_figures import mcnemar_by_hand

RULE = "tag:(bd OR drum OR sn OR perc OR tabla)"


@pytest.fixture(scope="module")
def corpus(finished_home, tmp_path_factory):
    """The finished corpus with a trained agent, for tests that change nothing of it."""
    import shutil

    from corpus import Corpus

    home = shutil.copytree(finished_home, tmp_path_factory.mktemp("judged") / "home")
    with Corpus(home) as corpus:
        taught(corpus)
        train(corpus, "percussive")
        yield corpus


@pytest.fixture(scope="module")
def whole(corpus):
    return judged(corpus, "percussive", RULE, 1000, seed=1)


def test_every_target_is_asked_in_both_arms_as_a_query_answers(corpus, whole):
    labelled = {one.sound_id for one in corpus.agents.annotations(corpus.agents.get("percussive"))}
    assert len(labelled) == 40
    assert set(whole.targets.tolist()) == set(corpus.sounds.ids().tolist()) - labelled
    fits = {sound.id for sound in corpus.sounds.many(corpus.sounds.ids().tolist()) if _fits(sound)}
    out = " ".join(f"-id:{sound_id}" for sound_id in sorted(labelled))
    for row, target in list(enumerate(whole.targets.tolist()))[:40]:
        assert whole.fits[row] == (target in fits)
        for good, agents in ((whole.with_agent, ("percussive",)), (whole.without, ())):
            [hit] = similar(corpus, target, Choice(k=1, agents=agents, filter=out)).hits
            assert hit.sound.id not in labelled
            assert good[row] == (hit.sound.id in fits)


def _fits(sound):
    return bool({"bd", "drum", "sn", "perc", "tabla"} & set(sound.tags))


def test_figures_are_those_of_the_targets_one_by_one(whole):
    found = whole.as_json()
    rows = list(zip(whole.fits, whole.with_agent, whole.without, whole.control.mean(axis=1), strict=True))
    assert found["pairs"] == len(rows) == 125
    for fits, part in (((0, 1), found), ((0,), found["bad"])):
        own = [row for row in rows if row[0] in fits]
        gained, lost = (sum(w - o == sign for _, w, o, _ in own) for sign in (1, -1))
        assert part["difference"]["n"] == len(own)
        assert part["difference"]["value"] == pytest.approx((gained - lost) / len(own), abs=1e-4)
        assert part["p"] == pytest.approx(mcnemar_by_hand(gained, lost))
    for name, place in (("with", 1), ("without", 2), ("control", 3)):
        bad = [row[place] for row in rows if row[0] == 0]
        assert found[name]["good"]["value"] == pytest.approx(np.mean([row[place] for row in rows]), abs=1e-4)
        assert found[name]["bad_to_good"]["value"] == pytest.approx(np.mean(bad), abs=1e-4)


def test_shuffled_labels_teach_nothing(whole):
    """What such agents refuse is a matter of chance, and so is what is left."""
    found = whole.as_json()
    assert abs(found["control"]["good"]["value"] - found["without"]["good"]["value"]) < 0.1


def test_the_same_seed_gives_the_same_and_fewer_pairs_are_a_part(corpus, whole):
    some, again = (judged(corpus, "percussive", RULE, 30, seed=1) for _ in range(2))
    np.testing.assert_array_equal(some.targets, whole.targets[:30])
    np.testing.assert_array_equal(some.control, again.control)
    assert some.as_json() == again.as_json()


def test_controls_are_agents_of_other_labels(corpus):
    agent = corpus.agents.get("percussive")
    several = good_by_shuffled_labels(corpus, agent, 0, 4)
    assert len(several) == 4
    assert len({tuple(one.tolist()) for one in several}) == 4
    with pytest.raises(ModelError, match="what it learnt from was not kept with it"):
        good_by_shuffled_labels(corpus, _imported(corpus), 0, 4)


def _imported(corpus):
    """An agent with a model and no examples, as one from elsewhere."""
    model = corpus.agents.model(corpus.agents.get("percussive"))
    agent = corpus.agents.create("imported", "", ["mfcc"], "mlp")
    corpus.agents.add_model(agent, type(model)(**vars(model) | {"verdicts": {}, "until": None}))
    return agent


def test_an_agent_from_elsewhere_is_tried_without_control(corpus):
    found = judged(corpus, "imported", RULE, 20).as_json()
    assert found["control"] is None
    assert "what it learnt from was not kept with it" in found["control_missing"]
    assert found["pairs"] == 20


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ("tag:[", 31, "filter"),
        ("colour:blue", 31, "colour"),
        ("", 31, ""),
        ("tag:nothing", 26, "fits 0 of the 125 sounds in play"),
        ("id:[1 TO *]", 26, "fits 125 of the 125 sounds in play"),
    ],
)
def test_rules_that_tell_nothing_apart_are_refused(mirla, corpus, rule, code, words):
    done = mirla("trial", "percussive", "--judge", rule, home=corpus.home, check=code)
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_without_a_training_sound_the_missing_control_is_said(sonic, mirla):
    good, _ = taught(sonic)
    train(sonic, "percussive")
    mirla("forget", good[0], "--yes")
    done = mirla("--json", "trial", "percussive", "--judge", RULE, "--pairs", 10)
    assert done.json["control"] is None
    assert f"{done.json['control_missing']}" in done.err
    assert "version 1 of agent 'percussive'" in done.json["control_missing"]


def test_the_command_answers_with_json_or_a_table(mirla, corpus):
    arguments = ("trial", "percussive", "--judge", RULE, "--seed", 1, "--pairs", 200)
    done = mirla("--json", *arguments, home=corpus.home)
    wanted = {"trial", "agent", "version", "measure", "pairs", "with", "without", "control", "difference", "p"}
    assert wanted <= set(done.json)
    assert set(done.json["difference"]) == {"value", "interval", "n"}
    assert "125 targets, since there are no more" in done.err
    shown = mirla(*arguments, home=corpus.home)
    assert "shuffled labels" in shown.out
    assert done.json["control_missing"] is None
    assert "p takes each target for a case of its own" in " ".join(shown.out.split())
    assert "the agent's gain: 0." in shown.out


def test_in_freesounds_own_order_targets_without_an_answer_are_left_out(sonic):
    taught(sonic)
    train(sonic, "percussive")
    pool = Arms(sonic, sonic.agents.get("percussive"), "mfcc")
    good, bad = pool.good.tolist(), np.setdiff1d(pool.pool, pool.good).tolist()
    lists = {good[0]: [bad[0], 7, good[1]], good[1]: [bad[1], bad[2]], good[2]: [good[3]], bad[0]: []}
    with sonic.database.write() as connection:
        for sound_id, ids in lists.items():
            sonic.similar_lists.put(connection, sound_id, ids, 10)
    found = judged(sonic, "percussive", f"id:({good[1]} OR {bad[0]})", 10, measure="freesound_list")
    rows = dict(zip(found.targets.tolist(), zip(found.with_agent, found.without, strict=True), strict=True))
    assert rows == {good[0]: (1, 1), good[2]: (0, 0)}
