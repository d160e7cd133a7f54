"""Every verb there is, said in one script, rendered and live, without a network: in a namespace with no interface but
loopback; and the set again from its log.
"""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpus import Corpus
from engine.agent.training import train
from engine.group import Group
from engine.palette import publish
from engine.performing.verbs import verbs_of
from engine.session import Session

CYMBAL, TABLA = 100055, 4832
TRAITS = {
    CYMBAL: {"pitch": 440.0, "bpm": 120.0, "dissonance": 0.3, "tonality": "A major"},
    TABLA: {"pitch": 220.0, "bpm": 90.0, "dissonance": 0.1},
}
SET = """
s.tempo(240).measure("mfcc_cosine").agent("bright").agent()
s.record(RECORDING)
a, b, c, d, e = (group(name) for name in "abcde")

a.agent("bright").agent().measure("mfcc")
a.id(100055).random().tag("drum", 2).search("tabla").similar(0, 2).filter(0, 1, "duration:[0 TO 2]")
e.palette("kit", 0)
b.near(pitch=440).content("dur", 1, 1.0).pitch(220)
c.bpm(120).dur(1.0).diss(0.3)
wait(0.2)
a.info()
a.whatid()
a.whatdur()
a.whatpitch()
a.whatbpm()
a.whatkey()
a.credits()

a.play(0.5).reverse().volume(0.5).pan(-0.3, "1b").fadein(0.2).pitchshift(3).remove(0)
wait(0.3)
a.solo(0).mute(1).unmute(0).unmute().muteall().unmute()
b.sequence().parallel(1.0).slice(0).slice()
wait(0.2)

a.lowpf(800).highpf(200).bandpf().reverb(0.3).delay(1).chorus().vibrato().bitcrush(8)
a.distort(6).rmod(300).compress().effect("lowpf", 500)
wait(0.2)
a.bypass("rmod").bypass()

d.id(100055)
d.similarauto(0, 2, 0.1)
d.sameidauto(4832, 1, "1/2b")
d.playauto(2, 0.1)
d.playautodown(1.0, 0.5, 2, 0.1)
d.autochopped(2, 0.05)
wait(0.6)
e.id(4832)
wait(0.1)
e.stop().clear()

s.find("cymbal")
s.find(like=100055, k=2)
s.status()
s.credits()
a.fadeout("1b")
wait(0.3)
s.stoprecording()
wait(0.1)
s.stop().panic()
wait(0.1)
"""
ALONE = """
set -e
test "$(sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' ')" = lo
ip link set lo up 2>/dev/null || true
exec "$@"
"""


@pytest.fixture(scope="module")
def complete_home(finished_home, tmp_path_factory):
    """A home with all that verbs can ask for: an agent, traits, onsets and a palette."""
    home = tmp_path_factory.mktemp("complete") / "home"
    shutil.copytree(finished_home, home, ignore=shutil.ignore_patterns("cache"))
    with Corpus(home) as corpus:
        assert not corpus.analyse(ids=[CYMBAL, TABLA], onsets=True, jobs=1).failed
        with corpus.database.write() as connection:  # as Freesound serves them
            for sound_id, traits in TRAITS.items():
                corpus.descriptors.put(connection, sound_id, "api", traits)
        bright = corpus.agents.create("bright", "", ["mfcc"], "lda")
        corpus.agents.annotate(bright, [CYMBAL, 100057], "good", who="test", session="1")
        corpus.agents.annotate(bright, [100051, TABLA], "bad", who="test", session="1")
        train(corpus, bright)
        publish(corpus, "kit", [CYMBAL, TABLA])
    return home


def written(tmp_path):
    script = tmp_path / "every.py"
    script.write_text(SET.replace("RECORDING", repr(str(tmp_path / "recorded.wav"))))
    return script


def without_a_network(*words):
    """Run the program where there is none."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may make a network namespace here")
    program = Path(sys.executable).with_name("mirla")
    command = ["unshare", "-n", "sh", "-c", ALONE, "sh", str(program), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_every_verb_is_in_the_set():
    """A new verb is to be added to it."""
    said = {True: set(), False: set()}
    for call in ast.walk(ast.parse(SET)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            speaker = call.func.value
            while not isinstance(speaker, ast.Name):
                speaker = speaker.func.value if isinstance(speaker, ast.Call) else speaker.value
            said[speaker.id == "s"].add(call.func.attr)
    assert said[False] == set(verbs_of(Group))
    assert said[True] == set(verbs_of(Session))


def test_every_verb_rendered(complete_home, tmp_path):
    out = tmp_path / "out.wav"
    done = without_a_network(
        "--home", complete_home, "--json", "render", "--script", written(tmp_path), "--out", out, "--seed", "1"
    )
    assert done.returncode == 0, done.stderr[-1500:]
    answer = json.loads(done.stdout)
    assert answer["errors"] == 0, done.stderr
    assert answer["seconds"] == 2.1
    assert answer["peak_dbfs"] > -30
    assert (tmp_path / "recorded.wav").stat().st_size > 100_000


def test_every_verb_live_and_again_from_its_log(complete_home, jack, tmp_path, mirla):
    words = ("live", written(tmp_path), "--batch", "--stage", "--device", jack.device, "--seed", "1")
    done = without_a_network("--home", complete_home, "--json", *words)
    assert done.returncode == 0, done.stderr[-1500:]
    assert json.loads(done.stdout) == {"errors": 0}
    with Corpus(complete_home) as corpus:
        performance = corpus.performances.all()[-1]
        commands = corpus.performances.commands(performance)
        played = {play.sound_id for play in corpus.performances.plays(performance=performance)}
    commands = [one for one in commands if one.facts.get("kind") != "event"]
    assert {one.verb for one in commands if one.group} == set(verbs_of(Group))
    assert {one.verb for one in commands if not one.group} == set(verbs_of(Session))
    assert not [one for one in commands if one.error]

    log, out = tmp_path / "set.jsonl", tmp_path / "again.wav"
    mirla("sets", "log", performance.id, "--out", log, home=complete_home)
    again = mirla("--json", "render", "--script", log, "--out", out, home=complete_home)
    assert (again.json["errors"], again.err) == (0, "")
    assert again.json["seconds"] >= 2.1
    brought = {sound for one in commands if isinstance(one.answer, list) and one.verb == "id" for sound in one.answer}
    assert brought <= played
