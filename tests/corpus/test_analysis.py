"""`analyse` as a whole: incremental, supervised, and unharmed by being killed."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.errors import AnalysisError, UnknownSound
from corpus.model import Space

KILLS = int(os.environ.get("MIRLA_TEST_KILLS", "20"))


def everything_measured(corpus):
    """Every vector and level with the facts of how it came about, as one digest; ids of rows left out."""
    query = sa.text(
        "select v.sound_id, s.name, s.fingerprint, v.data, p.facts, f.loudness, f.peak, f.sha256"
        " from vectors v join spaces s on s.id = v.space_id join provenances p on p.id = v.provenance_id"
        " join files f on f.id = v.file_id order by v.sound_id, s.name"
    )
    with corpus.database.read() as connection:
        rows = connection.execute(query).all()
        assert connection.execute(sa.text("pragma integrity_check")).scalar() == "ok"
        assert not connection.execute(sa.text("pragma foreign_key_check")).all()
    return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


def forget_measurements(corpus):
    with corpus.database.write() as connection:
        for table in ("additions", "vectors", "provenances", "spaces"):
            connection.execute(sa.text(f"delete from {table}"))
        connection.execute(sa.text("update files set loudness = null, peak = null"))


def test_killed_at_random_moments_it_ends_where_it_would_have(sonic, sonic_home):
    """SIGKILL, again and again, each time going on with what is left; now and then from the start."""
    expected = everything_measured(sonic)
    assert expected[0] == 165
    forget_measurements(sonic)
    generator = random.Random(20)
    program = [Path(sys.executable).with_name("mirla"), "--home", sonic_home, "analyse"]
    unfinished = 0
    for kill in range(KILLS):
        with sonic.database.read() as connection:
            before = connection.execute(sa.text("select count(*) from vectors")).scalar()
        if before == 165:
            forget_measurements(sonic)
            before = 0
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # some die while the workers start, some while they measure, some while the store is written
        deadline = time.monotonic() + generator.uniform(0.3, 1.5) * (1 if kill % 4 else 3)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with sonic.database.read() as connection:
            after = connection.execute(sa.text("select count(*) from vectors")).scalar()
        assert after >= before, "something that was done is lost"
        unfinished += after < 165
    assert unfinished, "no kill came before the end: the test tested nothing"
    report = sonic.analyse()
    assert not report.failed
    assert everything_measured(sonic) == expected


def test_only_what_is_new_or_stale_is_measured(sonic):
    first = sonic.analyse().spaces["mfcc"]
    assert (first.analysed, first.skipped) == (0, 165)
    with sonic.database.write() as connection:
        connection.execute(sa.text("delete from vectors where sound_id in (100055, 4832)"))
    second = sonic.analyse().spaces["mfcc"]
    assert (second.analysed, second.skipped) == (2, 163)
    sonic.vectors.register(Space("mfcc", 26, "of another version"))
    third = sonic.analyse(ids=[100055]).spaces["mfcc"]
    assert (third.analysed, third.skipped) == (0, 1), "vectors of the present extractor are current again"
    redone = sonic.analyse(ids=[100055], redo=True).spaces["mfcc"]
    assert (redone.analysed, redone.skipped) == (1, 0)


def test_a_changed_extractor_makes_vectors_stale(sonic):
    with sonic.database.write() as connection:
        connection.execute(sa.text("update spaces set fingerprint = 'of an older version'"))
    report = sonic.analyse(ids=[100055, 4832]).spaces["mfcc"]
    assert (report.analysed, report.skipped) == (2, 0)
    ids, _ = sonic.vectors.matrix("mfcc")
    assert ids.tolist() == [4832, 100055], "two fingerprints are never mixed in one matrix"


def test_unknown_space_and_sound_are_said(sonic):
    with pytest.raises(AnalysisError, match="no space 'mfc'; known are mfcc, mfcc_librosa"):
        sonic.analyse(["mfc"])
    with pytest.raises(UnknownSound, match="no sound 99 in"):
        sonic.analyse(ids=[99])


def test_a_file_that_vanished_is_one_listed_failure(sonic):
    sonic.sounds.get(100055).file.path.unlink()
    report = sonic.analyse(ids=[100055, 4832], redo=True)
    assert [(sound_id, "is missing" in words) for sound_id, words in report.failed] == [(100055, True)]
    assert report.spaces["mfcc"].analysed == 1
    assert 100055 in sonic.vectors.matrix("mfcc")[0], "its old vector stays"


def test_two_homes_get_the_same_bits(finished, home, samples):
    with Corpus(home) as other:
        other.adopt(samples[:3])
        other.analyse(jobs=1)
        for sound in other.sounds.many(other.sounds.ids().tolist()):
            twin = finished.sounds.holding(sound.file.sha256)
            ours, theirs = other.vectors.of_sound(sound.id), finished.vectors.of_sound(twin)
            assert ours["mfcc"].tobytes() == theirs["mfcc"].tobytes()
