"""What agents, and the people who label, may be called."""

from __future__ import annotations

from corpus.errors import LabelsError, UnknownAgent

LONGEST_NAME = 100
"""Characters of an agent's name, or of a person's."""


def check_person(who: str) -> None:
    """Refuse what is no name of a person; raises LabelsError."""
    if len(who) > LONGEST_NAME or not who.strip() or not who.isprintable():
        raise LabelsError(
            f"{who[:LONGEST_NAME]!r} is no name of who labels; give one of up to {LONGEST_NAME} characters"
        )


def check_name(name: str) -> None:
    """Refuse what cannot go into a file name, an OSC address and a shell without surprises.

    Raises
    ------
    UnknownAgent
        The name is blank, too long, begins with a hyphen or a space, or holds a slash or what cannot be printed.
    """
    shown = repr(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME // 2] + "…")
    if len(name) > LONGEST_NAME:
        raise UnknownAgent(f"an agent cannot be called {shown}: it is longer than {LONGEST_NAME} characters")
    if not name.strip() or name != name.strip() or not name.isprintable() or name.startswith("-"):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise UnknownAgent(f"an agent cannot be called {shown}; give it a word without slashes, not a path")
