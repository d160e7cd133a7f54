"""A lesson on a real, paced device: JACK's server with its dummy driver."""

import io
import os
import signal
import time

import pytest

from corpus.errors import AudioError
from engine.cli.hearing import Hearing
from engine.playback import Player
from engine.teaching import Teacher


def test_one_sound_after_another_is_heard_and_only_that(jack, sonic):
    warnings = []
    teacher = Teacher(sonic, "water", who="anna", seed=1)
    player = Player(jack.device)
    hearing = Hearing(sonic, player, 0.5, warnings.append)
    for _ in range(3):
        status = teacher.status if teacher.status.sound else teacher.tag("ambi")
        hearing.keep(status.sound, teacher.upcoming)
        hearing.play(None)
        hearing.play(hearing.clip(status.sound))
        until(lambda: len(player.active) == 1)  # the one before fades out
        ahead = hearing._loading[teacher.upcoming.id]
        assert ahead.result().id == teacher.upcoming.id  # the next is loaded meanwhile
        teacher.skip()
    began = time.monotonic()
    assert player.wait_until_silent(timeout=5)
    assert time.monotonic() - began < 1.5  # only half a second of each, though they are longer
    assert player.stats()["peak"] > 0.001
    with pytest.raises(AudioError, match="has no audio here"):
        hearing.clip(_without_audio(sonic))
    os.kill(player._line.process.pid, signal.SIGKILL)
    hearing.play(hearing.clip(teacher.status.sound))
    assert [words.partition(":")[0] for words in warnings] == ["the audio process died (exit code -9)"]
    assert warnings[0].endswith("going on in silence")
    hearing.play(hearing.clip(teacher.upcoming))
    hearing.close()
    teacher.close()


def test_a_lesson_with_a_device_says_nothing_of_it(jack, sonic_home, mirla, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("g\na\nb\nq\n"))
    done = mirla("agent", "teach", "water", "--device", jack.device, "--seconds", 1)
    assert "device" not in done.err
    assert done.err.count("you said") == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("g\n"))
    refused = mirla("agent", "teach", "water", "--device", "no-such", check=24)
    assert refused.err.startswith("mirla: no sound device")


def until(true, seconds=2):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _without_audio(corpus):
    from corpus.model import Sound

    with corpus.database.write() as connection:
        corpus.sounds.insert(connection, [Sound(77, "unheard")], {})
    return corpus.sounds.get(77)
