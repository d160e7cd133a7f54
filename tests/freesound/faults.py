"""Faults: which there are, and the plan by which they strike. `fault_middleware.py` carries them out.

    faults.next("error", 3)                   the next 3 requests that it fits
    faults.always("missing", "/previews/12/") each that has these words in its address, until cleared
    faults.sometimes(seed=7, probability=0.2) any fault by chance, at most 2 in a row for one address
    faults.clear()

Chance depends on the seed, the address and how often it was asked, not on the order of requests to different addresses:
a client that downloads several files at once meets the same faults each time.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qsl, urlencode

_SEARCHES = re.compile(r"/apiv2/(search/(text/)?|sounds/\d+/similar/)$")
_SEARCHED = {"query", "filter", "sort", "weights", "similar_to", "similarity_space", "group_by_pack", "page_size"}
_IN_A_ROW = 2


@dataclass(frozen=True)
class Asked:
    """A request as the plan sees it: where, what, the parameters, and whether it wants a range of bytes."""

    place: str
    path: str
    params: tuple[tuple[str, str], ...]
    ranged: bool = False

    @classmethod
    def of(cls, scope):
        place = "api" if scope["path"].startswith("/api") else "cdn"
        params = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        params = tuple(sorted(pair for pair in params if pair[0] != "token"))
        return cls(place, scope["path"], params, any(name == b"range" for name, _ in scope["headers"]))

    @property
    def address(self):
        return f"{self.path}?{urlencode(self.params)}"

    @property
    def listing(self):
        """The search of which this is a page, the same for its first page as for the links between pages; or None."""
        if not _SEARCHES.match(self.path):
            return None
        usual = {"sort": "score", "similarity_space": "laion_clap", "page_size": "15"}
        given = [(name, value) for name, value in self.params if name in _SEARCHED and value != usual.get(name, "")]
        path = self.path.replace("/text/", "/")
        return f"{path}?{urlencode([pair for pair in given if '/similar/' not in path or pair[0] != 'similar_to'])}"

    @property
    def page(self):
        text = dict(self.params).get("page", "1")
        return int(text) if text.isdigit() else 1


def _anywhere(asked):
    return True


def _at_api(asked):
    return asked.place == "api"


def _at_cdn(asked):
    return asked.place == "cdn"


def _search(asked):
    return asked.listing is not None


def _later_page(asked):
    return asked.listing is not None and asked.page > 1


KINDS = {
    "minute": (_at_api, "429, the limit of a minute"),
    "day": (_at_api, "429, the limit of a day"),
    "error": (_anywhere, "500 with the API's JSON, or a CDN's HTML"),
    "gateway": (_anywhere, "502 with HTML"),
    "slow": (_anywhere, "the right answer, in 8 pieces, `faults.pause` seconds before each"),
    "cut": (_anywhere, "the connection closed after half of the body"),
    "redirect": (_anywhere, "302 to another host, which answers with a sound that is not Freesound's"),
    "malformed": (_at_api, "200 with half of the JSON, and the length of that half"),
    "null": (_search, "one more row, which is null"),
    "count": (_search, "a count that is too high or too low; rows and links as they should be"),
    "duplicate": (_later_page, "a sound came in before this page: from here on rows come one later"),
    "deletion": (_later_page, "a sound before this page went away: from here on rows come one earlier, one is skipped"),
    "missing": (_at_cdn, "404 with HTML"),
    "html": (_at_cdn, "200 with HTML"),
    "disguised": (_at_cdn, "200 with HTML that says it is audio"),
    "empty": (_at_cdn, "200 with nothing"),
    "rangeless": (lambda asked: asked.ranged, "200 with the whole file though a range was asked for"),
}
"""Each fault: what it fits, what it is. `duplicate` and `deletion` last until the search's page 1 is asked again."""


@dataclass
class _Rule:
    kind: str
    where: str
    left: float

    def strikes(self, asked):
        if self.left > 0 and self.where in asked.address and KINDS[self.kind][0](asked):
            self.left -= 1
            return True
        return False


@dataclass
class Faults:
    """The plan. `struck` lists what happened, as (kind, address); `pause` is in seconds."""

    pause: float = 0.02
    struck: list = field(default_factory=list)
    _rules: list = field(default_factory=list)
    _chance: tuple | None = None
    _asked: dict = field(default_factory=lambda: defaultdict(int))
    _in_a_row: dict = field(default_factory=lambda: defaultdict(int))
    shifts: dict = field(default_factory=dict)
    """How many rows each search is off, by `Asked.listing`."""

    def next(self, kind, times=1, where=""):
        """Strike the next `times` requests that the fault fits and that have `where` in their address."""
        self._rules.append(_Rule(_known(kind), where, times))

    def always(self, kind, where=""):
        """Strike each such request."""
        self.next(kind, float("inf"), where)

    def sometimes(self, seed, probability=0.2, kinds=tuple(KINDS), without=()):
        """Strike by chance; never more than two in a row at one address."""
        self._chance = (seed, probability, [_known(kind) for kind in kinds if kind not in without])

    def clear(self):
        """No more faults; searches are whole again. What happened stays in `struck`."""
        self._rules.clear()
        self._chance = None
        for counts in (self._asked, self._in_a_row, self.shifts):
            counts.clear()

    def strike(self, asked):
        """The fault for this request, or None."""
        kind = next((rule.kind for rule in self._rules if rule.strikes(asked)), None) or self._by_chance(asked)
        if kind:
            self.struck.append((kind, asked.address))
        return kind

    def _by_chance(self, asked):
        if not self._chance:
            return None
        seed, probability, kinds = self._chance
        self._asked[asked.address] += 1
        random = Random(f"{seed} {asked.address} {self._asked[asked.address]}")
        fitting = [kind for kind in kinds if KINDS[kind][0](asked)]
        if not fitting or self._in_a_row[asked.address] >= _IN_A_ROW or random.random() >= probability:
            self._in_a_row[asked.address] = 0
            return None
        self._in_a_row[asked.address] += 1
        return random.choice(fitting)


def _known(kind):
    if kind not in KINDS:
        raise ValueError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}")
    return kind
