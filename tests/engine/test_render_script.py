"""`mirla render --script`: the same script as live, against a virtual clock."""

import json

import numpy as np
import pytest
import soundfile

from corpus import Corpus

SET = """
a = group("a").random(3)
b = group("b")
b.tag("drum", 2).sequence()
h = b.similarauto(size=3, tempo="1b")
a.playauto(times=4, tempo=0.5)
wait(1.5)
a.reverb(0.3).pan(-0.5)
a.fadeout("2b")
wait(1)
"""


@pytest.fixture
def script(tmp_path):
    def write(text, name="set.py"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_with_a_seed_the_same_every_time(mirla, sonic_home, script, tmp_path):
    outs = [tmp_path / f"{number}.wav" for number in range(3)]
    for out, seed in zip(outs, (1, 1, 2), strict=True):
        done = mirla("--json", "render", "--script", script(SET), "--out", out, "--seed", seed)
        assert done.err == ""
        assert done.json | {"lufs": 0, "peak_dbfs": 0} == {
            "out": str(out), "seconds": 2.5, "lufs": 0, "peak_dbfs": 0, "errors": 0,
        }  # fmt: skip
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[0].read_bytes() != outs[2].read_bytes()
    audio, rate = soundfile.read(outs[0])
    assert audio.shape == (round(2.5 * rate), 2)
    assert np.abs(audio).max() > 0.01
    with Corpus(sonic_home) as corpus:
        assert corpus.performances.all() == [], "what is rendered was not performed"


@pytest.mark.parametrize("seconds", [0.5, 4])
def test_seconds_cut_a_script_and_let_it_go_on(mirla, sonic_home, script, tmp_path, seconds):
    text = 'group("a").id(100055)\ntry:\n    wait(1)\nexcept Exception:\n    pass\n'
    done = mirla("--json", "render", "--script", script(text), "--out", tmp_path / "o.flac", "--seconds", seconds)
    assert done.json["seconds"] == seconds
    assert soundfile.info(tmp_path / "o.flac").frames == seconds * 44100


def test_a_script_that_lets_no_time_pass(mirla, sonic_home, script, tmp_path):
    done = mirla("render", "--script", script('group("a").random(2)\n'), "--out", tmp_path / "o.wav", check=40)
    assert (
        done.err
        == f"mirla: {script('')} lets no time pass, so nothing is heard: end it with wait(8), or say --seconds 8\n"
    )
    assert list(tmp_path.glob("*o.wav*")) == []


def test_errors_are_lines_and_the_sound_goes_on(mirla, sonic_home, script, tmp_path):
    typed = ['a = group("a")', 'a.play(agent="x")', 'a.tag("nothing at all \x1b[2J")', "oops", "a.whatid()"]
    file = script("\n".join([*typed, "a.random()", 'wait("x")', "wait(1)", ""]))
    done = mirla("--json", "render", "--script", file, "--out", tmp_path / "o.wav", check=1)
    lines = done.err.splitlines()
    assert len(lines) == 5, done.err
    assert lines[0].startswith("a: play: got an unexpected keyword argument 'agent'; it is play(rate=1.0)")
    assert lines[1].startswith("a: no sound: none has the tag 'nothing'")
    assert (
        lines[2]
        == f"{file}, line 4: no name 'oops' here; oops = group(\"oops\") makes a group of it, if it is not misspelt"
    )
    assert lines[3] == "[]"
    assert lines[4].startswith(f"{file}, line 7: 'x' is no length of time")
    assert done.json["errors"] == 4
    assert done.json["peak_dbfs"] is not None


def test_no_python_writes_nothing(mirla, sonic_home, script, tmp_path):
    done = mirla("render", "--script", script("x = = 1"), "--out", tmp_path / "o.wav", check=40)
    assert done.err == f"mirla: {script('')}, line 1: invalid syntax: x = = 1; mend it, nothing was played\n"
    assert not (tmp_path / "o.wav").exists()


def test_a_set_is_played_again_from_its_log(mirla, sonic_home, script, tmp_path):
    entry = {"at": 0.25, "group": "a", "verb": "random", "given": [], "named": {}, "answer": [100055]}
    stop = {"at": 1.0, "group": None, "verb": "stop", "given": [], "named": {}, "answer": None}
    log = script("\n".join(map(json.dumps, [entry, stop])), "set.jsonl")
    assert mirla("--json", "render", "--script", log, "--out", tmp_path / "o.wav").json["seconds"] == 1.0
    audio, rate = soundfile.read(tmp_path / "o.wav")
    assert not audio[: rate // 4].any()
    assert audio[rate // 4 : rate // 2].any()
    written = [soundfile.read(tmp_path / "o.wav")[0]]
    mirla("render", "--script", log, "--out", tmp_path / "o.wav", "--seed", 9)
    assert (soundfile.read(tmp_path / "o.wav")[0] == written[0]).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name sounds, or a script with --script"),
        (("1", "--script", "x.py"), "name sounds, or a script with --script"),
        (("--script", "x.py", "--together"), "--together is for sounds"),
        (("1", "--seed", "1"), "--seed is for --script"),
    ],
)
def test_options_that_contradict_each_other(mirla, words, said):
    assert said in mirla("render", *words, "--out", "o.wav", check=2).err


def test_another_ending_is_refused(mirla, sonic_home, script, tmp_path):
    done = mirla("render", "--script", script("wait(1)"), "--out", tmp_path / "o.mp3", check=20)
    assert ".mp3 is not .wav or .flac" in done.err
