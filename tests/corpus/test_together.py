"""Four processes write in one home and four read: nobody is told that the database is locked, no label is lost.

Each writer has its share to do; `make torture` has them go on for a minute (`MIRLA_TORTURE`). What readers waited is
printed: what they slept, by Linux's own account, without the time in which they computed or others had the core.
"""

import multiprocessing
import os
import time
import traceback
from pathlib import Path

import numpy as np
import pytest

from corpus import Corpus, Sound
from corpus import walk as walk_module
from corpus.freesound import client as client_module
from corpus.store.database import now
from corpus.store.tables import palette_sounds, palettes
from corpus.wanted import Query, Wanted
from tests.audio_files import write_tone
from tests.corpus.harvested import Hurried, enter

SECONDS = 60.0 if "MIRLA_TORTURE" in os.environ else 0.0
LABELS = 100
SCHEDULE = Path("/proc/thread-self/schedstat")
"""Nanoseconds on a core, and waiting for one."""


@pytest.fixture
def shared_home(freesound, monkeypatch, home, tmp_path):
    """Some sounds, measured, and an agent."""
    enter(monkeypatch, freesound)
    monkeypatch.setenv("MIRLA_FREESOUND_PER_MINUTE", "1000000")
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "1000000")
    with Corpus(home) as corpus:
        corpus.adopt([write_tone(tmp_path / f"{number}.wav", 300 + number, seconds=0.1) for number in range(6)])
        corpus.analyse()
        corpus.agents.create("water", "", ["mfcc"], "mlp")
    return home


def test_four_write_and_four_read(shared_home, capsys):
    context = multiprocessing.get_context("spawn")
    done, said = context.Event(), context.Queue()
    writers = [
        context.Process(target=work, args=(shared_home, job, said)) for job in (harvest, analyse, label, publish)
    ]
    readers = [context.Process(target=read, args=(shared_home, done, said)) for _ in range(4)]
    for process in (*readers, *writers):
        process.start()
    answers = [said.get(timeout=300) for _ in writers]
    done.set()
    answers += [said.get(timeout=60) for _ in readers]
    for process in (*readers, *writers):
        process.join()
    failed = [words for kind, words in answers if kind == "failed"]
    assert not failed, "\n".join(failed)
    acknowledged = sum(count for kind, count in answers if kind == "labels")
    slept = np.concatenate([times for kind, times in answers if kind == "read"])
    assert len(slept) > 100
    with Corpus(shared_home) as corpus:
        assert len(corpus.agents.history(corpus.agents.get("water"))) == acknowledged >= LABELS
        assert corpus.check().wrong == []
    with capsys.disabled():
        waits = ", ".join(
            f"{name} {np.percentile(slept, share):.2f} ms" for name, share in (("99 %", 99), ("all", 100))
        )
        print(f"\n{len(slept)} reads beside 4 writers, {acknowledged} labels: waits up to {waits}")


def work(home, job, said):
    """Do a writer's share again and again until the time is over."""
    ends = time.monotonic() + SECONDS
    try:
        with Corpus(home) as corpus:
            count = job(corpus, 0)
            while time.monotonic() < ends:
                count += job(corpus, count)
        said.put(("labels" if job is label else "wrote", count))
    except Exception:
        said.put(("failed", f"{job.__name__}: {traceback.format_exc()}"))


def harvest(corpus, done):
    """Many pages of few sounds; each time of other ones, so that there is something to write."""
    client_module.PAGE_SIZE = walk_module.PAGE_SIZE = 5
    client_module.SystemClock = Hurried
    words = ("drum", "tabla", "loop", "bass", "guitar")[done % 5]
    corpus.harvest(Wanted((Query(text=words, take=20),), audio="none"))
    return 1


def analyse(corpus, done):
    assert not corpus.analyse(redo=True, ids=[int(one) for one in corpus.sounds.ids(with_audio=True)], jobs=1).failed
    return 1


def label(corpus, done):
    agent = corpus.agents.get("water")
    ids = [int(one) for one in corpus.sounds.ids(with_audio=True)]
    for number in range(LABELS):
        word = "good" if (done + number) // len(ids) % 2 else "bad"
        corpus.agents.annotate(agent, [ids[number % len(ids)]], word, who="anna", session="s")
    return LABELS


def publish(corpus, done):
    """Palettes in short durable transactions."""
    for number in range(LABELS):
        with corpus.database.write(durable=True) as connection:
            named = {"name": f"p{done + number}", "version": 1, "published": now()}
            key = connection.execute(palettes.insert().values(named).returning(palettes.c.id)).scalar_one()
            rows = [
                {"palette_id": key, "position": place, "sound_id": 5, "file": f"{place:03}.wav"}
                | {"sha256": "e" * 64, "credit": Sound(5, "a drip").credited}
                for place in range(8)
            ]
            connection.execute(palette_sounds.insert(), rows)
            connection.execute(palettes.update().where(palettes.c.id == key).values(removed=now()))
    return LABELS


def read(home, done, said):
    """What a performer's commands ask of the database, until the writers are done."""
    slept = []
    try:
        with Corpus(home) as corpus:
            questions = (
                lambda: corpus.sounds.many(corpus.sounds.ids(with_audio=True)[:5]),
                lambda: corpus.sounds.matching("drum"),
                lambda: corpus.vectors.state("mfcc"),
                lambda: corpus.agents.get("water"),
            )
            for question in questions:  # connects, imports
                question()
            while not done.is_set():
                for question in questions:
                    start = account()
                    question()
                    slept.append(max(0.0, (account() - start)))
                time.sleep(0.001)
        said.put(("read", np.array(slept) * 1e3))
    except Exception:
        said.put(("failed", f"read: {traceback.format_exc()}"))


def account():
    """Seconds in which this thread slept so far, but for a constant; elsewhere than on Linux, simply the time."""
    computed, queued = map(int, SCHEDULE.read_text().split()[:2]) if SCHEDULE.exists() else (0, 0)
    return time.perf_counter() - (computed + queued) / 1e9
