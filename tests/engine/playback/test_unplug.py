"""A device that goes and comes back: JACK's server, ended and started again under the same name."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
import soundfile

from engine.errors import EngineError
from engine.playback import Player

RATE = 44100


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Told(list):
    def __call__(self, kind, text):
        assert "\n" not in text
        self.append((kind, text))

    def count(self, words):
        return sum(words in text for _, text in self)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def server(start_jack, monkeypatch):
    server = start_jack()
    server.use(monkeypatch)
    return server


def tone(level, seconds=1.0):
    return level * np.sin(2 * np.pi * 441 * np.arange(round(seconds * RATE)) / RATE)


def test_what_looped_goes_on_when_the_device_is_back(server, make_clip, told, tmp_path):
    with Player(server.device, must_open=False, on_event=told) as player:
        looped, once, later = (make_clip(tone(0.1)) for _ in range(3))
        voice = player.start(looped, loop=True, group="a", gain=0.5)
        player.change(voice, gain=1.0)
        player.mix("a", gain=0.5)
        player.effects("a", [("lowpf", {"freq": 8000.0})])
        player.start(once)
        stopped = player.start(once, loop=True)
        player.record(tmp_path / "set.wav")
        until(lambda: player.stats()["recorded"] > 0.5)
        server.end()
        until(lambda: told.count("going on in silence") == 1)
        before = player.position
        lost = player.stats()
        assert lost["device"] is False
        player.stop(stopped)
        waiting = player.start(later, at=before + 10**8)
        while_silent = player.start(make_clip(tone(0.05)), loop=True, group="b")
        player.mix("b", gain=0.0)
        assert set(player.active) >= {voice, waiting, while_silent}
        until(lambda: player.position > before)
        server.begin()
        until(lambda: told.count("is there; going on") == 1)
        heard = player.stats()["callbacks"]
        assert heard > lost["callbacks"] > 0
        assert player.stats()["peak"] >= lost["peak"] > 0
        until(lambda: player.stats()["callbacks"] > heard + 200)
        assert set(player.active) == {voice, waiting, while_silent}
        assert player.position > before
        assert player.stats()["level"] == pytest.approx(20 * np.log10(0.1 * 0.5 / np.sqrt(2)), abs=1.0)
        assert player.stats()["outages"] == 1
        player.panic()
        until(lambda: not player.active)
        figures = player.stats()
    assert figures["errors"] == figures["faults"] == 0
    audio, _ = soundfile.read(tmp_path / "set.wav")
    assert len(audio) / RATE > figures["recorded"] - 0.5 > 0.5
    assert [kind for kind, _ in told] == ["device", "device", "record"]


def test_a_device_that_comes_back_at_another_rate_plays_what_looped(server, make_clip, told, tmp_path):
    with Player(server.device, must_open=False, on_event=told) as player:
        voice = player.start(make_clip(tone(0.1)), loop=True)
        until(lambda: player.stats()["callbacks"])
        server.end()
        until(lambda: told.count("going on in silence") == 1)
        server.begin(48000)
        try:
            until(lambda: told.count("is there; going on, resampled from 44100 Hz to its 48000 Hz") == 1)
            player.record(tmp_path / "set.wav")
            until(lambda: player.stats()["recorded"] > 0.6)
            assert (player.rate, player.active) == (RATE, (voice,))
            assert player.stats()["level"] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=1.0)
            assert player.start(make_clip(tone(0.1))) in player.active
            assert player.stats()["errors"] == 0
        finally:
            server.end()
            server.begin()


def test_a_device_that_comes_when_nothing_is_loaded_is_played_at_its_own_rate(server, make_clip, told):
    server.end()
    with Player(server.device, must_open=False, on_event=told) as player:
        server.begin(48000)
        try:
            until(lambda: told.count("is there; going on") == 1)
            assert player.rate == 48000
        finally:
            server.end()
            server.begin()


def test_an_audio_process_that_dies_is_another_one_soon(server, make_clip, told):
    with Player(server.device, must_open=False, on_event=told) as player:
        voice = player.start(make_clip(tone(0.1)), loop=True)
        os.kill(player._line.process.pid, signal.SIGKILL)
        for _ in range(200):
            player.start(make_clip(tone(0.01, 0.01)))  # none of them raises
        until(lambda: told.count("is there; going on") == 1)
        until(lambda: player.active == (voice,))
        assert told[0] == ("device", "the audio process died (exit code -9); going on in silence until it is there")


def test_an_audio_process_that_hangs_holds_up_nobody_for_long(server, make_clip, told, monkeypatch):
    monkeypatch.setattr("engine.playback.line.ANSWER_SECONDS", 3.0)
    monkeypatch.setattr("engine.playback.line.SEND_SECONDS", 3.0)
    with Player(server.device, must_open=False, on_event=told) as player:
        voice = player.start(make_clip(tone(0.1)), loop=True)
        clip = player.load(make_clip(tone(0.01, 0.01)))
        os.kill(player._line.process.pid, signal.SIGSTOP)
        for _ in range(5000):  # more than the pipe holds
            player.start(clip)
        until(lambda: told.count("is there; going on") == 1)
        until(lambda: player.active == (voice,))
        assert told.count("going on in silence") == 1


def test_whoever_is_told_may_look_at_a_player_that_is_closed_meanwhile():
    entered, closed, looked = threading.Event(), threading.Event(), threading.Event()
    players = []

    def told(kind, text):
        entered.set()
        assert closed.wait(30)
        try:
            players[0].stats()
        finally:
            looked.set()

    players.append(Player("no-such-device", must_open=False, on_event=told))
    assert entered.wait(30)
    players[0].close()
    closed.set()
    assert looked.wait(30)  # a thread that fails is an error of this test


def test_without_a_device_all_verbs_work_in_silence_and_it_is_said_once(jack, make_clip, told, tmp_path):
    with Player("no-such-device", must_open=False, on_event=told) as player:
        clip, loop = make_clip(tone(0.1, 0.1)), make_clip(tone(0.1))
        assert (player.rate, player.name) == (RATE, "no device")
        voices = [player.start(clip), player.start(loop, loop=True, rate=-0.5, pan=1.0)]
        assert player.sounding == {clip.id, loop.id}
        player.change(voices[1], rate=2.0)
        player.mix("a", gain=0.5, pan=-1.0)
        player.effects("a", [("reverb", {})])
        player.fade_out("a", 1.0)
        player.record(tmp_path / "nothing.wav")
        player.record(None)
        assert player.modules() == []
        until(lambda: player.active == (voices[1],))
        player.unload(loop)
        assert player.wait_until_silent(timeout=5.0)
        with pytest.raises(EngineError, match="rate nan of"):  # what has no meaning is said all the same
            player.start(clip, rate=float("nan"))
        with pytest.raises(EngineError, match="no effect 'fuzz'"):
            player.effects("a", [("fuzz", {})])
        assert player.stats()["level"] is None
        until(lambda: told.count("recorded") == 1 and told.count("no sound device") == 1)
        time.sleep(1.0)  # it tries again
    assert told.count("no sound device") == 1
    assert len(soundfile.read(tmp_path / "nothing.wav")[0]) == 0
