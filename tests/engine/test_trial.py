"""The listening test: blind, half with the agent, kept answer by answer; and its figures against worked ones."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from corpus import Corpus
from engine.agent.judging import judge
from engine.agent.training import train
from engine.errors import QueryError
from engine.query.run import Choice, similar
from engine.trial.arms import Arms
from engine.trial.listening import questions, start
from tests.engine.test_agent import taught

PROGRAM = [sys.executable, "-c", "from engine.cli import main; main()"]
OF_THIS_CHECKOUT = {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="session")
def trained_home(finished_home, tmp_path_factory):
    """The finished home with a trained agent; to be copied, not changed."""
    import shutil

    home = tmp_path_factory.mktemp("trained") / "home"
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        taught(corpus)
        train(corpus, "percussive")
    return home


@pytest.fixture
def home(trained_home, tmp_path):
    """A copy of it that a test may change."""
    import shutil

    return Path(shutil.copytree(trained_home, tmp_path / "home"))


@pytest.fixture
def corpus(home):
    with Corpus(home) as corpus:
        yield corpus


def labelled(corpus):
    return {one.sound_id for one in corpus.agents.annotations(corpus.agents.get("percussive"))}


def listened(mirla, monkeypatch, keys, *arguments, check=0):
    """Run a trial with a key on each line, and no sound."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
    return mirla("--json", "trial", "percussive", "--silent", *arguments, check=check)


def test_the_plan_is_drawn_once_and_again_the_same(corpus):
    first, again, other = (start(corpus, "percussive", 20, seed=seed).plan for seed in (1, 1, 2))
    assert first == again
    assert first["pairs"] != other["pairs"]
    agent = corpus.agents.get("percussive")
    assert corpus.trials.last(agent).plan == other


