"""Figures in words, for the terminal and the report alike."""

from __future__ import annotations

from engine.agent.estimates import Estimate
from engine.bench.evidence import Difference


def figure(one: Estimate | None) -> str:
    """A figure and its interval; `none` where there is none, as of AUC by classifiers of several scales."""
    return "none" if one is None else one.in_words()


def apart(one: Difference, better: int) -> str:
    """By how much a cell is more accurate than the other one of a pair."""
    value, (low, high), n = one.accuracy.value, one.accuracy.interval, one.accuracy.n
    return (one.accuracy if one.first == better else Estimate(-value, (-high, -low), n)).in_words()


def chance(p: float | None) -> str:
    """A p; None where there is none."""
    if p is None:
        return "none"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
