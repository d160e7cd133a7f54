"""What a harvest would cost, asked of Freesound with one request a query and nothing stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

from corpus.freesound.client import PAGE_SIZE, Client
from corpus.freesound.wire import Page
from corpus.wanted import Query, Wanted

BYTES_A_SECOND = {"hq-ogg": 24_000, "hq-mp3": 24_000, "lq-ogg": 10_000, "lq-mp3": 9_000, "none": 0}
"""Usual size of previews, from the encoders' nominal rates (192, 192, 80 and 70 kbit/s)."""
_USUAL_SECONDS = 30.0
"""Length of a sound where no sample of a query's can be had."""


@dataclass(frozen=True)
class Estimate:
    """What a harvest would cost at most; `days` is how many days' quota it needs beyond what is left today.

    With agents, `bytes` is what it would be if they called everything good.
    """

    sounds: int
    requests: int
    minutes: float
    bytes: int
    days: int
    requests_left: int


def estimate(client: Client, wanted: Wanted, per_minute: int, per_day: int) -> Estimate:
    """Estimate sounds, requests, time and bytes; audio is not counted in the minutes, since the network decides.

    Raises
    ------
    FreesoundError
        The API refuses, or cannot be reached.
    """
    sounds, requests, seconds = 0, 0, 0.0
    for query in wanted.queries:
        room = wanted.max_sounds - sounds
        page = _sample(client, query)
        found = min(_count(query, page), room, query.take or room)
        lengths = [one.sound.duration for one in page.records if one.sound.duration is not None]
        sounds += found
        seconds += found * (sum(lengths) / len(lengths) if lengths else _USUAL_SECONDS)
        requests += _requests(query, found, page.count)
    requests += sounds if wanted.similar else 0
    left = client.requests_left()
    files = min(sounds, wanted.most or sounds)
    size = int(seconds * files / max(sounds, 1) * BYTES_A_SECOND[wanted.audio])
    return Estimate(
        sounds=sounds,
        requests=requests,
        minutes=round(requests / per_minute, 1),
        bytes=size if wanted.max_bytes is None else min(size, wanted.max_bytes),
        days=math.ceil(max(0, requests - left) / per_day),
        requests_left=left,
    )


def _sample(client: Client, query: Query) -> Page:
    """A page of what the query finds, with no more than ids and durations."""
    parameters: dict[str, str | int] = {"query": query.text, "fields": "id,duration"}
    ids = f"id:({' OR '.join(map(str, query.ids[:PAGE_SIZE]))})" if query.ids else ""
    if filters := query.solr(ids):
        parameters["filter"] = filters
    if query.like is not None:
        parameters["similar_to"] = query.like
    return client.search(**parameters)


def _count(query: Query, page: Page) -> int:
    if query.ids:
        return len(query.ids)
    if query.random is not None:
        return min(query.random, page.count)
    if query.like is not None:
        return 1 + page.count * int(PAGE_SIZE ** (query.hops - 1))
    return page.count


def _requests(query: Query, found: int, count: int) -> int:
    pages = math.ceil(found / PAGE_SIZE)
    if query.random is not None and query.selective:
        return 1 + min(found, math.ceil(count / PAGE_SIZE)) + pages
    if query.unlike is not None:
        return max(1, math.ceil(count / PAGE_SIZE))
    if query.like is not None:
        lists = sum(min(count, PAGE_SIZE) ** hop for hop in range(query.hops)) if query.hops > 1 else pages
        return 1 + int(min(lists, found))
    return pages if query.ids else 1 + pages
