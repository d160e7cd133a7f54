"""The limits hold in every window, whenever requests come, over restarts and between processes."""

import multiprocessing

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Corpus
from corpus.store.quota import DAY, MINUTE, RequestLog

START = 1_800_000_000.0


def most_in(times, window):
    """The largest number of times in any window of that length."""
    return max((sum(0 <= later - first < window for later in times) for first in times), default=0)


@settings(deadline=None, max_examples=40)
@given(
    gaps=st.lists(st.sampled_from([0.0, 0.5, 1.0, 30.0, 60.0, 4000.0, DAY / 3]), min_size=1, max_size=60),
    per_minute=st.integers(1, 5),
    per_day=st.integers(1, 12),
)
def test_no_window_ever_holds_more_than_its_limit(tmp_path_factory, gaps, per_minute, per_day):
    """Every caller waits as long as it is told; the log is opened anew each time, as by another process."""
    with Corpus(tmp_path_factory.mktemp("quota")) as corpus:
        now, made = START, []
        for gap in gaps:
            now += gap
            while (grant := RequestLog(corpus.database, per_minute, per_day).take(now)).wait:
                assert 0 < grant.wait <= (DAY if grant.daily else MINUTE)
                now += grant.wait
            made.append(now)
        assert most_in(made, MINUTE) <= per_minute
        assert most_in(made, DAY) <= per_day
        assert RequestLog(corpus.database, per_minute, per_day).left(now) == per_day - sum(
            at > now - DAY for at in made
        )


def test_nobody_waits_without_need(home):
    with Corpus(home) as corpus:
        log = RequestLog(corpus.database, 3, 5)
        assert [log.take(START + second).wait for second in range(3)] == [0, 0, 0]
        assert log.take(START + 10).wait == 50
        assert log.take(START + 60).wait == 0
        assert log.take(START + 61).wait == 0
        refused = log.take(START + 200)
        assert (refused.daily, refused.wait) == (True, DAY - 200)
        assert log.take(START + DAY).wait == 0


def test_the_servers_word_counts(home):
    with Corpus(home) as corpus:
        log = RequestLog(corpus.database, 55, 1900)
        assert not log.take(START).wait
        log.exhaust(START + 1, daily=False)
        assert log.take(START + 2).wait == 59
        assert not log.take(START + 61).wait
        log.exhaust(START + 100, daily=True)
        refused = log.take(START + 101)
        assert (refused.daily, round(refused.wait)) == (True, 3599)
        assert not log.take(START + 3701).wait


def test_a_clock_that_was_wrong_blocks_nobody(home):
    with Corpus(home) as corpus:
        log = RequestLog(corpus.database, 3, 5)
        for _ in range(3):
            assert not log.take(START + 35 * DAY).wait
        assert [log.take(START).wait for _ in range(3)] == [0, 0, 0]


def test_two_processes_share_one_limit(home):
    Corpus(home).close()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        granted = pool.map(count_granted, [home, home])
    assert sum(granted) == 40


def count_granted(home):
    with Corpus(home) as corpus:
        log = RequestLog(corpus.database, 40, 1000)
        return sum(not log.take(START).wait for _ in range(40))