def test_half_of_the_pairs_are_with_the_agent_in_no_order(corpus):
    for pairs in (21, 40):
        planned = start(corpus, "percussive", pairs, seed=3).plan["pairs"]
        arms = [pair["arm"] for pair in planned]
        assert sorted([arms.count("with"), arms.count("without")]) == [pairs // 2, pairs - pairs // 2]
        changes = sum(one != other for one, other in pairwise(arms))
        assert pairs // 4 < changes < 3 * pairs // 4
        assert len({pair["target"] for pair in planned}) == pairs


def test_results_are_what_a_query_answers_among_sounds_never_taught(corpus):
    out = " ".join(f"-id:{sound_id}" for sound_id in sorted(labelled(corpus)))
    for pair in start(corpus, "percussive", 30, seed=5).plan["pairs"]:
        agents = ("percussive",) if pair["arm"] == "with" else ()
        answer = similar(corpus, pair["target"], Choice(k=1, agents=agents, filter=out, with_audio=True))
        assert answer.hits[0].sound.id == pair["result"]
        assert not {pair["target"], pair["result"]} & labelled(corpus)


def test_what_was_taught_and_taken_back_stays_out_and_what_is_for_testing_stays_in(corpus):
    agent = corpus.agents.get("percussive")
    was = sorted(labelled(corpus))[0]
    corpus.agents.annotate(agent, [was], None, who="me", session="s")
    free = int(Arms(corpus, agent, "mfcc").pool[0])
    corpus.agents.annotate(agent, [free], "good", test=True, who="me", session="s")
    pool = Arms(corpus, agent, "mfcc").pool
    assert was not in pool
    assert free in pool


def test_questions_do_not_tell_the_arm(corpus):
    trial = start(corpus, "percussive", 10)
    for one in questions(corpus, trial):
        assert set(vars(one)) == {"number", "part", "sound_id"}


def test_more_pairs_than_sounds_are_fewer_pairs(mirla, monkeypatch):
    done = listened(mirla, monkeypatch, [], "--pairs", 1000)
    assert done.json["pairs"] == 125
    assert "125 pairs, since there are no more sounds" in done.err


def test_a_whole_trial_counts_as_the_paper_does(mirla, monkeypatch, corpus):
    """A listener who likes what the agent likes: with it, all results are good."""
    verdicts = judge(corpus, "percussive")
    listened(mirla, monkeypatch, [], "--pairs", 20, "--seed", 4)
    trial = corpus.trials.last(corpus.agents.get("percussive"))
    keys = ["g" if verdicts.of(one.sound_id)["label"] == "good" else "b" for one in questions(corpus, trial)]
    done = listened(mirla, monkeypatch, keys, "--resume", "--by", "me")
    found = done.json
    assert (found["answered"], found["over"]) == (40, True)
    pairs = list(zip(keys[::2], keys[1::2], [pair["arm"] for pair in trial.plan["pairs"]], strict=True))
    for arm in ("with", "without"):
        own = [(target, result) for target, result, of in pairs if of == arm]
        after_bad = [result for target, result in own if target == "b"]
        assert found[arm]["good_results"] == sum(result == "g" for _, result in own)
        assert found[arm]["bad_to_good"]["n"] == len(after_bad)
        assert found[arm]["bad_to_good"]["value"] == pytest.approx(after_bad.count("g") / len(after_bad), abs=1e-4)
    assert found["with"]["good"]["value"] == 1.0
    assert 0 < found["bad"]["p"] < 1
    assert found["difference"]["value"] == pytest.approx(1 - found["without"]["good"]["value"], abs=1e-4)
    shown = mirla("trial", "percussive", "--silent", "--resume")
    assert "with the agent" in shown.out


def test_nothing_shown_tells_the_arm_and_nothing_is_figured_before_the_end(mirla, monkeypatch, corpus):
    done = listened(mirla, monkeypatch, ["g", "b"] * 5, "--pairs", 10, "--seed", 4)
    trial = corpus.trials.last(corpus.agents.get("percussive"))
    for shown in (done.err, done.out):
        assert "arm" not in shown
        assert "with the" not in shown
        assert "without" not in shown
    assert "with" not in done.json
    assert done.json["answered"] == 10
    asked = [line for line in done.err.splitlines() if " of 10: " in line]
    names = [corpus.sounds.get(one.sound_id).name for one in questions(corpus, trial)]
    assert [line.rsplit(": ", 1)[1] for line in asked] == names[: len(asked)]
    assert {line.split(": ")[1] for line in asked} == {"a sound", "what was found near it"}


def test_keys_again_back_and_others(mirla, monkeypatch, corpus):
    done = listened(mirla, monkeypatch, ["u", "g", "x", "a", "b", "u", "g", "q", "g"], "--pairs", 4)
    assert done.json["answered"] == 2
    trial = corpus.trials.last(corpus.agents.get("percussive"))
    assert corpus.trials.answers(trial) == {(1, "target"): "good", (1, "result"): "good"}


def test_the_words_of_a_lesson_and_unknown_keys(mirla, monkeypatch, corpus):
    keys = ["GOOD", "Again", "\x1b[A", "Bad", "what?", "keys", "undo", "good", "stop", "g"]
    done = listened(mirla, monkeypatch, keys, "--pairs", 4)
    assert done.err.count("no key 'what?'; ? shows the keys") == 1
    assert done.err.count("g good, b bad") == 2  # at the beginning, and when asked
    assert done.json["answered"] == 2
    trial = corpus.trials.last(corpus.agents.get("percussive"))
    assert corpus.trials.answers(trial) == {(1, "target"): "good", (1, "result"): "good"}


def test_killed_after_any_answer_no_answer_is_lost(home, corpus):
    """SIGKILL as soon as a question is asked: all answers before it are there, and the trial goes on from it."""
    given = []
    for turn, label in enumerate("gbg"):
        read, write = os.pipe()
        begin = ["--pairs", "6"] if turn == 0 else ["--resume"]
        program = [*PROGRAM, "--home", str(home), "trial", "percussive", "--silent", *begin]
        environment = os.environ | OF_THIS_CHECKOUT
        process = subprocess.Popen(program, stdin=read, stderr=subprocess.PIPE, text=True, env=environment)
        os.close(read)
        asked = 0
        for line in process.stderr:
            if " of 6: " not in line:
                continue
            asked += 1
            if asked == 3:
                process.send_signal(signal.SIGKILL)
                break
            os.write(write, f"{label}\n".encode())
            given.append(label)
        process.wait()
        process.stderr.close()
        os.close(write)
        answers = corpus.trials.answers(corpus.trials.last(corpus.agents.get("percussive")))
        assert [label[0] for _, label in sorted(answers.items(), key=_order)] == given


def _order(item):
    (number, part), _ = item
    return number, part == "result"


def test_one_trial_goes_on_although_a_sound_was_forgotten(mirla, monkeypatch, corpus):
    listened(mirla, monkeypatch, ["g", "b"], "--pairs", 6)
    trial = corpus.trials.last(corpus.agents.get("percussive"))
    gone = trial.plan["pairs"][3]["target"]
    corpus.forget([gone, trial.plan["pairs"][0]["target"]], for_good=True)
    left = {one.number for one in questions(corpus, trial)}
    assert left == {1, 2, 3, 5, 6} - {
        number for number, pair in enumerate(trial.plan["pairs"], 1) if number > 1 and pair["result"] == gone
    }
    done = listened(mirla, monkeypatch, ["g"] * 10, "--resume")
    assert done.json["over"]
    assert done.json["pairs"] == len(left)


def test_without_a_device_sounds_are_named(mirla, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("g\n"))
    monkeypatch.setenv("MIRLA_DEVICE", "no such device")
    done = mirla("--json", "trial", "percussive", "--pairs", 2)
    assert "no such device" in done.err
    assert "sounds are named, not played" in done.err
    assert "1 of 2: a sound: " in done.err
    assert done.json["answered"] == 1


def test_without_audio_there_is_nothing_to_hear(mirla, home, corpus):
    import sqlalchemy as sa

    with corpus.database.write() as connection:
        for change in ("update vectors set file_id = null", "update traits set file_id = null", "delete from files"):
            connection.execute(sa.text(change))
    done = mirla("trial", "percussive", check=26)
    assert "0 sounds with audio that agent 'percussive' was not taught" in done.err
    assert mirla("--json", "trial", "percussive", "--judge", "tag:tabla", "--pairs", 5).json["pairs"] == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 9, "no agent 'nobody'"),
        (["untrained"], 23, "was not trained yet"),
        (["percussive", "--resume"], 26, "was never tried"),
        (["percussive", "--resume", "--seed", "1"], 2, "goes on as it was planned"),
        (["percussive", "--pairs", "1"], 2, "--pairs"),
        (["percussive", "--measure", "nonsense"], 21, "nonsense"),
        (["percussive", "--device", "no such device"], 24, "no such device"),
    ],
)
def test_what_cannot_be_tried_is_said(mirla, corpus, arguments, code, words):
    corpus.agents.create("untrained", "", ["mfcc"], "mlp")
    done = mirla("trial", *arguments, check=code)
    assert words in done.err
    assert len(done.err.strip().splitlines()[-1]) < 400


