"""Lengths of time as performers say them: seconds, or beats of the session's tempo (`"4b"`, `"1/2 b"`)."""

from __future__ import annotations

import math
import re
from numbers import Real

from engine.errors import VerbError

Length = float | str
"""Seconds as a number, or beats as text."""

_BEATS = re.compile(r"\s*(\d+(?:\.\d+)?)(?:/([1-9]\d*))?\s*b(?:eats?)?\s*", re.ASCII)
_LONGEST = 86400.0


def seconds(length: Length, tempo: float) -> float:
    """A length in seconds.

    Parameters
    ----------
    length : float or str
        Seconds, or beats such as "4b", "1.5 beats", "3/4b".
    tempo : float
        Beats a minute.

    Raises
    ------
    VerbError
        It is neither, negative, or longer than a day.
    """
    value = math.nan
    if isinstance(length, str):
        if found := _BEATS.fullmatch(length):
            value = float(found[1]) / int(found[2] or 1) * 60.0 / tempo
    elif isinstance(length, Real) and not isinstance(length, bool):
        value = float(length)
    if not 0.0 <= value <= _LONGEST:
        raise VerbError(f"{length!r} is no length of time; say seconds, as in 2.5, or beats, as in '4b'")
    return value
