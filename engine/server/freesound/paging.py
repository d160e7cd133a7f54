"""Pages and the links between them, as searches have them and as Django REST framework's lists do.

Links have `[` and `]` encoded, which some clients (curl) take for a pattern, and `+`, which would come back as a space.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

USUAL, MOST = 15, 150
_LEFT_ALONE = ",:*()'"
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")

Links = tuple[str | None, str | None]
"""The previous page's and the next one's."""


@dataclass(frozen=True)
class Page:
    """One page of a list, from 1 on."""

    number: int
    size: int

    @property
    def first(self) -> int:
        """How many come before it."""
        return (self.number - 1) * self.size

    @property
    def stop(self) -> int:
        """How many there are up to its end."""
        return self.number * self.size


class NoPage(Exception):
    """There is no such page."""


def page_of_search(params: Mapping[str, str], count: int, most: int = MOST) -> Page:
    """The page that a search asks for, of `most` at most.

    Raises
    ------
    NoPage
        It is below 1 or, when something was found, beyond the last one.
    """
    page = Page(_integer(params.get("page"), 1), min(_integer(params.get("page_size"), USUAL), most))
    if page.number < 1 or page.size < 1 or (count and page.number > math.ceil(count / page.size)):
        raise NoPage
    return page


def page_of_list(params: Mapping[str, str], count: int) -> Page:
    """The page that a list asks for; NoPage likewise."""
    size = _integer(params.get("page_size"), USUAL)
    page = Page(_integer(params.get("page"), 0) if "page" in params else 1, USUAL if size < 1 else min(size, MOST))
    if not 1 <= page.number <= max(1, math.ceil(count / page.size)):
        raise NoPage
    return page


def search_links(address: str, params: Mapping[str, str], page: Page, count: int, similar: int | None = None) -> Links:
    """The links of a search, or of the list of what is similar to a sound.

    What the API does not know (`agent`, `strict`) is kept, at the end.
    """

    def link(number: int) -> str:
        target = params.get("similar_to", "") if similar is None else str(similar)
        plain = similar is None
        parts = {
            "query": params.get("query", "") if plain else None,
            "filter": params.get("filter") or None if plain else None,
            "weights": params.get("weights", "") if plain else None,
            "sort": params["sort"] if params.get("sort", "score") != "score" else None,
            "page": str(number),
            "page_size": str(page.size) if page.size != USUAL else None,
            "fields": params.get("fields") or None,
            "similar_to": target or None,
            "similarity_space": params.get("similarity_space") or None if target else None,
            "group_by_pack": "1" if params.get("group_by_pack") == "1" else None,
            "agent": params.get("agent") or None,
            "strict": params.get("strict") or None,
        }
        written = (f"&{name}={quote(value, safe=_LEFT_ALONE)}" for name, value in parts.items() if value is not None)
        return f"{address}?{''.join(written)}"

    return _both(link, page, count)


def list_links(url: str, page: Page, count: int) -> Links:
    """The links of a list: the whole query string, in the order of its names, with another page."""
    address, _, query = url.partition("?")

    def link(number: int) -> str:
        kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "page"]
        pairs = urlencode(sorted([*kept, ("page", str(number))] if number > 1 else kept))
        return f"{address}?{pairs}" if pairs else address

    return _both(link, page, count)


def _both(link: Callable[[int], str], page: Page, count: int) -> Links:
    return (
        link(page.number - 1) if page.number > 1 and count else None,
        link(page.number + 1) if page.stop < count else None,
    )


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and _INTEGER.fullmatch(text) else otherwise
