"""`mirla check` and `--repair`: what is wrong is found, said and mended without deleting anything; nothing else is."""

import json
import time
import zlib

import numpy as np
import pytest

from corpus import Corpus, looking
from corpus import check as check_module
from corpus.backup import backup
from corpus.caches import Caches
from corpus.errors import CheckError
from corpus.files import sha256_of
from corpus.partway import Wanted
from corpus.wanted import Query
from corpus.wanted import Wanted as ToHarvest
from tests.audio_files import write_tone
from tests.corpus.harvested import enter
from tests.corpus.injuries import found
from tests.corpus.tones import change, everything, path_of


def test_nothing_is_wrong_with_a_sound_corpus(corpus, mirla):
    done = mirla("check", "--json").json
    assert {name: done[name] for name in ("sounds", "files", "read", "decoded", "wrong")} == {
        "sounds": 7, "files": 7, "read": 7, "decoded": 0, "wrong": 0,
    }  # fmt: skip
    assert all(done[kind] == [] for kind in ("missing", "damaged", "orphaned", "unanalysed", "stale_caches"))
    assert mirla("check", "--decode", "--json").json["decoded"] == 7
    assert "nothing is wrong" in mirla("check").out


def test_what_is_wrong_is_listed_and_ends_with_1(corpus, mirla):
    sound, path = path_of(corpus, "flac")
    path.write_bytes(path.read_bytes()[:-9])
    done = mirla("check", "--json", check=1).json
    (one,) = done["damaged"]
    assert (one["id"], one["path"], one["of"]) == (sound.id, str(path.relative_to(corpus.home)), "file")
    assert "bytes where there were" in one["error"]
    assert f"damaged: sound {sound.id}" in mirla("check", check=1).out


def test_what_was_never_decoded_is_decoded_once(corpus):
    change(corpus, "update files set decoded = null where format = 'mp3'")
    assert corpus.check().decoded == 1
    assert corpus.check().decoded == 0


def test_a_file_of_the_right_hash_that_no_decoder_reads_is_found(corpus):
    """As one could come in an archive."""
    sound, path = path_of(corpus, "wav")
    path.write_bytes(bytes(1000))
    change(
        corpus,
        "update files set decoded = null, sha256 = ?, bytes = 1000 where sound_id = ?",
        sha256_of(path),
        sound.id,
    )
    (one,) = corpus.check().damaged
    assert (one.id, one.of) == (sound.id, "file")
    assert "cannot be decoded" in one.error


def test_what_only_decoding_shows_of_a_row_is_found(corpus, monkeypatch):
    """Where libsndfile cannot open a file, its header says nothing."""

    def refuse(*_):
        raise RuntimeError

    monkeypatch.setattr(looking, "by_header", refuse)
    sound, _ = path_of(corpus, "mp3")
    change(corpus, "update files set frames = 7 where sound_id = ?", sound.id)
    assert corpus.check().wrong == []
    change(corpus, "update files set decoded = null where sound_id = ?", sound.id)
    assert [(one.of, one.id) for one in corpus.check().damaged] == [("row", sound.id)]


def test_a_sample_is_drawn_by_its_seed(corpus):
    samples = [corpus.check(Wanted(percent=50, seed=seed)) for seed in (1, 1, 2, 3)]
    assert samples[0].read == samples[1].read
    assert {one.read for one in samples} != {7}
    path_of(corpus, "mp3")[1].unlink()
    assert len(corpus.check(Wanted(percent=1e-9, seed=1)).missing) == 1, "that they are there is always looked at"


def test_a_stopped_check_goes_on_where_it_was(corpus, monkeypatch):
    """And looks again at what it had found."""
    monkeypatch.setattr(check_module, "_AT_ONCE", 2)
    _, path = path_of(corpus, "wav")
    content = path.read_bytes()
    path.write_bytes(content[:-1])

    def stop(phase, done, total, words):
        if phase == "files" and done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.check(progress=stop)
    later = corpus.check()
    assert later.went_on
    assert later.read == 7 - 4 + 1
    assert found(later) == {("damaged", str(path.relative_to(corpus.home)))}
    path.write_bytes(content)
    again = corpus.check()
    assert (again.went_on, again.read, again.wrong) == (False, 7, [])


def test_what_was_stopped_long_ago_or_otherwise_begins_anew(corpus, monkeypatch):
    memory = corpus.home / "cache" / "check.json"
    memory.parent.mkdir(exist_ok=True)
    facts = {"percent": 100.0, "seed": 5, "decode": False, "at": time.time(), "after": 3, "again": []}
    for changed, read in (({}, 4), ({"at": time.time() - 90_000}, 7), ({"decode": True}, 7), ({"after": "x"}, 7)):
        memory.write_text(json.dumps(facts | changed))
        assert corpus.check().read == read
    memory.write_text("no JSON")
    assert corpus.check().read == 7


def test_one_check_at_a_time(corpus):
    def second(phase, done, total, words):
        with pytest.raises(CheckError, match="another check is at work"):
            corpus.check()

    corpus.check(progress=second)


