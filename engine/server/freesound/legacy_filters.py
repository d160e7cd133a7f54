"""What old clients ask for: targets, and conditions on descriptors within a filter, in the words of this engine.

A filter may mix ordinary conditions, which must hold, with conditions on descriptors by their old names (see
`legacy_names`), with a dot before them or not: these are *wishes*. `.rhythm.bpm:70` means a tempo that rounds to 70.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from corpus.errors import FilterError
from corpus.filters import FIELDS, Between, Match, Node, Not
from engine.server.freesound.legacy_names import KEYS, QUANTITIES, SCALES, key_read, plain, tonalities

_PART = re.compile(r'(?:"(?:\\.|[^"\\])*"|\[[^\[\]]*\]|\([^()]*\)|[^\s"()\[\]])+')
_OLD = re.compile(r"(-?)(\.?(?:lowlevel|tonal|rhythm|sfx)\.[\w.]+(?:\[[0-9]+\])?):(.+)", re.DOTALL)
_HAS_OLD = re.compile(r"(?:lowlevel|tonal|rhythm|sfx)\.\w")
_COEFFICIENT = re.compile(r"\[([0-9]+)\]$")
_RANGE = re.compile(r"\[\s*(\S+)\s+TO\s+(\S+)\s*\]")
_MOST_TARGETS = 20


class Quantity(NamedTuple):
    """One number of a sound: a trait, `duration`, or one of the statistics `mfcc` and `mfcc_var`, with its place."""

    name: str
    place: int | None = None


@dataclass(frozen=True)
class Coefficient:
    """A wish for one number of the MFCC statistics: from `low` to `high`, which are in it; or else not that."""

    quantity: Quantity
    low: float
    high: float
    negated: bool = False


Wish = Node | Coefficient


@dataclass(frozen=True)
class Condition:
    """A filter: what must hold, as a filter of today, and what is wished for."""

    must: str
    wishes: tuple[Wish, ...] = ()


def condition(text: str) -> Condition:
    """Read a filter.

    Raises
    ------
    FilterError
        A condition on a descriptor cannot be read, or there is no such descriptor. (What must hold is read later.)

    Examples
    --------
    >>> condition('tag:hit .lowlevel.pitch.mean:[220 TO *]')
    Condition(must='tag:hit', wishes=(Between(field='pitch', low=220.0, high=None),))
    """
    if not _HAS_OLD.search(text):
        return Condition(text.strip())
    if _PART.sub("", text).strip():
        raise FilterError(f"the filter {text[:80]!r} has quotes or brackets that are not closed")
    must, wishes = [], []
    for part in _PART.findall(text):
        if old := _OLD.fullmatch(part):
            wishes.append(_wish(old[2], old[3], old[1] == "-"))
        elif part != "AND":
            must.append(part)
    return Condition(" ".join(must), tuple(wishes))


def targets(text: str) -> int | dict[Quantity, float]:
    """What a search is to be near to: a sound's id, or values of quantities; no text, no values.

    Raises
    ------
    FilterError
        It cannot be read.

    Examples
    --------
    >>> targets(".lowlevel.pitch.mean:440 AND lowlevel.mfcc.mean[0]:-700")
    {Quantity(name='pitch', place=None): 440.0, Quantity(name='mfcc', place=0): -700.0}
    """
    if re.fullmatch(r"\s*[0-9]{1,10}\s*", text):
        return int(text)
    found: dict[Quantity, float] = {}
    for part in re.split(r"[\s,]+(?:AND\s+)?", text.strip())[:_MOST_TARGETS] if text.strip() else ():
        old = _OLD.fullmatch(part)
        if not old or old[1]:
            raise FilterError(f"the target {part[:80]!r} is no descriptor:value and no id of a sound")
        quantity = _quantity(old[2])
        if quantity.name == "tonality":
            raise FilterError(f"{old[2]!r} is no number to be near to")
        found[quantity] = _number(old[3], old[2])
    return found


def _wish(name: str, value: str, negated: bool) -> Wish:
    quantity = _quantity(name)
    if quantity.name == "tonality":
        node: Node = Match("tonality", tuple(_tonal(plain(name), value.strip('"'))))
        return Not(node) if negated else node
    low, high = _ends(value, name)
    if quantity.place is not None:
        return Coefficient(quantity, -math.inf if low is None else low, math.inf if high is None else high, negated)
    if low is not None and low == high and quantity.name == "bpm":
        low, high = low - 0.5, low + 0.5
    node = Between(quantity.name, low, high)
    return Not(node) if negated else node


def _quantity(name: str) -> Quantity:
    known = QUANTITIES.get(plain(name))
    place = _COEFFICIENT.search(name)
    if known in ("mfcc", "mfcc_var"):
        if not place or int(place[1]) > 12:
            raise FilterError(f"{name[:80]!r}: say which of its 13 numbers, as in {plain(name)}[0]")
        return Quantity(known, int(place[1]))
    if known is None or known not in FIELDS or place:
        raise FilterError(f"no descriptor {name[:80]!r} is known here; known are {', '.join(QUANTITIES)}")
    return Quantity(known)


def _tonal(name: str, text: str) -> list[str]:
    """What the tonality may be for a wanted key or scale."""
    if name.endswith("scale"):
        if text.lower() not in SCALES:
            raise FilterError(f"no scale {text[:40]!r}; known are {', '.join(SCALES)}")
        return tonalities(KEYS, [text.lower()])
    key = key_read(text)
    if key is None:
        raise FilterError(f"no key {text[:40]!r}; keys are written A, ASharp, B …")
    return tonalities([key], SCALES)


def _ends(value: str, name: str) -> tuple[float | None, float | None]:
    """Both ends of a range; of a number alone, itself twice."""
    if found := _RANGE.fullmatch(value):
        low, high = (None if end == "*" else _number(end, name) for end in found.groups())
        return low, high
    exact = _number(value.strip('"'), name)
    return exact, exact


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FilterError(f"{name[:80]} takes a number, not {text[:40]!r}")
    return value
