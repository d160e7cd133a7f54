"""`mirla live` without a terminal; what can be completed; the line below the prompt."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.licences import Licence
from engine.cli.prompt_line import BottomLine
from engine.cli.prompt_words import Vocabulary
from engine.cli.scripted import lines_of
from engine.playback.offline import OfflinePlayer
from engine.session import Session


@pytest.fixture
def session(sonic_home):
    with Session(sonic_home, rendering=OfflinePlayer(), seed=1, raising=True) as opened:
        yield opened


def test_a_script_without_a_terminal_ends_after_it(mirla, sonic_home, tmp_path):
    (tmp_path / "set.py").write_text('a = group("a").id(100055)\na.whatid()\nwait(0.1)\n')
    done = mirla("live", tmp_path / "set.py", "--batch")
    assert done.err.splitlines()[-1] == "[100055]"
    with Corpus(sonic_home) as corpus:
        [performance] = corpus.performances.all()
        assert performance.title == "set.py"
        said = [one for one in corpus.performances.commands(performance) if one.facts.get("kind") != "event"]
        assert [one.verb for one in said] == ["id", "whatid", "fadeout", "stop"]
        assert performance.ended


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_script_that_is_told_to_end_fades_and_is_written_to_its_end(sonic_home, tmp_path, how):
    text = """
a = group("a").id(100055)
while not a.playing: wait(0.05)
try:
    print("waiting", flush=True)
    wait(1000)
except Exception:
    wait(1000)
