"""The log of a set, played again: at each time what was said then; what had brought sounds brings the same ones.

A log has a line of JSON for each command, as `mirla sets log N` writes it:

    {"at": 1.5, "group": "a", "verb": "tag", "given": ["metal"], "named": {}, "answer": [100055], "error": null}

`at` is in seconds since the set began; `group` is null for the session's own. What a verb went on to do by itself is
there as commands of its own, so verbs that only begin or ask something are passed over, as are recordings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EngineError, SetError
from engine.performing.script import Stage, text_of
from engine.performing.verbs import Speaker, Verb, verbs_of

SUFFIX = ".jsonl"
_UNPLAYED = ("record", "stoprecording")


@dataclass(frozen=True)
class Entry:
    """One command of a set."""

    at: float
    group: str | None
    verb: str
    given: Sequence[Any] = ()
    named: Mapping[str, Any] | None = None
    answer: Any = None
    error: str | None = None


@dataclass(frozen=True)
class Log:
    """A set as it was played, in order of time."""

    name: str
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read a file.

        Raises
        ------
        SetError
            It cannot be read, or a line of it is no command.
        """
        entries = []
        for number, line in enumerate(text_of(path).split("\n"), 1):
            if line.strip():
                try:
                    entries.append(_entry(line))
                except (ValueError, TypeError, RecursionError) as error:
                    words = f"{path}, line {number} is no command of a set ({error}); `mirla sets log` writes such logs"
                    raise SetError(words) from error
        return cls(str(path), tuple(sorted(entries, key=lambda entry: entry.at)))

    def run(self, session: Stage) -> None:
        """Play it, from its first second on; what goes wrong is said, in a line for each."""
        for entry in self.entries:
            session.clock.wait(entry.at - session.clock.now())
            try:
                _perform(session, entry)
            except EngineError as error:
                session.say(f"{entry.verb}: {error}", entry.group, kind="error")


def _perform(session: Stage, entry: Entry) -> None:
    speaker: Speaker = session if entry.group is None else session.group(entry.group)
    known = verbs_of(type(speaker))
    if entry.verb not in known:
        raise SetError("no such verb any more; it is passed over")
    verb = known[entry.verb]
    if entry.error or verb.manner in ("answered", "handled") or verb.name in _UNPLAYED:
        return
    if verb.manner == "chained" and isinstance(entry.answer, list):
        _bring(speaker, known["id"], entry.answer)
    else:
        speaker.perform(verb, entry.given, entry.named or {})


def _bring(speaker: Speaker, verb: Verb, ids: list[Any]) -> None:
    """Bring the same sounds, one by one, so that one that is gone keeps no other back."""
    for sound_id in ids:
        speaker.perform(verb, [sound_id], {"again": True})


def _entry(line: str) -> Entry:
    entry = Entry(**json.loads(line))
    fits = (
        isinstance(entry.at, int | float)
        and math.isfinite(entry.at)
        and isinstance(entry.verb, str)
        and isinstance(entry.group, str | None)
        and isinstance(entry.given, list | tuple)
        and isinstance(entry.named, dict | None)
    )
    if not fits:
        raise ValueError("its at, verb, group, given or named is not what it should be")
    return entry
