"""The walk of a harvest: which request comes next, from nothing but a small cursor that is stored with each page.

A query of which all is wanted is read in order of `created`, each page a window that begins where the last one ended:
sounds that come or go between two pages shift nothing. One of which only the best are wanted is read by page number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from corpus.errors import NotThere
from corpus.freesound.client import PAGE_SIZE, Client
from corpus.freesound.wire import Page, Record
from corpus.wanted import Query, Wanted

Cursor = dict[str, Any]
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_END = Page(count=0, records=[], more=False)
_IN_VAIN = 20
"""Random draws in a row that bring nothing before a harvest is content with what it has."""


@dataclass(frozen=True)
class Step:
    """What one request brought, and the cursor from which to go on.

    Attributes
    ----------
    expected : int
        How many sounds the query has in all, as far as is known.
    missing : tuple of int
        Ids asked for in vain.
    similar : tuple of (int, list of int), optional
        A sound and the first page of its similar list, where that is what was asked for.
    """

    records: Sequence[Record]
    cursor: Cursor
    expected: int = 0
    missing: tuple[int, ...] = ()
    similar: tuple[int, list[int]] | None = None


class Walk:
    """Takes the steps of one harvest."""

    def __init__(self, client: Client, wanted: Wanted) -> None:
        self._client = client
        self._wanted = wanted

    def query(self, cursor: Cursor) -> Query | None:
        """The query that comes next; None when all are answered."""
        place = cursor.get("query", 0)
        return self._wanted.queries[place] if place < len(self._wanted.queries) else None

    def skip(self, cursor: Cursor) -> Cursor:
        """The cursor behind the present query."""
        return {"query": cursor.get("query", 0) + 1}

    def step(self, query: Query, cursor: Cursor, room: int) -> Step:
        """Make the next request of a query. `room` is how many sounds may still be brought."""
        if query.ids:
            return self._by_ids(query, cursor, query.ids)
        if query.like is not None:
            return self._by_likeness(query, cursor)
        if query.random is not None:
            return self._by_place(query, cursor) if query.selective else self._by_chance(query, cursor)
        mode: Callable[[Query, Cursor], Step] | None = {"all": self._all, "best": self._best}.get(
            cursor.get("mode", "")
        )
        if mode:
            return mode(query, cursor)
        if query.unlike is not None:
            return self._best(query, cursor)
        first = self._search(query, page_size=1)
        return Step([], {**cursor, "mode": "all" if first.count <= room else "best"}, first.count)

    def _all(self, query: Query, cursor: Cursor) -> Step:
        after, number = cursor.get("after"), cursor.get("page", 1)
        window = f"created:[{after} TO *]" if after else ""
        found = self._search(query, window, sort="created_asc", page=number)
        expected = max(cursor.get("expected", 0), found.count)
        if _slipped(found, cursor):
            return Step([], {**cursor, "page": number - 1, "count": found.count}, expected)
        if not found.more:
            return Step(found.records, self.skip(cursor), expected)
        cursor = {**cursor, "count": found.count, "expected": expected}
        last = max(created(found.records), default=after)
        if last == after:  # more sounds of one second than a page holds
            return Step(found.records, {**cursor, "page": number + 1}, expected)
        return Step(found.records, {**cursor, "after": last, "page": 1}, expected)

    def _best(self, query: Query, cursor: Cursor) -> Step:
        """By page, the most relevant first; where there are no words to rank by, the most downloaded."""
        number = cursor.get("page", 1)
        found = self._search(query, page=number, **({} if query.text.strip() else {"sort": "downloads_desc"}))
        if _slipped(found, cursor):
            return Step([], {**cursor, "page": number - 1, "count": found.count}, found.count)
        cursor = {**cursor, "mode": "best", "page": number + 1, "count": found.count}
        return Step(found.records, cursor if found.more else self.skip(cursor), found.count)

    def _by_ids(self, query: Query, cursor: Cursor, ids: Sequence[int]) -> Step:
        place = cursor.get("place", 0)
        batch = ids[place : place + PAGE_SIZE]
        found = self._of(query, batch)
        there = {one.sound.id for one in found}
        missing = tuple(number for number in batch if number not in there)
        following = place + len(batch)
        cursor = {**cursor, "place": following} if following < len(ids) else self.skip(cursor)
        return Step(found, cursor, len(ids), missing)

    def _by_likeness(self, query: Query, cursor: Cursor) -> Step:
        """Breadth first: the sound and its list, then the first page of the lists of those on it, hop by hop."""
        if "frontier" not in cursor and query.like is not None:
            return Step(self._of(query, [query.like]), {**cursor, "frontier": [[query.like, 1]]}, 1)
        frontier: list[list[int]] = cursor["frontier"]
        asked: list[int] = cursor.get("asked", [])
        number = cursor.get("page", 1)
        (target, hop), rest = frontier[0], frontier[1:]
        found = self._search(query, similar_to=target, page=number)
        ids = [one.sound.id for one in found.records]
        whole_list = (target, ids) if number == 1 and not query.solr() else None
        if query.hops == 1 and found.more:
            return Step(found.records, {**cursor, "page": number + 1}, found.count, similar=whole_list)
        known = {*asked, target, *(one for one, _ in rest)}
        if hop < query.hops:
            rest += [[one, hop + 1] for one in ids if one not in known]
        cursor = {**cursor, "frontier": rest, "asked": [*asked, target]} if rest else self.skip(cursor)
        return Step(found.records, cursor, found.count, similar=whole_list)

    def _by_chance(self, query: Query, cursor: Cursor) -> Step:
        """Of all of Freesound: ids drawn from 1 to the newest, a page of them at a time; most exist."""
        wanted = query.random or 0
        if "newest" not in cursor:
            newest = self._client.search(sort="created_desc", page_size=1, fields="id")
            return Step([], {**cursor, "newest": max((one.sound.id for one in newest.records), default=0)}, wanted)
        draw, came, in_vain = (cursor.get(name, 0) for name in ("draw", "came", "in_vain"))
        drawn = _drawn(query.seed, cursor["newest"], draw)
        if not drawn:
            return Step([], self.skip(cursor), came)
        place = {number: order for order, number in enumerate(drawn)}
        found = sorted(self._of(query, drawn), key=lambda one: place[one.sound.id])[: wanted - came]
        came, in_vain = came + len(found), 0 if found else in_vain + 1
        following = {**cursor, "draw": draw + 1, "came": came, "in_vain": in_vain}
        over = came >= wanted or in_vain >= _IN_VAIN
        return Step(found, self.skip(cursor) if over else following, wanted)

    def _by_place(self, query: Query, cursor: Cursor) -> Step:
        """Of what fits: places drawn from its whole list, first their ids, page by page, then the sounds themselves."""
        if "chosen" in cursor:
            step = self._by_ids(query, cursor, cursor["chosen"])
            return Step(step.records, step.cursor, step.expected)
        if "count" not in cursor:
            first = self._search(query, page_size=1, fields="id")
            return Step([], {**cursor, "count": first.count, "ids": []}, first.count)
        number, count = query.random or 0, cursor["count"]
        places = sorted(Random(query.seed).sample(range(count), min(number, count)))
        done = cursor.get("page", 0)
        page = next((place // PAGE_SIZE + 1 for place in places if place // PAGE_SIZE + 1 > done), None)
        if page is None:
            here = {"query": cursor.get("query", 0), "chosen": cursor["ids"]}
            return Step([], here if cursor["ids"] else self.skip(cursor), len(places))
        rows = self._search(query, sort="created_asc", page=page, fields="id").records
        begin = (page - 1) * PAGE_SIZE
        ids = [rows[place - begin].sound.id for place in places if begin <= place < begin + len(rows)]
        return Step([], {**cursor, "page": page, "ids": [*cursor["ids"], *ids]}, len(places))

    def _of(self, query: Query, ids: Sequence[int]) -> Sequence[Record]:
        """Those of the ids that are there and fit."""
        found = self._search(query, f"id:({' OR '.join(map(str, ids))})").records
        return [one for one in found if one.sound.id in ids]

    def _search(self, query: Query, *more: str, **parameters: str | int) -> Page:
        filters = query.solr(*more)
        given = {"query": query.text, **({"filter": filters} if filters else {}), **parameters}
        try:
            return self._client.search(**given)
        except NotThere:  # a page beyond the last: the list grew shorter meanwhile
            return _END


def _slipped(found: Page, cursor: Cursor) -> bool:
    """Whether a sound before this page went away, so that another slipped past: to the end of the page before."""
    return bool(cursor.get("page", 1) > 1 and found.count < cursor.get("count", 0))


def _drawn(seed: int, newest: int, draw: int) -> list[int]:
    """The ids of one draw: different numbers from 1 to `newest`, none of them in an earlier draw."""
    random, drawn = Random(seed), dict[int, None]()
    while len(drawn) < min(newest, (draw + 1) * PAGE_SIZE):
        drawn[random.randint(1, newest)] = None
    return list(drawn)[draw * PAGE_SIZE :]


def created(some: Sequence[Record]) -> Iterator[str]:
    """When sounds were created, as the filter wants it; the API leaves out the Z now and then."""
    for one in some:
        if found := _DATE.match(str(one.record.get("created"))):
            yield f"{found[0]}Z"
