"""Turns: in order, in a thread, dropped by a stop."""

import threading

from engine.performing.turns import AtOnce, InTurn
from engine.performing.verbs import Outcome


def test_turns_are_taken_in_order():
    turns, done, rested = InTurn("a"), [], threading.Event()
    turns = InTurn("a", rested.set)
    futures = [turns.take(lambda number=number: Outcome(done.append(number))) for number in range(100)]
    assert all(future.result(10).error is None for future in futures)
    assert done == list(range(100))
    assert rested.wait(10)
    turns.close()


def test_a_stop_drops_what_waits_and_not_what_runs():
    turns, begun, free = InTurn("a"), threading.Event(), threading.Event()
    running = turns.take(lambda: Outcome((begun.set(), free.wait(10))))
    waiting = [turns.take(lambda: Outcome("done")) for _ in range(3)]
    assert begun.wait(10)
    turns.drop()
    assert all("dropped" in str(future.result(10).error) for future in waiting)
    free.set()
    assert running.result(10).error is None
    assert turns.take(lambda: Outcome("after")).result(10).answer == "after"
    turns.close()


def test_nothing_is_taken_after_the_end():
    turns = InTurn("a")
    turns.close()
    turns.close()
    assert "over" in str(turns.take(lambda: Outcome(1)).result(10).error)


def test_whatever_a_turn_raises_somebody_is_told_and_the_next_has_its_turn():
    turns = InTurn("a")

    def ends():
        raise SystemExit("bye")

    for wrong in (lambda: 1 / 0, ends):
        assert "please report it" in str(turns.take(wrong).result(10).error)
    assert turns.take(lambda: Outcome("after")).result(10).answer == "after"
    turns.close()


def test_who_waits_no_more_keeps_nobody_back():
    turns, begun, free, done = InTurn("a"), threading.Event(), threading.Event(), []
    turns.take(lambda: Outcome((begun.set(), free.wait(10))))
    cancelled = [turns.take(lambda: Outcome(done.append("cancelled"))) for _ in range(2)]
    assert begun.wait(10)
    assert cancelled[0].cancel()
    free.set()
    assert cancelled[1].result(10).error is None
    assert done == ["cancelled"]
    cancelled = turns.take(lambda: Outcome(free.wait(10)))
    cancelled.cancel()
    turns.drop()
    assert turns.take(lambda: Outcome("after")).result(10).answer == "after"
    turns.close()


def test_what_a_stop_finds_under_way_is_overtaken():
    turns, begun, free = InTurn("a"), threading.Event(), threading.Event()
    found = turns.take(lambda: Outcome((begun.set(), turns.overtaken, free.wait(10), turns.overtaken)))
    assert begun.wait(10)
    turns.drop()
    free.set()
    assert found.result(10).answer == (None, False, True, True)
    assert turns.take(lambda: Outcome(turns.overtaken)).result(10).answer is False
    turns.close()


def test_at_once_is_at_once():
    turns, done = AtOnce(), []
    assert turns.take(lambda: Outcome(done.append(1) or "x")).result(0).answer == "x"
    assert done == [1]