"""
    (tmp_path / "set.py").write_text(text)
    command = [Path(sys.executable).with_name("mirla"), "--home", sonic_home, "live", tmp_path / "set.py"]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in err
    with Corpus(sonic_home) as corpus:
        [performance] = corpus.performances.all()
        assert performance.ended
        verbs = [one.verb for one in corpus.performances.commands(performance)]
        assert verbs[-2:] == ["fadeout", "stop"]
        assert [play.seconds for play in corpus.performances.plays()] != [None]


def test_errors_in_a_batch(mirla, sonic_home, tmp_path):
    (tmp_path / "set.py").write_text('oops\ngroup("a").volume(9)\ngroup("a").whatid()\n')
    done = mirla("--json", "live", tmp_path / "set.py", check=1)
    assert done.json == {"errors": 2}
    assert len(done.err.splitlines()) == 3
    assert "Traceback" in mirla("--debug", "live", tmp_path / "set.py", check=1).err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--agent", "nobody"), 9, "no agent 'nobody'"),
        (("--measure", "nearness"), 21, "nearness"),
        (("--batch",), 2, "nothing to play: name a script"),
        (("--loudness", "0"), 2, "-60<=x<=-10"),
    ],
)
def test_what_cannot_begin(mirla, sonic_home, tmp_path, words, code, said):
    (tmp_path / "set.py").write_text("wait(0)\n")
    script = () if "--batch" in words else (tmp_path / "set.py",)
    done = mirla("live", *script, *words, check=code)
    assert said in done.err


def test_on_stage_a_script_reaches_no_network(mirla, sonic_home, tmp_path):
    (tmp_path / "set.py").write_text('import socket\nsocket.create_connection(("freesound.org", 443), 1)\n')
    done = mirla("live", "--stage", tmp_path / "set.py", check=1, process=True, home=sonic_home)
    assert done.err.splitlines() == [
        f"{tmp_path}/set.py, line 2: stage mode: no way to freesound.org, only to this computer itself; "
        "leave out --stage to use it"
    ]


@pytest.mark.parametrize(
    ("line", "typed", "words"),
    [
        ("a.si", "si", ["similar", "similarauto"]),
        ("x = a.tag('drum', 2).pla", "pla", ["play", "playauto", "playautodown"]),
        ("s.pan", "pan", ["panic"]),
        ("s.gr", "gr", ["group", "groups"]),
        ("s.group('b').sl", "sl", ["slice"]),
        ('a.tag("dr', "dr", ["drum", "drone", "drop"]),
        ('a.tag("bass dro', "dro", ["drone", "drop"]),
        ('a.random(2, tags=["drum", "dro', "dro", ["drone", "drop"]),
        ('a.similar(0, agent="pe', "pe", ["percussive"]),
        ("a.similar(0, not_agent=['percussive', 'pe", "pe", ["percussive"]),
        ('s.agent("', "", ["percussive"]),
        ('a.similar(measure="mfcc_c', "mfcc_c", ["mfcc_cosine"]),
        ('s.measure("mfcc_r', "mfcc_r", ["mfcc_raw"]),
        ('a.effect("rev', "rev", ["reverb"]),
        ('group("', "", ["a", "b"]),
        ("a.random(licence='Attribution N", "Attribution N", ["Attribution NonCommercial"]),
        ("b.id(", "", ["100055", "4832"]),
        ("b.id(100", "100", ["100055"]),
        ("a.play(", "", ["rate="]),
        ('a.tag("drum", si', "si", ["size="]),
        ('a.tag("drum", str', "str", ["strict="]),
        ("a.nothing", "nothing", []),
    ],
)
def test_completion(session, line, typed, words):
    session.corpus.agents.create("percussive", "", ["mfcc"], "mlp")
    a, _ = session.group("a").id(100055, 4832), session.group("b")
    names = {"s": session, "group": session.group, "wait": session.wait, "a": a, "b": session.group("b")}
    found_typed, found = Vocabulary(session, names).after(f"x = 1\n{line}")
    assert (found_typed, [word.text for word in found]) == (typed, words)


@pytest.mark.parametrize("line", ["", "pri", "x.up", 'print("dr', "a.similar(agent=na", "a.play(1 + ra"])
def test_what_is_left_to_python(session, line):
    names = {"s": session, "a": session.group("a"), "x": "text"}
    assert Vocabulary(session, names).after(line) is None


def test_strangers_words_are_escaped(session):
    sound = session.corpus.sounds.get(100055)
    found = Vocabulary(session, {"a": session.group("a").id(sound.id)}).after("a.id(")
    assert found[1][0].about == sound.name
    assert lines_of(["kick\x1b[2J"]) == ["kick\\x1b[2J"]
    assert lines_of("kick\x1b[2J") == ["kick\\x1b[2J"]
    assert lines_of([{"name": "kick\x1b[2J", "duration": 1.0, "username": None}]) == ["kick\\x1b[2J  1.00 s  ?"]


def test_answers_in_lines(session):
    a = session.group("a").id(100055)
    assert lines_of(a) == lines_of(session) == lines_of(None) == []
    assert lines_of(a.whatid()) == ["[100055]"]
    assert lines_of(a.credits()) == a.credits()
    [line] = lines_of(session.find("cymbal", k=1))
    assert "cymbal" in line


def test_the_line_below_the_prompt(session, monkeypatch):
    monkeypatch.setattr("engine.cli.prompt_line.SECONDS", 0.0)
    line = BottomLine(session)
    assert line() == " nothing plays "
    session.group("a").id(100055, 4832)
    session.wait(0.2)
    assert line().startswith(" a: ")
    assert "(CC0) | -" in line()
    assert line().endswith(" dBFS ")
    stats = session.rig.instrument.stats() | {"underruns": 3, "errors": 1}
    monkeypatch.setattr(session.rig.instrument, "stats", lambda: stats)
    assert line().endswith("dBFS | 3 drop-outs | 1 audio errors ")
    session.group("a").stop()
    session.wait(2)
    assert line().startswith(" a: silent | ")


def test_many_sounds_many_licences(session):
    from engine.cli.prompt_line import _sounding

    [sound] = session.corpus.sounds.many([100055])
    from dataclasses import replace

    some = [
        replace(sound, name="n" * 50, licence=Licence(name))
        for name in ("Attribution", "Attribution NonCommercial", "", "Sampling+", "x\x1b")
    ]
    name = "n" * 18
    assert _sounding(some) == f"{name}, {name}, {name} and 2 more (BY, BY-NC, an unknown licence, Sampling+, x\\x1b)"
