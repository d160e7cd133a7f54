"""Homes that cannot be used, and databases that are not ours: one line with the way out, and nothing changed."""

import hashlib
import os
import random
import sqlite3
import subprocess

import pytest

from tests.audio_files import write_tone
from tests.bad_input import one_line, run, unprivileged

UNUSABLE = {
    "below a file": "{tmp}/file/home",
    "a file": "{tmp}/file",
    "below a device": "/dev/null/home",
    "the kernel's": "/proc",
    "below the kernel's": "/proc/home",
    "a link in a circle": "{tmp}/circle",
    "of nobody": "~nobody-here/home",
    "a name too long": "{tmp}/" + "x" * 300,
}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "circle").symlink_to("circle")
    return tmp_path


@pytest.mark.parametrize("where", UNUSABLE)
def test_a_home_that_cannot_be_made(place, mirla, where):
    home = UNUSABLE[where].format(tmp=place)
    ran = mirla("status", home=home, check=5)
    assert ran.out == ""
    one_line(ran, home, "--home")
    assert (place / "file").read_text() == "precious"


@pytest.mark.parametrize("where", ["a file", "below a file"])
def test_such_a_home_from_the_environment(place, where):
    home = UNUSABLE[where].format(tmp=place)
    one_line(run("status", check=5, env={"MIRLA_HOME": home}), home, "MIRLA_HOME")


def test_an_empty_home_is_none(tmp_path):
    ran = run("--home", "", "--json", "status", env={"MIRLA_HOME": str(tmp_path / "home")}, cwd=tmp_path)
    assert ran.json["home"] == str(tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_failure_is_one_json_object_too(place, mirla):
    ran = mirla("--json", "status", home=place / "file" / "home", check=5)
    assert ran.json["code"] == 5
    assert ran.json["error"] in one_line(ran)


def test_a_home_without_permission(tmp_path):
    home = tmp_path / "home"
    run("status", home=home)
    home.chmod(0)
    one_line(run("status", home=home, check=5, before=unprivileged()), home, "--home")
    home.chmod(0o700)
    run("status", home=home)


def test_a_home_on_a_disk_that_is_read_only(tmp_path):
    home, disk = tmp_path / "disk" / "home", tmp_path / "disk"
    write_tone(disk.parent / "one.wav", 600)
    run("adopt", tmp_path / "one.wav", home=home)
    before = hashes(home)
    remount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && shift && exec "$@"'
    readonly = ("unshare", "-rm", "sh", "-c", remount, disk, "mirla")
    if subprocess.run([*readonly, "true"], capture_output=True).returncode:
        pytest.skip("no disk can be made read-only here")
    for command in ("search",), ("adopt", tmp_path):
        one_line(run(*command, home=home, check=5, before=readonly), home, "--home")
    assert hashes(home) == before


def garbage(file):
    file.write_bytes(random.Random(1).randbytes(20000))


def of_another_program(file):
    with sqlite3.connect(file) as connection:
        connection.execute("create table beets (title)")
    connection.close()


def newer(file):
    run("status", home=file.parent)
    with sqlite3.connect(file) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()


def cut_in_half(file):
    run("status", home=file.parent)
    os.truncate(file, file.stat().st_size // 8192 * 4096)


def overwritten(file):
    run("status", home=file.parent)
    with file.open("r+b") as content:
        content.seek(4096)
        content.write(random.Random(2).randbytes(file.stat().st_size - 4096))


DATABASES = {
    garbage: (6, "is not an SQLite database"),
    of_another_program: (6, "tables of another program"),
    newer: (6, "schema 9999"),
    cut_in_half: (7, "malformed"),
    overwritten: (7, "malformed"),
}


@pytest.mark.parametrize("spoil", DATABASES)
def test_a_database_that_is_not_ours_is_refused_and_left_as_it_is(home, mirla, spoil):
    home.mkdir()
    file = home / "corpus.sqlite"
    spoil(file)
    before = hashes(home)
    code, words = DATABASES[spoil]
    for command in ("search",), ("agent", "new", "water"):
        one_line(mirla(*command, check=code), file, words, "; ")
    assert hashes(home) == before


@pytest.mark.parametrize(
    ("content", "words"), [(b"device = [", "not TOML"), (b"\xff\xfe", "cannot be read"), (b"colour = 1", "colour")]
)
def test_settings_that_cannot_be_used(home, mirla, content, words):
    home.mkdir()
    (home / "mirla.toml").write_bytes(content)
    one_line(mirla("status", check=4), home / "mirla.toml", words)


def test_a_file_where_the_audio_should_go(home, mirla, tmp_path):
    write_tone(tmp_path / "one.wav", 601)
    mirla("status")
    (home / "sounds").touch()
    one_line(mirla("adopt", tmp_path / "one.wav", check=5), home, "adopt again")
    assert mirla("--json", "status").json["sounds"] == 0
    (home / "sounds").unlink()
    assert mirla("--json", "adopt", tmp_path / "one.wav").json["added"] == 1


@pytest.mark.parametrize(
    "name", ["what? 100% #1 [bold]", "a;b&c=$(d)", "caf\u00e9 \u202e", "new\nline\x1b[2J", "by\udcfftes", ":memory:"]
)
def test_a_home_of_any_name_holds_its_own_database(tmp_path, mirla, name):
    home = tmp_path / name
    assert mirla("--json", "status", home=home).json["sounds"] == 0
    assert (home / "corpus.sqlite").is_file()
    assert list(tmp_path.iterdir()) == [home]


def hashes(folder):
    """Digest of each file; SQLite's shared memory holds nothing of its own."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
