"""Pauses of Python: shortened for a while, and then as they were."""

import gc
import sys

from engine import pauses


def test_for_a_while_what_is_there_is_not_walked_and_threads_take_turns_soon():
    before = sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()
    with pauses.shortened():
        assert gc.get_freeze_count() > 10_000
        assert sys.getswitchinterval() < before[0]
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_million_new_objects_cost_no_full_collection():
    def full():
        return gc.get_stats()[2]["collections"]

    with pauses.shortened():
        before = full()
        many = [[] for _ in range(1_000_000)]
        assert full() == before
    before = full()
    many += [[] for _ in range(1_000_000)]
    assert full() > before
