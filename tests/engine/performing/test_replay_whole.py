"""Logs that `mirla sets log` wrote: as loud, as early and as long as the set was, lessons too."""

import json

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from engine.errors import SetError
from engine.performing.replay import Log
from engine.session import Session
from tests.engine.performing.test_replay import Listening, said, written

HEAD = {"set": 1, "begun": "2026", "ended": None, "seed": 1, "title": "", "seconds": 4.0, "facts": {"loudness": -40.0}}


def event(at, verb, *given, group="a"):
    return said(at, verb, *given, group=group) | {"facts": {"kind": "event"}}


def lesson(at, verb, answer, group="teach-water"):
    return said(at, verb, group=group, answer=answer) | {"facts": {"kind": "lesson"}}


@pytest.fixture
def replayed(sonic_home, tmp_path):
    """Play a log of some entries: what started when, how long it all took, what was said."""

    def play(*entries):
        log = Log.read(written(tmp_path / "set.jsonl", *entries))
        player, words = Listening(), []
        with Session(sonic_home, rendering=player, say=words.append) as session:
            log.run(session)
            return [one[:3] for one in player.started], session.clock.now(), words

    return play


def test_sounds_begin_when_they_were_loaded_and_it_goes_on_to_its_end(replayed):
    started, seconds, words = replayed(
        HEAD,
        said(0.5, "id", 4832, 100055, answer=[4832, 100055]),
        event(0.75, "loaded", 100055),
        event(1.25, "loaded", 4832),
        event(1.25, "said", "anything"),
        said(2.0, "random", answer=[100055], group="b"),
        said(2.5, "id", 4832, answer=[4832], again=True),
        event(2.5, "loaded", 4832),
    )
    assert words == []
    assert started == [(0.75, "a", 100055), (1.25, "a", 4832), (2.5, "a", 4832)], "what never came plays now"
    assert seconds == 4.0


def test_a_lesson_plays_what_it_played(replayed):
    started, _, words = replayed(
        HEAD | {"facts": {}},
        lesson(0.0, "random", 100055),
        event(0.0, "loaded", 100055, group="teach-water"),
        lesson(1.0, "ok", 4832),
        event(1.25, "loaded", 4832, group="teach-water"),
        lesson(2.0, "status", {"good": 1}),
        lesson(3.0, "stop", {"good": 1}),
        said(3.5, "play", group="teach-water"),
    )
    assert words == []
    assert started == [(0.0, "teach-water", 100055), (1.25, "teach-water", 4832)]


@pytest.mark.parametrize(
    "head", [{"seconds": "4"}, {"seconds": float("nan")}, {"facts": [1]}, {"facts": {"loudness": 9}}]
)
def test_a_first_line_that_says_nonsense(head, tmp_path):
    with pytest.raises(SetError, match="line 1 is no command of a set"):
        Log.read(written(tmp_path / "set.jsonl", HEAD | head))


def test_what_was_performed_is_rendered_again_from_its_log(render, mirla, tmp_path):
    made = render(journal=True, loudness=-35.0, title="cellar")
    session = made.session
    session.corpus.agents.create("water", "", ["mfcc"], "mlp")
    session.group("a").random(2).play(0.5)
    taught = session.teach("water", "anna")
    taught.random()
    made.hear(1)
    taught.skip()
    session.group("a").volume(0.5)
    made.hear(0.5)
    session.fade(1.0)
    session.close()
    out = tmp_path / "again.wav"
    mirla("sets", "log", 1, "--out", tmp_path / "set.jsonl", home=render.home)
    mirla("sets", home=render.home)
    done = mirla("--json", "render", "--script", tmp_path / "set.jsonl", "--out", out, home=render.home)
    assert done.json["seconds"] == 2.5
    again, _ = soundfile.read(out, dtype="float32")
    assert np.abs(again - made.audio).max() < 0.001
    assert np.abs(again).max() > 0.01
    with Corpus(render.home) as corpus:
        kinds = [(one.verb, one.facts.get("kind")) for one in corpus.performances.commands(corpus.performances.get(1))]
    assert ("skip", "lesson") in kinds
    head = json.loads((tmp_path / "set.jsonl").read_text().partition("\n")[0])
    assert (head["title"], head["facts"]["loudness"], head["seconds"]) == ("cellar", -35.0, 2.5)
