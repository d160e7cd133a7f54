"""What the values of an OSC message mean to a verb: by position in Python's order, then pairs of a name and a value.

Which is which is settled by the verb alone. Parameters without a default come first, always by position. After them the
pairs begin at the first text that is a name the verb knows, and go on to the end. So a text that is a name is given as
a pair itself: `/mirla/find text like`. Verbs that take any name (`near`, `effect`) have pairs from the first text on.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from engine.errors import VerbError
from engine.performing.verbs import Verb
from engine.performing.wishes import Wish

OPTIONS = tuple(Wish.__annotations__)
"""Names of the options of queries, which many verbs take."""
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def required(verb: Verb) -> list[str]:
    """Its parameters that are always given, by position."""
    return [one.name for one in verb.parameters if one.kind in _POSITIONAL and one.default is one.empty]


def names(verb: Verb) -> list[str]:
    """The names that its pairs may have, but for the options of queries."""
    return [one.name for one in verb.parameters if one.kind in _NAMED and one.default is not one.empty]


def takes_options(verb: Verb) -> bool:
    """Whether it takes the options of queries."""
    return any(one.kind is one.VAR_KEYWORD and "Wish" in str(one.annotation) for one in verb.parameters)


def takes_any_name(verb: Verb) -> bool:
    """Whether its pairs may have any name."""
    return any(one.kind is one.VAR_KEYWORD for one in verb.parameters) and not takes_options(verb)


def arguments(verb: Verb, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """What is given by position, and what by name.

    Raises
    ------
    VerbError
        From the first name on there are not only pairs, or a name comes twice.
    """
    known = {*names(verb), *(OPTIONS if takes_options(verb) else ())}
    known_all = takes_any_name(verb)
    first = next(
        (
            place
            for place, value in enumerate(values)
            if place >= len(required(verb)) and isinstance(value, str) and (known_all or value in known)
        ),
        len(values),
    )
    named: dict[str, Any] = {}
    for place in range(first, len(values), 2):
        name = values[place]
        if not isinstance(name, str) or not (known_all or name in known) or name in named:
            raise VerbError(
                f"{verb.name}: after {values[first]!r} come names and values; {name!r} is no name it takes here"
            )
        if place + 1 == len(values):
            raise VerbError(f"{verb.name}: {name!r} is a name and needs a value; to mean the text, say its name first")
        named[name] = values[place + 1]
    return _positional(verb, values[:first]), {name: _named(verb, name, value) for name, value in named.items()}


def _positional(verb: Verb, values: Sequence[Any]) -> list[Any]:
    places = [one for one in verb.parameters if one.kind in (*_POSITIONAL, one.VAR_POSITIONAL)]
    if not places:
        return list(values)  # which are too many: the verb says so
    each = ((places[min(place, len(places) - 1)], value) for place, value in enumerate(values))
    return [_fitting(verb, one.name, _kinds(one.annotation), value) for one, value in each]


def _named(verb: Verb, name: str, value: Any) -> Any:
    own = {one.name: one for one in verb.parameters}
    if name in own:
        return _fitting(verb, name, _kinds(own[name].annotation), value)
    if takes_any_name(verb) and not (name in OPTIONS and verb.parameters[-1].annotation == "Any"):
        return _fitting(verb, name, {"float"}, value)
    if name == "near" and isinstance(value, list) and len(value) % 2 == 0:
        value = dict(zip(map(str, value[::2]), value[1::2], strict=True))
    return _fitting(verb, name, _kinds(Wish.__annotations__[name]), value)


def _kinds(annotation: Any) -> set[str]:
    """The types that may be given, as they are written."""
    return set(getattr(annotation, "__forward_arg__", str(annotation)).split(" | "))


def _fitting(verb: Verb, name: str, kinds: set[str], value: Any) -> Any:
    """A value as it is wanted: whole where some programs send floats alone, text where a number names something."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and "int" in kinds and float(value).is_integer():
        return int(value)
    if number and not kinds & {"int", "float", "Length", "bool", "Any"}:
        value = str(value)
    if not any(_fits(value, kind) for kind in kinds):
        raise VerbError(f"{verb.name}: {name} cannot be {value!r}; it takes {' or '.join(sorted(kinds))}")
    return value


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, list):
        return kind.startswith("Sequence[") and all(_fits(one, kind[9:-1]) for one in value)
    if isinstance(value, dict):
        return kind.startswith("Mapping[") and all(_fits(one, "float") for one in value.values())
    if isinstance(value, bool) or value is None:
        return kind in ("Any", "bool" if value is not None else "None")
    return kind in ("Any", "Length", *(("str",) if isinstance(value, str) else ("int", "float", "bool")))
