"""The audio process on a real, paced device: JACK's server with its dummy driver, one of our own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import DeviceError, EngineError
from engine.playback import Player, arrange, play_arrangement

RATE = 44100
SECONDS = 2.0


@pytest.fixture
def player(jack):
    with Player(jack.device) as player:
        yield player


def noise(seconds, seed=0):
    return 0.02 * np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))


def wait_until_gone(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
        if not state.strip() or state.startswith("Z"):  # a zombie only waits for its new parent
            return True
        time.sleep(0.05)
    return False


def test_many_voices_are_heard_in_time(player, make_clip):
    clips = [make_clip(noise(SECONDS, seed), gain=1.5) for seed in range(16)]
    for clip in clips:
        player.load(clip)
    before, begin = player.stats(), time.monotonic()
    for clip in clips:
        player.start(clip)
    assert player.wait_until_silent(timeout=3 * SECONDS)
    elapsed, after = time.monotonic() - begin, player.stats()
    assert (player.rate, player.channels) == (RATE, 2)
    assert elapsed == pytest.approx(SECONDS, abs=0.3)
    assert after["callbacks"] - before["callbacks"] == pytest.approx(SECONDS * RATE / 256, rel=0.2)
    assert before["peak"] == 0.0
    assert 0.1 < after["peak"] <= 10 ** (-1 / 20)
    assert after["errors"] == 0


def test_thirty_two_voices_drop_out_no_more_than_silence(jack, player, make_clip):
    """What the server and PortAudio count while playing, against as long a silence just before.

    Three chances, since somebody else's work on the same cores may fall into either half.
    """

    def counted():
        before = jack.xruns(), player.stats()["underruns"]
        time.sleep(SECONDS)
        return jack.xruns() - before[0], player.stats()["underruns"] - before[1]

    clips = [make_clip(noise(1.0, seed)) for seed in range(32)]
    counts = []
    for _ in range(3):
        idle = counted()
        for clip in clips:
            player.start(clip, loop=True)
        playing = counted()
        assert len(player.active) == 32
        player.panic()
        assert player.wait_until_silent(timeout=1.0)
        counts.append((idle, playing))
        if playing[0] <= idle[0] and playing[1] <= idle[1]:
            return
    pytest.fail(f"(xruns, underruns) idle and playing: {counts}")


def test_an_arrangement_is_announced_in_order_and_lasts(player, make_clip):
    clips = [make_clip(noise(0.3, seed)) for seed in range(3)]
    begin = time.monotonic()
    heard = []
    placed = arrange(clips, seconds=1.0)
    assert play_arrangement(player, placed, lambda item: heard.append((item, time.monotonic() - begin)))
    assert time.monotonic() - begin == pytest.approx(1.0, abs=0.3)
    assert [item for item, _ in heard] == placed
    for item, when in heard:
        assert when == pytest.approx(item.start / RATE + 0.1, abs=0.15)


def test_a_sound_that_is_over_before_anybody_looked_is_announced(make_clip):
    class Asleep:  # a player whose clock stands still while the sound goes by
        rate, position, active = RATE, 0, ()
        load = unload = wait_until_silent = start = lambda *_, **__: None

    heard = []
    placed = arrange([make_clip([0.5])])
    assert play_arrangement(Asleep(), placed, heard.append)
    assert heard == placed


def test_stop_panic_and_replaced_clips(player, make_clip):
    one, two = (make_clip(noise(0.5, seed)) for seed in range(2))
    voices = [player.start(one, loop=True), player.start(two, loop=True), player.start(two, at=10**9)]
    assert voices == [1, 2, 3]
    assert player.active == (1, 2, 3)  # at once, though the device may not have asked yet
    assert not player.wait_until_silent(timeout=0.05)
    player.stop(1)
    time.sleep(0.1)
    assert player.active == (2, 3)
    player.unload(two)
    assert player.wait_until_silent(timeout=1.0)
    assert player.start(two, loop=True) == 4  # loaded again by itself
    player.panic()
    assert player.wait_until_silent(timeout=1.0)
    position = player.position
    time.sleep(0.1)
    assert player.position > position


def test_groups_rates_pans_and_glides_reach_the_loudspeakers(player, make_clip, tmp_path):
    when = np.arange(RATE) / RATE
    tone = player.load(make_clip(0.2 * np.sin(2 * np.pi * 441 * when)))
    assert player.load(tone) is tone
    player.record(tmp_path / "set.wav")
    voice = player.start(tone, loop=True, group="a", rate=-0.5, begin=1000, end=45000)
    player.mix("a", pan=1.0, seconds=0.0)
    time.sleep(0.4)
    player.change(voice, rate=2.0, gain=0.5)
    time.sleep(0.4)
    player.effects("a", [("highpf", {"freq": 10000.0})])
    time.sleep(0.4)
    player.fade_out("a", 0.05)
    assert player.wait_until_silent(timeout=10.0)
    figures = player.stats()
    player.close()
    audio, _ = soundfile.read(tmp_path / "set.wav")
    assert figures["errors"] == figures["faults"] == 0
    assert 0.0 < figures["load"] < 1.0
    begin, end = np.flatnonzero(np.abs(audio[:, 1]) > 1e-4)[[0, -1]]
    assert np.abs(audio[begin + 2000 : end - 2000, 0]).max() < 1e-6  # all on the right
    slow, fast, filtered = (audio[begin + round(at * RATE) :, 1][:8820] for at in (0.1, 0.55, 0.95))
    assert [pitch(slow), pitch(fast)] == pytest.approx([220.5, 882.0], abs=6.0)
    assert [np.abs(part).max() for part in (slow, fast)] == pytest.approx([0.2, 0.1], rel=0.1)
    assert np.abs(filtered).max() < 0.02


def pitch(audio):
    return np.argmax(np.abs(np.fft.rfft(audio))) * RATE / len(audio)


def test_what_has_no_meaning_is_refused_before_it_is_sent(player, make_clip):
    clip = make_clip(noise(0.1))
    voice = player.start(clip, loop=True)
    for act, words in (
        (lambda: player.start(clip, rate=float("nan")), "rate nan of 'clip"),
        (lambda: player.start(clip, begin=99999), "frames 99999 to"),
        (lambda: player.start(clip, fade_in=float("inf")), "time inf of"),
        (lambda: player.change(voice, gain=float("nan")), f"gain nan of voice {voice}"),
        (lambda: player.stop(voice, float("nan")), f"time nan of voice {voice}"),
        (lambda: player.mix("a", pan=float("nan")), "pan nan of group 'a'"),
        (lambda: player.mix("", gain=1.0), "name a group"),
        (lambda: player.fade_out("a", float("inf")), "time inf of group 'a'"),
        (lambda: player.effects("a", [("fuzz", {})]), "no effect 'fuzz'; known are"),
        (lambda: player.effects("a", [("lowpf", {"loud": 1.0})]), "effect 'lowpf' has no 'loud'"),
        (lambda: player.effects("", [("lowpf", {})]), "name a group"),
    ):
        with pytest.raises(EngineError, match=words) as caught:
            act()
        assert "\n" not in str(caught.value)
    assert player.active == (voice,)
    assert player.stats()["errors"] == 0


def test_memory_is_held_once_and_let_go(player, make_clip):
    def mapped():
        lines = Path(f"/proc/{player._line.process.pid}/maps").read_text().splitlines()
        return sum("/dev/shm/" in line for line in lines)

    own = make_clip(noise(0.5))
    shared = player.load(own)
    assert not np.shares_memory(shared.frames, own.frames)
    np.testing.assert_array_equal(shared.frames, own.frames)
    assert not shared.frames.flags.writeable
    before = mapped()
    player.start(own, loop=True)  # the same key: what is there
    assert mapped() == before
    player.unload(own)
    deadline = time.monotonic() + 10.0
    while mapped() >= before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_cannot_be_played_is_said_and_the_rest_goes_on(player, make_clip):
    with pytest.raises(EngineError, match="at 48000 Hz, the mixer at 44100 Hz"):
        player.start(make_clip(noise(0.1), rate=48000))
    with pytest.raises(EngineError, match="gain inf"):
        player.start(make_clip(noise(0.1)), gain=float("inf"))
    player.start(make_clip([]))
    assert player.wait_until_silent(timeout=1.0)
    assert player.stats()["errors"] == 0


def test_the_audio_process_is_light(player):
    names = player.modules()
    assert {name for name in names if name.startswith("corpus")} <= {"corpus", "corpus.plugins"}  # the registry alone
    loaded = {name.partition(".")[0] for name in names}
    assert {"numpy", "sounddevice", "engine"} <= loaded
    assert not loaded & {"sqlalchemy", "requests", "faiss", "sklearn", "click", "rich"}
    assert not loaded & {"soundfile", "soxr", "essentia", "librosa", "scipy", "pytest"}


def test_not_enough_shared_memory_is_said(player, make_clip, monkeypatch):
    monkeypatch.setattr("engine.playback.shared.SHARED_FOLDER", "/proc")  # a file system of no bytes
    with pytest.raises(EngineError, match=r"needs .* MB of shared memory in /proc: .*; unload other"):
        player.start(make_clip(noise(0.1)))


def test_a_dead_audio_process_is_one_line(jack, make_clip):
    with Player(jack.device) as player:
        player.start(make_clip(noise(0.5)), loop=True)
        os.kill(player._line.process.pid, signal.SIGKILL)
        with pytest.raises(DeviceError, match=r"the audio process died \(exit code -9\): open the device again"):
            player.wait_until_silent(timeout=5.0)
    with pytest.raises(DeviceError, match="the player is closed"):
        player.panic()


def test_a_dead_device_is_one_line(start_jack, monkeypatch):
    monkeypatch.setattr("engine.playback.line.ANSWER_SECONDS", 30.0)
    server = start_jack()
    server.use(monkeypatch)
    with Player(server.device) as player:
        server.end()
        with pytest.raises(DeviceError, match="stopped asking for sound: open it again"):
            for _ in range(600):
                time.sleep(0.05)
                player.panic()


def test_no_such_device_is_one_line(jack):
    with pytest.raises(DeviceError, match=r"no sound device: .*no-such-device.*; use `mirla render") as caught:
        Player("no-such-device")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("portaudio", "words"),
    [
        ("raise OSError('PortAudio library not found')", "PortAudio library not found; install it .* or use"),
        ("query_devices, PortAudioError = list, OSError", "this computer has none that PortAudio finds; use"),
    ],
)
def test_a_computer_without_sound_is_one_line(monkeypatch, tmp_path, portaudio, words):
    (tmp_path / "sounddevice.py").write_text(portaudio)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])  # the audio process gets it too
    with pytest.raises(DeviceError, match=f"no sound device: {words} `mirla render ID… --out OUT.wav`"):
        Player()


@pytest.fixture
def perform(jack, tmp_path):
    """Run a performer's script, with no guard around its main part; return it and the audio process's id."""
    programs = []

    def start(ending):
        script = tmp_path / "performance.py"
        script.write_text(textwrap.dedent(BEGINNING) + ending)
        pipe = subprocess.PIPE
        program = subprocess.Popen(
            [sys.executable, script], stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        programs.append(program)
        assert program.stdout.readline() == "main\n"
        return program, int(program.stdout.readline())

    yield start
    for program in programs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)  # its session: nobody else's
        program.communicate()


BEGINNING = """
    print("main", flush=True)
    import numpy as np
    from engine.playback import Clip, Player, arrange, play_arrangement
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, (44100, 2)).astype(np.float32)
    clip = Clip(1, audio, 44100, 1.0, "noise")
    import atexit
    atexit.register(lambda: print("closed:", player._closed.is_set()))  # runs after what was registered later
    player = Player("JACK")
    print(player._line.process.pid, flush=True)
    player.start(clip, loop=True)
