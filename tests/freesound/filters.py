"""The filter language: Solr's, as far as the API's description goes. A filter becomes a mask over the catalogue.

Known: `field:value`, `field:"two words"`, `*` within a value, `field:[a TO b]` with `*` for an open end and `{a TO b}`
without its ends, dates with `NOW-7DAY`, `(a OR b)` inside and outside a field, AND, NOT, `-`. Not known: geotag.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tests.freesound.columns import stems
from tests.freesound.fields import BOOLEANS, FILTERABLE_DESCRIPTORS, NUMERIC

_NUMBERS = {"channels", "filesize", "bitrate", "bitdepth", "duration", "samplerate", "num_downloads", "avg_rating"}
_NUMBERS |= {"num_ratings", "num_comments", *NUMERIC}
_TRUTHS = {"is_geotagged", "is_remix", "was_remixed", "is_explicit", "in_remix_group", *BOOLEANS}
_WORDS = {"name", "description", "comment"}
_STRINGS = {"id", "tag", "category", "subcategory", "license", "gen_ai_preference", "type", "username", "md5", "pack"}
_STRINGS |= {"pack_grouping"}
_KNOWN = {"created", *_NUMBERS, *_TRUTHS, *_WORDS, *_STRINGS, *FILTERABLE_DESCRIPTORS}

_TOKEN = re.compile(
    r"""(?P<field>[A-Za-z_]\w*):|(?P<range>[\[{][^\]}]*[\]}])|(?P<quoted>"(?:\\.|[^"\\])*")
    |(?P<open>\()|(?P<close>\))|(?P<sign>[-+!])|(?P<word>(?:\\.|[^\s()\[\]{}":])+)""",
    re.VERBOSE,
)
_RANGE = re.compile(r"([\[{])\s*(\S+)\s+TO\s+(\S+)\s*([\]}])")
_DATE = re.compile(r"(NOW|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)((?:[+-]\d+[A-Z]+|/[A-Z]+)*)")
_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "MONTH": 30 * 86400, "YEAR": 365 * 86400}


class SolrError(Exception):
    """What the search engine says of a filter that it cannot read."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int


def mask_of(text, catalogue):
    """Where the filter holds.

    Raises
    ------
    SolrError
        Its syntax is wrong, or a field or a value is.
    """
    parser = _Parser(text, catalogue)
    mask = parser.either()
    if parser.next:
        raise parser.wrong()
    return mask


class _Parser:
    def __init__(self, text, catalogue):
        self.text = text
        self.catalogue = catalogue
        self.tokens = list(_tokens(text))
        self.at = 0

    @property
    def next(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def either(self, field=None):
        mask = self.all(field)
        while self._took("word", "OR"):
            mask = mask | self.all(field)
        return mask

    def all(self, field):
        mask = self.item(field)
        while self.next and self.next.kind != "close" and self.next.text != "OR":
            self._took("word", "AND")
            mask = mask & self.item(field)
        return mask

    def item(self, field, sign=True):
        token = self.next
        if token is None or (token.kind == "sign" and not sign):
            raise self.wrong()
        self.at += 1
        if token.kind == "sign" or token.text == "NOT":
            mask = self.item(field)
            return mask if token.text == "+" else ~mask
        if token.kind == "open":
            mask = self.either(field)
            if not self._took("close"):
                raise self.wrong()
            return mask
        if token.kind == "field" and field is None:
            return self.item(self._field(token), sign=False)
        if field is None or token.kind in ("field", "close"):
            self.at -= 1
            raise self.wrong()
        return _Leaf(field, self.catalogue).mask(token)

    def wrong(self):
        where = f'"{self.next.text}" at column {self.next.start}' if self.next else '"<EOF>"'
        return SolrError(f"org.apache.solr.search.SyntaxError: Cannot parse '{self.text}': Encountered {where}")

    def _field(self, token):
        """The field's name; a descriptor is only known where it starts a part, as upstream rewrites it there."""
        starts = token.start == 0 or self.text[token.start - 1] == " "
        if token.text not in _KNOWN or (token.text in FILTERABLE_DESCRIPTORS and not starts):
            raise SolrError(f"undefined field {token.text}")
        return token.text

    def _took(self, kind, text=None):
        token = self.next
        took = token is not None and token.kind == kind and text in (None, token.text)
        self.at += took
        return took


class _Leaf:
    """One value of one field."""

    def __init__(self, field, catalogue):
        self.field = field
        self.column = catalogue.index[field]
        self.now = _seconds(catalogue.now)

    def mask(self, token):
        if token.kind == "range":
            return self._range(token.text)
        quoted = token.kind == "quoted"
        value = re.sub(r"\\(.)", r"\1", token.text[1:-1] if quoted else token.text)
        if value == "*" and not quoted:
            return self._present()
        if self.field in _NUMBERS or self.field == "created":
            return self.column.numbers == self._number(value)
        if self.field in _TRUTHS:
            return self.column.numbers == (value.lower() in ("true", "1", "t"))
        if self.field in _WORDS:
            return self.column.with_phrase(stems(value)) if quoted else self.column.with_words(stems(value))
        return self.column.equal(value)

    def _range(self, text):
        match = _RANGE.fullmatch(text)
        if not match:
            raise SolrError(f"org.apache.solr.search.SyntaxError: Cannot parse '{self.field}:{text}'")
        opening, low, high, closing = match.groups()
        if self.field not in _NUMBERS and self.field != "created":
            low, high = (None if end == "*" else end.strip('"') for end in (low, high))
            return self.column.between(low, high)
        numbers = self.column.numbers
        mask = ~np.isnan(numbers)
        if low != "*":
            mask &= (numbers >= self._number(low)) if opening == "[" else (numbers > self._number(low))
        if high != "*":
            mask &= (numbers <= self._number(high)) if closing == "]" else (numbers < self._number(high))
        return mask

    def _present(self):
        if self.field in _NUMBERS | _TRUTHS | {"created"}:
            return ~np.isnan(self.column.numbers)
        return self.column.between(None, None)

    def _number(self, text):
        if self.field == "created":
            return _date(text.strip('"'), self.now)
        try:
            return float(text)
        except ValueError:
            raise SolrError(f'For input string: "{text}"') from None


def _tokens(text):
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if not match:
            raise SolrError(f"org.apache.solr.search.SyntaxError: Cannot parse '{text}': Lexical error at column {at}")
        yield _Token(match.lastgroup, match[match.lastgroup], at)
        at = match.end()


def _date(text, now):
    """Seconds since 1970 of a date with date math."""
    match = _DATE.fullmatch(text)
    if not match:
        raise SolrError(f"Invalid Date String:'{text}'")
    seconds = now if match[1] == "NOW" else _seconds(match[1])
    for sign, count, unit in re.findall(r"([+-/])(\d*)([A-Z]+)", match[2]):
        length = _UNITS.get(unit.removesuffix("S"))
        if length is None:
            raise SolrError(f"Invalid Date Math String:'{text}'")
        seconds = seconds // length * length if sign == "/" else seconds + int(f"{sign}{count}") * length
    return seconds


def _seconds(text):
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
