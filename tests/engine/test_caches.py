"""Derived caches: the same answers as without them, whatever happened to the store, the folder or the process."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Corpus
from corpus.caches import Caches
from corpus.model import FIRST_LOCAL_ID, Space
from corpus.store.vectors import Vector, Vectors
from engine import features
from engine.query import run
from engine.query.run import Choice, similar
from engine.similarity import kept, metrics
from engine.similarity.measures import MEASURES, VectorMeasure, measure
from engine.similarity.metrics import COSINE

NAMES = ["mfcc", "mfcc_raw", "mfcc_means", "mfcc_cosine", "mfcc_pca", "0.7*mfcc+0.3*mfcc_means", "turn"]
TURN = VectorMeasure("turn", "as they are, by direction", "mfcc", kept.as_is, COSINE)
"""Unit-length rows, which grow."""
KILLS = 12


@pytest.fixture(autouse=True)
def turn(monkeypatch):
    monkeypatch.setitem(MEASURES._items, "turn", TURN)


def put(corpus, ids, X):
    space = corpus.vectors.space("mfcc")
    with corpus.database.write() as connection:
        made = (Vector("mfcc", space.fingerprint, int(i), None, x, {"made": "up"}) for i, x in zip(ids, X, strict=True))
        corpus.vectors.put(connection, made)


def take(corpus, ids):
    """Remove vectors, as a program of another's would."""
    connection = sqlite3.connect(corpus.database.file)
    with connection:
        connection.executemany("delete from vectors where sound_id = ?", [(int(i),) for i in ids])
    connection.close()


def answers(corpus, names=NAMES, k=40):
    """Ids and distances of two queries by each measure, one of them among every other sound."""
    ids = corpus.vectors.matrix("mfcc")[0]
    given = []
    for name in names:
        for allowed in (slice(None), slice(None, None, 2)):
            around = measure(name).around(corpus, int(ids[30]))
            found, distances = around.nearest(k, around.ids[allowed])
            given.append((name, found.tolist(), distances.tolist()))
    return given


def fresh(corpus, names=NAMES, k=40):
    """The same by a process that never had a cache."""
    aside = corpus.home.parent / "aside"
    aside.mkdir()
    with sqlite3.connect(corpus.database.file) as source, sqlite3.connect(aside / "corpus.sqlite") as target:
        source.backup(target)
    try:
        with Corpus(aside) as other:
            return answers(other, names, k)
    finally:
        shutil.rmtree(aside)


def files(corpus):
    return sorted((corpus.home / "cache").rglob("*.npy"))


def unread(monkeypatch):
    """From now on neither the store's vectors are read nor anything prepared."""

    def refuse(*_):
        raise AssertionError("read or prepared again")

    monkeypatch.setattr(Vectors, "snapshot", refuse)
    monkeypatch.setattr(Vectors, "added", refuse)
    monkeypatch.setattr("engine.similarity.preparations._Scores.__init__", refuse)
    monkeypatch.setattr("engine.similarity.kept.ExactIndex.__init__", refuse)


def test_a_second_query_reads_and_prepares_nothing(sonic, monkeypatch):
    first = answers(sonic)
    target = first[0][1][0]
    ids = sonic.vectors.matrix("mfcc")[0]
    monkeypatch.setattr(Vectors, "matrix", lambda *_: (ids, None))
    unread(monkeypatch)
    assert answers(sonic) == first
    assert similar(sonic, target, Choice(k=5)).hits


