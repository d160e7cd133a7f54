"""The filter language of Freesound, read here: what a filter says, whether a sound's values fit it, how it is written.

`field:value`, `field:"two words"`, `field:[a TO b]` with `*` for an open end, `field:(a OR b)`, `field:*` (any value at
all), `-field:value` (or NOT); parts separated by spaces, or AND, must all hold; `(a:1 OR b:2)`. OR and AND are never
mixed without parentheses, since Solr and its readers disagree on what that means. A backslash makes a character plain.

Values are floats, bools, texts, or `Moment`s. Texts are compared whatever their case; those of `name` and
`description` are searched for words, stemmed, in the order given. A sound that lacks a value fits neither `field:x`
nor a range, and does fit `-field:x`. `corpus.store.filters` says the same in SQL.

Left out of Solr's language, each with an error: `*` and `?` within a value, `{a TO b}`, `~`, `^`, `!`, values
without a field.
"""

from __future__ import annotations

import difflib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from corpus.descriptors import SCALARS
from corpus.errors import FilterError
from corpus.moments import Moment
from corpus.stems import stems
from corpus.text import storable

Kind = Literal["number", "truth", "date", "text", "words"]
Value = float | bool | str | Moment

_KINDS: dict[type, Kind] = {float: "number", int: "number", bool: "truth", str: "text"}
_NUMBERS = "id duration channels samplerate filesize num_downloads avg_rating num_ratings"
FIELDS: dict[str, Kind] = {
    **dict.fromkeys(_NUMBERS.split(), "number"),
    **dict.fromkeys("tag username pack license type md5 gen_ai_preference".split(), "text"),
    **dict.fromkeys("name description".split(), "words"),
    "created": "date",
    "is_explicit": "truth",
    **{name: _KINDS[kind] for name, kind in SCALARS.items()},
}
"""What can be asked for, and what kind of value each has."""

_LONGEST = 100_000
_DEEPEST = 10
_MOST_VALUES = 10_000
_MOST_CONDITIONS = 200
_SHOWN = 40

_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):")
_WORD = re.compile(r'(?:\\.|[^\s()\[\]{}"\\])+', re.DOTALL)
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_END = re.compile(r'"(?:\\.|[^"\\])*"|(?:\\.|[^\s\[\]{}"\\])+', re.DOTALL)
_OPERATOR = re.compile(r"(?:AND|OR|NOT)(?=[\s()]|$)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"(?:\\.)|([*?~^!:])", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_.#]+")
_RESERVED = ("AND", "OR", "NOT", "TO")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_CHOICES: Mapping[Kind, str] = {"number": "a number", "truth": "true or false", "date": "a date (2024-05-06, NOW-7DAY)"}


class Node(ABC):
    """A filter, or a part of one. As text it is a filter that reads as the same."""

    @abstractmethod
    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """Whether a sound with these values fits.

        Parameters
        ----------
        values : mapping
            By field: numbers, bools, texts, `created` as ISO 8601 in UTC to the second, `tag` a sequence of texts.
            What a sound lacks is absent, None or empty.
        now : datetime, optional
            What NOW means.
        """


@dataclass(frozen=True)
class Match(Node):
    """One of some values."""

    field: str
    values: tuple[Value, ...]

    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """See `Node`."""
        own, kind = values.get(self.field), FIELDS[self.field]
        if kind == "words":
            text = stems(own) if own else []
            return any(_follow(stems(str(value)), text) for value in self.values)
        if kind == "date":
            spans = [value.span(_utc(now)) for value in self.values if isinstance(value, Moment)]
            return any(first <= one <= last for one in _each(own) for first, last in spans)
        wanted = {folded(value) for value in self.values}
        return any(folded(one) in wanted for one in _each(own))

    def __str__(self) -> str:
        written = " OR ".join(map(_written, self.values))
        return f"{self.field}:{written}" if len(self.values) == 1 else f"{self.field}:({written})"


