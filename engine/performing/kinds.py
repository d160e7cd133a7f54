"""Whether what was given to a verb is of the kind that its signature names: for a line that a performer understands."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, Union

from engine.performing.wishes import Wish


def misfit(function: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any]) -> str | None:
    """Name the first argument of a verb that is of another kind than its signature says, with its value.

    Parameters
    ----------
    function : callable
        What does the verb; its first parameter is whose verb it is.
    given, named : sequence, mapping
        Arguments that it takes.
    """
    hints, options = typing.get_type_hints(function), typing.get_type_hints(Wish)
    bound = inspect.signature(function).bind(None, *given, **named)
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            pairs = [(name, one, hints[name]) for one in value]
        elif kind is inspect.Parameter.VAR_KEYWORD:
            pairs = [(one, each, options.get(one, hints.get(name, Any))) for one, each in value.items()]
        else:
            pairs = [(name, value, hints[name])]
        for one, each, hint in pairs:
            if not fits(each, hint):
                return f"{one} cannot be {each!r}"
    return None


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the kind that an annotation names; whole numbers may be written as floats.

    Examples
    --------
    >>> fits(2.0, int), fits(2.5, int), fits(["a", 1], Sequence[str])
    (True, False, False)
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if hint in (int, float):
        number = isinstance(value, Real) and not isinstance(value, bool)
        return number and (hint is float or (math.isfinite(value) and value == int(value)))
    if hint is bool:
        return isinstance(value, bool) or value in (0, 1)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(one, parts[1]) for one in value.values())
    if isinstance(origin, type) and issubclass(origin, Sequence):
        listed = isinstance(value, Sequence) and not isinstance(value, str)
        return listed and all(fits(one, parts[0]) for one in value)
    return isinstance(value, hint) if isinstance(hint, type) else True