def test_another_process_reads_and_prepares_nothing(sonic, monkeypatch):
    first = answers(sonic, NAMES[:5])
    monkeypatch.setattr(Vectors, "snapshot", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("engine.similarity.preparations._Scores.__init__", lambda *_: pytest.fail("prepared again"))
    with Corpus(sonic.home) as other:
        monkeypatch.setattr(Vectors, "matrix", lambda *_: (features.load(other, "mfcc").ids, None))
        assert answers(other, NAMES[:5]) == first
        X = features.load(other, "mfcc").X
        assert isinstance(X.base, np.memmap) or isinstance(X.base.base, np.memmap)
        assert not X.flags.writeable


def changed(corpus):
    ids, X = corpus.vectors.matrix("mfcc")
    put(corpus, ids[50:53], X[30:31].repeat(3, axis=0))


def removed(corpus):
    take(corpus, corpus.vectors.matrix("mfcc")[0][60:70])


def forgotten(corpus):
    corpus.forget(corpus.vectors.matrix("mfcc")[0][70:72].tolist(), for_good=True)


def overwritten(corpus):
    connection = sqlite3.connect(corpus.database.file)
    with connection:
        connection.execute("update vectors set data = (select data from vectors limit 1) where sound_id % 7 = 0")
    connection.close()


def of_another_extractor(corpus):
    ids, X = corpus.vectors.matrix("mfcc")
    corpus.vectors.register(Space("mfcc", 26, "another", "computed"))
    put(corpus, ids[:90], X[90:0:-1])


@pytest.mark.parametrize("change", [changed, removed, forgotten, overwritten, of_another_extractor])
@pytest.mark.parametrize("session", ["live", "next"])
def test_no_change_is_answered_from_before_it(sonic, change, session):
    before = answers(sonic)
    change(sonic)
    expected = fresh(sonic)
    assert expected != before
    if session == "live":
        assert answers(sonic) == expected
    with Corpus(sonic.home) as other:
        assert answers(other) == expected


@pytest.mark.parametrize("which", [slice(0, 12), slice(80, 95), slice(150, 165)], ids=["below", "within", "above"])
@pytest.mark.parametrize("session", ["live", "next"])
def test_what_was_added_is_all_that_is_read(sonic, which, session, monkeypatch):
    ids, X = sonic.vectors.matrix("mfcc")
    take(sonic, ids[which])
    before = answers(sonic)
    put(sonic, ids[which][:5], X[which][:5])
    put(sonic, ids[which][5:], X[which][5:])
    expected = fresh(sonic)
    assert expected != before
    now = features._with_origin(sonic, "mfcc", None, sonic.vectors.matrix("mfcc"))
    monkeypatch.setattr(Vectors, "snapshot", lambda *_: pytest.fail("all read again"))
    monkeypatch.setattr(Vectors, "matrix", lambda *_: (now.ids, now.X))
    made = []
    monkeypatch.setattr(kept, "_grown", lambda *given, real=kept._grown: made.append(real(*given)) or made[-1])
    if session == "live":
        assert answers(sonic) == expected
    else:
        with Corpus(sonic.home) as other:
            assert answers(other) == expected
    assert [len(rows) for rows in made if rows is not None] == [len(ids)], "the unit-length rows grew"


def test_a_database_put_back_to_before_and_grown_otherwise_is_no_growth(sonic):
    """The cache is of a later state; what it has under the same ids is not what is there now."""
    ids, X = sonic.vectors.matrix("mfcc")
    take(sonic, ids[100:])
    backup = sonic.home.parent / "backup.sqlite"
    with sqlite3.connect(sonic.database.file) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    put(sonic, ids[100:120], X[100:120])
    answers(sonic)
    with sqlite3.connect(backup) as source, sqlite3.connect(sonic.database.file) as target:
        source.backup(target)
    put(sonic, ids[100:120], X[40:60])
    put(sonic, ids[120:130], X[120:130])
    expected = fresh(sonic)
    assert answers(sonic) == expected
    with Corpus(sonic.home) as other:
        assert answers(other) == expected


def cut(path):
    os.truncate(path, path.stat().st_size - 100)


def flipped(path):
    data = bytearray(path.read_bytes())
    data[128:] = data[:127:-1]  # behind the header, back to front
    path.write_bytes(data)


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flipped, emptied, os.unlink])
@pytest.mark.parametrize("kind", ["npy", "json"])
def test_a_damaged_file_is_made_again(sonic, damage, kind):
    expected = answers(sonic)
    found = list((sonic.home / "cache").rglob(f"*.{kind}"))
    assert len(found) >= 5
    for path in found:
        damage(path)
    with Corpus(sonic.home) as other:
        assert answers(other) == expected
    with Corpus(sonic.home) as another:
        assert answers(another) == expected
    assert all(np.load(path).size for path in files(sonic)), "what was damaged is whole again"
    assert not list((sonic.home / "cache").rglob(".incoming*"))


