"""Packing and unpacking: what goes along, what stays at home, how two corpora become one, and what is refused."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa

from corpus import Corpus, Sound
from corpus.errors import HomeError, PackError
from corpus.filters import parse
from corpus.model import Model
from corpus.packing import Part
from corpus.partway import Wanted
from corpus.unpacking import check
from tests.corpus.packed import TOKEN, dump, furnish, labels_of, made_home

FIRST = 1_000_000_000


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, samples):
    """Four sounds of one's own (one linked), one of Freesound's without audio, an agent, a palette, a performance."""
    home = made_home(tmp_path_factory.mktemp("furnished") / "home", samples[:4], linked=samples[4])
    with Corpus(home) as corpus:
        furnish(corpus)
    return home


@pytest.fixture(scope="module")
def archive(tmp_path_factory, furnished):
    file = tmp_path_factory.mktemp("packed") / "corpus.tar"
    with Corpus(furnished) as corpus:
        report = corpus.pack(file)
        assert report.failed == []
        assert (report.sounds, report.files, report.agents, report.palettes) == (6, 5, ["water"], ["kicks"])
        assert file.stat().st_size == report.bytes
    return file


def test_an_ordinary_tar_and_sha256sum_read_it(archive, tmp_path):
    subprocess.run(["tar", "xf", archive, "-C", tmp_path], check=True)
    folder = tmp_path / "mirla"
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True)
    there = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert done.stdout.count(": OK") == len(there) == 5 + 2 + 3
    assert "mirla unpack" in (folder / "README.txt").read_text()
    assert (folder / "CREDITS.txt").read_text().count(" licensed under ") == 5


def test_nothing_of_ones_own_affairs_goes_along(archive, furnished):
    content = archive.read_bytes()
    assert TOKEN in (furnished / "mirla.toml").read_text()
    for secret in (TOKEN, str(furnished), "/usr/share", "secret query"):
        assert secret.encode() not in content
    assert b"anna" in content, "who labelled goes along to one's own other computer"


def test_an_empty_home_becomes_the_same_corpus(archive, furnished, home):
    with Corpus(home) as corpus:
        report = corpus.unpack(archive)
        assert (report.sounds, report.files, report.taken.sounds, report.taken.renumbered) == (6, 5, 6, 0)
        assert report.silent == 1
        assert report.sha256 == check(archive).sha256
        assert corpus.sounds.ids("tin").tolist() == [77]
        assert corpus.palette_folder.damaged(corpus.palettes.get("kicks")) == []
        assert (home / "palettes" / "kicks" / "CREDITS.txt").is_file()
        wrong = [one for one in corpus.check().wrong if "extractor" not in one.error]
        assert wrong == []
        with Corpus(furnished) as source:
            assert dump(corpus) == dump(source)
    assert not list(home.glob(".unpacking*"))


def test_unpacked_twice_nothing_changes(archive, home):
    with Corpus(home) as corpus:
        corpus.unpack(archive)
        before, files = dump(corpus, everything=True), sorted(home.rglob("*"))
        again = corpus.unpack(archive).taken
        assert dump(corpus, everything=True) == before
        assert sorted(home.rglob("*")) == files
        assert (again.sounds, again.audio, again.labels, again.versions, again.performances) == (0, 0, {}, {}, 0)


@pytest.fixture
def other(home, samples):
    """Another home, in which other sounds of one's own have the same numbers, and an agent the same name."""
    made_home(home, [samples[7], samples[1], samples[8]])
    with Corpus(home) as corpus:
        agent = corpus.agents.create("water", "mine", ["mfcc"], "knn")
        corpus.agents.annotate(agent, [FIRST], "bad", who="zoe", session="z")
        corpus.agents.annotate(agent, [FIRST + 1], "good", who="zoe", session="z")
        corpus.agents.add_model(agent, Model(0, {"kind": "knn"}, {}, {}, "h", 3, {}, {}))
    return home


