"""Text from outside on its ways in: linked names, catalogues, and arguments that are not what they should be."""

import csv
import json

import pytest

from corpus.text import for_terminal
from tests.audio_files import write_tone
from tests.bad_input import assert_safe, one_line, run

EVIL = "=1+1 [/] $(x) \x1b[2J\u202e\x00\r\n'\""


@pytest.fixture
def undecodable(tmp_path):
    """A folder with a sound of a plain name, and one below a folder whose name is not UTF-8."""
    folder = tmp_path / "plain" / "\udcff\udcfe"
    folder.mkdir(parents=True)
    write_tone(tmp_path / "plain" / "one.wav", 50)
    write_tone(folder / "two.wav", 51)
    return tmp_path / "plain"


def test_a_name_that_is_not_utf_8_cannot_be_linked_and_says_so(undecodable, tmp_path):
    home = tmp_path / "home"
    ran = run("--json", "adopt", "--link", undecodable, home=home, check=1)
    assert ran.json["added"] == 1
    (failure,) = ran.json["failed"]
    assert failure["path"] == f"{undecodable}/\ufffd\ufffd/two.wav"
    assert "not valid UTF-8; rename it or adopt a copy (without --link)" in failure["error"]
    assert_safe(ran.err)
    copied = run("--json", "adopt", undecodable, home=home).json
    assert (copied["added"], copied["skipped"]) == (1, 1)


def test_a_home_of_such_a_name_works_from_adoption_to_render(undecodable, mirla, tmp_path):
    home = tmp_path / "ho\udcffme"
    first, second = mirla("--json", "adopt", undecodable, home=home).json["ids"]
    assert mirla("--json", "analyse", home=home).json["spaces"]["mfcc"]["analysed"] == 2
    assert [hit["id"] for hit in mirla("--json", "similar", first, home=home).json["results"]] == [second]
    out = tmp_path / "out.wav"
    assert mirla("--json", "render", second, "--out", out, home=home).json["seconds"] == 0.5
    for command in ("status",), ("show", first):
        ran = mirla(*command, home=home)
        assert_safe(ran.out + ran.err)


def test_json_holds_no_lone_surrogates(undecodable, mirla, tmp_path):
    home = tmp_path / "ho\udcffme"
    for command, code in (("status",), 0), (("show", 1), 8):
        answer = mirla("--json", *command, home=home, check=code).json
        json.dumps(answer, ensure_ascii=False).encode()


def test_an_output_of_such_a_name(undecodable, home, mirla, tmp_path):
    (sound, *_) = mirla("--json", "adopt", undecodable / "one.wav").json["ids"]
    ran = mirla("render", sound, "--out", tmp_path / "o\udcffut.wav")
    assert_safe(ran.out)
    assert (tmp_path / "o\udcffut.wav").is_file()


def test_a_catalogue_of_a_stranger_is_kept_and_shown_safely(home, mirla, tmp_path):
    write_tone(tmp_path / "one.wav", 52)
    with (tmp_path / "catalogue.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "id", "name", "username", "licence", "url", "tags"))
        writer.writerow(("one.wav", "4832", *(EVIL.strip(),) * 4, EVIL))
    mirla("adopt", tmp_path / "one.wav", "--catalogue", tmp_path / "catalogue.csv")
    shown = mirla("--json", "show", 4832).json
    assert [shown[field] for field in ("name", "username", "licence", "url")] == [EVIL.strip()] * 4
    assert shown["tags"] == ["1-1", "x", "2j"]
    for command in ("search",), ("show", 4832), ("credits",), ("status",), ("credits", "--format", "json"):
        ran = mirla(*command)
        assert_safe(ran.out + ran.err)
    for part in ("[/] $(x)", for_terminal("\x1b[2J\u202e\x00")):
        assert part in mirla("search").out
    rows = list(csv.DictReader(mirla("credits", "--format", "csv").out.splitlines(keepends=True), strict=True))
    assert len(rows) == 1
    assert rows[0]["name"].startswith("'=1+1 [/]")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"", "no column 'path'"),
        (b"name\nx", "no column 'path'"),
        (b"path,colour\nx,red", "'colour'"),
        (b"path,id\none.wav,1000000000", "line 2: '1000000000' is not a Freesound id"),
        (b"path,id\none.wav,\xef\xbc\x91", "is not a Freesound id"),
        (b"path\none.wav,more", "line 2"),
        (b'path\n"one.wav', "cannot be read"),
    ],
)
def test_a_catalogue_that_cannot_be_read_adopts_nothing(home, mirla, tmp_path, content, words):
    write_tone(tmp_path / "one.wav", 53)
    catalogue = tmp_path / "cat\x1balogue.csv"
    if content is not None:
        catalogue.write_bytes(content)
    one_line(mirla("adopt", tmp_path / "one.wav", "--catalogue", catalogue, check=11), words, "cat\\x1balogue.csv")
    assert mirla("--json", "status").json["sounds"] == 0


ARGUMENTS = {
    "search": (("search", "drum\udcff"), 0),
    "a tag": (("search", "--tag", "\udcff"), 0),
    "a licence": (("search", "--licence", "\udcff"), 26),
    "an agent": (("agent", "show", "\udcff"), 7),
    "a new agent": (("agent", "new", "\udcff"), 9),
    "an agent's words": (("agent", "new", "water", "--about", "\udcff"), 7),
    "a measure": (("similar", "1000000000", "--measure", "\udcff"), 21),
    "an id": (("show", "\udcff"), 2),
    "a command": (("\udcff\x1b[2J",), 2),
    "an option": (("search", "--\udcff\x1b[2J"), 2),
    "a place": (("adopt", "\udcff\x1b[2J"), 1),
}


@pytest.mark.parametrize("what", ARGUMENTS)
def test_an_argument_that_is_not_utf_8(home, mirla, what):
    arguments, code = ARGUMENTS[what]
    ran = mirla(*arguments, check=code)
    assert_safe(ran.out + ran.err)
    assert "please report" not in ran.err
    assert ran.err.strip()
