"""Figures in words, for the terminal and the report alike."""

from __future__ import annotations

from engine.agent.estimates import Estimate
from engine.bench.evidence import Difference


def estimate(one: Estimate | None) -> str:
    """A figure and its interval; None where there is none."""
    return "none" if one is None else _three(one.value, *one.interval)


def apart(one: Difference, better: int) -> str:
    """By how much a cell is more accurate than the other one of a pair."""
    value, (low, high) = one.accuracy.value, one.accuracy.interval
    return _three(value, low, high) if one.first == better else _three(-value, -high, -low)


def chance(p: float | None) -> str:
    """A p; None where there is none."""
    if p is None:
        return "none"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _three(value: float, low: float, high: float) -> str:
    value, low, high = (round(one, 2) + 0.0 for one in (value, low, high))  # no -0.00
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
