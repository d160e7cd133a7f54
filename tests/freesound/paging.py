"""Pages and the links between them, as searches have them and as Django REST framework's lists do."""

import math
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from tests.freesound.columns import dumps

USUAL, MOST = 15, 150
_LEFT_ALONE = ",:[]*+()'"


class Page(NamedTuple):
    number: int
    size: int

    @property
    def slice(self):
        return slice((self.number - 1) * self.size, self.number * self.size)


class NoPage(Exception):
    """There is no such page."""


def page_of_search(params, count):
    """The page that a search asks for.

    Raises
    ------
    NoPage
        It is below 1 or, when something was found, beyond the last one.
    """
    page = Page(_integer(params.get("page"), 1), min(_integer(params.get("page_size"), USUAL), MOST))
    if page.number < 1 or page.size < 1 or (count and page.number > math.ceil(count / page.size)):
        raise NoPage
    return page


def page_of_list(params, count):
    """The page that a list asks for; NoPage likewise."""
    size = _integer(params.get("page_size"), USUAL)
    page = Page(_integer(params.get("page"), 0) if "page" in params else 1, USUAL if size < 1 else min(size, MOST))
    if not 1 <= page.number <= max(1, math.ceil(count / page.size)):
        raise NoPage
    return page


def search_links(address, params, page, count, similar=None):
    """The links to the previous and the next page of a search, or of the sounds similar to `similar`."""

    def link(number):
        parts = [] if similar else [f"query={_quoted(params.get('query', ''))}"]
        parts += [f"filter={_quoted(params['filter'])}"] if params.get("filter") and not similar else []
        parts += [] if similar else [f"weights={params.get('weights', '')}"]
        if params.get("sort", "score") != "score":
            parts.append(f"sort={_quoted(params['sort'])}")
        parts.append(f"page={number}")
        parts += [f"page_size={page.size}"] if page.size != USUAL else []
        parts += [f"fields={_quoted(params['fields'])}"] if params.get("fields") else []
        target = similar or params.get("similar_to")
        if target:
            parts.append(f"similar_to={target}")
            parts.append(f"similarity_space={_quoted(params.get('similarity_space') or 'laion_clap')}")
        parts += ["group_by_pack=1"] if params.get("group_by_pack") == "1" else []
        return f"{address}?&{'&'.join(parts)}"

    return _both(link, page, count)


def list_links(url, page, count):
    """The links of a list: the whole query string, in the order of its names, with another page."""
    address, _, query = str(url).partition("?")

    def link(number):
        kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "page"]
        pairs = urlencode(sorted([*kept, ("page", number)] if number > 1 else kept))
        return f"{address}?{pairs}" if pairs else address

    return _both(link, page, count)


def listing(order, count, links, rows):
    """The JSON of a list: rows are JSON already."""
    previous, following = links
    parts = {
        "count": str(count),
        "previous": dumps(previous),
        "next": dumps(following),
        "results": f"[{','.join(rows)}]",
    }
    return "{" + ",".join(f'"{name}":{parts[name]}' for name in order) + "}"


def _both(link, page, count):
    return (
        link(page.number - 1) if page.number > 1 and count else None,
        link(page.number + 1) if page.number * page.size < count else None,
    )


def _integer(text, otherwise):
    return int(text) if text and re.fullmatch(r"\s*[+-]?\d+\s*", text) else otherwise


def _quoted(text):
    return quote(text, safe=_LEFT_ALONE)
