"""What is heard, in a file: beside a real device, and where the disk or the ring is full."""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import soundfile

from engine.errors import DeviceError, EngineError
from engine.playback import Player
from engine.playback.recording import Recorder, Ring, make_ring
from engine.playback.wav import WavFile

RATE = 44100


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def noise(frames, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)


def test_what_is_heard_is_written(jack, make_clip, tmp_path):
    out, told = tmp_path / "set.wav", []
    clip = make_clip(noise(RATE // 2))
    with Player(jack.device, on_event=lambda *what: told.append(what)) as player:
        player.record(out)
        with pytest.raises(EngineError, match=r"set\.wav: it exists and is kept; choose another name"):
            player.record(out)
        player.start(clip)
        assert player.wait_until_silent(timeout=10.0)
        player.record(None)
        until(lambda: told)
        player.start(clip)  # not in the file
        assert player.wait_until_silent(timeout=10.0)
        figures = player.stats()
    audio, rate = soundfile.read(out)
    found = soundfile.info(out)
    assert (found.format, found.subtype, rate, audio.shape[1]) == ("WAV", "PCM_24", RATE, 2)
    assert figures["recorded"] == pytest.approx(len(audio) / RATE)
    assert figures["lost"] == 0
    begin = np.flatnonzero(audio.any(axis=1))[0]
    heard = audio[begin : begin + len(clip.frames)]
    np.testing.assert_allclose(heard[1000:-1000], clip.frames[1000:-1000], atol=1e-6)
    assert not audio[begin + len(clip.frames) :].any()
    assert told == [("record", f"recorded {out}: {len(audio) / RATE:.1f} s")]
    with pytest.raises(DeviceError, match="the player is closed"):
        player.record(tmp_path / "late.wav")


def test_closing_finishes_the_file_with_the_fade(jack, make_clip, tmp_path):
    with Player(jack.device) as player:
        player.start(make_clip(np.full(RATE, 0.5)), loop=True)
        player.record(tmp_path / "set.wav")
        until(lambda: player.stats()["recorded"] > 0.3)
    audio, _ = soundfile.read(tmp_path / "set.wav")
    assert audio.max() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(audio[-100:]).max() < 0.01


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("set.mp3", "its name does not end in .wav"),
        ("set", "its name does not end in .wav"),
        ("missing/set.wav", "No such file or directory; choose another place"),
    ],
)
def test_where_nothing_can_be_recorded(tmp_path, name, words):
    with pytest.raises(EngineError, match=words) as caught:
        Recorder(tmp_path / name, RATE, print)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_ring_keeps_order_and_counts_what_finds_no_room():
    memory = make_ring(100).map(write=True)  # of 1000 frames
    writer, reader = Ring(memory), Ring(memory)
    audio = noise(2500)
    for begin in range(0, 900, 300):
        writer.put(audio[begin : begin + 300])
    assert not len(reader.take())  # one look behind
    np.testing.assert_array_equal(reader.take(), audio[:900])
    for begin in range(900, 2100, 300):
        writer.put(audio[begin : begin + 300])
    assert writer.lost == reader.lost == 300
    reader.take()
    np.testing.assert_array_equal(reader.take(), audio[900:1800])
    writer.put(audio[:10, :1])
    reader.take()
    np.testing.assert_array_equal(reader.take(), audio[:10, [0, 0]])


def test_a_ring_that_ran_over_is_said_and_the_rest_is_written(tmp_path):
    told = []
    recorder = Recorder(tmp_path / "set.wav", RATE, told.append)
    ring = Ring(recorder.segment.map(write=True))
    ring.put(noise(11 * RATE))  # more than it holds
    until(lambda: told)
    ring.put(noise(RATE))
    recorder.stop()
    recorder.wait()
    assert recorder.lost == 11 * RATE
    assert [text.partition(f"{tmp_path}/")[2] for text in told] == [
        "set.wav: some of it is lost after 0.0 s: the disk is too slow; record to another place",
        "set.wav: 1.0 s, 11.0 s lost",
    ]
    assert soundfile.info(tmp_path / "set.wav").frames == RATE


def test_a_full_disk_is_said_once_and_it_goes_on_when_there_is_room(tmp_path):
    told = []
    recorder = Recorder(tmp_path / "set.wav", RATE, told.append)
    ring = Ring(recorder.segment.map(write=True))
    ring.put(noise(1000))
    until(lambda: recorder.seconds > 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
    try:
        for _ in range(2):
            before = recorder.lost
            ring.put(noise(1000))
            until(lambda before=before: recorder.lost > before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    ring.put(noise(1000, 1))
    recorder.stop()
    recorder.wait()
    audio, _ = soundfile.read(tmp_path / "set.wav")
    np.testing.assert_allclose(audio, np.concatenate([noise(1000), noise(1000, 1)]), atol=1e-6)
    assert len(told) == 2
    assert "some of it is lost after 0.0 s: File too large; make room" in told[0]


def test_a_killed_performance_leaves_all_but_the_last_second(jack, tmp_path):
    script = """
        import sys, time
        import numpy as np
        from engine.playback import Clip, Player
        player = Player("JACK")
        player.record("set.wav")
        player.start(Clip(1, np.full((44100, 2), 0.1, dtype=np.float32), 44100, 1.0, "tone"), loop=True)
        while player.stats()["recorded"] < 2.5:
            time.sleep(0.01)
        print("now", flush=True)
        time.sleep(60)
    """
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdout.readline() == "now\n"
        program.kill()
    audio, _ = soundfile.read(tmp_path / "set.wav")
    assert len(audio) > 1.5 * RATE
    assert np.abs(audio).max() == pytest.approx(0.1, abs=1e-3)


def test_a_wav_is_what_others_read_at_any_time(tmp_path):
    file = WavFile(tmp_path / "a.wav", 48000, 1)
    ramp = np.linspace(-1.5, 1.5, 100, dtype=np.float32)[:, np.newaxis]
    file.write(ramp)
    file.settle()
    file.write(ramp)  # not settled
    audio, rate = soundfile.read(tmp_path / "a.wav", dtype="float64")
    assert (rate, len(audio)) == (48000, 100)
    np.testing.assert_allclose(audio, np.clip(ramp[:, 0], -1, 1), atol=2e-7)
    file.close()
    assert soundfile.info(tmp_path / "a.wav").frames == 200


def test_a_wav_grows_no_larger_than_it_can(tmp_path):
    file = WavFile(tmp_path / "a.wav", RATE)
    file.frames = (2**32 - 2**16) // 6
    with pytest.raises(OSError, match="cannot be larger than 4 GB"):
        file.write(noise(10))
    file._file.close()
