"""The shape of a sound in one line of a terminal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.:-=+*#"
"""For terminals that cannot show blocks."""


def waveform(frames: npt.NDArray[np.float32], columns: int, levels: str = BLOCKS) -> str:
    """Peaks of audio over time, the highest as the last of `levels`; silence is the first all along.

    Parameters
    ----------
    frames : (n, channels) float32
    columns : int
        Characters at most; fewer where there are fewer frames.
    levels : str
        Characters from the lowest to the highest.

    Examples
    --------
    >>> waveform(np.array([[0.0], [0.5], [-1.0]], np.float32), 8)
    '▁▅█'
    """
    columns = min(columns, len(frames))
    if columns < 1:
        return ""
    starts = np.arange(columns) * len(frames) // columns
    peaks = np.maximum.reduceat(np.abs(frames).max(axis=1), starts)
    highest = float(peaks.max()) or 1.0
    places = np.minimum((peaks / highest * len(levels)).astype(int), len(levels) - 1)
    return "".join(levels[place] for place in places)


def levels_for(encoding: str | None) -> str:
    """Blocks, where a stream's encoding has them."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return BLOCKS
