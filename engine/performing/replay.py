"""The log of a set, played again: at each time what was said then; what had brought sounds brings the same ones.

A log has a line of JSON about the set, then one for each command, as `mirla sets log N` writes it:

    {"set": 3, "begun": "2026-05-01T20:00:00Z", "seconds": 612.3, "facts": {"loudness": -23.0, "mirla": "0.1.0"}, …}
    {"at": 1.5, "group": "a", "verb": "tag", "given": ["metal"], "named": {}, "answer": [100055], "facts": {…}}

`at` is in seconds since the set began; `group` is null for the session's own. What a verb went on to do by itself is
there as commands of its own, so verbs that only begin or ask something are passed over, as are recordings. What
happened by itself is there too, of the kind `event`: it is not done again, but each sound begins when it was loaded
then, not when it is now. Of a lesson what it played is played. A log goes on to the end of its set. Without its first
line it is played as it stands.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import EngineError, SetError
from engine.performing.script import Stage, text_of
from engine.performing.verbs import Speaker, Verb, verbs_of

SUFFIX = ".jsonl"
_SOFTEST = -100.0
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
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def brought(self) -> list[Any]:
        """The ids of the sounds that came with it."""
        if self.facts.get("kind") == "lesson":
            return [self.answer] if isinstance(self.answer, int) else []
        return self.answer if isinstance(self.answer, list) else []


@dataclass(frozen=True)
class Log:
    """A set as it was played, in order of time.

    Attributes
    ----------
    name : str
        Its file's.
    entries : tuple of Entry
    seconds : float
        How long it lasted.
    loudness : float or None
        What its sounds were brought to, in LUFS.
    whole : bool
        Whether it has its first line, and so says of each sound when it was loaded.
    """

    name: str
    entries: tuple[Entry, ...]
    seconds: float = 0.0
    loudness: float | None = None
    whole: bool = False

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read a file.

        Raises
        ------
        SetError
            It cannot be read, or a line of it is no command.
        """
        entries, head = [], {}
        for number, line in enumerate(text_of(path).split("\n"), 1):
            if line.strip():
                try:
                    found = json.loads(line)
                    if number == 1 and "set" in found:
                        head = _head(**found)
                    else:
                        entries.append(_entry(**found))
                except (ValueError, TypeError, AttributeError, RecursionError) as error:
                    words = f"{path}, line {number} is no command of a set ({error}); `mirla sets log` writes such logs"
                    raise SetError(words) from error
        return cls(str(path), tuple(sorted(entries, key=lambda entry: entry.at)), **head)

    def run(self, session: Stage) -> None:
        """Play it, from its first second on; what goes wrong is said, in a line for each."""
        loaded = self._loaded()
        for entry in self.entries:
            if _is_event(entry):
                continue
            session.wait(max(entry.at - session.clock.now(), 0.0))
            if self.whole and not entry.error:
                for sound_id in filter(_is_number, entry.brought):
                    session.rig.arrives(sound_id, _next(loaded.get((entry.group, str(sound_id))), entry.at))
            try:
                _perform(session, entry)
            except EngineError as error:
                session.say(f"{entry.verb}: {error}", entry.group, kind="error")
        session.wait(max(self.seconds - session.clock.now(), 0.0))

    def _loaded(self) -> dict[tuple[str | None, str], deque[float]]:
        """When each sound of each group was loaded, each time."""
        times: dict[tuple[str | None, str], deque[float]] = {}
        for entry in self.entries:
            if _is_event(entry) and entry.verb == "loaded":
                times.setdefault((entry.group, "".join(map(str, entry.given))), deque()).append(entry.at)
        return times


def _perform(session: Stage, entry: Entry) -> None:
    speaker: Speaker = session if entry.group is None else session.group(entry.group)
    known = verbs_of(type(speaker))
    if entry.facts.get("kind") == "lesson":
        if not entry.error and entry.verb != "status":
            speaker.perform(known["clear"], (), {})
            _bring(speaker, known["id"], entry.brought)
        return
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


def _next(times: deque[float] | None, since: float) -> float:
    """The first of some times that is not before another, which is taken from them; infinite if there is none."""
    while times:
        if (first := times.popleft()) >= since:
            return first
    return math.inf


def _is_event(entry: Entry) -> bool:
    return entry.facts.get("kind") == "event"


def _entry(**found: Any) -> Entry:
    entry = Entry(**found)
    fits = (
        _is_number(entry.at)
        and isinstance(entry.verb, str)
        and isinstance(entry.group, str | None)
        and isinstance(entry.given, list | tuple)
        and isinstance(entry.named, dict | None)
        and isinstance(entry.facts, dict)
    )
    if not fits:
        raise ValueError("its at, verb, group, given, named or facts is not what it should be")
    return entry


def _head(*, seconds: Any = 0.0, facts: dict[str, Any] | None = None, **_more: Any) -> dict[str, Any]:
    """What the first line says of the set."""
    loudness = (facts or {}).get("loudness")
    if not _is_number(seconds) or not (loudness is None or (_is_number(loudness) and _SOFTEST <= loudness <= 0.0)):
        raise ValueError("its seconds or loudness are not what they should be")
    return {"seconds": seconds, "loudness": loudness, "whole": True}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
