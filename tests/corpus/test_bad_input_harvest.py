"""What goes wrong around a harvest is one clear line, with what to do, and nothing is lost."""

import os
import signal
import socket
import subprocess
import time

import pytest

from corpus import Corpus
from corpus.freesound import client as client_module
from tests.bad_input import PROGRAM, assert_safe, one_line, run
from tests.corpus.harvested import enter, whole
from tests.corpus.test_bad_input_full_disk import Disk, assert_whole, held
from tests.freesound import made_up

TABLA = ("harvest", "--tag", "tabla")


@pytest.fixture
def key(freesound):
    """The environment of a performer with a key, for processes of their own."""
    return {"MIRLA_FREESOUND_URL": freesound.url, "FREESOUND_TOKEN": freesound.token}


def listed(home):
    return run("--json", "harvest", "--list", home=home).json["harvests"]


def test_no_key_and_a_wrong_one(home, key):
    one_line(run(*TABLA, home=home, env={**key, "FREESOUND_TOKEN": ""}, check=14), "https://freesound.org/apiv2/apply/")
    wrong = {**key, "FREESOUND_TOKEN": "wr0ng" * 8}
    line = one_line(run(*TABLA, home=home, env=wrong, check=14), "Invalid token", "check FREESOUND_TOKEN")
    assert wrong["FREESOUND_TOKEN"] not in line
    assert listed(home) == [], "what never began is not gone on with"


def test_no_network(home, monkeypatch, mirla, freesound):
    enter(monkeypatch, freesound)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MIRLA_FREESOUND_URL", f"http://127.0.0.1:{unused.getsockname()[1]}/apiv2")
        line = one_line(mirla(*TABLA, check=18), "cannot reach 127.0.0.1", "is there a network?")
    assert line.endswith("0 sounds and 0 files came before that; `mirla harvest --resume 1` goes on")
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    assert mirla("--json", "harvest", "--resume", "1").json["found"] == 27


def test_a_filter_that_freesound_rejects(home, key):
    line = one_line(run("harvest", "--filter", "bpm:[1 TO", home=home, env=key, check=16), "Search server error")
    assert "check that your filter syntax" in line


def test_more_bytes_than_wanted(home, key):
    done = run("--json", *TABLA, "--max-bytes", "100000", home=home, env=key)
    assert 0 < done.json["bytes"] <= 100_000
    assert (done.json["state"], done.json["within_bytes"]) == ("audio", False)
    one_line(
        done, "stopped at --max-bytes 100000", "`mirla harvest --resume 1 --max-bytes … ` with more".replace("… ", "…")
    )
    again = run("--json", "harvest", "--resume", home=home, env=key).json
    assert again["bytes"] + done.json["bytes"] <= 100_000, "the bound is that of the whole harvest"
    rest = run("--json", "harvest", "--resume", "--max-bytes", "100000000", home=home, env=key).json
    assert (rest["state"], rest["within_bytes"]) == ("done", True)
    with Corpus(home) as corpus:
        assert corpus.status()["with_audio"] == corpus.status()["sounds"] == 27
        assert whole(corpus)


def test_a_recipe_with_an_unknown_key(home, key, tmp_path):
    (tmp_path / "odd.toml").write_text("[[query]]\ntgas = ['x']\n")
    one_line(
        run("harvest", "--recipe", tmp_path / "odd.toml", home=home, env=key, check=19),
        "odd.toml, query 1: unknown key 'tgas'; known are text",
    )
    one_line(run("harvest", "--recipe", tmp_path / "no.toml", home=home, env=key, check=19), "no.toml cannot be read")


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ((), 19, "a harvest without any bound is refused"),
        (("--licence", "CC0"), 19, "a harvest without any bound is refused"),
        (("x", "--relock"), 19, "--relock is about a recipe's lock file"),
        (("x", "-k", "5"), 19, "-k 5 is how many sounds the agents may choose; name one with --agent"),
        (("--resume", "7"), 19, "no harvest 7; `mirla harvest --list` shows them"),
        (("--resume",), 19, "no harvest is unfinished"),
        (("x", "--agent", "nobody"), 9, "nobody"),
        (("x", "--agent", "nobody", "--dry-run"), 9, "nobody"),
        (("x", "--hops", "2"), 19, "--hops says how --like is meant; give that too"),
        (("x", "--seed", "2"), 19, "--seed says how --random is meant; give that too"),
        (("--tag", ""), 19, "one of the tags is empty; leave it out"),
        (("x", "--licence", "nonsense"), 19, "no licence 'nonsense' at Freesound; there are Creative Commons 0, Attr"),
        (("x", "--max-duration", "nan"), 19, "max_duration = nan makes no sense; give 0.001 to 1e+06"),
        (("--drop", "3"), 19, "no harvest 3"),
    ],
)
def test_what_cannot_be_asked_for(home, key, words, code, line):
    one_line(run("harvest", *words, home=home, env=key, check=code), line)


def test_what_cannot_be_said_anew(home, key):
    run(*TABLA, "--audio", "none", home=home, env=key)
    for words, named in ((["--audio", "hq-mp3"], "--audio"), (["x"], "text"), (["--hops", "1"], "--hops")):
        line = one_line(run("harvest", "--resume", "1", *words, home=home, env=key, check=19), f"leave out {named}")
        assert "goes on as it was begun" in line