def test_an_agent_that_likes_nothing_cannot_be_tried(corpus):
    agent = corpus.agents.get("percussive")
    model = corpus.agents.model(agent)
    never = model.arrays | {"output_bias": [-1e6]}
    corpus.agents.add_model(agent, type(model)(**vars(model) | {"arrays": never}))
    with pytest.raises(QueryError, match="calls 0 of 125 sounds with audio that it was not taught good"):
        start(corpus, "percussive", 10)


def test_in_a_terminal_one_key_is_enough(home, corpus):
    ours, theirs = pty.openpty()
    program = [*PROGRAM, "--home", str(home), "--json", "trial", "percussive", "--silent", "--pairs", "2"]
    streams = {"stdin": theirs, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(program, **streams, text=True, env=os.environ | OF_THIS_CHECKOUT)
    keys = iter("gbbg")
    for line in process.stderr:
        if " of 2: " in line:
            time.sleep(0.2)  # longer than a key that is held down
            os.write(ours, next(keys).encode())
    assert json.loads(process.stdout.read())["over"]
    assert process.wait() == 0
    process.stdout.close()
    process.stderr.close()
    os.close(ours)
    os.close(theirs)
    answers = corpus.trials.answers(corpus.trials.last(corpus.agents.get("percussive")))
    assert [label for _, label in sorted(answers.items(), key=_order)] == ["good", "bad", "bad", "good"]


def test_plans_are_plain_json(corpus):
    plan = start(corpus, "percussive", 5).plan
    assert json.loads(json.dumps(plan)) == plan
    assert all(type(pair["target"]) is int and type(pair["result"]) is int for pair in plan["pairs"])
    assert np.isin([pair["target"] for pair in plan["pairs"]], corpus.sounds.ids()).all()
