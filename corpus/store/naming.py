"""What agents, and the people who label, may be called."""

from __future__ import annotations

import unicodedata

from corpus.errors import LabelsError, UnknownAgent

LONGEST_NAME = 100
"""Characters of an agent's name, or of a person's."""
_OSC_RESERVED = frozenset(" #*,/?[]{}")


def check_person(who: str) -> None:
    """Refuse what is no name of a person; raises LabelsError."""
    if len(who) > LONGEST_NAME or not who.strip() or not who.isprintable():
        raise LabelsError(
            f"{who[:LONGEST_NAME]!r} is no name of who labels; give one of up to {LONGEST_NAME} characters"
        )


def as_name(text: str) -> str:
    """A name in Unicode's composed form (NFC), in which what looks the same is the same."""
    return unicodedata.normalize("NFC", text)


def check_name(name: str) -> None:
    """Refuse what cannot go into a file name or an OSC address, or would be taken for an option.

    Raises
    ------
    UnknownAgent
        The name is blank, too long, begins with a hyphen, or holds a backslash, what cannot be printed, or a character
        that OSC reserves (a space among them).
    """
    shown = repr(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME // 2] + "…")
    if len(name) > LONGEST_NAME:
        raise UnknownAgent(f"an agent cannot be called {shown}: it is longer than {LONGEST_NAME} characters")
    if not name.strip() or name != name.strip() or not name.isprintable() or name.startswith("-"):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word without slashes, not a path")
    if reserved := sorted(_OSC_RESERVED.intersection(name)):
        held = "a space" if reserved == [" "] else "".join(reserved).strip()
        raise UnknownAgent(f"an agent cannot be called {shown}: OSC keeps {held} for itself; {_instead(name)} would do")


def _instead(name: str) -> str:
    return repr("_".join("".join(" " if one in _OSC_RESERVED else one for one in name).split()) or "water")