def test_two_corpora_become_one_in_which_each_sound_is_once(archive, furnished, other, samples):
    with Corpus(other) as corpus, Corpus(furnished) as source:
        shared = corpus.sounds.get(FIRST + 1).file.sha256
        before = labels_of(corpus, "water") | labels_of(source, "water")
        report = corpus.unpack(archive).taken
        assert (report.sounds, report.audio, report.agents) == (5, 4, [])
        assert labels_of(corpus, "water") == before, "each by the content of its sound, whatever its number"
        assert corpus.sounds.holding(shared) == FIRST + 1
        digests = [sound.file.sha256 for sound in corpus.sounds.many(corpus.sounds.ids(with_audio=True).tolist())]
        assert len(digests) == len(set(digests)) == 7
        agent = corpus.agents.get("water")
        assert (agent.about, agent.classifier, agent.in_use) == ("mine", "knn", 1), "described and judged by as before"
        assert [one.version for one in corpus.agents.versions(agent)] == [1, 2]
        renumbered = corpus.sounds.holding(source.sounds.get(FIRST).file.sha256)
        assert renumbered > FIRST + 2
        second = corpus.agents.versions(agent)[1]
        assert str(renumbered) in second.verdicts
        (performance,) = corpus.performances.all()
        (play,) = corpus.performances.plays()
        assert (play.sound_id, play.credit["id"]) == (renumbered, renumbered)
        assert corpus.performances.commands(performance)[0].given == [renumbered]
        assert corpus.palettes.get("kicks").sounds[0].id == renumbered
        assert set(corpus.vectors.matrix("level")[0].tolist()) >= {renumbered}
        assert [one for one in corpus.check().wrong if "extractor" not in one.error] == []
        after = dump(corpus, everything=True)
        corpus.unpack(archive)
        assert dump(corpus, everything=True) == after


def test_what_was_said_later_goes_on_counting_and_comes_home(furnished, archive, home, tmp_path):
    """Packed at home, labelled at the venue, packed there, and unpacked at home."""
    with Corpus(home) as venue:
        venue.unpack(archive)
        agent = venue.agents.get("water")
        assert {one.sound_id: one.label for one in venue.agents.annotations(agent)}[FIRST + 1] == "bad"
        venue.agents.annotate(agent, [FIRST + 1], "good", who="ben", session="gig")
        venue.agents.annotate(agent, [77], None, who="ben", session="gig")
        venue.pack(tmp_path / "back.tar")
    shutil.copytree(furnished, tmp_path / "there")
    with Corpus(tmp_path / "there") as corpus:
        assert corpus.unpack(tmp_path / "back.tar").taken.labels == {"water": 2}
        counts = {one.sound_id: one.label for one in corpus.agents.annotations(corpus.agents.get("water"))}
        assert counts == {FIRST: "good", FIRST + 1: "good"}


def test_what_is_held_is_not_overwritten_and_what_it_lacks_is_filled_in(archive, home):
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(77, "my own name", tags=("mine",))])
        assert corpus.unpack(archive).taken.completed == 1
        sound = corpus.sounds.get(77)
        assert (sound.name, sound.username, sound.tags, sound.licence.name) == (
            "my own name",
            "alba",
            ("mine",),
            "Attribution",
        )
        assert corpus.sounds.ids("tin").tolist() == []
        assert corpus.sounds.ids("alba name").tolist() == [77]


def test_labels_of_a_forgotten_sound_find_it_again_in_another_home(furnished, home, samples, tmp_path):
    shutil.copytree(furnished, tmp_path / "there")
    with Corpus(tmp_path / "there") as corpus:
        corpus.forget([FIRST], for_good=True)
        corpus.pack(tmp_path / "x.tar")
    made_home(home, samples[5:7])
    with Corpus(home) as corpus:
        corpus.unpack(tmp_path / "x.tar")
        agent = corpus.agents.get("water")
        before = {one.sound_id for one in corpus.agents.annotations(agent)}
        (number,) = corpus.adopt([samples[0]]).ids
        assert {one.sound_id for one in corpus.agents.annotations(agent)} - before == {number}


def test_a_part_is_what_is_named_and_nothing_else(furnished, home, tmp_path):
    with Corpus(furnished) as corpus:
        corpus.agents.create("wind", "", ["mfcc"], "mlp")
        try:
            report = corpus.pack(tmp_path / "p.tar", Part(palettes=("kicks",)))
            assert (report.sounds, report.agents, report.palettes) == (1, [], ["kicks"])
            assert b"anna" not in (tmp_path / "p.tar").read_bytes()
            report = corpus.pack(tmp_path / "a.tar", Part(agents=("water",)))
            assert (report.sounds, report.agents, report.palettes) == (3, ["water"], [])
            assert b"wind" not in (tmp_path / "a.tar").read_bytes()
            report = corpus.pack(tmp_path / "f.tar", Part(palettes=("kicks",), filter=parse("username:alba")))
            assert (report.sounds, report.agents, report.palettes) == (2, [], ["kicks"])
            for lacking in (Part(palettes=("no",)), Part(agents=("no",))):
                with pytest.raises(PackError, match="'no'"):
                    corpus.pack(tmp_path / "x.tar", lacking)
        finally:
            corpus.agents.delete(corpus.agents.get("wind"))
    with Corpus(home) as corpus:
        corpus.unpack(tmp_path / "f.tar")
        assert corpus.status()["sounds"] == 2
        assert corpus.performances.all() == []


