"""Backups: made while the home is in use, verified, a few kept; and put back without losing what is newer."""

import multiprocessing
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.backup import backup, restore
from corpus.errors import RestoreError, StoreError
from corpus.settings import Settings
from corpus.store import backups, replacing, schema
from tests.audio_files import write_tone


@pytest.fixture
def labelled(home, tmp_path):
    """A home with two sounds, an agent and a label."""
    sources = [write_tone(tmp_path / f"{number}.wav", 400 + number) for number in range(2)]
    with Corpus(home) as corpus:
        corpus.adopt(sources)
        label(corpus, 0, "good")
    return home


def label(corpus, place, word):
    names = [agent.name for agent in corpus.agents.all()]
    agent = corpus.agents.get("water") if names else corpus.agents.create("water", "", ["mfcc"], "mlp")
    corpus.agents.annotate(agent, [int(corpus.sounds.ids()[place])], word, who="anna", session="s")


def labels(home):
    with Corpus(home) as corpus:
        return [one.label for one in corpus.agents.history(corpus.agents.get("water"))]


def test_a_backup_is_whole_and_made_while_others_write(labelled, mirla):
    with Corpus(labelled) as corpus, corpus.database.write() as connection:
        connection.exec_driver_sql("update sounds set name = 'not yet committed'")
        done = mirla("backup", "--json").json
    copy = backups.kept(labelled / "corpus.sqlite")[0]
    assert done["file"] == str(copy)
    assert (done["sounds"], done["files"], done["labels"], done["schema"]) == (2, 2, 1, schema.HEAD)
    assert done["bytes"] == copy.stat().st_size
    assert backups.damage(copy) == []
    with backups.opened(copy) as database:
        assert ("not yet committed",) not in database.execute("select name from sounds").fetchall()
    assert [path.name for path in copy.parent.iterdir()] == [copy.name], "one file, nothing beside it"


def test_five_of_each_kind_are_kept(labelled):
    file = labelled / "corpus.sqlite"
    for _ in range(7):
        with Corpus(labelled) as corpus:
            last = backup(corpus.database).file
        backups.make(file, "0001", "upgrade")
    backups.prune(file)
    kinds = [copy.stem.rpartition("Z-")[2] for copy in backups.kept(file)]
    assert sorted(kinds) == ["by-hand"] * 5 + ["upgrade"] * 5
    assert last in backups.kept(file)


def test_a_damaged_database_makes_no_backup(labelled):
    damage(labelled / "corpus.sqlite")
    with Corpus(labelled) as corpus, pytest.raises(StoreError, match=r"damaged \(.*mirla restore --latest"):
        backup(corpus.database)
    assert backups.kept(labelled / "corpus.sqlite") == []


def damage(file):
    """Make an index disagree with its table."""
    with sqlite3.connect(file) as database:
        database.execute("pragma writable_schema = on")
        database.execute(
            "update sqlite_master set sql = replace(sql, '(tag,', '(position,') where name = 'ix_tags_tag'"
        )
        database.execute("insert into tags values (1000000000, 'x', 7)")
    database.close()


def test_a_restore_keeps_what_it_replaces_and_counts_newer_labels(labelled, mirla):
    copy = mirla("backup", "--json").json["file"]
    with Corpus(labelled) as corpus:
        label(corpus, 0, "bad")
        label(corpus, 1, "good")
    done = mirla("restore", "--latest", "--json")
    assert "newer than this backup: 2 labels, in " in done.err
    assert (done.json["file"], done.json["labels"], done.json["labels_before"]) == (copy, 1, 3)
    assert (done.json["newer_labels"], done.json["sounds_before"]) == (2, 2)
    assert labels(labelled) == ["good"]
    mirla("restore", done.json["kept"])
    assert labels(labelled) == ["good", "bad", "good"]
    for _ in range(2):  # the second does not undo the first
        mirla("restore", "--latest")
        assert labels(labelled) == ["good"]


def test_a_restore_is_refused_while_another_process_has_the_home_open(labelled, mirla):
    mirla("backup")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=stay, args=(labelled, theirs))
    process.start()
    try:
        assert ours.recv() == "open"
        with pytest.raises(RestoreError, match=r"another process has .* open"):
            restore(Settings.load(labelled))
    finally:
        ours.send("end")
        process.join()
    restore(Settings.load(labelled))


def stay(home, pipe):
    with Corpus(home) as corpus:
        corpus.sounds.ids()
        pipe.send("open")
        pipe.recv()


@pytest.mark.parametrize("moment", range(4))
def test_killed_while_it_restores_the_database_is_as_before_or_after(labelled, mirla, moment):
    """At the doors of what it does; what happens within is SQLite's transaction."""
    mirla("backup")
    with Corpus(labelled) as corpus:
        label(corpus, 1, "good")
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(labelled, moment))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert labels(labelled) == (["good", "good"] if moment < 3 else ["good"])
    with Corpus(labelled) as corpus:
        assert corpus.soundness.problems() == []


