"""`mirla check --repair` where the database itself is wrong, or what is sought lies in an odd place."""

import os
import shutil
import sqlite3

import pytest

from corpus import Corpus
from tests.corpus.injuries import found
from tests.corpus.packed import furnish, made_home
from tests.corpus.tones import change, everything, path_of


def row(corpus, sound):
    """Path, whether it is linked, and SHA-256, as the database has them."""
    with corpus.database.read() as connection:
        query = f"select path, linked, sha256 from files where sound_id = {sound.id}"
        return tuple(connection.exec_driver_sql(query).one())


@pytest.mark.parametrize("path", ["../elsewhere.flac", "/etc/hostname", "palettes/x.flac", "sounds", "", "sounds//x"])
def test_a_path_that_leads_elsewhere_is_led_back(corpus, path):
    """To the file with the row's hash, which is not put away, and never to another."""
    sound, where = path_of(corpus, "flac")
    before = row(corpus, sound)
    foreign = corpus.home.parent / "elsewhere.flac"
    foreign.write_bytes(b"of someone else")
    change(corpus, "update files set path = ? where sound_id = ?", path, sound.id)
    report = corpus.check()
    assert ("path", sound.id) in {(one.of, one.id) for one in report.damaged}
    done = corpus.repair(report)
    assert done.left == []
    assert row(corpus, sound) == before
    assert where.exists()
    assert not (corpus.home / "quarantine").exists()
    assert foreign.read_bytes() == b"of someone else"
    assert corpus.check().wrong == []


def test_a_path_that_leads_nowhere_and_a_file_that_is_gone(corpus):
    sound, where = path_of(corpus, "flac")
    where.unlink()
    change(corpus, "update files set path = '/etc/hostname' where sound_id = ?", sound.id)
    before = row(corpus, sound)
    ((what, words),) = corpus.repair(corpus.check()).left
    assert f"sound {sound.id}" in what
    assert "adopt it again" in words
    assert row(corpus, sound) == before


def test_a_file_is_no_more_linked_than_its_path(corpus, kept):
    sound, _ = path_of(corpus, "flac")
    linked = next(one for one in corpus.sounds.many(corpus.sounds.ids()) if one.file.path == kept / "linked.wav")
    before = [row(corpus, one) for one in (sound, linked)]
    change(corpus, "update files set linked = 1 - linked where sound_id in (?, ?)", sound.id, linked.id)
    report = corpus.check()
    assert {(one.of, one.id) for one in report.damaged} == {("path", sound.id), ("path", linked.id)}
    assert corpus.repair(report).left == []
    assert [row(corpus, one) for one in (sound, linked)] == before
    assert corpus.check().wrong == []


def test_what_was_put_into_quarantine_comes_back_from_there(corpus):
    """A file that no sound had then: its row is restored later."""
    _, path = path_of(corpus, "flac")
    content, where = path.read_bytes(), path.relative_to(corpus.home)
    path.rename(path.with_name("astray.flac"))
    report = corpus.check()
    report.missing.clear()
    corpus.repair(report)
    away = corpus.home / "quarantine" / where.with_name("astray.flac")
    assert away.read_bytes() == content
    done = corpus.repair(corpus.check())
    assert done.left == []
    assert "found as quarantine/" in done.done[0]
    assert path.read_bytes() == content
    assert f"put back as {where}" in away.with_name("astray.flac.txt").read_text()
    assert corpus.check().wrong == []


def test_one_file_that_is_found_serves_two_sounds_with_its_content(corpus):
    sound, path = path_of(corpus, "flac")
    other, twin = path_of(corpus, "aiff")
    columns = "sha256, bytes, format, samplerate, channels, frames"
    change(
        corpus,
        f"update files set ({columns}) = (select {columns} from files where sound_id = ?) where sound_id = ?",
        sound.id,
        other.id,
    )
    content = path.read_bytes()
    twin.unlink()
    path.rename(path.with_name("astray.flac"))
    assert corpus.repair(corpus.check()).left == []
    assert path.read_bytes() == twin.read_bytes() == content


