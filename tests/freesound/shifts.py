"""Searches whose rows moved between two pages, because a sound came in or went away before them.

A shift of 1: a sound went away, so that each later page begins one row later than it should: one sound is on no page.
A shift of -1: one came in, so that the last sound of a page is also the first of the next one. The count says so too.
"""

import json
import re
from urllib.parse import parse_qsl, urlencode

from engine.server.freesound.paging import page_of_search
from tests.freesound.capture import capture, replay
from tests.freesound.faults import Asked


class Shifts:
    """Middleware; `shifts` holds the shift of each search by `Asked.listing`."""

    def __init__(self, app, shifts):
        self.app = app
        self.shifts = shifts

    async def __call__(self, scope, receive, send):
        asked = Asked.of(scope)
        shift = self.shifts.get(asked.listing, 0)
        if not shift or asked.page < 2:
            return await self.app(scope, receive, send)
        here, beside = [await self._page(scope, receive, asked.page + offset) for offset in (0, shift)]
        if any(answer.status not in (200, 404) for answer in (here, beside)):
            return await replay(here, send)
        lists = {page: json.loads(answer.body) for page, answer in ((0, here), (shift, beside)) if answer.status == 200}
        if not lists:
            return await replay(here, send)
        whole = next(iter(lists.values()))
        size, count = page_of_search(dict(asked.params), 0).size, whole["count"] - shift
        if (asked.page - 1) * size >= count:
            return await replay(await self._page(scope, receive, 10**6), send)
        rows = _rows(lists, shift, size)
        link = whole["previous"] or whole["next"]
        following = _with_page(link, asked.page + 1) if asked.page * size < count else None
        order = {"count": count, "previous": _with_page(link, asked.page - 1), "next": following, "results": rows}
        answer = here if here.status == 200 else beside
        return await replay(answer.with_body(json.dumps(order).encode()), send)

    async def _page(self, scope, receive, number):
        """The application's own page."""
        params = [
            pair for pair in parse_qsl(scope["query_string"].decode(), keep_blank_values=True) if pair[0] != "page"
        ]
        query = urlencode([*params, ("page", number)]).encode()
        return await capture(self.app, {**scope, "query_string": query}, receive)


def _rows(lists, shift, size):
    here, beside = (lists[page]["results"] if page in lists else [] for page in (0, shift))
    return here[1:] + beside[:1] if shift > 0 else (beside[-1:] + here)[:size]


def _with_page(link, number):
    return re.sub(r"([?&]page=)\d+", rf"\g<1>{number}", link)
