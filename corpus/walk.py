"""The walk of a harvest: which request comes next, from nothing but a small cursor that is stored with each page.

A query of which all is wanted is read in order of `created`, each page a window that begins where the last one ended:
sounds that come or go between two pages shift nothing. One of which only the best are wanted is read by page number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corpus.errors import NotThere
from corpus.freesound.client import PAGE_SIZE, Client
from corpus.freesound.wire import Page, Record
from corpus.wanted import Query, Wanted

Cursor = dict[str, Any]
_END = Page(count=0, records=[], more=False)


@dataclass(frozen=True)
class Step:
    """What one request brought, and the cursor from which to go on; `missing` ids are asked for in vain."""

    records: list[Record]
    cursor: Cursor
    missing: tuple[int, ...] = ()


class Walk:
    """Takes the steps of one harvest."""

    def __init__(self, client: Client, wanted: Wanted) -> None:
        self._client = client
        self._wanted = wanted

    def finished(self, cursor: Cursor) -> bool:
        """Whether all queries are answered."""
        return bool(cursor.get("query", 0) >= len(self._wanted.queries))

    def step(self, cursor: Cursor, room: int) -> Step:
        """Make the next request. `room` is how many sounds may still be brought."""
        query = self._wanted.queries[cursor.get("query", 0)]
        if query.ids:
            return self._by_ids(query, cursor)
        if query.like is not None:
            return self._by_likeness(query, cursor)
        mode: Callable[[Query, Cursor], Step] | None = {"all": self._all, "best": self._best}.get(
            cursor.get("mode", "")
        )
        if mode:
            return mode(query, cursor)
        first = self._search(query, page_size=1)
        return Step([], {**cursor, "mode": "all" if first.count <= room else "best"})

    def _all(self, query: Query, cursor: Cursor) -> Step:
        after, number = cursor.get("after"), cursor.get("page", 1)
        window = f"created:[{after} TO *]" if after else ""
        found = self._search(query, window, sort="created_asc", page=number)
        if not found.more:
            return Step(found.records, _next_query(cursor))
        last = max((_created(one) for one in found.records), default=after)
        if last == after:  # more sounds of one second than a page holds
            return Step(found.records, {**cursor, "page": number + 1})
        return Step(found.records, {**cursor, "after": last, "page": 1})

    def _best(self, query: Query, cursor: Cursor) -> Step:
        number = cursor.get("page", 1)
        found = self._search(query, page=number)
        return Step(found.records, {**cursor, "page": number + 1} if found.more else _next_query(cursor))

    def _by_ids(self, query: Query, cursor: Cursor) -> Step:
        place = cursor.get("place", 0)
        batch = query.ids[place : place + PAGE_SIZE]
        found = self._search(query, f"id:({' OR '.join(map(str, batch))})")
        there = {one.sound.id for one in found.records}
        missing = tuple(number for number in batch if number not in there)
        following = place + len(batch)
        cursor = {**cursor, "place": following} if following < len(query.ids) else _next_query(cursor)
        return Step(found.records, cursor, missing)

    def _by_likeness(self, query: Query, cursor: Cursor) -> Step:
        """Breadth first: the list of the sound, then the lists of those on it, as many hops as wanted."""
        frontier: list[list[int]] = cursor.get("frontier", [[query.like, 1]])
        asked: list[int] = cursor.get("asked", [])
        (target, hop), rest = frontier[0], frontier[1:]
        try:
            found = self._client.similar(target)
        except NotThere:
            found = _END
        known = {*asked, target, *(one for one, _ in rest)}
        if hop < query.hops:
            rest += [[one.sound.id, hop + 1] for one in found.records if one.sound.id not in known]
        cursor = {**cursor, "frontier": rest, "asked": [*asked, target]} if rest else _next_query(cursor)
        return Step(found.records, cursor)

    def _search(self, query: Query, *more: str, **parameters: str | int) -> Page:
        filters = query.solr(*more)
        try:
            return self._client.search(query=query.text, **({"filter": filters} if filters else {}), **parameters)
        except NotThere:  # a page beyond the last: the list grew shorter meanwhile
            return _END


def _next_query(cursor: Cursor) -> Cursor:
    return {"query": cursor.get("query", 0) + 1}


def _created(one: Record) -> str:
    """When a sound was created, as the filter wants it; the API leaves out the Z now and then."""
    created = str(one.record.get("created") or "")
    return created if created.endswith("Z") else f"{created[:19]}Z"