def killed(home, moment):
    doors = [(replacing.Alone, "keep"), (backups, "labels_only_in"), (replacing.Alone, "replace"), (schema, "prepare")]
    owner, name = doors[moment]
    setattr(owner, name, lambda *_: os._exit(9))
    restore(Settings.load(home))


def test_a_database_that_is_none_any_more_is_put_aside(labelled, mirla):
    mirla("backup")
    (labelled / "corpus.sqlite").write_bytes(b"nothing that SQLite knows" * 400)
    assert "mirla restore --latest" in mirla("status", check=6).err
    done = mirla("restore", "--latest", "--json").json
    assert labels(labelled) == ["good"]
    assert Path(done["kept"]).read_bytes()[:7] == b"nothing"
    (labelled / "corpus.sqlite").unlink()
    mirla("restore", "--latest")
    assert labels(labelled) == ["good"]


def test_a_damaged_one_is_kept_as_it_is(labelled, mirla):
    mirla("backup")
    damage(labelled / "corpus.sqlite")
    assert mirla("check", "--json", check=1).json["damaged"]
    assert mirla("restore", "--latest", "--json").json["kept"].endswith(".damaged")
    assert mirla("check", "--json").json["damaged"] == []


def test_what_cannot_be_restored_is_refused_before_anything_is_touched(labelled, tmp_path, mirla):
    assert "no backup in" in mirla("restore", "--latest", check=36).err
    copy = tmp_path / "copy.sqlite"
    shutil.copy(mirla("backup", "--json").json["file"], copy)
    content = copy.read_bytes()
    for words, spoilt in (("damaged", content[:5000]), ("damaged", b"x" * 9000), ("there is no", None)):
        copy.unlink() if spoilt is None else copy.write_bytes(spoilt)
        assert words in mirla("restore", copy, check=36).err
    with sqlite3.connect(copy) as other:
        other.execute("create table things (x)")
    other.close()
    assert "no backup of a corpus" in mirla("restore", copy, check=36).err
    copy.write_bytes(content)
    with sqlite3.connect(copy) as newer:
        newer.execute("update alembic_version set version_num = '9999'")
    newer.close()
    assert "install a newer mirla" in mirla("restore", copy, check=36).err
    assert "--latest" in mirla("restore", check=2).err
    assert labels(labelled) == ["good"]


def test_an_older_backup_is_upgraded(labelled, mirla):
    old = labelled / "old.sqlite"
    with sqlite3.connect(old) as database:
        database.executescript((Path(__file__).parent / "schemas" / "0004.sql").read_text(encoding="utf-8"))
    database.close()
    mirla("restore", old)
    with Corpus(labelled) as corpus:
        assert len(corpus.agents.history(corpus.agents.get("water"), forgotten=True)) == 3


def test_no_copy_goes_that_alone_has_a_label(labelled, mirla):
    """Restored to and fro as often as one likes, what was said after the backup is still in a copy."""
    file = labelled / "corpus.sqlite"
    mirla("backup")
    with Corpus(labelled) as corpus:
        label(corpus, 1, "bad")
    newer = Path(mirla("restore", "--latest", "--json").json["kept"])
    for number in range(7):
        with Corpus(labelled) as corpus, corpus.database.write() as connection:
            connection.exec_driver_sql(f"update sounds set name = 'another {number}'")
        mirla("restore", "--latest")
    kept = [copy for copy in backups.kept(file) if copy.stem.endswith("-restore")]
    assert newer in kept
    assert len(kept) == backups.KEPT + 1
    mirla("restore", newer)
    assert labels(labelled) == ["good", "bad"]
    mirla("restore", "--latest")
    assert newer in backups.kept(file)


def test_what_is_kept_already_is_not_kept_twice(labelled, mirla):
    mirla("backup")
    mirla("restore", "--latest")
    before = backups.kept(labelled / "corpus.sqlite")
    assert "what was there was the same" in mirla("restore", "--latest").out
    assert backups.kept(labelled / "corpus.sqlite") == before


def test_a_database_is_not_restored_from_itself(labelled, mirla):
    before = sorted(labelled.rglob("*"))
    assert "is the database itself" in mirla("restore", labelled / "corpus.sqlite", check=36).err
    assert sorted(labelled.rglob("*")) == before


def test_what_is_no_backup_is_said(labelled, tmp_path, mirla):
    assert "is no file" in mirla("restore", tmp_path, check=36).err
    mirla("pack", tmp_path / "x.tar")
    assert "`mirla unpack` takes it in" in mirla("restore", tmp_path / "x.tar", check=36).err
    backup = shutil.copy(mirla("backup", "--json").json["file"], tmp_path)
    shutil.rmtree(labelled / "backups")
    (labelled / "backups").write_text("in the way")
    (labelled / "corpus.sqlite").write_bytes(b"nothing that SQLite knows" * 400)
    assert "cannot keep" in mirla("restore", backup, check=5).err
    assert (labelled / "corpus.sqlite").read_bytes()[:7] == b"nothing"


