"""Lengths of time as performers say them."""

import pytest

from engine.errors import VerbError
from engine.performing.times import seconds


@pytest.mark.parametrize(
    ("said", "meant"),
    [(2.5, 2.5), (0, 0.0), ("4b", 2.0), ("1.5 beats", 0.75), ("3/4b", 0.375), (" 1 beat ", 0.5), ("0b", 0.0)],
)
def test_seconds_and_beats(said, meant):
    assert seconds(said, 120.0) == pytest.approx(meant)


@pytest.mark.parametrize("said", [-1, float("nan"), float("inf"), True, None, "4", "b", "1/0b", "-1b", "1e3b", [], 1e9])
def test_what_is_no_length(said):
    with pytest.raises(VerbError, match="no length of time"):
        seconds(said, 120.0)
