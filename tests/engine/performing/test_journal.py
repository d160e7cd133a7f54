"""What is written of a session: all that was said, what came of it, what happened by itself, and what was heard."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from corpus import Corpus, __version__
from corpus.errors import StoreError
from engine.errors import VerbError
from engine.session import Session

SECONDS = 60


@pytest.fixture
def written(render):
    """Close a session, and read what it wrote: its performance, commands and plays."""

    def read(made):
        made.session.close()
        with Corpus(render.home) as corpus:
            performance = corpus.performances.all()[-1]
            return (
                performance,
                corpus.performances.commands(performance),
                corpus.performances.plays(performance=performance),
            )

    return read


def until(true):
    """Wait for something."""
    deadline = time.monotonic() + SECONDS
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_only_what_is_audible_counts_as_heard(render, written):
    made = render(journal=True)
    a = made.session.group("a").id(100055, 4832)
    made.hear(1)  # both heard
    for change, back in (
        (lambda: a.mute(0), lambda: a.unmute()),
        (lambda: a.muteall(), lambda: a.unmute()),
        (lambda: a.volume(0), lambda: a.volume(0.5)),
        (lambda: a.solo(1), lambda: a.unmute()),
        (lambda: a.play(0), lambda: a.play(1)),
        (lambda: made.session.journal.device(False), lambda: made.session.journal.device(True)),
    ):
        change()
        made.hear(1)
        back()
        made.hear(1)
    a.stop()
    _, _, plays = written(made)
    assert [(play.sound_id, round(play.seconds, 1), round(play.heard, 1)) for play in plays] == [
        (100055, 13.0, 7.0),
        (4832, 13.0, 9.0),
    ]


def test_of_a_sequence_what_comes_next_is_heard_when_it_comes(render, written):
    made = render(journal=True)
    made.session.group("a").sequence().id(100055, 4832)
    made.hear(4)
    _, _, plays = written(made)
    assert len(plays) >= 2
    assert all(play.heard == pytest.approx(play.seconds) for play in plays)
    assert sum(play.seconds for play in plays) == pytest.approx(4, abs=0.2)


def test_what_it_was_played_with(render, written):
    made = render(journal=True, loudness=-30.0, seed=5, title="cellar")
    made.session.group("a").id(100055)
    made.hear(1.5)
    performance, _, _ = written(made)
    assert (performance.seed, performance.title) == (5, "cellar")
    assert performance.facts == {"mirla": __version__, "loudness": -30.0, "seconds": 1.5}
    assert performance.ended


def test_what_a_query_went_by(render, written):
    made = render(journal=True)
    with Corpus(render.home) as corpus:
        corpus.agents.create("water", "", ["mfcc"], "mlp")
    a = made.session.group("a").id(100055)
    a.similar(0, measure="mfcc_cosine", seed=3)
    a.random(agent="water")
    a.play()
    _, commands, _ = written(made)
    facts = {one.verb: one.facts for one in commands}
    assert facts["similar"] == {"said": 0.0, "measure": "mfcc_cosine", "seed": 3}
    assert facts["random"]["agents"] == {"water": None}
    assert facts["play"] == {"said": 0.0}


def test_what_happens_by_itself_is_there_as_events(render, written):
    made = render(journal=True)
    with Corpus(render.home) as corpus:
        corpus.sounds.get(4832).file.path.unlink()
    a = made.session.group("a").id(100055, 4832)
    made.hear(1)
    made.session.say("the sound device is gone", kind="device")
    a.volume(9)
    _, commands, _ = written(made)
    events = [one for one in commands if one.facts.get("kind") == "event"]
    assert [(one.group, one.verb) for one in events] == [("a", "loaded"), ("a", "said"), (None, "device")]
    assert events[0].given == [100055]
    assert "4832" in events[1].given[0]
    assert [one.verb for one in commands if one.error] == ["volume"]


def test_what_a_stop_drops_is_there_and_when_it_was_said(render):
    going, go = threading.Event(), threading.Event()
    with Session(render.home, seed=1, say=lambda words: None) as session:
        a = session.group("a")
        a._turns.take(lambda: going.set() or go.wait(SECONDS))
        going.wait(SECONDS)
        a.volume(0.25)
        a.stop()
        a.volume(0.75)
        time.sleep(0.05)
        go.set()
        a.whatid()
    with Corpus(render.home) as corpus:
        commands = corpus.performances.commands(corpus.performances.all()[-1])
    assert sorted(one.verb for one in commands) == ["stop", "volume", "volume", "whatid"]
    dropped, late = sorted((one for one in commands if one.verb == "volume"), key=lambda one: one.given)
    assert dropped.error.startswith("dropped: a stop came")
    assert late.error is None
    assert late.at >= late.facts["said"] + 0.045


def test_after_the_end_a_verb_says_so(render):
    made = render(journal=True)
    a = made.session.group("a")
    made.session.close()
    a.play()
    made.session.group("new").random()
    made.session.panic()
    assert made.lines == [
        "a: the session is over: open another one",
        "new: the session is over: open another one",
        "the session is over: open another one",
    ]
    raising = render(raising=True)
    raising.session.close()
    with pytest.raises(VerbError, match="the session is over"):
        raising.session.group("a").whatid()


def test_playing_is_told_when_it_begins_also_with_no_journal(render):
    made, told = render(journal=False), []
    made.session.on(lambda kind, group, sound, words: told.append((kind, made.session.clock.now(), sound)))
    made.session.group("a").sequence().id(100055, 4832)
    made.hear(0.1)
    assert told == [("playing", 0.0, 100055)]
    made.hear(5)
    (_, second, sound), first = told[1], made.session.corpus.sounds.get(100055)
    assert (sound, second) == (4832, pytest.approx(first.duration, abs=0.01))


def test_while_another_program_writes_playing_is_not_told_and_the_end_waits_with_a_word(render, monkeypatch):
    monkeypatch.setattr("engine.performing.journal._PATIENCE", 0.05)
    told, lines = threading.Event(), []
    session = Session(render.home, rendering=None, seed=1, say=lines.append)
    other = sqlite3.connect(render.home / "corpus.sqlite", check_same_thread=False)
    try:
        session.on(lambda kind, *_: kind == "playing" and told.set())
        other.execute("begin immediate")
        playing = session.journal.began("a", session.corpus.sounds.get(100055), session.clock.now())
        until(lambda: playing.untold)
        ending = threading.Thread(target=session.close)
        ending.start()
        until(lambda: "writing the log…" in lines)
        assert not told.is_set()
    finally:
        other.rollback()
        other.close()
    ending.join(SECONDS)
    assert told.is_set()
    with Corpus(render.home) as corpus:
        assert corpus.performances.all()[-1].ended


def test_playing_is_told_where_it_cannot_be_written(render, monkeypatch):
    told, lines = threading.Event(), []
    with Session(render.home, seed=1, say=lines.append) as session:
        monkeypatch.setattr(session.corpus.performances, "plays_began", _full)
        session.on(lambda kind, *_: kind == "playing" and told.set())
        session.journal.began("a", session.corpus.sounds.get(100055), session.clock.now())
        assert told.wait(SECONDS)
    assert "the journal of this set cannot be written just now: the disk is full" in lines


def _full(*_):
    raise StoreError("the disk is full")


PLAYING = """
import sys, time
from engine.performing import journal
journal.EVERY = 0.1
from engine.playback.offline import OfflinePlayer
from engine.session import Session
class Deviceless(Session):
    def _open(self):
        return OfflinePlayer()
session = Deviceless(sys.argv[1], seed=1)
session.group("a").id(100055)
while True:
    session.group("b").volume(0.5)
    time.sleep(0.02)
"""


def test_after_a_kill_it_is_known_how_long_a_loop_played(render):
    process = subprocess.Popen([sys.executable, "-c", PLAYING, render.home])
    try:
        with Corpus(render.home) as corpus:
            until(lambda: any((play.seconds or 0.0) > 0.5 for play in corpus.performances.plays()))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(SECONDS)
            [play] = corpus.performances.plays()
            assert play.heard == play.seconds > 0.5
            assert corpus.performances.all()[-1].ended is None
    finally:
        process.kill()
        process.wait()