def test_a_copy_that_stays_locked_is_not_waited_for_for_ever(labelled, mirla, monkeypatch, tmp_path):
    copy = tmp_path / "copy.sqlite"
    shutil.copy(mirla("backup", "--json").json["file"], copy)
    monkeypatch.setattr(backups, "_PATIENCE", 0.2)
    with sqlite3.connect(copy) as locking:
        locking.execute("begin exclusive")
        with pytest.raises(RestoreError, match="locked"):
            restore(Settings.load(labelled), copy)
        locking.rollback()
    locking.close()
    assert labels(labelled) == ["good"]


@pytest.mark.parametrize("command", [("check", "--repair"), ("status",), ("adopt", "."), ("pack", "x.tar")])
def test_a_database_that_is_missing_is_said_and_no_empty_one_made(labelled, mirla, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    audio = sorted(labelled.glob("sounds/*/*"))
    for rest in labelled.glob("corpus.sqlite*"):
        rest.unlink()
    assert "move" in mirla(*command, check=5).err
    (labelled / "corpus.sqlite").touch()
    assert "is missing" in mirla(*command, check=5).err
    (labelled / "corpus.sqlite").unlink()
    assert sorted(labelled.glob("sounds/*/*")) == audio
    assert not (labelled / "quarantine").exists()


def test_a_missing_database_is_restored(labelled, mirla):
    mirla("backup")
    for rest in labelled.glob("corpus.sqlite*"):
        rest.unlink()
    assert "mirla restore --latest" in mirla("check", "--repair", check=5).err
    mirla("restore", "--latest")
    assert "nothing is wrong" in mirla("check").out


@pytest.mark.parametrize("command", [("check",), ("backup",), ("pack", "x.tar")])
def test_where_there_is_no_corpus_none_is_made(home, mirla, command):
    assert f"there is no corpus in {home}" in mirla(*command, check=5).err
    assert not home.exists()


def test_a_clock_that_is_behind_takes_no_backup_away(labelled, mirla):
    first = Path(mirla("backup", "--json").json["file"])
    for day in range(1, 6):
        shutil.copy(first, first.with_name(f"corpus-{schema.HEAD}-2099-01-0{day}T000000.000000Z-by-hand.sqlite"))
    assert Path(mirla("backup", "--json").json["file"]).is_file()


def test_a_file_with_another_name_is_neither_the_latest_nor_pruned(labelled, mirla):
    copy = Path(mirla("backup", "--json").json["file"])
    mine = [shutil.copy(copy, copy.with_name(f"corpus-{name}.sqlite")) for name in ("old", "x-z-by-hand", *"abcdef")]
    mirla("backup")
    done = mirla("restore", "--latest", "--json").json
    assert Path(done["file"]) not in map(Path, mine)
    assert all(Path(path).exists() for path in mine)


def test_a_restore_that_the_disk_refuses_leaves_what_was_there(labelled, mirla, monkeypatch):
    mirla("backup")
    file = labelled / "corpus.sqlite"
    file.write_bytes(b"nothing that SQLite knows" * 400)

    def refuse(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(backups, "copy_pages", refuse)
        assert "it is as it was" in mirla("restore", "--latest", check=5).err
    assert file.read_bytes()[:7] == b"nothing"
    mirla("restore", "--latest")
    assert labels(labelled) == ["good"]


def test_a_database_without_tables_beside_sounds_is_a_missing_one(labelled, mirla):
    file = labelled / "corpus.sqlite"
    file.unlink()
    with sqlite3.connect(file) as empty:
        empty.execute("pragma journal_mode = wal")
    empty.close()
    assert file.stat().st_size > 0
    assert "is missing" in mirla("check", "--repair", check=5).err
    assert "is missing" in mirla("backup", check=5).err


@pytest.mark.parametrize(
    ("damage", "words"),
    [("drop table plays", "it has no"), ("update alembic_version set version_num = '0000'", "no mirla ever had")],
)
def test_what_is_no_whole_corpus_is_neither_restored_nor_backed_up(labelled, mirla, tmp_path, damage, words):
    copy = tmp_path / "copy.sqlite"
    shutil.copy(mirla("backup", "--json").json["file"], copy)
    with sqlite3.connect(copy) as spoilt:
        spoilt.execute(damage)
    spoilt.close()
    assert words in mirla("restore", copy, check=36).err
    assert labels(labelled) == ["good"]
    if "drop" in damage:
        with sqlite3.connect(labelled / "corpus.sqlite") as spoilt:
            spoilt.execute(damage)
        spoilt.close()
        assert words in mirla("backup", check=7).err


def test_a_folder_in_the_databases_place_is_said(labelled, mirla, tmp_path):
    copy = shutil.copy(mirla("backup", "--json").json["file"], tmp_path)
    (labelled / "corpus.sqlite").unlink()
    (labelled / "corpus.sqlite").mkdir()
    assert "is a folder" in mirla("restore", copy, check=36).err
    shutil.rmtree(labelled / "backups")
    (labelled / "corpus.sqlite").rmdir()
    mirla("restore", copy)
    shutil.rmtree(labelled / "backups", ignore_errors=True)
    (labelled / "backups").touch()
    assert "cannot copy" in mirla("backup", check=5).err