"""


def test_an_orphan_leaves_within_two_seconds(perform):
    program, child = perform("print('playing', flush=True)\ninput()")
    assert program.stdout.readline() == "playing\n"
    program.kill()
    assert wait_until_gone(child, 2.0)


def test_an_orphan_leaves_though_a_fork_holds_the_pipe(perform):
    program, child = perform("import os, time\nif os.fork(): print('forked', flush=True)\ntime.sleep(30)")
    assert program.stdout.readline() == "forked\n"
    program.kill()
    assert wait_until_gone(child, 2.0)


def test_a_script_that_only_ends_fades_out_and_leaves_nothing(perform):
    program, child = perform("")
    out, err = program.communicate(timeout=20)
    assert (program.returncode, out, err) == (0, "closed: True\n", "")
    assert wait_until_gone(child, 1.0)


def test_a_performers_folder_may_hold_files_named_as_modules(jack, tmp_path, monkeypatch):
    for name in ("signal", "struct", "numpy", "engine"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    with Player(jack.device) as player:
        assert player.rate == RATE


def test_ctrl_c_fades_out_and_says_so(perform):
    program, child = perform("print(play_arrangement(player, arrange([clip], seconds=60)), player.active)")
    time.sleep(0.7)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all of the program's processes
    out, err = program.communicate(timeout=10)
    assert (program.returncode, out, err) == (0, "False ()\nclosed: True\n", "")
    assert wait_until_gone(child, 1.0)