def test_a_link_that_leads_nowhere_or_elsewhere_is_an_orphan(corpus, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.wav").write_bytes(b"audio")
    for name, target in (("dead.wav", "nowhere"), ("file.wav", elsewhere / "x.wav"), ("folder", elsewhere)):
        (corpus.home / "sounds" / name).symlink_to(target)
    report = corpus.check()
    assert found(report) == {("orphaned", f"sounds/{name}") for name in ("dead.wav", "file.wav", "folder")}
    corpus.repair(report)
    assert corpus.check().wrong == []
    assert (elsewhere / "x.wav").read_bytes() == b"audio"


def test_a_link_to_a_disk_that_holds_sounds_is_none(corpus, tmp_path):
    _, path = path_of(corpus, "flac")
    shutil.move(path.parent, tmp_path / "disk")
    path.parent.symlink_to(tmp_path / "disk")
    assert corpus.check().wrong == []


def test_a_file_that_cannot_be_put_away_keeps_nothing_else_from_being_mended(corpus):
    sound, path = path_of(corpus, "flac")
    path.write_bytes(b"damaged")
    (corpus.home / "quarantine").write_text("in the way")
    change(corpus, "update files set frames = 5 where format = 'wav' and linked = 0")
    before = everything(corpus.home)
    done = corpus.repair(corpus.check())
    assert [what for what, words in done.left if "cannot move" in words] == [f"sound {sound.id} ({rest(corpus, path)})"]
    assert "the database says again" in done.done[0]
    assert everything(corpus.home) == before


def rest(corpus, path):
    return path.relative_to(corpus.home)


def test_odd_names_are_put_away_too_and_nothing_writes_over_anything(corpus):
    """Long ones, some that are no UTF-8, one as a note's, and a folder where there was a file."""
    place = corpus.home / "sounds"
    names = ["x" * 254, "\N{CJK UNIFIED IDEOGRAPH-9F13}" * 83, os.fsdecode(b"k\xff.wav"), "a.flac", "a.flac.txt", "f"]
    for name in names:
        (place / name).write_bytes(b"1" + os.fsencode(name))
    report = corpus.check()
    assert {one.path for one in report.orphaned} == {f"sounds/{name}" for name in names}
    assert corpus.repair(report).left == []
    (place / "a.flac").write_bytes(b"another")
    (place / "f").mkdir()
    (place / "f" / "g").write_bytes(b"below")
    assert corpus.repair(corpus.check()).left == []
    assert corpus.check().wrong == []
    kept = {path.read_bytes() for path in (corpus.home / "quarantine").rglob("*") if path.is_file()}
    assert kept >= {b"1" + os.fsencode(name) for name in names} | {b"another", b"below"}


def test_a_sound_of_ones_own_without_a_file_is_said_and_not_packed(corpus, tmp_path, mirla):
    sound, path = path_of(corpus, "flac")
    for table in ("vectors", "traits", "onsets", "files"):
        change(corpus, f"delete from {table} where sound_id = ?", sound.id)
    assert f"the first is sound {sound.id}" in corpus.check().damaged[0].error
    corpus.repair(corpus.check())
    assert path.exists()
    (failed,) = mirla("pack", tmp_path / "x.tar", "--json", check=1).json["failed"]
    assert failed["path"] == f"sound {sound.id}"
    mirla("unpack", tmp_path / "x.tar", home=tmp_path / "there")


def test_one_file_of_each_sound_is_played(corpus):
    change(corpus, "update files set preferred = 0")
    report = corpus.check()
    assert ["7 sounds have not one file that is played" in one.error for one in report.damaged] == [True]
    assert corpus.repair(report).left == []
    assert corpus.check().wrong == []


def test_a_database_that_lost_its_files_has_none_of_them_put_away(corpus):
    """A page of it was zeroed, or its rows are nonsense."""
    astray = corpus.home / "sounds" / "astray.wav"
    astray.write_bytes(b"audio")
    change(corpus, "update sounds set added = 'yesterday'")
    report = corpus.check()
    assert ("orphaned", "sounds/astray.wav") in found(report)
    assert ["stay until the database is whole" in words for what, words in corpus.repair(report).left] == [True, False]
    assert astray.exists()


def test_a_check_of_a_database_that_cannot_be_read_says_so(corpus, mirla):
    file = corpus.home / "corpus.sqlite"
    corpus.close()
    with sqlite3.connect(file) as database:
        (page,) = database.execute("select rootpage from sqlite_master where name = 'files'").fetchone()
    database.close()
    with file.open("r+b") as content:
        content.seek(4096 * (page - 1))
        content.write(b"\xff" * 200)
    before = everything(corpus.home)
    damaged = mirla("check", "--json", check=1).json["damaged"]
    assert {one["of"] for one in damaged} == {"database"}
    mirla("check", "--repair", check=1)
    assert everything(corpus.home) == before
    assert not (corpus.home / "quarantine").exists()


@pytest.fixture(scope="module")
def packed_home(tmp_path_factory, samples):
    home = made_home(tmp_path_factory.mktemp("odd") / "home", samples[:3])
    with Corpus(home) as corpus:
        furnish(corpus)
    return home


ODD = {
    "a text as a number": "update traits set pitch = 'high'",
    "JSON that is none": "update sounds set record = '{'",
    "JSON of another form": "update sounds set record = '[]'",
    "an agent's spaces": "update agents set spaces = '{'",
    "a version that is not there": "update agents set in_use = 99",
    "a model": "update models set arrays = '[]'",
    "a recipe": "update models set recipe = '{'",
    "a moment": "update annotations set at = 'yesterday'",
    "a label": "update annotations set label = 'superb'",
    "an undone label that is not there": "update annotations set undoes = 4711",
    "bytes as a text": "update sounds set name = cast(x'ff41' as text)",
    "an answer": "update commands set answer = '['",
    "a harvest": "update harvests set wanted = 'x'",
}


@pytest.mark.parametrize("what", ODD)
def test_rows_that_no_corpus_has_are_found_and_every_command_says_it(packed_home, home, mirla, tmp_path, what):
    shutil.copytree(packed_home, home, symlinks=True)
    with Corpus(home) as corpus:
        change(corpus, ODD[what])
    said = mirla("check", "--json", check=1).json
    assert [one["of"] for one in said["damaged"]] == ["database"], said["damaged"]
    assert "mirla restore --latest" not in mirla("check", "--repair", check=1).err, "there is none"
    agent = ("agent", "list"), ("agent", "show", "water"), ("agent", "judge", "water", 77)
    for command in (("pack", tmp_path / "x.tar"), ("search",), ("status",), ("sets", "show", 1), *agent):
        ran = mirla(*command, check=None)
        assert "please report" not in ran.err, (command, ran.err)