def test_rows_are_held_against_files_and_mended(corpus):
    sound, _ = path_of(corpus, "ogg")
    for column, value in (("frames", 5), ("format", "mp3"), ("bytes", 1), ("sha256", "f" + sound.file.sha256[1:])):
        if column == "sha256" and sound.file.sha256.startswith("f"):
            value = "0" + sound.file.sha256[1:]
        change(corpus, f"update files set {column} = ? where sound_id = ?", value, sound.id)
        report = corpus.check()
        assert [(one.of, one.id) for one in report.damaged] == [("row", sound.id)], column
        assert corpus.repair(report).left == []
        assert corpus.check().wrong == []
        assert corpus.sounds.get(sound.id).file == sound.file
    change(corpus, "update files set path = '../elsewhere.ogg' where sound_id = ?", sound.id)
    assert ("path", sound.id) in {(one.of, one.id) for one in corpus.check().damaged}


def test_damaged_vectors_and_those_of_another_extractor_are_measured_again(corpus):
    before = corpus.vectors.matrix("mfcc")[1].copy()
    first = int(corpus.sounds.ids()[0])
    change(corpus, "update vectors set data = zeroblob(104) where sound_id = ?", first)
    change(corpus, "update vectors set data = zeroblob(8) where sound_id = ?", first + 1)
    report = corpus.check()
    assert found(report) == {("damaged", first), ("damaged", first + 1)}
    assert corpus.repair(report).left == []
    change(corpus, "update spaces set fingerprint = ?", "a" * 64)
    report = corpus.check()
    assert [one.spaces for one in report.unanalysed if one.wrong] == [("mfcc",)]
    assert corpus.repair(report).done == ["space mfcc: 7 vectors measured again"]
    assert corpus.check().wrong == []
    np.testing.assert_array_equal(corpus.vectors.matrix("mfcc")[1], before)


def test_what_was_never_measured_is_no_fault(corpus, tmp_path):
    corpus.adopt([write_tone(tmp_path / "new.wav", 1234)])
    report = corpus.check()
    assert (len(report.unanalysed), report.wrong) == (1, [])
    change(corpus, "delete from vectors")
    change(corpus, "delete from spaces")
    assert len(corpus.check().unanalysed) == 8


def test_caches_are_held_against_their_stamps_and_dropped(corpus):
    state = corpus.vectors.state("mfcc")
    corpus.caches.store("space mfcc", state, {"X": np.arange(9.0)})
    corpus.caches.store("rows x", f"{'a' * 64} 1 77 abc", {"X": np.arange(9.0)})
    corpus.caches.store("verdicts 1", f"1 2026 {'b' * 64} {state}", {"X": np.arange(9.0)})
    corpus.caches.store("text drum", "12345", {"X": np.arange(9.0)})
    report = corpus.check()
    assert report.wrong == []
    assert sorted(one.path.split("/")[1][:5] for one in report.stale_caches) == ["rows_", "text_"]
    (arrays,) = (corpus.home / "cache").glob("space*/*/X.npy")
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\1")
    report = corpus.check()
    assert len(report.wrong) == 1
    assert corpus.repair(report).done == ["3 caches dropped; they are made anew when asked for"]
    assert len(list((corpus.home / "cache").glob("*/*/about.json"))) == 1


def test_no_bit_of_a_large_cache_flips_unseen(tmp_path):
    """The highest bit of a number in the second block, times two, is beyond the 64th: it must count all the same."""
    caches = Caches(tmp_path)
    caches.store("large", "x", {"X": np.zeros(400_000)})
    (path,) = tmp_path.glob("*/*/X.npy")
    for place in (0, 127, (1 << 20) + 7, (2 << 20) + 7, (2 << 20) + 15):
        content = bytearray(path.read_bytes())
        content[place] ^= 0x80
        path.write_bytes(content)
        assert caches.find("large", "x") is None
        content[place] ^= 0x80
        path.write_bytes(content)
    assert caches.find("large", "x") is not None


def test_what_lies_elsewhere_is_put_back(corpus):
    """Moved within `sounds/`, or held by another sound with the same content."""
    sound, path = path_of(corpus, "flac")
    stray = corpus.home / "sounds" / "somewhere else.flac"
    path.rename(stray)
    report = corpus.check()
    assert found(report) == {
        ("missing", str(path.relative_to(corpus.home))),
        ("orphaned", str(stray.relative_to(corpus.home))),
    }
    assert "found as" in corpus.repair(report).done[0]
    assert not stray.exists()
    twin = path_of(corpus, "aiff")[1]
    content = path.read_bytes()
    twin.write_bytes(content)
    change(
        corpus,
        "update files set (sha256, bytes, format, frames) = (select sha256, bytes, format, frames from files"
        " where sound_id = ?) where format = 'aiff'",
        sound.id,
    )
    path.write_bytes(b"damaged")
    assert "copied from" in corpus.repair(corpus.check()).done[0]
    assert path.read_bytes() == content
    assert (corpus.home / "quarantine" / path.relative_to(corpus.home)).read_bytes() == b"damaged"
    assert corpus.check().wrong == []


