"""What sounds in a group, and when: nothing that was halted, nothing twice, nothing without an end."""

import threading

import numpy as np
import pytest

from engine.performing.bringing import Bringing
from engine.playback.offline import OfflinePlayer
from engine.session import Session

RATE = 44100
LONG, SHORT = 100055, 4832


def rms(audio):
    return float(np.sqrt(np.square(audio).mean()))


def states(group):
    return [each["state"] for each in group.info()]


def active(stage):
    return len(stage.player.active)


def gain(stage, group="a"):
    """Of the group's bus."""
    mixer = stage.player._mixer
    return float(np.max(mixer._buses[group].gain.over(mixer.position, 1)))


@pytest.fixture
def a(stage):
    return stage.session.group("a")


def test_what_comes_after_a_stop_sounds_alone(stage, a):
    a.id(LONG, SHORT)
    for halt in (a.stop, stage.session.panic, stage.session.stop, lambda: a.fadeout(0.1)):
        a.play()
        stage.hear(0.1)
        halt()
        stage.hear(0.2)
        assert active(stage) == 0
        a.random()
        assert states(a)[:-1] == ["silent"] * (len(a.sounds) - 1)
        assert states(a)[-1] == "playing"
        for shape in (a.sequence, a.parallel, a.slice, lambda: a.pitchshift(0), a.reverse):
            shape()
            assert active(stage) == 1
        a.play()
        assert states(a) == ["playing"] * len(a.sounds)


def test_a_stop_overtakes_a_query_under_way(render, monkeypatch):
    """Live: the verb that is being done when the panic comes brings nothing, and wakes nothing up."""
    begun, free = threading.Event(), threading.Event()
    asked = Bringing._similar

    def slow(self, *how):
        begun.set()
        assert free.wait(10)
        return asked(self, *how)

    monkeypatch.setattr(Bringing, "_similar", slow)
    lines = []
    with Session(render.home, journal=False, seed=1, say=lines.append) as s:
        player = OfflinePlayer()
        s.rig._opener = lambda: player
        a = s.group("a").id(LONG)
        assert a.whatid() == [LONG]
        for halt in (s.panic, a.stop, s.stop):
            begun.clear()
            free.clear()
            a.similar()
            a.play()
            assert begun.wait(10)
            halt()
            free.set()
            assert a.whatid() == [LONG]
            assert states(a) == ["silent"]
            player.advance(RATE // 10)
            assert not player.active
        assert "dropped: a stop came before it was done" in lines[0]
        a.play()
        a.similar()
        assert len(a.whatid()) == 2


def test_a_sequence_goes_on_after_a_change_of_direction_or_rate(stage, a):
    """What sounds says when the next one begins: never silence for long, never two at once."""
    a.id(LONG, SHORT).sequence()
    length = a.sounds[0].duration
    stage.hear(0.5)
    a.reverse()
    before = rms(stage.hear(0.4))
    assert before > 0
    stage.hear(0.15)  # from 0.5 s back to the beginning: then the next
    assert states(a) == ["silent", "playing"]
    a.play(1)
    a.stop().play(1)
    stage.hear(length - 0.05)
    assert active(stage) == 2  # the next one waits for its frame
    a.play(0.1)
    assert states(a) == ["playing", "silent"]
    stage.hear(0.4)
    assert states(a) == ["playing", "silent"]
    stage.hear(0.2)
    assert states(a) == ["silent", "playing"]


def test_a_sequence_that_stands_still_goes_on_with_the_same_voice(stage, a):
    a.id(LONG).sequence()
    stage.hear(0.5)
    [voice] = stage.player.active
    a.play(0)
    stage.hear(0.5)
    a.play(1)
    assert stage.player.active == (voice,)
    stage.hear(0.2)
    a.stop()
    stage.hear(0.1)
    assert active(stage) == 0


@pytest.mark.parametrize("halt", ["stop", "clear", "parallel"])
def test_nothing_is_left_of_what_waited_for_its_frame(stage, a, halt):
    a.id(LONG, SHORT).sequence()
    stage.hear(a.sounds[0].duration - 0.05)
    assert active(stage) == 2
    getattr(a, halt)()
    stage.hear(0.05)
    assert active(stage) == (2 if halt == "parallel" else 0)
    assert rms(stage.hear(1)) == 0 or halt == "parallel"


def test_what_sounds_in_a_sequence_is_removed_without_a_gap(stage, a):
    a.id(LONG, SHORT, 13138).sequence()
    stage.hear(a.sounds[0].duration - 0.05)
    a.remove(0)
    assert states(a) == ["playing", "silent"]
    stage.hear(0.02)
    assert active(stage) == 1
    a.remove(1)
    assert states(a) == ["playing"]


def test_a_stop_cuts_a_long_fade(stage, a):
    a.id(LONG)
    stage.hear(0.1)
    a.fadeout(30)
    assert rms(stage.hear(0.5)) > 0
    a.stop()
    stage.hear(0.05)
    assert active(stage) == 0
    assert rms(stage.hear(0.2)) == 0


def test_the_oldest_voice_gives_way_and_all_know_it(render):
    stage = render()
    a, b = stage.session.group("a"), stage.session.group("b")
    a.random(64)
    stage.hear(0.1)
    assert not stage.lines
    b.random(10)
    stage.hear(0.1)
    assert active(stage) == 64
    assert states(a) == ["silent"] * 10 + ["playing"] * 54
    [line] = stage.lines
    assert line.startswith("b: 64 sounds at once are the most: the oldest gives way, sound ")
    b.clear()
    a.play()
    stage.hear(0.1)
    assert states(a) == ["playing"] * 64
    assert active(stage) == 64


def test_a_fade_in_is_one_of_the_group(stage, a):
    """Not of each sound of a sequence by itself; and what comes meanwhile rises with it."""
    a.id(LONG).sequence()
    stage.hear(0.5)
    a.fadein(2)
    assert rms(stage.hear(0.02)[-441:]) < 0.001
    stage.hear(1)
    a.id(SHORT, 13138).parallel()
    assert gain(stage) == pytest.approx(0.5, abs=0.01)
    assert not any(voice._fade_in > 441 for voice in stage.player._mixer._everything())
    stage.hear(1.1)
    assert gain(stage) == 1.0


@pytest.mark.parametrize("halt", [lambda s, a: a.stop(), lambda s, a: s.panic(), lambda s, a: a.fadeout(0.1)])
def test_a_stop_forgets_a_fade_in(stage, a, halt):
    a.id(LONG).fadein(30)
    stage.hear(1)
    halt(stage.session, a)
    stage.hear(0.2)
    a.play()
    stage.hear(0.05)
    assert gain(stage) == 1.0
    a.fadein(30).fadeout(30)
    stage.hear(1)
    a.play()
    stage.hear(0.05)
    assert gain(stage) == 1.0


def test_a_volume_said_while_it_rises_is_reached_when_it_is_up(stage, a):
    a.id(LONG).fadein(2).volume(0.5)
    stage.hear(1)
    a.volume(0.25)
    assert 0.2 < gain(stage) < 0.3
    a.muteall()
    stage.hear(0.1)
    assert rms(stage.hear(0.1)) == 0
    a.unmute()
    stage.hear(1.1)
    assert gain(stage) == 0.25
