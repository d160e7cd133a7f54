"""Harvests under torture: faults of every kind, alone and together, and kills at random moments. All end the same.

20 runs of each; `make torture` runs 200 (`MIRLA_TORTURE`).
"""

import multiprocessing
import os
import random

import pytest

from corpus import Corpus
from corpus import walk as walk_module
from corpus.errors import FreesoundError
from corpus.freesound import client as client_module
from corpus.wanted import Query, Wanted
from tests.corpus.harvested import content, enter, whole
from tests.freesound.faults import KINDS

RUNS = int(os.environ.get("MIRLA_TORTURE", "20"))
SHORT = "duration:[0 TO 1]"
WANTED = Wanted(
    (Query(ids=(100055, 4832)), Query(tags=("tabla",), filter=SHORT), Query(text="drum", filter=SHORT, take=20)),
    audio="lq-ogg",
    similar=3,
)
PAGE = 5


def small_pages(monkeypatch):
    """Many pages of few sounds."""
    monkeypatch.setattr(client_module, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(walk_module, "PAGE_SIZE", PAGE)


@pytest.fixture
def account(freesound, monkeypatch):
    clock = enter(monkeypatch, freesound)
    small_pages(monkeypatch)
    freesound.clock = clock
    return freesound


@pytest.fixture(scope="module")
def expected(tmp_path_factory, freesound_server):
    """What the harvest leaves when nothing goes wrong."""
    freesound_server.reset()
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, freesound_server)
        small_pages(patch)
        with Corpus(tmp_path_factory.mktemp("calm")) as corpus:
            report = corpus.harvest(WANTED)
            assert (report.state, report.failed, report.found) == ("done", [], 36)
            assert len(freesound_server.asked("api", "search")) > 8
            return content(corpus)


def finish(corpus, clock, times=200):
    """Harvest as a performer would who comes back each time it stops; listed failures are tried again."""
    harvest = corpus.harvests.start(WANTED.as_json())
    for _ in range(times):
        try:
            report = corpus.harvest(resume=harvest.id)
        except FreesoundError:
            assert whole(corpus)
            clock.sleep(7200)
            if not corpus.harvests.all():  # one that never got anywhere is not kept
                harvest = corpus.harvests.start(WANTED.as_json())
            continue
        if report.state == "done":
            assert report.failed == []
            return
    raise AssertionError(f"not done after coming back {times} times")


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone_ends_in_the_same_corpus(account, home, expected, kind):
    account.faults.sometimes(len(kind), probability=0.5, kinds=(kind,))
    with Corpus(home) as corpus:
        finish(corpus, account.clock)
        assert content(corpus) == expected
    # a file of two seconds is never cut so that a range is asked for, unless it is cut
    assert account.faults.struck or kind == "rangeless"


@pytest.mark.parametrize("seed", range(RUNS))
def test_all_faults_at_random_end_in_the_same_corpus(account, home, expected, seed):
    account.faults.pause = 0.002
    account.faults.sometimes(seed, probability=0.3)
    with Corpus(home) as corpus:
        finish(corpus, account.clock)
        assert content(corpus) == expected
    assert len({kind for kind, _ in account.faults.struck}) > 4


def test_killed_at_random_moments_it_ends_in_the_same_corpus(account, home, expected):
    """A harvest that is done before it is killed often enough is followed by another, in a home of its own."""
    account.faults.pause = 0.01
    account.faults.always("slow")
    generator, killed, homes, found = random.Random(7), 0, 0, set()
    while killed < RUNS:
        homes += 1
        with Corpus(home / str(homes)) as corpus:
            harvest = corpus.harvests.start(WANTED.as_json()).id
            while corpus.harvests.get(harvest).state != "done":
                ended = run_for(generator.uniform(0.6, 1.8), corpus.home, harvest)
                killed += not ended
                assert whole(corpus)
                brought = corpus.harvests.brought(corpus.harvests.get(harvest))
                found.add((len(brought), corpus.status()["with_audio"], corpus.similar_lists.count()))
            assert content(corpus) == expected
    assert len(found) >= 6, "they were killed at different stages"


def run_for(seconds, home, harvest):
    """Go on with a harvest in another process and kill it then; whether it ended by itself before."""
    process = multiprocessing.get_context("spawn").Process(target=resume, args=(home, harvest))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return False
    assert process.exitcode == 0, "it failed"
    return True


def resume(home, harvest):
    with pytest.MonkeyPatch.context() as patch:
        small_pages(patch)
        with Corpus(home) as corpus:
            corpus.harvest(resume=harvest)
