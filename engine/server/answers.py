"""What verbs answer, as values of an OSC message.

One value, or a list as so many values, in its order: numbers, texts, nil where something is not known. What has parts
itself (a hit, what `status` says) is JSON in a text, each of a list in one of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from corpus.text import for_json
from engine.query.answer import Hit


def as_values(answer: Any) -> list[Any]:
    """The values of an answer; none of None."""
    if answer is None:
        return []
    return [_value(one) for one in (answer if isinstance(answer, list | tuple) else [answer])]


def _value(one: Any) -> Any:
    if one is None or isinstance(one, str | bool | int | float):
        return one
    return for_json(_plain(one.as_json() if isinstance(one, Hit) else one))


def _plain(data: Any) -> Any:
    """The same of what JSON has: null for what is no number (the level of silence, say), text for all else."""
    if isinstance(data, Mapping):
        return {str(name): _plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [_plain(value) for value in data]
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    return data if data is None or isinstance(data, str | int) else str(data)
