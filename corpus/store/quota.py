"""Which requests were made: the API's limits hold over restarts and between processes on one home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from corpus.store.database import Database
from corpus.store.tables import requests

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0


@dataclass(frozen=True)
class Grant:
    """Whether a request may go now; otherwise how many seconds to wait, and whether the day's limit is why."""

    wait: float = 0.0
    daily: bool = False


class RequestLog:
    """The times of the last day's requests, in rolling windows of a minute and of a day.

    Parameters
    ----------
    per_minute, per_day : int
        At most so many requests in any 60 s and in any 24 h.
    """

    def __init__(self, database: Database, per_minute: int, per_day: int) -> None:
        self._database = database
        self.per_minute = per_minute
        self.per_day = per_day

    def take(self, now: float) -> Grant:
        """Count one request made `now` (seconds since 1970), or say how long it must wait."""
        with self._database.write() as connection:
            of_a_wrong_clock = requests.c.at > now + HOUR
            connection.execute(sa.delete(requests).where((requests.c.at <= now - DAY) | of_a_wrong_clock))
            times = connection.execute(sa.select(requests.c.at).order_by(requests.c.at)).scalars().all()
            if pause := _pause(times, now):
                return Grant(pause, daily=pause > MINUTE)
            day, minute = list(times), [at for at in times if at > now - MINUTE]
            if len(day) >= self.per_day:
                return Grant(day[len(day) - self.per_day] + DAY - now, daily=True)
            if len(minute) >= self.per_minute:
                return Grant(minute[len(minute) - self.per_minute] + MINUTE - now)
            connection.execute(sa.insert(requests), {"at": now})
        return Grant()

    def left(self, now: float) -> int:
        """How many requests may still be made in the 24 h that end `now`."""
        with self._database.read() as connection:
            times = connection.execute(sa.select(requests.c.at).where(requests.c.at > now - DAY)).scalars().all()
        return 0 if _pause(times, now) > MINUTE else max(0, self.per_day - len(times))

    def exhaust(self, now: float, daily: bool) -> None:
        """Take the server's word that a limit is reached: nothing goes for a minute, or an hour at a time.

        Requests that another program made with the same key are not in this log, so the server knows better. It
        does not say when its window of a day moves on: an hour later is asked again. The pause is kept as a request
        that will be made when it ends.
        """
        with self._database.write() as connection:
            connection.execute(sa.insert(requests), {"at": now + (HOUR if daily else MINUTE)})


def _pause(times: Sequence[float], now: float) -> float:
    """Seconds until the last pause ends."""
    return max((at - now for at in times if now < at <= now + HOUR), default=0.0)