def test_ids_that_are_none(home, key, tmp_path):
    for content, words in ((b"12 x", "'x' is not"), (b"\xff\xfe1", "is not a Freesound id"), (b" ,\n", "holds no ids")):
        (tmp_path / "ids").write_bytes(content)
        one_line(run("harvest", "--ids", tmp_path / "ids", home=home, env=key, check=19), words)
    (tmp_path / "ids").write_text("4832, 100055;\n4832\n")
    assert run("--json", "harvest", "--ids", tmp_path / "ids", home=home, env=key).json["found"] == 2


def test_more_sounds_than_may_come(home, key):
    done = run("--json", *TABLA, "--max-sounds", "5", "--audio", "none", home=home, env=key)
    assert (done.json["found"], done.json["within_sounds"]) == (5, False)
    one_line(done, "stopped at 5 sounds and left out what is beyond; --max-sounds says how many may come")
    assert run("--json", *TABLA, "--max-sounds", "27", "--audio", "none", home=home, env=key).json["within_sounds"]


def test_a_harvest_is_let_go_of(home, key):
    run(*TABLA, "--max-bytes", "50k", home=home, env=key)
    assert run("--json", "harvest", "--drop", "1", home=home).json == {"dropped": 1}
    assert listed(home) == []
    assert run("--json", "status", home=home).json["with_audio"] > 0, "what it brought stays"
    again = run("--json", *TABLA, "--max-bytes", "1G", home=home, env=key).json
    assert again["here"] > 0
    assert again["here"] + again["audio"] == 27


def test_odd_names_stay_names(home, key, freesound):
    ids = [freesound.catalogue.ids[number] for number in made_up.NAMES]
    (home.parent / "ids").write_text(" ".join(map(str, ids)))
    done = run("harvest", "--ids", home.parent / "ids", home=home, env=key)
    assert done.err == ""
    with Corpus(home) as corpus:
        assert whole(corpus)
        assert {sound.name for sound in corpus.sounds.many(ids)} == set(made_up.NAMES.values())
        files = [sound.file.path for sound in corpus.sounds.many(ids)]
    for file in files:
        assert file.is_relative_to(home / "sounds")
        assert_safe(file.name)
        assert not set(file.name) & set("/\\$`'\"<>;|&\n\t *?")
        assert len(file.name.encode()) < 200
    for command in ("search", "credits"):
        assert_safe(run(command, home=home).out)
    assert not (home / "pwned").exists()


def test_two_harvests_on_one_home(home, key, freesound):
    freesound.faults.pause = 0.2
    freesound.faults.always("slow")
    first = subprocess.Popen([PROGRAM, "--home", home, *TABLA], env={**os.environ, **key}, stderr=subprocess.PIPE)
    while not freesound.asked("api"):
        time.sleep(0.01)
    for words in (["drum"], ["--resume"], ["--resume", "1", "--max-bytes", "1"]):
        line = one_line(run("harvest", *words, home=home, env=key, check=19), "another harvest is at work in")
        assert "wait until it ends" in line
    freesound.faults.clear()
    assert first.communicate(timeout=60)[1] == b""
    assert first.returncode == 0
    (done,) = listed(home)
    assert (done["state"], done["sounds"], done["wanted"]["max_bytes"]) == ("done", 27, None)


def test_interrupted_it_pauses_cleanly(home, key, freesound):
    freesound.faults.pause = 0.1
    freesound.faults.always("slow", where="/previews/")
    process = subprocess.Popen([PROGRAM, "--home", home, *TABLA], env={**os.environ, **key}, stderr=subprocess.PIPE)
    while len(freesound.asked("cdn")) < 6:
        time.sleep(0.01)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    words = process.communicate(timeout=30)[1].decode()
    assert time.monotonic() - start < 5
    assert process.returncode == 130
    assert words.splitlines() == ["`mirla harvest --resume 1` goes on with it", "mirla: stopped; what was done is kept"]
    freesound.faults.clear()
    assert run("--json", "harvest", "--resume", home=home, env=key).json["state"] == "done"
    with Corpus(home) as corpus:
        assert whole(corpus)
        assert corpus.status()["with_audio"] == 27


def test_the_days_quota_ends_while_it_works(home, freesound, monkeypatch, mirla):
    clock = enter(monkeypatch, freesound)
    monkeypatch.setattr(client_module, "PAGE_SIZE", 10)
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "3")
    line = one_line(mirla(*TABLA, "--audio", "none", check=15), "the day's 3 requests are spent; come back after 20")
    assert " sounds and 0 files came before that; `mirla harvest --resume 1` goes on" in line
    clock.sleep(86_400)
    assert mirla("--json", "harvest", "--resume").json["found"] == 27


def test_a_disk_that_fills_up(home, key):
    disk = Disk(home, "1400k")
    try:
        failed = run(*TABLA, "--audio", "hq-mp3", home=home, env=key, check=None, before=disk.inside)
        assert failed.code in (5, 7), failed.err
        line = one_line(failed, "goes on")
        assert "No space left" in line or "full" in line
        assert_whole_but_for_parts(disk.there(home))
        before = held(disk.there(home))
        disk.enlarge()
        done = run("--json", "harvest", "--resume", home=home, env=key, before=disk.inside).json
        assert (done["state"], done["failed"]) == ("done", [])
        assert before.items() <= held(disk.there(home)).items()
        assert len(held(disk.there(home))) == 27
        assert_whole(disk.there(home))
    finally:
        disk.end()


def assert_whole_but_for_parts(home):
    for part in (home / "sounds").glob(".part-*"):
        part.rename(home / part.name)
    assert_whole(home)
    for part in home.glob(".part-*"):
        part.rename(home / "sounds" / part.name)
