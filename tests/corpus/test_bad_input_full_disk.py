"""A disk that fills up while sounds are adopted: one line, nothing stored is lost, and with more room it goes on.

The small disk is a tmpfs in a mount namespace of its own, so that nothing stays mounted however the tests end.
"""

import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from corpus.files import sha256_of
from tests.audio_files import write_tone
from tests.bad_input import one_line, run

SMALL = 40
"""Sounds of 7 kB."""
LARGE = 8
"""Sounds of 400 kB."""


class Disk:
    """A tmpfs on `place`, seen by the commands behind `inside`, and from out here below `there`."""

    def __init__(self, place, size):
        place.mkdir(parents=True, exist_ok=True)
        mount = 'mount -t tmpfs -o "size=$1" mirla "$0" && echo mounted && exec cat'
        command = ["unshare", "-rm", "sh", "-c", mount, place, size]
        self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._place = place
        if self._keeper.stdout.readline() != "mounted\n":
            self.end()
            pytest.skip("no disk can be mounted here, not even in a namespace")
        self.inside = ("nsenter", "-t", str(self._keeper.pid), "-U", "-m", "--preserve-credentials")

    def there(self, path):
        """The same path as seen from outside the namespace."""
        return Path(f"/proc/{self._keeper.pid}/root{path}")

    def enlarge(self):
        # all named, since without being root mount would add options of its own that may not change
        mount = ("mount", "-i", "-t", "tmpfs", "-o", "remount,size=64m", "mirla", self._place)
        subprocess.run([*self.inside, *mount], check=True)

    def end(self):
        self._keeper.communicate(timeout=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sounds of both sizes, each size in a folder of its own."""
    folder = tmp_path_factory.mktemp("many")
    for name, count, seconds in (("small", SMALL, 0.08), ("large", LARGE, 4.5)):
        (folder / name).mkdir()
        for number in range(count):
            write_tone(folder / name / f"{number:02}.wav", 700 + number, seconds=seconds)
    return folder


@pytest.fixture
def small_disk(home):
    """A maker of a small disk on a folder of the home."""
    disks = []

    def make(folder, size):
        disks.append(Disk(home / folder, size))
        return disks[-1]

    yield make
    for disk in disks:
        disk.end()


CASES = {
    "audio": (".", "3m", "large", {5}),
    "audio, its last block": ("sounds", "100k", "small", {5}),
    "audio or database": (".", "400k", "small", {5, 7}),
}
"""What fills up: the folder the disk is mounted on, its size, the sounds that go there, and the exit codes.

5 where the audio finds no room, 7 where the database does.
"""


@pytest.mark.parametrize("what", CASES)
def test_a_disk_that_fills_up_loses_nothing(home, folder, small_disk, what):
    place, size, sounds, codes = CASES[what]
    disk = small_disk(place, size)
    there = disk.there(home)

    failed = run("--json", "adopt", folder / sounds, home=home, check=None, before=disk.inside)
    assert failed.code in codes, failed.err
    line = one_line(failed, home, "adopt again for the rest")
    assert "No space left" in line or "full" in line
    before = held(there)
    count = len(list((folder / sounds).iterdir()))
    assert 0 < len(before) < count
    assert f"{len(before)} sounds were adopted" in line
    assert_whole(there)

    disk.enlarge()
    again = run("--json", "adopt", folder / sounds, home=home, before=disk.inside).json
    assert (again["added"], again["skipped"], again["failed"]) == (count - len(before), len(before), [])
    after = held(there)
    assert before.items() <= after.items()
    assert {name: sha256 for name, sha256, _ in after.values()} == {
        path.stem: sha256_of(path) for path in (folder / sounds).iterdir()
    }
    assert_whole(there)


def test_a_home_that_finds_no_room_at_all(home, small_disk, folder):
    disk = small_disk(".", "40k")
    one_line(run("adopt", folder / "small", home=home, check=7, before=disk.inside), home)
    disk.enlarge()
    assert run("--json", "adopt", folder / "small", home=home, before=disk.inside).json["added"] == SMALL


def ask(home, *questions):
    """Answers of a copy of the database: SQLite itself would look for it outside the namespace."""
    with tempfile.TemporaryDirectory() as copy:
        for file in home.glob("corpus.sqlite*"):
            shutil.copy(file, copy)
        connection = sqlite3.connect(Path(copy, "corpus.sqlite"))
        answers = [connection.execute(question).fetchall() for question in questions]
        connection.close()
    return answers


def held(home):
    """Name, SHA-256 and path of each sound that the database holds, by id."""
    (rows,) = ask(home, "select sounds.id, name, sha256, path from sounds join files on files.sound_id = sounds.id")
    return {row[0]: row[1:] for row in rows}


def assert_whole(home):
    """The database is sound, each file it names is there as it should be, and there are no others."""
    assert ask(home, "pragma integrity_check", "pragma foreign_key_check") == [[("ok",)], []]
    kept = {str(path.relative_to(home)): sha256_of(path) for path in (home / "sounds").rglob("*") if path.is_file()}
    assert kept == {path: sha256 for _, sha256, path in held(home).values()}