@dataclass(frozen=True)
class Between(Node):
    """From a value to another, both included; None is an open end. With two of these: any value at all."""

    field: str
    low: Value | None = None
    high: Value | None = None

    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """See `Node`."""
        low, high = self.ends(now)
        own = _each(values.get(self.field))
        compared = own if FIELDS[self.field] == "date" else map(folded, own)
        return any((low is None or low <= one) and (high is None or one <= high) for one in compared)

    def ends(self, now: datetime | None = None) -> tuple[Any, Any]:
        """Both ends as they are compared."""
        low, high = self.low, self.high
        return (
            low.span(_utc(now))[0] if isinstance(low, Moment) else folded(low),
            high.span(_utc(now))[1] if isinstance(high, Moment) else folded(high),
        )

    def __str__(self) -> str:
        low, high = ("*" if end is None else _written(end, ranged=True) for end in (self.low, self.high))
        return f"{self.field}:[{low} TO {high}]"


@dataclass(frozen=True)
class Not(Node):
    """What a part does not hold of."""

    part: Node

    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """See `Node`."""
        return not self.part.fits(values, now)

    def __str__(self) -> str:
        return f"-{self.part}" if isinstance(self.part, Match | Between) else f"-({self.part})"


@dataclass(frozen=True)
class All(Node):
    """What all parts hold of; at least two."""

    parts: tuple[Node, ...]

    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """See `Node`."""
        return all(part.fits(values, now) for part in self.parts)

    def __str__(self) -> str:
        return " ".join(f"({part})" if isinstance(part, Either) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Either(Node):
    """What one of the parts holds of; at least two."""

    parts: tuple[Node, ...]

    def fits(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """See `Node`."""
        return any(part.fits(values, now) for part in self.parts)

    def __str__(self) -> str:
        return " OR ".join(f"({part})" if isinstance(part, All) else str(part) for part in self.parts)


def parse(text: str) -> Node:
    """Read a filter.

    Raises
    ------
    FilterError
        It cannot be read; the message says at which character, counted from 1, and what is known.

    Examples
    --------
    >>> print(parse("tag:(kick OR snare) AND -duration:[* TO 0.5] created:[NOW-7DAY TO *]"))
    tag:(kick OR snare) -duration:[* TO 0.5] created:[NOW-7DAY TO *]
    """
    return _Parser(storable(text)).filter()


def folded(value: Any) -> Any:
    """A value as it is compared: text in lower case."""
    return value.lower() if isinstance(value, str) else value


def negated(part: Node) -> Node:
    """What a part does not hold of."""
    return part.part if isinstance(part, Not) else Not(part)


def all_of(parts: Iterable[Node]) -> Node:
    """The parts joined by AND, those of inner ones taken out; a single one by itself."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def either_of(parts: Iterable[Node]) -> Node:
    """The parts joined by OR, those of inner ones taken out, the values of one field together; one by itself."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Either) else (part,))]
    values: dict[str, dict[Value, None]] = {}
    for part in flat:
        if isinstance(part, Match):
            values.setdefault(part.field, {}).update(dict.fromkeys(part.values))
    found: list[Node] = []
    for part in flat:
        if not isinstance(part, Match):
            found.append(part)
        elif part.field in values:
            found.append(Match(part.field, tuple(values.pop(part.field))))
    return found[0] if len(found) == 1 else Either(tuple(found))


class _Parser:
    """Reads by recursive descent; `at` is where it is. In parentheses after a field, `field` is that."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.values = 0

    def filter(self) -> Node:
        if len(self.text) > _LONGEST:
            self.fail(f"too long: {len(self.text)} characters, at most {_LONGEST} are read", 0)
        self.space()
        if self.ended:
            self.fail("nothing is asked for; write field:value")
        node = self.joined(None)
        if not self.ended:
            self.fail("a closing parenthesis without an opening one")
        if (conditions := _conditions(node)) > _MOST_CONDITIONS:
            self.fail(f"too much at once: {conditions} conditions, at most {_MOST_CONDITIONS} are taken")
        return node

    def joined(self, field: str | None) -> Node:
        """Parts up to the end or a closing parenthesis, joined all by AND or all by OR."""
        parts, joint = [self.part(field)], ""
        while not self.ended and self.text[self.at] != ")":
            start, word = self.at, self.operator("AND", "OR") or "AND"
            if joint not in ("", word):
                self.fail("AND (or a space) and OR are mixed; put in parentheses what belongs together", start)
            joint = word
            parts.append(self.part(field))
        return either_of(parts) if joint == "OR" else all_of(parts)

    def part(self, field: str | None) -> Node:
        if self.ended:
            self.fail("a value is missing" if field else "a field:value is missing")
        if self.operator("NOT"):
            return negated(self.nested(lambda: self.part(field)))
        if self.text[self.at] in "+-" and (field is None or not self.number_ahead(field)):
            minus = self.text[self.at] == "-"
            self.at += 1
            part = self.nested(lambda: self.part(field))
            return negated(part) if minus else part
        if self.text[self.at] == "(":
            return self.parenthesis(field)
        return self.field() if field is None else self.value(field)

    def field(self) -> Node:
        match = _FIELD.match(self.text, self.at)
        if not match:
            word = _WORD.match(self.text, self.at)
            found = _short(word[0] if word else self.text[self.at])
            self.fail(f"{found} is no field:value")
        name = match[1]
        if name not in FIELDS:
            self.fail(f"no field {_short(name)}; {_known(name)}")
        self.at = match.end()
        if self.text[self.at : self.at + 1] == "(":
            return self.parenthesis(name)
        return self.value(name)

    def value(self, name: str) -> Node:
        kind = FIELDS[name]
        if self.text[self.at : self.at + 1] == "[":
            return self.range(name, kind)
        if quoted := _QUOTED.match(self.text, self.at):
            value = self.read(kind, name, _unescaped(quoted[1]), self.at)
            return self.done(quoted.end(), Match(name, (value,)))
        word = None if _OPERATOR.match(self.text, self.at) else _WORD.match(self.text, self.at)
        if not word:
            self.fail_without_value(name)
        if word[0] == "*":
            return self.done(word.end(), Between(name))
        for special in _SPECIAL.finditer(word[0]):
            if special[1] and not (special[1] == ":" and kind == "date"):
                self.fail(
                    f"{special[1]} has no meaning here within a value; put the value in quotes",
                    self.at + special.start(),
                )
        value = self.read(kind, name, _unescaped(word[0]), self.at)
        return self.done(word.end(), Match(name, (value,)))

    def range(self, name: str, kind: Kind) -> Node:
        start = self.at
        self.at += 1
        low = self.end(name, kind)
        if self.text[self.at : self.at + 2] != "TO" or not self.text[self.at + 2 : self.at + 3].isspace():
            self.fail("a range is written [a TO b], with TO in capitals")
        self.at += 2
        high = self.end(name, kind)
        if self.text[self.at : self.at + 1] != "]":
            self.fail("a range is written [a TO b] and ends with ]")
        if kind in ("truth", "words") and (low, high) != (None, None):
            self.fail(f"{name} has no order; it takes no range but [* TO *]", start)
        return self.done(self.at + 1, Between(name, low, high))

    def end(self, name: str, kind: Kind) -> Value | None:
        """One end of a range, and the space around it."""
        self.space()
        found = _END.match(self.text, self.at)
        if not found:
            self.fail("a range is written [a TO b], with * for an open end")
        start, text = self.at, found[0]
        self.at = found.end()
        self.space()
        if text == "*":
            return None
        return self.read(kind, name, _unescaped(text[1:-1] if text[0] == '"' else text), start)

    def read(self, kind: Kind, name: str, text: str, start: int) -> Value:
        """A value of its kind."""
        self.values += 1
        if self.values > _MOST_VALUES:
            self.fail(f"too much at once: at most {_MOST_VALUES} values are taken", start)
        if not text.strip():
            self.fail(f"the value of {name} is empty; -{name}:* finds what has none", start)
        if kind in ("text", "words"):
            return text
        try:
            if kind == "date":
                return Moment(text)
            if kind == "truth":
                return _TRUTHS[text.lower()]
            number = float(text) if _DECIMAL.fullmatch(text) else math.nan
        except KeyError:
            number = math.nan
        except ValueError as error:
            self.fail(f"{name} takes {_CHOICES[kind]}, not {_short(text)}: {error}"[:300], start)
        if not math.isfinite(number):
            self.fail(f"{name} takes {_CHOICES[kind]}, not {_short(text)}", start)
        return number

    def parenthesis(self, field: str | None) -> Node:
        start = self.at
        self.at += 1
        self.space()
        node = self.nested(lambda: self.joined(field))
        if self.ended:
            self.fail("this parenthesis is not closed", start)
        return self.done(self.at + 1, node)

    def nested(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail(f"nested too deeply: more than {_DEEPEST} levels")
        node = read()
        self.depth -= 1
        return node

    def number_ahead(self, field: str) -> bool:
        """In parentheses after a field of numbers a sign would be Solr's NOT, and is hardly meant so."""
        if FIELDS[field] == "number" and self.text[self.at + 1 : self.at + 2] in tuple("0123456789."):
            self.fail(f"within parentheses a minus means not; put the number in quotes, or write -{field}:…")
        return False

    def operator(self, *words: str) -> str:
        """The operator here, if it is one of those; it and the space after it are passed."""
        match = _OPERATOR.match(self.text, self.at)
        if not match or match[0] not in words:
            return ""
        self.at = match.end()
        self.space()
        return match[0]

    def done(self, end: int, node: Node) -> Node:
        self.at = end
        self.space()
        return node

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def fail_without_value(self, name: str) -> NoReturn:
        here = self.text[self.at : self.at + 1]
        if here == '"':
            self.fail("these quotes are not closed")
        if here == "{":
            self.fail("a range is written [a TO b], with both ends in it")
        self.fail(f"a value of {name} is missing")

    def fail(self, words: str, at: int | None = None) -> NoReturn:
        raise FilterError(f"the filter, at character {(self.at if at is None else at) + 1}: {words}")


def _conditions(node: Node) -> int:
    if isinstance(node, All | Either):
        return sum(map(_conditions, node.parts))
    if isinstance(node, Not):
        return _conditions(node.part)
    one_by_one = isinstance(node, Match) and FIELDS[node.field] in ("date", "words")
    return len(node.values) if isinstance(node, Match) and one_by_one else 1


def _known(name: str) -> str:
    near = difflib.get_close_matches(name[:_SHOWN], FIELDS, n=5, cutoff=0.5)
    return f"known are {', '.join(dict.fromkeys([*near, *sorted(FIELDS)]))}"


def _written(value: Value, ranged: bool = False) -> str:
    """A value in a filter; in quotes wherever it could be read as something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    else:
        text = value.text if isinstance(value, Moment) else value
    if ranged and not isinstance(value, str):
        return text
    if _PLAIN.fullmatch(text) and text not in _RESERVED:
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _each(own: Any) -> Iterable[Any]:
    """The values of a field that may have none, one or several."""
    every = own if isinstance(own, tuple | list) else (own,)
    return [one for one in every if one not in (None, "")]


def _follow(phrase: list[str], text: list[str]) -> bool:
    """Whether all words of a phrase follow one another in a text; one without words is nowhere."""
    starts = range(len(text) - len(phrase) + 1)
    return bool(phrase) and any(text[start : start + len(phrase)] == phrase for start in starts)


def _utc(now: datetime | None) -> datetime:
    return datetime.now(UTC) if now is None else now
