"""Names that strangers give: kept as they are, shown safely by every command, in every encoding, and never obeyed."""

import csv
import io
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.text import for_terminal, storable
from tests.audio_files import write_tone
from tests.bad_input import PROGRAM, assert_safe, run

NAMES = [
    b"two words",
    b"quo\"te's",
    b"$(touch pwned)",
    b"`touch pwned`; & | > pwned",
    b"--help",
    b"-rf *",
    b"[/]",
    b"[bold red]loud[",
    b"[link=file:..]",
    b":smile:",
    b"%s%n{0}",
    b"<script>alert(1)",
    b"back\\slash",
    b"=1+1",
    b"@SUM(1)",
    b"\x1b[2J\x1b]0;title\x07",
    b"new\nline",
    b"return\rfailed",
    b"tab\t",
    "caf\u00e9 \U0001f600 \u65e5\u672c".encode(),
    "\u202egnp.wav".encode(),
    "\u2066isolate\u200b\u2028".encode(),
    "\x9b31m".encode(),
    b"\xff\xfe bytes",
    b"latin\xe9",
    b"x" * 250,
]
"""Without `.wav`. One with a slash is a file in a folder; its path is what it says."""


def shown(name):
    """A name of the list as a sound has it."""
    return storable(os.fsdecode(name.rpartition(b"/")[2]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A good sound of each name, and beside each a file that is none."""
    folder = tmp_path_factory.mktemp("names")
    for number, name in enumerate(NAMES):
        file = Path(os.fsdecode(os.fsencode(folder) + b"/" + name + b".wav"))
        file.parent.mkdir(exist_ok=True)
        write_tone(file, 900 + number, seconds=0.1)
        file.with_suffix(".mp3").write_bytes(b"no audio" * 100)
    return folder


@pytest.fixture(scope="module")
def adopted(folder, tmp_path_factory):
    """The home, and what the adoption wrote."""
    work = tmp_path_factory.mktemp("work")
    home = work / "home [bold] $(touch pwned)"
    ran = run("--json", "adopt", folder, home=home, check=1, cwd=work)
    with Corpus(home) as corpus:
        assert not corpus.analyse().failed
    assert [path.name for path in work.iterdir()] == [home.name]
    return home, ran


@pytest.fixture(scope="module")
def ids(adopted):
    """Ids by name."""
    home, _ = adopted
    with Corpus(home) as corpus:
        return {sound.name: sound.id for sound in corpus.sounds.many(corpus.sounds.ids())}


def test_every_name_is_kept(ids):
    assert ids.keys() == {shown(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_of_such_a_name_is_one_safe_line(adopted, folder, name):
    _, ran = adopted
    path = os.fsdecode(os.fsencode(folder) + b"/" + name + b".mp3")
    assert sum(line.startswith(f"failed: {for_terminal(path)}: ") for line in ran.err.splitlines()) == 1
    assert_safe(ran.err)
    (words,) = [each["error"] for each in ran.json["failed"] if each["path"] == storable(path)]
    assert words.startswith("cannot be decoded (")
    assert shown(name) not in words


def test_files_are_named_plainly(adopted):
    home, _ = adopted
    for file in (home / "sounds").rglob("*.*"):
        assert re.fullmatch(r"\d{10}__local__[A-Za-z0-9][A-Za-z0-9._-]*\.wav", file.name)


COMMANDS = {
    "search": ("search", "-k", "100"),
    "similar": ("similar", "{id}", "-k", "100"),
    "credits": ("credits",),
    "status": ("status",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_all_names_safely(adopted, ids, mirla, command):
    home, _ = adopted
    ran = mirla(*(part.format(id=ids["two words"]) for part in COMMANDS[command]), home=home)
    assert_safe(ran.out + ran.err)
    whole = [name for name in ids if len(name) < 100 and name not in ("two words", "tab\t") and "\u2028" not in name]
    for name in whole if command != "status" else ["home [bold] $(touch pwned)"]:
        expected = " ".join(name.split()) if command == "credits" else name
        assert for_terminal(expected) in ran.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_answers_one_json_object(adopted, ids, mirla, command):
    home, _ = adopted
    ran = mirla("--json", *(part.format(id=ids["two words"]) for part in COMMANDS[command]), home=home)
    assert ran.out.count("\n") == 1
    rows = ran.json.get("results") or ran.json.get("credits") or []
    assert {row["name"] for row in rows} >= (ids.keys() - {"two words"} if command != "status" else set())


@pytest.mark.parametrize("name", NAMES)
def test_one_sound_of_such_a_name(adopted, ids, mirla, tmp_path, name):
    home, _ = adopted
    sound = shown(name)
    ran = mirla("show", ids[sound], home=home)
    assert_safe(ran.out)
    assert f"name: {for_terminal(sound)}\n" in ran.out
    assert mirla("--json", "show", ids[sound], home=home).json["name"] == sound
    rendered = mirla("render", ids[sound], "--out", tmp_path / "out.wav", home=home)
    assert_safe(rendered.out + rendered.err)
    mirla("search", "--", sound, home=home)


def test_a_sheet_of_credits_computes_nothing_and_commands_no_terminal(adopted, ids, mirla):
    home, _ = adopted
    out = mirla("credits", "--format", "csv", home=home).out
    assert_safe(
        out.replace("\t", "").replace("\u202e", "").replace("\u2066", "").replace("\u200b", "").replace("\u2028", "")
    )
    rows = list(csv.DictReader(io.StringIO(out, newline=""), strict=True))
    assert [int(row["id"]) for row in rows] == sorted(ids.values())
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {"'=1+1", "'--help", "two words", "quo\"te's"} <= {row["name"] for row in rows}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_another_encoding(adopted, encoding):
    home, _ = adopted
    for command in ("search", "-k", "100"), ("credits",):
        done = subprocess.run(
            [PROGRAM, "--home", home, *command],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode("utf-8" if encoding == "ascii" else encoding)  # click takes ASCII for a mistake


def test_a_real_terminal_gets_no_command_but_colours(adopted):
    home, _ = adopted
    terminal, end = pty.openpty()
    program = subprocess.Popen([PROGRAM, "--home", home, "search", "-k", "100"], stdout=end, stderr=end)
    os.close(end)
    written = b""
    while True:
        try:
            block = os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            break
        written += block
    os.close(terminal)
    assert program.wait(timeout=30) == 0
    assert b"title" in written
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).replace("\r\n", "\n")
    assert_safe(plain)


def test_no_shell_ever_ran(adopted, folder):
    home, _ = adopted
    assert not [path for place in (home.parent, folder, Path.cwd()) for path in place.glob("**/pwned*")]
