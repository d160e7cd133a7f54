"""What can be typed next: verbs, their parameters, agents, measures, tags, numbers of sounds.

A word is completed from what stands before it on its line; what is not understood is left to Python's own completion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from corpus.licences import KNOWN
from corpus.text import for_terminal
from engine.group import Group
from engine.performing.verbs import Verb, verbs_of
from engine.performing.wishes import Wish
from engine.session import Session

_MOST = 100
_LIST = r"\s*(?:[\[(]\s*)?(?:(?:\"[^\"]*\"|'[^']*')\s*,\s*)*$"
"""What may stand between `agent=` and the quote: a bracket, and names that are complete."""
_AFTER_DOT = re.compile(r"([A-Za-z_]\w*)((?:\s*\.\s*\w+\s*\([^()]*\))*)\s*\.\s*(\w*)$")
_IN_CALL = re.compile(r"\.\s*(\w+)\s*\(((?:[^()\"']|\"[^\"]*\"|'[^']*'|\([^()]*\)|\[[^\[\]]*\])*)$")
_PLAIN = ("group", "groups", "on", "seconds", "teach", "wait")
"""Of a session, what is no verb."""


class Word(NamedTuple):
    """What could stand there: its text, and what it is."""

    text: str
    about: str = ""


Words = tuple[str, list[Word]]
"""What of it is typed already, and how it could go on."""


class Vocabulary:
    """Knows the words of a session.

    Parameters
    ----------
    session : Session
    names : mapping
        Those that were assigned.
    """

    def __init__(self, session: Session, names: Mapping[str, Any]) -> None:
        self._session, self._names = session, names

    def after(self, before: str) -> Words | None:
        """What can follow a line; None where that is Python's to say."""
        line = before.rpartition("\n")[2]
        if quote := _open_quote(line):
            return self._in_text(line[:quote], line[quote + 1 :])
        if found := _AFTER_DOT.search(line):
            return self._verbs(found[1], found[2], found[3])
        if found := _IN_CALL.search(line):
            return self._in_call(found[1], found[2])
        return None

    def _in_text(self, before: str, typed: str) -> Words | None:
        for pattern, words in self._texts:
            if re.search(pattern + _LIST, before):
                last = typed.rpartition(" ")[2] if words is Vocabulary._tags else typed
                return last, _beginning(last, words(self, last))
        return None

    def _verbs(self, name: str, chain: str, typed: str) -> Words | None:
        first = self._names.get(name)
        made = first is self._session and re.match(r"\s*\.\s*group\s*\(", chain)
        known = verbs_of(Group if made else type(first))
        if not known:
            return None
        words = [Word(verb.name, verb.about) for verb in known.values()]
        if first is self._session and not chain:
            words = sorted([*words, *map(Word, _PLAIN)])
        return typed, _beginning(typed, words)

    def _in_call(self, name: str, given: str) -> Words | None:
        verb = verbs_of(Group).get(name) or verbs_of(Session).get(name)
        typed = re.search(r"\w*$", given)
        if verb is None or typed is None or re.search(r"=\s*\w*$", given):
            return None
        if typed[0].isdigit() or (not typed[0] and name in ("id", "sameidauto")):
            return typed[0], _beginning(typed[0], self._ids())
        if given[: typed.start()].strip()[-1:] not in ("", ","):
            return None
        return typed[0], _beginning(typed[0], _parameters(verb))

    def _agents(self, typed: str) -> list[Word]:
        return [Word(agent.name, agent.about) for agent in self._session.corpus.agents.all()]

    def _measures(self, typed: str) -> list[Word]:
        from engine.similarity.measures import MEASURES

        return [Word(one.name, one.about) for one in MEASURES.values()]

    def _tags(self, typed: str) -> list[Word]:
        return [Word(tag) for tag in self._session.corpus.sounds.tags(typed, _MOST)]

    def _effects(self, typed: str) -> list[Word]:
        from engine.playback.effects import EFFECTS

        return [Word(one.name, one.about) for one in EFFECTS.values()]

    def _palettes(self, typed: str) -> list[Word]:
        return [Word(each.name) for each in self._session.corpus.palettes.all()]

    def _groups(self, typed: str) -> list[Word]:
        return [Word(name) for name in self._session.groups]

    def _licences(self, typed: str) -> list[Word]:
        return [Word(name) for name in KNOWN]

    def _ids(self) -> list[Word]:
        sounds = {sound.id: sound for group in self._session.groups.values() for sound in group.sounds}
        return [Word(str(sound.id), sound.name) for sound in sounds.values()]

    _texts: Sequence[tuple[str, Callable[[Vocabulary, str], list[Word]]]] = (
        (r"\b(?:any_|not_)?agent\s*=", _agents),
        (r"\.\s*(?:agent|teach)\s*\(", _agents),
        (r"\bmeasure\s*=", _measures),
        (r"\.\s*measure\s*\(", _measures),
        (r"\btags?\s*=", _tags),
        (r"\.\s*tag\s*\(", _tags),
        (r"\.\s*(?:effect|bypass)\s*\(", _effects),
        (r"\.\s*palette\s*\(", _palettes),
        (r"\bgroup\s*\(", _groups),
        (r"\blicence\s*=", _licences),
    )


def _beginning(typed: str, words: Iterable[Word]) -> list[Word]:
    begun = [word for word in words if word.text.startswith(typed)]
    return [Word(for_terminal(word.text), for_terminal(word.about)) for word in begun[:_MOST]]


def _parameters(verb: Verb) -> list[Word]:
    plain = [one for one in verb.parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    wishes = [one for one in verb.parameters if one.kind is one.VAR_KEYWORD and one.name == "wish"]
    return [Word(f"{name}=") for name in (*(one.name for one in plain), *(Wish.__annotations__ if wishes else ()))]


def _open_quote(line: str) -> int | None:
    """Where on a line a text begins that has no end yet."""
    opened: int | None = None
    for place, letter in enumerate(line):
        if opened is None and letter in "\"'":
            opened = place
        elif opened is not None and letter == line[opened] and line[place - 1] != "\\":
            opened = None
    return opened
