"""What was performed: listed, logged as it can be played again, and credited, each sound once."""

import csv
import io
import json
import shutil

import pytest

from corpus import Corpus
from corpus.folder import Adoption
from corpus.licences import from_text
from corpus.model import Command
from engine.palette import publish
from tests.audio_files import write_tone


@pytest.fixture(scope="module")
def finished_sets(tmp_path_factory):
    """Three sounds of one's own, of which the second is not for sale; a set of long ago, and one of three plays."""
    tmp_path = tmp_path_factory.mktemp("sets")
    with Corpus(tmp_path / "home") as corpus:
        for name, pitch, licence in (("one", 300, "CC0"), ("two", 400, "by-nc 4.0"), ("three", 500, "CC0")):
            corpus.adopt([write_tone(tmp_path / f"{name}.wav", pitch)], Adoption(licence=from_text(licence)))
        one, two, _ = corpus.sounds.many(corpus.sounds.ids().tolist())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("corpus.store.performances.now", lambda: "2020-01-01T20:00:00Z")
            first = corpus.performances.begin(1, "first")
            corpus.performances.plays_lasted({corpus.performances.plays_began(first, [(4.0, "a", one)])[0]: (6.0, 2.0)})
        second = corpus.performances.begin(7, "second", {"loudness": -23.0})
        corpus.performances.said(second, [Command(0.5, "a", "id", [two.id, one.id], {}, [two.id, one.id])])
        gone = Command(1.6, None, "device", ["gone"], facts={"kind": "event"})
        corpus.performances.said(second, [Command(1.5, None, "panic", error="no"), gone])
        begun = corpus.performances.plays_began(second, [(0.6, "a", two), (0.6, "a", one), (1.0, "b", two)])
        corpus.performances.plays_lasted({begun[0]: (1.25, 1.25), begun[2]: (0.5, 0.0)})
        corpus.performances.end(second)
    return tmp_path / "home"


@pytest.fixture
def played(finished_sets, home):
    shutil.copytree(finished_sets, home)
    with Corpus(home) as corpus:
        yield corpus


def test_sets_are_listed(played, mirla):
    first, second = mirla("sets", "--json").json["sets"]
    assert (first["set"], first["title"], first["ended"], first["plays"], first["seconds"]) == (1, "first", None, 1, 10)
    assert (second["seed"], second["plays"], second["commands"]) == (7, 3, 2)
    assert second["ended"] is not None
    assert "second" in mirla("sets").out


def test_nothing_performed_is_said(mirla):
    assert mirla("sets", "--json").json == {"sets": []}
    assert "nothing was performed" in mirla("sets").err


def test_a_log_is_lines_of_json(played, mirla, tmp_path):
    ids = played.sounds.ids()[[1, 0]].tolist()
    whole = [
        {"at": 0.5, "group": "a", "verb": "id", "given": ids, "named": {}, "answer": ids},
        {"at": 1.5, "group": None, "verb": "panic", "given": [], "named": {}, "answer": None, "error": "no"},
        {"at": 1.6, "group": None, "verb": "device", "given": ["gone"], "named": {}, "answer": None}
        | {"facts": {"kind": "event"}},
    ]
    ended = played.performances.get(2).ended
    head = {"set": 2, "begun": played.performances.get(2).begun, "ended": ended, "seed": 7, "title": "second"}
    head |= {"seconds": 1.85, "facts": {"loudness": -23.0}}
    assert [json.loads(line) for line in mirla("sets", "log", 2).out.splitlines()] == [head, *whole]
    assert mirla("sets", "log", 2, "--json").json == {**head, "log": whole}
    out = tmp_path / "set.jsonl"
    assert mirla("sets", "log", 2, "--out", out, "--json").json == {"set": 2, "out": str(out), "commands": 2}
    assert [json.loads(line) for line in out.read_text().splitlines()] == [head, *whole]
    assert "no performance 9" in mirla("sets", "log", 9, check=33).err
    assert "cannot write" in mirla("sets", "log", 2, "--out", tmp_path / "no" / "where", check=33).err


def test_what_was_played_is_credited_each_sound_once(played, mirla):
    one, two, _ = played.sounds.many(played.sounds.ids().tolist())
    credited = mirla("credits", "--played", "--json").json["credits"]
    assert [(credit["id"], credit["times"], credit["seconds"], credit["heard"]) for credit in credited] == [
        (one.id, 2, 6.0, 2.0),
        (two.id, 2, 1.75, 1.25),
    ]
    assert mirla("credits", "--played").out == f"{one.credit}\n{two.credit}\n"
    for since in ("2h", "NOW-1DAY", "2021-02"):
        credited = mirla("credits", "--played", "--since", since, "--json").json["credits"]
        assert [(credit["id"], credit["times"]) for credit in credited] == [(two.id, 2), (one.id, 1)]
    assert mirla("credits", "--played", "--since", "2999-01-01T00:00Z").out == ""
    rows = list(csv.DictReader(io.StringIO(mirla("credits", "--played", "--format", "csv").out)))
    assert [(row["times"], row["heard"]) for row in rows] == [("2", "2.0"), ("2", "1.25")]
    played.forget([one.id], for_good=True)
    assert mirla("credits", "--played").out == f"{one.credit}\n{two.credit}\n"


def test_a_palette_is_credited_and_what_a_use_forbids_is_flagged(played, mirla):
    one, two, three = played.sounds.many(played.sounds.ids().tolist())
    publish(played, "mine", [three.id, two.id])
    changed = [f"{sound.credit}, changed: levelled\n" for sound in (three, two)]
    assert mirla("credits", "--palette", "mine").out == "".join(changed)
    assert mirla("credits", "--palette", "mine", "--played").out == changed[1]
    flagged = mirla("credits", "--played", "--use", "commercial")
    assert flagged.out == f"{one.credit}\n{two.credit} (not for this use)\n"
    assert "1 of 2 sounds are not licensed for commercial use" in flagged.err
    found = mirla("credits", "--use", "commercial", "--json").json["credits"]
    assert [credit["permitted"] for credit in found] == [True, False, True]
    for wrong in (("--since", "2h"), (one.id, "--played"), ("--palette", "no"), ("--played", "--since", "soon")):
        mirla("credits", *wrong, check=2)