def test_gaussians_are_inverted_once_for_all_processes(measured_home, home, monkeypatch):
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        expected = answers(corpus, ["mfcc_gauss"])
    inverted = []
    monkeypatch.setattr(metrics, "_gaussian_parts", counted(metrics._gaussian_parts, inverted))
    with Corpus(home) as corpus:
        assert answers(corpus, ["mfcc_gauss"]) == expected
        assert set(inverted) == {1}, "the query alone"
        shutil.rmtree(home / "cache")
        corpus.caches._held.clear()
        assert answers(corpus, ["mfcc_gauss"]) == expected
        assert max(inverted) == 165


def counted(function, lengths):
    """The same function, which remembers how many rows it was given each time."""

    def counting(X, *rest):
        lengths.append(len(X))
        return function(X, *rest)

    return counting


MIXES = ["mfcc+mfcc_cosine", "0.7*mfcc+0.3*mfcc_means"]


@pytest.mark.parametrize("name", ["mfcc", "mfcc_cosine", *MIXES])
def test_queries_of_several_sounds_make_nothing_again(sonic, monkeypatch, name):
    first, second, third = sonic.vectors.ids("mfcc")[:3].tolist()

    def asked():
        walk = [] if name == MIXES[0] else run.path(sonic, first, second, Choice(k=5), name).hits
        several = similar(sonic, [first, second], Choice(k=5), name, unlike=[third]).hits
        return several, similar(sonic, first, Choice(k=5, spread=0.5), name).hits, walk

    expected = asked()
    for other in MIXES:
        similar(sonic, first, Choice(), other)
    unread(monkeypatch)
    assert asked() == expected
    assert measure(MIXES[0]).covers(sonic).sounds == 165


def test_the_mixes_asked_for_last_are_held(tmp_path):
    caches, made = Caches(tmp_path), []

    def held(key, at_most=3):
        return caches.held(key, "now", lambda: made.append(key) or ("now", key), at_most)

    held("space mfcc", None)
    for key in ("mix a", "mix b", "mix c", "mix a", "mix d", "mix a", "mix c"):
        assert held(key) == key
    assert made == ["space mfcc", "mix a", "mix b", "mix c", "mix d"]
    held("mix b")
    held("space mfcc", None)
    assert made[5:] == ["mix b"]


def test_one_key_is_made_while_another_is(tmp_path):
    caches, both = Caches(tmp_path), threading.Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(caches.held, key, "now", lambda: ("now", both.wait())) for key in "ab"]
        assert {one.result() for one in waiting} == {0, 1}


def test_what_nobody_asked_for_in_a_month_goes(tmp_path):
    X, month = np.arange(4), 30 * 24 * 3600
    caches = Caches(tmp_path)
    for key in ("used", "unused", "recent"):
        caches.store(key, "then", {"X": X})
    for key, age in (("used", month + 60), ("unused", month + 60), ("recent", month - 60)):
        os.utime(caches._place(key, "then"), (time.time() - age,) * 2)
    caches = Caches(tmp_path)
    assert caches.find("used", "then")
    caches.store("new", "now", {"X": X})
    assert [bool(caches.find(key, "then")) for key in ("used", "unused", "recent")] == [True, False, True]
    assert not caches._place("unused").exists()


