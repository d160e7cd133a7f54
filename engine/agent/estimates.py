"""Figures with their intervals.

The interval is a percentile bootstrap over sounds (over uploaders where grouped), never the spread over folds or
repeats, which tells only how the same sounds were dealt. A bootstrap knows nothing of how another training set would
have turned out, and finds no doubt at all where all were right: so the interval is never narrower than Wilson's for a
share of as many sounds (uploaders).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.agent.forms import Classes, Floats

Members = npt.NDArray[np.intp]
"""Of each sound, the number of its group."""
Weights = npt.NDArray[np.uint16]
_RESAMPLES = 2000
_BLOCK = 100
"""Resamples at once, so that memory stays flat."""
_Z = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of sounds behind it."""

    value: float
    interval: tuple[float, float]
    n: int

    def as_json(self) -> dict[str, Any]:
        """`{"value", "interval", "n"}`, to four decimals."""
        low, high = self.interval
        return {"value": round(self.value, 4), "interval": [round(low, 4), round(high, 4)], "n": self.n}

    def in_words(self) -> str:
        """The figure and its interval, for people."""
        value, low, high = (round(one, 2) + 0.0 for one in (self.value, *self.interval))  # no -0.00
        return f"{value:.2f} ({low:.2f} to {high:.2f})"


def resamples(members: Members, y: Classes, seed: int) -> Weights:
    """How often each sound is drawn, shape (resamples, n): whole groups are drawn, and both classes are there."""
    generator = np.random.default_rng(seed)
    count = members.max() + 1
    kept = []
    for size in np.diff([*range(0, _RESAMPLES, _BLOCK), _RESAMPLES]):
        drawn = generator.multinomial(count, np.full(count, 1 / count), size=size).astype(np.uint16)[:, members]
        kept.append(drawn[drawn[:, y == 1].any(axis=1) & drawn[:, y == 0].any(axis=1)])
    return np.concatenate(kept)


def bootstrapped(figure: Callable[[Floats], Floats], weights: Weights) -> tuple[float, tuple[float, float]]:
    """A figure of weighted sounds (b, n) to (b,), and its interval over resamples, taken in blocks."""
    blocks = (weights[first : first + _BLOCK].astype(np.float64) for first in range(0, len(weights), _BLOCK))
    low, high = np.percentile(np.concatenate([figure(block) for block in blocks]), [2.5, 97.5])
    return float(figure(np.ones((1, weights.shape[1])))[0]), (float(low), float(high))


def share(figure: Callable[[Floats], Floats], weights: Weights, independent: int) -> Estimate:
    """A figure between 0 and 1 of so many independent sounds or groups."""
    value, (low, high) = bootstrapped(figure, weights)
    least, most = wilson(value, independent)
    return Estimate(value, (min(low, least), max(high, most)), weights.shape[1])


def wilson(value: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n independent cases.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.
    """
    middle = (value + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * np.sqrt(value * (1 - value) / n + _Z * _Z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
