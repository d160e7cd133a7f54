"""Time in a session: actions happen in their order, by the computer's clock or a virtual one."""

import threading
import time

import pytest

from engine.performing.clock import LiveClock, Pace, VirtualClock
from engine.performing.handle import Handle


class Rendering:
    """What only counts what it is told to render."""

    rate = 1000

    def __init__(self):
        self.position = 0
        self.told = []

    def advance(self, frames):
        self.position += frames
        self.told.append(frames)


def never(error):
    raise AssertionError from error


@pytest.fixture
def clock():
    return VirtualClock(Rendering(), never)


def test_virtual_time_passes_as_it_is_waited_for(clock):
    done = []
    for when in (0.5, 0.25, 0.5, 2.0):
        clock.at(when, lambda when=when: done.append((when, clock.now())))
    cancelled = clock.at(0.3, lambda: done.append("cancelled"))
    cancelled.cancel()
    clock.wait(1.0)
    assert done == [(0.25, 0.25), (0.5, 0.5), (0.5, 0.5)]
    assert clock.now() == 1.0
    clock.wait(-1)
    assert clock.now() == 1.0
    clock.wait(1.0)
    assert done[-1] == (2.0, 2.0)


def test_what_an_action_adds_is_done_in_the_same_wait(clock):
    done = []
    clock.at(0.1, lambda: clock.at(0.2, lambda: done.append(clock.now())))
    clock.at(0.4, lambda: clock.at(0.1, lambda: done.append(clock.now())))  # has passed: now
    clock.wait(0.4)
    assert done == [0.2, 0.4]


def test_a_live_clock_does_things_in_order_and_survives_being_closed_from_within():
    clock = LiveClock(never)
    done, over = [], threading.Event()
    clock.at(0.05, lambda: done.append("later"))
    clock.at(0.0, lambda: done.append("first"))
    clock.at(0.06, over.set)
    assert over.wait(10)
    assert done == ["first", "later"]
    clock.at(0.0, clock.close)
    clock._thread.join(10)
    assert not clock._thread.is_alive()
    clock.close()


def test_a_handle_keeps_its_pace_and_ends(clock):
    steps = []
    handle = Handle(clock, iter([0.1, 0.1, 0.3]), lambda: steps.append(round(clock.now(), 3)))
    clock.wait(0.25)
    assert not handle.done
    clock.wait(1.0)
    assert steps == [0.1, 0.2, 0.5]
    assert handle.done


def test_a_cancelled_handle_does_no_more(clock):
    steps = []
    handle = Handle(clock, iter([0.1] * 9), lambda: steps.append(1))
    clock.wait(0.35)
    handle.cancel()
    handle.cancel()
    clock.wait(5)
    assert len(steps) == 3
    assert handle.done
    assert repr(handle) == "<over>"


def test_a_live_clock_is_close_to_the_time_it_was_told():
    clock = LiveClock(never)
    late, over = [], threading.Event()
    when = clock.now() + 0.05
    clock.at(when, lambda: (late.append(clock.now() - when), over.set()))
    time.sleep(0.01)
    assert over.wait(10)
    assert late[0] >= 0
    clock.close()


def test_what_fails_is_told_and_the_clock_goes_on():
    told, over = [], threading.Event()
    clock = LiveClock(lambda error: told.append(str(error)))
    clock.at(0.0, lambda: 1 / 0)
    clock.at(0.01, over.set)
    assert over.wait(10)
    assert told == ["division by zero"]
    clock.close()
    virtual, steps = VirtualClock(Rendering(), lambda error: told.append(str(error))), []
    handle = Handle(virtual, iter([0.1] * 3), lambda: steps.append(1 / len(steps)))
    virtual.wait(1)
    assert told == ["division by zero"] * 2
    assert handle.done


def test_what_is_said_between_waits_takes_no_time(clock):
    pace = Pace(clock)
    clock.wait(5)
    for number in range(50):
        pace.wait(0.1)
        assert clock.now() == pytest.approx(5 + 0.1 * (number + 1), abs=1e-3)
        clock.wait(0.03)  # what a statement takes
    clock.wait(0.2)  # longer than a wait: the next ones make up for it
    pace.wait(0.1)
    pace.wait(0.2)
    assert clock.now() == pytest.approx(10.3, abs=1e-3)
    clock.wait(1.5)
    pace.wait(0.1)
    assert clock.now() == pytest.approx(11.9, abs=1e-3)


def test_a_wait_that_is_interrupted_counts_for_nothing(clock):
    class Interrupted:
        def __init__(self):
            self.waits = []

        def now(self):
            return 3.0

        def wait(self, seconds):
            self.waits.append(seconds)
            raise KeyboardInterrupt

    clock = Interrupted()
    pace = Pace(clock)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            pace.wait(10)
    assert clock.waits == [10, 10]


def test_a_handle_that_is_cancelled_takes_no_step_afterwards():
    """Cancelling waits for a step under way: what that says is said before."""
    clock = LiveClock(never)
    begun, free, steps = threading.Event(), threading.Event(), []

    def step():
        begun.set()
        assert free.wait(10)
        steps.append("said")

    handle = Handle(clock, iter([0.0, 60.0]), step)
    assert begun.wait(10)
    cancelling = threading.Thread(target=lambda: (handle.cancel(), steps.append("cancelled")))
    cancelling.start()
    cancelling.join(0.1)
    free.set()
    cancelling.join(10)
    clock.close()
    assert steps == ["said", "cancelled"]