def test_what_may_not_be_handed_on_stays_and_so_does_who_labelled(furnished, home, tmp_path):
    with Corpus(furnished) as corpus:
        report = corpus.pack(tmp_path / "x.tar", Part(redistributable=True))
        unlicensed = corpus.sounds.get(FIRST + 4)
        assert not unlicensed.licence.redistributable
        assert [what for what, _ in report.left_out] == [FIRST + 4]
        labels = len(corpus.agents.annotations(corpus.agents.get("water")))
    content = (tmp_path / "x.tar").read_bytes()
    for private in ("anna", "ben", "lesson", unlicensed.name, "a set"):
        assert private.encode() not in content
    with Corpus(home) as corpus:
        corpus.unpack(tmp_path / "x.tar")
        agent = corpus.agents.get("water")
        assert len(corpus.agents.annotations(agent)) == labels
        assert {one.who for one in corpus.agents.history(agent)} == {"person-1", "person-2"}


def test_without_lossless_files_previews_are_what_is_left(home, samples, tmp_path):
    made_home(home, samples[:2])
    with Corpus(home) as corpus:
        corpus.analyse(["mfcc"])
        ogg = home / "sounds" / "preview.ogg"
        with corpus.database.write() as connection:
            insert = (
                "insert into files (sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate,"
                " channels, frames, added) select sound_id, 'sounds/preview.ogg', 0, 0, 'preview-hq-ogg', :digest,"
                " 3, 'ogg', samplerate, channels, frames, added from files where sound_id = :id"
            )
            digest = "90308fe99871113bf5490ec73a8813b667adc60fe01530102a6c7bfb73c66481"
            connection.execute(sa.text(insert), {"digest": digest, "id": FIRST})
        ogg.write_bytes(b"ogg")
        assert corpus.pack(tmp_path / "all.tar").files == 3
        assert corpus.pack(tmp_path / "some.tar", Part(lossless=False)).files == 2
    with Corpus(tmp_path / "there") as corpus:
        corpus.unpack(tmp_path / "some.tar")
        assert corpus.sounds.get(FIRST).file.format == "ogg"
        assert corpus.sounds.get(FIRST + 1).file.format == "flac"
        before = corpus.vectors.matrix("mfcc")[1]
        assert corpus.check(Wanted(percent=1e-9)).unanalysed == [], "measured where the lossless file is"
        assert corpus.analyse(["mfcc"]).spaces["mfcc"].analysed == 0
        np.testing.assert_array_equal(corpus.vectors.matrix("mfcc")[1], before)


def test_files_that_are_missing_or_damaged_stay_out_and_are_named(furnished, home, tmp_path, mirla):
    shutil.copytree(furnished, home)
    with Corpus(home) as corpus:
        missing, damaged = (corpus.sounds.get(FIRST + n).file.path for n in (0, 1))
    missing.unlink()
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    done = mirla("pack", tmp_path / "x.tar", "--json", check=1)
    assert {one["path"] for one in done.json["failed"]} == {str(path.relative_to(home)) for path in (missing, damaged)}
    assert (done.json["sounds"], done.json["files"]) == (4, 3)
    there = tmp_path / "there"
    mirla("unpack", tmp_path / "x.tar", home=there)
    with Corpus(there) as corpus:
        assert labels_of(corpus, "water", forgotten=True) == {("good", "anna"), ("bad", "ben"), ("good", "ben")}


def test_an_archive_is_not_written_over(furnished, tmp_path, mirla):
    file = tmp_path / "x.tar"
    mirla("pack", file, "--palette", "kicks", home=furnished)
    before = file.read_bytes()
    assert "--replace" in mirla("pack", file, home=furnished, check=35).err
    assert file.read_bytes() == before
    mirla("pack", file, "--replace", home=furnished)
    assert mirla("unpack", "--check", file, "--json").json["files"] == 5
    assert "no such folder" in mirla("pack", tmp_path / "no" / "x.tar", home=furnished, check=35).err
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar"]