def test_what_cannot_be_saved_is_put_away_with_a_note_and_nothing_is_deleted(corpus, mirla):
    sound, path = path_of(corpus, "wav")
    lost, gone = path_of(corpus, "mp3")
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    gone.unlink()
    stray = write_tone(corpus.home / "sounds" / "stray.wav", 555)
    hidden = corpus.home / "sounds" / ".DS_Store"
    hidden.write_bytes(b"of another program")
    before = everything(corpus.home)
    corpus.close()
    done = mirla("check", "--repair", "--json", check=1).json
    assert {one["what"] for one in done["left"]} == {
        f"sound {one.id} ({where.relative_to(corpus.home)})" for one, where in ((sound, path), (lost, gone))
    }
    away = corpus.home / "quarantine" / path.relative_to(corpus.home)
    assert sound.file.sha256 in away.with_name(f"{away.name}.txt").read_text()
    assert "mirla adopt" in (corpus.home / "quarantine" / "sounds" / "stray.wav.txt").read_text()
    assert not stray.exists()
    assert hidden.exists()
    assert everything(corpus.home) == before
    again = mirla("check", "--json", check=1).json
    assert {one["id"] for one in again["missing"]} == {sound.id, lost.id}
    assert again["damaged"] == again["orphaned"] == []


def test_a_linked_file_is_its_owners(corpus, kept, home):
    file = kept / "linked.wav"
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-4] + b"edit")
        left = corpus.repair(corpus.check()).left
        assert "linked" in left[0][1]
        assert file.read_bytes() == content[:-4] + b"edit"
    finally:
        file.write_bytes(content)


def test_a_nan_in_a_vector_whose_sum_fits_is_found(corpus):
    sound, _ = path_of(corpus, "flac")
    data = np.full(26, np.nan, "<f4").tobytes()
    where = "sound_id = ? and length(data) = 104"
    change(corpus, f"update vectors set data = ?, sum = ? where {where}", data, zlib.crc32(data), sound.id)
    report = corpus.check()
    assert [(one.id, one.error) for one in report.damaged] == [(sound.id, "it holds what is no number")]
    assert corpus.repair(report).left == []
    assert corpus.check().wrong == []


def test_what_the_schema_has_and_the_database_lacks_is_said(corpus):
    change(corpus, "drop table returned")
    assert any("it has no table returned" in one.error for one in corpus.check().damaged)


def test_a_broken_text_index_is_made_anew_and_broken_references_are_said(corpus):
    change(corpus, "delete from sound_text_docsize where id = (select min(id) from sound_text_docsize)")
    report = corpus.check()
    assert ["full-text index" in one.error for one in report.damaged] == [True]
    assert corpus.repair(report).done == ["full-text index made anew"]
    assert corpus.check().wrong == []
    backup(corpus.database)
    change(corpus, "insert into tags values (99, 'x', 0)")
    (one,) = corpus.check().damaged
    assert "refers to a row of sounds that is not there" in one.error
    assert "mirla restore" in corpus.repair(corpus.check()).left[0][1]


@pytest.fixture
def harvested(freesound, home, monkeypatch):
    """A few previews from the local Freesound."""
    enter(monkeypatch, freesound)
    with Corpus(home) as corpus:
        corpus.harvest(ToHarvest((Query(ids=(130404, 130405, 100055)),), audio="lq-ogg"))
        assert corpus.check().wrong == []
        yield corpus


def test_freesounds_are_fetched_again_and_only_what_is_damaged(harvested, freesound):
    damaged, missing, whole = (sound.file.path for sound in harvested.sounds.many([130404, 130405, 100055]))
    contents = [path.read_bytes() for path in (damaged, missing, whole)]
    damaged.write_bytes(contents[0][:-9])
    missing.unlink()
    change(harvested, "update vectors set data = zeroblob(104) where length(data) = 104 and sound_id = 100055")
    report = harvested.check()
    done = harvested.repair(report)
    assert done.left == []
    assert [path.read_bytes() for path in (damaged, missing, whole)] == contents
    assert harvested.check().wrong == []
    assert len({entry.path for entry in freesound.asked("cdn")}) == 3, "the third was only harvested"


def test_without_a_network_what_is_freesounds_stays_and_is_said(harvested, monkeypatch):
    path = harvested.sounds.get(130404).file.path
    path.write_bytes(b"damaged")
    monkeypatch.delenv("FREESOUND_TOKEN")
    with Corpus(harvested.home) as corpus:
        (left,) = corpus.repair(corpus.check()).left
    assert "cannot be fetched again now: no Freesound API key" in left[1]
    assert path.read_bytes() == b"damaged"


def test_an_unreadable_share_is_wrong_usage(mirla):
    for share in ("0", "101%", "some"):
        assert "such as 5%" in mirla("check", "--sample", share, check=2).err
