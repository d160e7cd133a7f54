"""Dates as filters write them: ISO dates, whole or cut short (`2024-05`), and Solr's date math.

`NOW-7DAY`, `NOW/DAY`, `2024-05-01+2MONTH`: steps from left to right, `/` rounds down. Times are in UTC, to the second.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_DATE = re.compile(
    r"(?:NOW|(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?Z?)?)?)?)"
    r"(?P<steps>(?:[+-][0-9]{1,9}[A-Z]+|/[A-Z]+)*)"
)
_STEP = re.compile(r"([+/-])([0-9]*)([A-Z]+)")
_PARTS = ("year", "month", "day", "hour", "minute", "second")
UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_FIRST, _LAST = datetime.min, datetime.max.replace(microsecond=0)


@dataclass(frozen=True)
class Moment:
    """A date as it was written. One that was cut (`2024-05`) means all of its month, as a range's end its last second.

    Raises
    ------
    ValueError
        It is no such date.
    """

    text: str

    def __post_init__(self) -> None:
        match = _DATE.fullmatch(self.text)
        if not match:
            raise ValueError(f"{self.text!r} is no date")
        for _, _, unit in _STEP.findall(match["steps"]):
            if unit.removesuffix("S") not in UNITS:
                raise ValueError(f"{unit!r} is no unit of time; there are {', '.join(UNITS)}")
        self.span(_FIRST)

    def span(self, now: datetime) -> tuple[str, str]:
        """The first and the last second that it means, `now` being the time in UTC; years beyond 1 and 9999 are cut."""
        match = _DATE.fullmatch(self.text)
        assert match is not None
        steps = _STEP.findall(match["steps"])
        if match["year"] is None:
            first, smallest = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now, "SECOND"
        else:
            given = [int(match[part]) for part in _PARTS if match[part] is not None]
            first, smallest = _beginning(given), UNITS[len(given) - 1]
        for sign, count, unit in steps:
            unit = unit.removesuffix("S")
            first = _rounded(first, unit) if sign == "/" else _moved(first, unit, int(sign + count))
        last = first if steps else _moved(_moved(first, smallest, 1), "SECOND", -1)
        return _iso(first), _iso(max(first, last))


def _rounded(when: datetime, unit: str) -> datetime:
    return _beginning([getattr(when, part) for part in _PARTS[: UNITS.index(unit) + 1]])


def _beginning(given: list[Any]) -> datetime:
    """The first second of what is given, from the year down to any unit."""
    return datetime(*(given + [1, 1][len(given) - 1 :]))


def _moved(when: datetime, unit: str, count: int) -> datetime:
    """Later by so many units; months end where they end, time ends where Python's does."""
    try:
        if unit in ("YEAR", "MONTH"):
            months = when.year * 12 + when.month - 1 + count * (12 if unit == "YEAR" else 1)
            year, month = divmod(months, 12)
            month += 1
            return when.replace(year=year, month=month, day=min(when.day, calendar.monthrange(year, month)[1]))
        return when + count * timedelta(**{f"{unit.lower()}s": 1})
    except (ValueError, OverflowError):
        return _FIRST if count < 0 else _LAST


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="seconds") + "Z"