def test_nothing_but_an_archive_is_written_over(furnished, home, tmp_path, mirla):
    shutil.copytree(furnished, home)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for place, words in {
        mine: "no archive of mirla's",
        home / "corpus.sqlite": "in the home itself",
        home / "sounds" / "new.tar": "in the home itself",
        home / "sounds": "a folder",
        tmp_path / "pipe": "no ordinary file",
        Path("/dev/full"): "no ordinary file",
        tmp_path / ("x" * 300): "File name too long",
        tmp_path / ("x" * 99) / "x.tar": "no such folder",
    }.items():
        assert words in mirla("pack", place, "--replace", check=35).err
    assert mine.read_text() == "mine"
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    (tmp_path / "empty.tar").touch()
    mirla("pack", tmp_path / "empty.tar", "--replace")
    mirla("pack", tmp_path / ("\N{DRUM WITH DRUMSTICKS}" * 60))


def test_a_good_archive_is_not_replaced_by_a_lesser_one(furnished, home, tmp_path, mirla):
    shutil.copytree(furnished, home)
    mirla("pack", tmp_path / "x.tar")
    before = (tmp_path / "x.tar").read_bytes()
    with Corpus(home) as corpus:
        corpus.sounds.get(FIRST).file.path.unlink()
    assert "1 file of the home cannot be packed" in mirla("pack", tmp_path / "x.tar", "--replace", check=35).err
    assert (tmp_path / "x.tar").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path != home] == ["x.tar"]


def test_a_path_that_leads_out_of_the_home_is_not_packed(furnished, home, tmp_path, mirla):
    shutil.copytree(furnished, home)
    (tmp_path / "secret.flac").write_bytes(b"secret")
    with Corpus(home) as corpus, corpus.database.write() as connection:
        connection.exec_driver_sql(
            "update files set path = '../secret.flac', bytes = 6, sha256 = ? where sound_id = ?",
            (hashlib.sha256(b"secret").hexdigest(), FIRST),
        )
    (failed,) = mirla("pack", tmp_path / "x.tar", "--json", check=1).json["failed"]
    assert "is not in the home's sounds/" in failed["error"]
    assert b"secret" not in (tmp_path / "x.tar").read_bytes()


def test_a_pipe_in_place_of_a_file_is_not_waited_for(furnished, home, tmp_path, mirla):
    shutil.copytree(furnished, home)
    with Corpus(home) as corpus:
        path = corpus.sounds.get(FIRST).file.path
    path.unlink()
    os.mkfifo(path)
    (failed,) = mirla("pack", tmp_path / "x.tar", "--json", check=1).json["failed"]
    assert "is no file" in failed["error"]


def test_a_filter_that_nothing_fits_packs_nothing(furnished, tmp_path, mirla):
    assert "no sound fits" in mirla("pack", tmp_path / "x.tar", "--filter", "tag:nope", home=furnished, check=35).err
    mirla("pack", tmp_path / "x.tar", "--filter", "", home=furnished, check=31)
    said = mirla("pack", tmp_path / "x.tar", "--lossless", "maybe", home=furnished, check=2).err
    assert "'yes', 'no'" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_stopped_while_it_packs_nothing_is_left(furnished, tmp_path, how, code):
    """A large file holds it up until the signal comes."""
    home = shutil.copytree(furnished, tmp_path / "home")
    size = 1 << 29
    with Corpus(home) as corpus:
        os.truncate(corpus.sounds.get(FIRST).file.path, size)
        with corpus.database.write() as connection:
            connection.exec_driver_sql("update files set bytes = ? where sound_id = ?", (size, FIRST))
    program = [Path(sys.executable).with_name("mirla"), "--home", home, "pack", tmp_path / "x.tar"]
    process = subprocess.Popen([*map(str, program)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".mirla-*.partial")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(how)
    assert process.communicate(timeout=60)[1] == "mirla: stopped; nothing was written\n"
    assert process.returncode == code
    assert [one.name for one in tmp_path.iterdir()] == ["home"]
    assert not list(home.glob(".packing-*"))


def test_too_little_room_is_said_beforehand(furnished, archive, home, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    with Corpus(furnished) as corpus, Corpus(home) as target:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(PackError, match="would take"):
            corpus.pack(tmp_path / "x.tar")
        with pytest.raises(Exception, match=r"MB free.*nothing was changed"):
            target.unpack(archive)
    assert not (tmp_path / "x.tar").exists()


def test_audio_that_no_row_names_is_not_written_over(home, samples, tmp_path):
    """After a restore there may be some, under the very name that another gets."""
    for place, sample in (("here", samples[0]), ("there", samples[1])):
        shutil.copy(sample, tmp_path / "kick.flac")
        made_home(tmp_path / place, [tmp_path / "kick.flac"])
    with Corpus(tmp_path / "there") as corpus:
        corpus.pack(tmp_path / "x.tar")
    with Corpus(tmp_path / "here") as corpus:
        path = corpus.sounds.get(FIRST).file.path
        content = path.read_bytes()
        with corpus.database.write() as connection:
            for table in ("files", "tags", "sounds"):
                connection.exec_driver_sql(f"delete from {table}")
        assert corpus.unpack(tmp_path / "x.tar").taken.audio == 1
        assert corpus.sounds.get(FIRST).file.path != path
        assert path.read_bytes() == content


def test_room_is_wanted_for_what_is_new_alone(archive, home, monkeypatch):
    usage = shutil.disk_usage(home.parent)
    with Corpus(home) as corpus:
        frees = iter([10**9, 10, 10**9, 10**9, 10**9, 10])  # for the database, then for the rest
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(frees)))
        with pytest.raises(HomeError, match="MB free"):
            corpus.unpack(archive)
        assert corpus.unpack(archive).taken.audio == 5
        assert corpus.unpack(archive).taken.audio == 0


SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


@pytest.mark.parametrize("script", [SCHEMAS[0], SCHEMAS[-1]], ids=lambda script: script.stem)
def test_an_older_archive_is_brought_up_to_date(home, tmp_path, script, monkeypatch):
    """As an older program would have packed it: with its own schema, without audio."""
    from tests.corpus.packed import wrapped

    file = tmp_path / "old.sqlite"
    with sqlite3.connect(file) as database:
        database.executescript(script.read_text(encoding="utf-8"))
        for table in ("vectors", "traits", "onsets", "harvested", "plays", "files"):
            if database.execute("select 1 from sqlite_master where name = ?", [table]).fetchone():
                database.execute(f"delete from {table}")
        database.execute("delete from sounds where id >= 1000000000")
        for table in ("tags", "annotations"):
            database.execute(f"delete from {table} where sound_id >= 1000000000")
        for table in ("palette_sounds", "palettes"):
            if database.execute("select 1 from sqlite_master where name = ?", [table]).fetchone():
                database.execute(f"delete from {table}")
    database.close()
    archive = wrapped(tmp_path / "old.tar", {"corpus.sqlite": file.read_bytes()})
    with Corpus(home) as corpus:
        report = corpus.unpack(archive)
        assert report.taken.sounds >= 1
        assert corpus.agents.history(corpus.agents.get("water"), forgotten=True)


def test_packed_unpacked_without_a_network_checked_and_played(sonic_home, tmp_path, mirla):
    """As a new user would, in a network namespace in which there is nothing."""
    without_network = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*without_network, "true"], capture_output=True).returncode:
        pytest.skip("no network namespaces here")  # no package brings them: some containers forbid them
    mirla("agent", "new", "metal")
    for label, ids in (("--good", [100055, 100057, 100053]), ("--bad", [100051, 100065, 130427])):
        mirla("agent", "label", "metal", label, *ids)
    mirla("agent", "train", "metal")
    mirla("pack", tmp_path / "part.tar", "--filter", "id:100055")
    with tarfile.open(tmp_path / "part.tar") as tar:
        tar.extract("mirla/corpus.sqlite", tmp_path, filter="data")
    database = sqlite3.connect(tmp_path / "mirla" / "corpus.sqlite")
    assert database.execute("pragma freelist_count").fetchone() == (0,), "what was deleted is not left in it"
    database.close()
    judged = mirla("agent", "judge", "metal", 4832, 75338, "--json").json
    mirla("pack", tmp_path / "corpus.tar")

    def alone(*arguments):
        words = [*without_network, Path(sys.executable).with_name("mirla"), "--home", tmp_path / "venue", *arguments]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    alone("unpack", tmp_path / "corpus.tar")
    assert "nothing is wrong" in alone("check")
    assert json.loads(alone("agent", "judge", "metal", 4832, 75338, "--json")) == judged
    alone("render", 100055, 4832, "--seconds", 2, "--out", tmp_path / "set.wav")
    samples, _ = soundfile.read(tmp_path / "set.wav")
    assert np.abs(samples).max() > 0.05