def test_what_cannot_be_an_array_is_no_full_disk(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        Caches(tmp_path).store("odd", "now", {"X": np.array([object()])})
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_the_folder_may_be_deleted_at_any_time(sonic):
    expected = answers(sonic)
    shutil.rmtree(sonic.home / "cache")
    assert answers(sonic) == expected
    with Corpus(sonic.home) as other:
        assert answers(other) == expected
    assert files(sonic)


def test_where_nothing_can_be_written_there_is_no_cache(sonic, monkeypatch):
    expected = fresh(sonic)
    (sonic.home / "cache").write_text("no folder")
    assert answers(sonic) == expected
    unread(monkeypatch)
    assert similar(sonic, expected[0][1][0], Choice(k=5)).hits


def test_a_full_disk_leaves_nothing_half_done(sonic, monkeypatch):
    expected = fresh(sonic)

    def full(file, *_, **__):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert answers(sonic) == expected
    assert not [path for path in (sonic.home / "cache").rglob("*") if path.is_file()]


def test_old_entries_do_not_pile_up(sonic):
    answers(sonic)
    before = len(files(sonic))
    changed(sonic)
    answers(sonic)
    assert len(files(sonic)) == before


def test_another_definition_is_another_matrix(sonic, monkeypatch):
    one = VectorMeasure("turn", "", "mfcc", lambda X: X[:, :3])
    other = VectorMeasure("turn", "", "mfcc", lambda X: X[:, 1:4])
    for made in (one, other):
        monkeypatch.setitem(MEASURES._items, "turn", made)
        with Corpus(sonic.home) as corpus:
            matrix, X = made.prepared(corpus)
            np.testing.assert_array_equal(X, made.prepare(matrix.X))


def ask_for(home, results):
    with Corpus(home) as corpus:
        results.put(answers(corpus, NAMES[:5]))


def test_processes_that_build_at_once_are_all_right(sonic):
    expected = fresh(sonic, NAMES[:5])
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    asking = [context.Process(target=ask_for, args=(sonic.home, results)) for _ in range(4)]
    for process in asking:
        process.start()
    assert [results.get(timeout=120) for _ in asking] == [expected] * 4
    for process in asking:
        process.join()
    with Corpus(sonic.home) as other:
        assert answers(other, NAMES[:5]) == expected


def build_for_ever(home, going):
    while True:
        with Corpus(home) as corpus:
            ids, X = corpus.vectors.matrix("mfcc")
            put(corpus, ids[:1], X[:1])  # the same again: another state with the same answers
            going.set()
            answers(corpus, NAMES[:5])


def test_a_process_killed_while_it_writes_harms_no_answer(sonic):
    expected = fresh(sonic, NAMES[:5])
    generator = np.random.default_rng(0)
    context = multiprocessing.get_context("spawn")
    for _ in range(KILLS):
        going = context.Event()
        process = context.Process(target=build_for_ever, args=(sonic.home, going))
        process.start()
        assert going.wait(60)
        time.sleep(generator.uniform(0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with Corpus(sonic.home) as other:
            assert answers(other, NAMES[:5]) == expected


@settings(deadline=None, max_examples=300)
@given(
    ids=st.sets(st.integers(1, 60) | st.integers(FIRST_LOCAL_ID, FIRST_LOCAL_ID + 60) | st.integers(1, 2**31)),
    some=st.lists(st.integers(0, 70) | st.integers(FIRST_LOCAL_ID - 5, FIRST_LOCAL_ID + 70) | st.integers(1, 2**31)),
)
def test_looking_up_is_set_membership(ids, some):
    ids, some = np.array(sorted(ids), np.int64), np.array([*some, *list(ids)[::3]], np.int64)
    np.testing.assert_array_equal(features.among(ids, some), np.isin(ids, some))


def test_every_writer_changes_the_state(sonic):
    """Also those that know nothing of it: triggers do."""
    seen = [sonic.vectors.state("mfcc")]
    ids, X = sonic.vectors.matrix("mfcc")
    take(sonic, ids[:1])
    seen.append(sonic.vectors.state("mfcc"))
    put(sonic, ids[:1], X[:1])
    seen.append(sonic.vectors.state("mfcc"))
    put(sonic, ids[:1], X[:1])
    seen.append(sonic.vectors.state("mfcc"))
    overwritten(sonic)
    seen.append(sonic.vectors.state("mfcc"))
    sonic.vectors.register(Space("mfcc", 26, "another", "computed"))
    seen.append(sonic.vectors.state("mfcc"))
    assert len(set(seen)) == len(seen)
    assert sonic.vectors.state("mfcc_librosa") is None


def test_a_cache_that_may_only_be_read_is_read(tmp_path, monkeypatch):
    Caches(tmp_path).store("key", "now", {"X": np.arange(4)})

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    assert Caches(tmp_path).find("key", "now")["X"].tolist() == [0, 1, 2, 3]
