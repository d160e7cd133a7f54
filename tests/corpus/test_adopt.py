"""Adopting a folder: what is taken in, under which name, id, tags and licence."""

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from corpus.errors import CatalogueError, HomeError
from corpus.files import sha256_of
from corpus.folder import Adoption
from corpus.licences import from_text
from corpus.model import FIRST_LOCAL_ID


@pytest.fixture
def corpus(home):
    with Corpus(home) as opened:
        yield opened


def write(path, seed=0, rate=22050, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).normal(size=2000) * 0.1, rate, **options)
    return path


FORMATS = {
    "a.wav": {},
    "b.AIFF": {"format": "AIFF"},
    "c.flac": {},
    "d.ogg": {},
    "e.opus": {"format": "OGG", "subtype": "OPUS", "rate": 48000},
    "f.mp3": {},
    "g.aif": {"format": "AIFF"},
}


def test_every_format_is_copied_hashed_and_named(corpus, tmp_path):
    for seed, (name, options) in enumerate(FORMATS.items()):
        write(tmp_path / "in" / name, seed, **options)
    (tmp_path / "in" / "notes.txt").write_text("not a sound")
    report = corpus.adopt([tmp_path / "in"])
    assert (len(report.ids), report.skipped, report.failed) == (7, 0, [])
    sounds = corpus.sounds.many(report.ids)
    assert sorted(sound.file.format for sound in sounds) == ["aiff", "aiff", "flac", "mp3", "ogg", "opus", "wav"]
    for sound in sounds:
        assert sound.file.path.name == f"{sound.id}__local__{sound.name}.{sound.file.format}"
        assert sound.file.path.parent == corpus.home / "sounds" / str(sound.id // 1000)
        assert sha256_of(sound.file.path) == sound.file.sha256
        assert sound.file.path.stat().st_size == sound.file.bytes
        assert sound.id >= FIRST_LOCAL_ID
    assert [path for path in (corpus.home / "sounds").iterdir() if path.name.startswith(".")] == []


def test_the_same_content_is_taken_in_once(corpus, tmp_path):
    first = write(tmp_path / "in" / "one.wav")
    (tmp_path / "in" / "two.wav").write_bytes(first.read_bytes())
    report = corpus.adopt([tmp_path / "in"])
    assert (len(report.ids), report.skipped) == (1, 1)
    again = corpus.adopt([tmp_path / "in", tmp_path / "in" / "one.wav"])
    assert (again.ids, again.skipped) == ([], 2)
    assert len(list((corpus.home / "sounds").rglob("*.wav"))) == 1


def test_folder_names_become_tags(corpus, tmp_path):
    write(tmp_path / "Field Recordings" / "Rain_2024" / "drip.wav")
    (sound_id,) = corpus.adopt([tmp_path / "Field Recordings"], Adoption(tags=("My Own", "rain"))).ids
    assert corpus.sounds.get(sound_id).tags == ("field", "recordings", "rain", "2024", "my-own")


def test_a_link_leaves_the_file_in_place(corpus, tmp_path):
    path = write(tmp_path / "in" / "far.wav")
    (sound_id,) = corpus.adopt([tmp_path / "in"], Adoption(link=True)).ids
    file = corpus.sounds.get(sound_id).file
    assert (file.linked, file.path) == (True, path)
    assert not (corpus.home / "sounds").exists()
    write(path, seed=9)
    (failure,) = corpus.adopt([tmp_path / "in"], Adoption(link=True)).failed
    assert "is linked already, and its content has changed" in failure[1]


def test_a_catalogue_says_what_files_are(corpus, tmp_path):
    from corpus.catalogue import read

    write(tmp_path / "in" / "one.wav", 1)
    write(tmp_path / "in" / "two.wav", 2)
    write(tmp_path / "in" / "three.wav", 3)
    (tmp_path / "catalogue.csv").write_text(
        "path,id,name,username,licence,url,tags\n"
        'in/one.wav,123,"Hit, hard",alba,https://creativecommons.org/licenses/by/4.0/,https://freesound.org/s/123/,'
        "metal Hit\n"
        "in/two.wav,123,,,CC0,,\n"
    )
    how = Adoption(tags=("new",), licence=from_text("by-nc 3.0"), catalogue=read(tmp_path / "catalogue.csv"))
    report = corpus.adopt([tmp_path / "in"], how)
    one = corpus.sounds.get(123)
    assert (one.name, one.username, one.tags) == ("Hit, hard", "alba", ("metal", "hit", "new"))
    assert one.credit == (
        "Hit, hard by alba (https://freesound.org/s/123/) licensed under Attribution 4.0"
        " (https://creativecommons.org/licenses/by/4.0/)"
    )
    others = {sound.name: sound for sound in corpus.sounds.many(report.ids) if sound.id != 123}
    assert str(others["two"].licence) == "Creative Commons 0 1.0"
    assert str(others["three"].licence) == "Attribution NonCommercial 3.0"
    assert others["two"].id >= FIRST_LOCAL_ID
    assert report.notes == [
        f"{tmp_path / 'in' / 'two.wav'}: id 123 is taken by another sound, so this one became {others['two'].id}"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,id\nx.wav,1\n", "has no column 'path'"),
        ("path,colour\nx.wav,red\n", "has a column 'colour'; known are path,id"),
        ("path,id\nx.wav,0\n", "line 2: '0' is not a Freesound id"),
        ("path,id\nx.wav,1000000000\n", "line 2: '1000000000' is not a Freesound id"),
        ("path,id\nx.wav,1,2,3\n", "line 2: more values than columns"),
        ('path,id\n"x.wav,1\n', "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_catalogue_is_one_line(tmp_path, content, words):
    from corpus.catalogue import read

    if content is not None:
        (tmp_path / "c.csv").write_text(content)
    with pytest.raises(CatalogueError, match=words):
        read(tmp_path / "c.csv")


def test_links_between_folders_are_followed_once(corpus, tmp_path):
    write(tmp_path / "in" / "deep" / "one.wav")
    (tmp_path / "in" / "deep" / "back").symlink_to(tmp_path / "in")
    write(tmp_path / "elsewhere" / "two.wav", 2)
    (tmp_path / "in" / "there").symlink_to(tmp_path / "elsewhere")
    assert len(corpus.adopt([tmp_path / "in"]).ids) == 2


def test_a_failed_record_takes_its_file_back(corpus, tmp_path, monkeypatch):
    write(tmp_path / "in" / "one.wav")

    def refuse(*_):
        raise HomeError("the disk is gone")

    monkeypatch.setattr(corpus.sounds, "insert", refuse)
    with pytest.raises(HomeError, match="the disk is gone; 0 sounds were adopted before that"):
        corpus.adopt([tmp_path / "in"])
    assert list((corpus.home / "sounds").rglob("*.*")) == []
    monkeypatch.undo()
    assert len(corpus.adopt([tmp_path / "in"]).ids) == 1


def test_ids_follow_the_names_not_the_fastest_worker(corpus, tmp_path):
    """The first file takes by far the longest to decode."""
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(size=6_000_000) * 0.1, 44100)
    for seed, name in enumerate("bcdefgh", 1):
        write(tmp_path / f"{name}.wav", seed)
    ids = corpus.adopt([tmp_path]).ids
    assert [corpus.sounds.get(sound_id).name for sound_id in ids] == list("abcdefgh")
    assert ids == list(range(FIRST_LOCAL_ID, FIRST_LOCAL_ID + 8))


def test_adopting_again_puts_a_missing_file_back(corpus, tmp_path):
    path = write(tmp_path / "in" / "one.wav")
    (sound_id,) = corpus.adopt([tmp_path / "in"]).ids
    file = corpus.sounds.get(sound_id).file
    file.path.unlink()
    report = corpus.adopt([tmp_path / "in"])
    assert (report.ids, report.skipped) == ([], 1)
    assert report.notes == [f"{path}: put back as the missing file of sound {sound_id}"]
    assert sha256_of(file.path) == file.sha256


def test_a_file_that_lies_where_a_new_one_would_go_is_left_alone(corpus, tmp_path):
    """As after the database was lost and begun anew."""
    lies = corpus.home / "sounds" / "1000000" / f"{FIRST_LOCAL_ID}__local__one.wav"
    lies.parent.mkdir(parents=True)
    lies.write_bytes(b"someone's sound")
    write(tmp_path / "in" / "one.wav")
    (sound_id,) = corpus.adopt([tmp_path / "in"]).ids
    assert lies.read_bytes() == b"someone's sound"
    assert corpus.sounds.get(sound_id).file.path.name == f"{FIRST_LOCAL_ID}__local__one-2.wav"


def test_what_a_killed_adoption_left_without_a_row_is_taken_over(corpus, tmp_path):
    """Killed between the renaming of a file and the commit of its row."""
    source = write(tmp_path / "in" / "one.wav")
    lies = corpus.home / "sounds" / "1000000" / f"{FIRST_LOCAL_ID}__local__one.wav"
    lies.parent.mkdir(parents=True)
    lies.write_bytes(source.read_bytes())
    (sound_id,) = corpus.adopt([tmp_path / "in"]).ids
    assert corpus.sounds.get(sound_id).file.path == lies
    assert [file for file in (corpus.home / "sounds").rglob("*") if file.is_file()] == [lies]


def test_catalogue_lines_without_a_file_are_said_and_links_are_seen_through(corpus, tmp_path):
    from corpus.catalogue import read

    write(tmp_path / "in" / "one.wav")
    (tmp_path / "c.csv").write_text("path,name\nin/../in/one.wav,first\nin/none.wav,second\n")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    report = corpus.adopt([tmp_path / "link"], Adoption(catalogue=read(tmp_path / "c.csv")))
    assert corpus.sounds.get(report.ids[0]).name == "first"
    (note,) = report.notes
    assert "1 of 2" in note
    assert "none.wav" in note
