"""The API's limits: rolling windows of a minute and a day for each key. Off until a test sets them."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from time import monotonic

_SUSPENDED = "Request was throttled because the ApiV2 credential has been suspended"


def refusal(limit, unit):
    """The words of a refusal."""
    return f"Request was throttled because of exceeding a request limit rate ({limit}/{unit})"


@dataclass
class Limits:
    """`per_minute` and `per_day`: None is no limit. The windows' lengths in seconds can be made short for a test."""

    per_minute: int | None = None
    per_day: int | None = None
    suspended: bool = False
    minute: float = 60.0
    day: float = 86400.0
    _minutes: dict = field(default_factory=lambda: defaultdict(deque))
    _days: dict = field(default_factory=lambda: defaultdict(deque))

    def refuse(self, key):
        """Count a request; the words that refuse it, or None.

        As upstream, one refused by the minute is not counted, one refused by the day has used a minute's slot.
        """
        now = monotonic()
        if self.suspended:
            return _SUSPENDED
        if _full(self._minutes[key], now - self.minute, self.per_minute):
            return refusal(self.per_minute, "minute")
        self._minutes[key].append(now)
        if _full(self._days[key], now - self.day, self.per_day):
            return refusal(self.per_day, "day")
        self._days[key].append(now)
        return None


def _full(times, start, limit):
    while times and times[0] <= start:
        times.popleft()
    return limit is not None and len(times) >= limit
