"""What a name stands for, when it alone is typed: a group, the session, a verb, or what goes on by itself."""

from __future__ import annotations

from typing import Any

from corpus.text import for_terminal
from engine.cli.scripted import lines_of
from engine.group import Group
from engine.performing.handle import Handle
from engine.performing.verbs import Verb
from engine.session import Session


def described(value: Any) -> list[str]:
    """It in lines, escaped for a terminal; no verb is done for it."""
    verb = getattr(value, "verb", None)
    if isinstance(verb, Verb):
        return [f"nothing was done: {verb.name} wants its brackets, as in {verb.usage}"]
    if isinstance(value, Group):
        return [for_terminal(line) for line in _group(value)]
    if isinstance(value, Session):
        return [for_terminal(line) for line in _session(value)]
    if isinstance(value, Handle):
        return ["over" if value.done else "going on; .cancel() ends it"]
    return lines_of(value)


def _group(group: Group) -> list[str]:
    playing = {sound.id for sound in group.playing}
    return [
        f"{number}  {sound.id}  {sound.name}  {sound.licence}  {'playing' if sound.id in playing else 'silent'}"
        for number, sound in enumerate(group.sounds)
    ] or [f"group {group.name} is empty; {group.name}.random() brings a sound"]


def _session(session: Session) -> list[str]:
    groups = [f"{name}: {len(group.sounds)} sounds" for name, group in session.groups.items()]
    return [*groups, f"measure {session.measure_in_use}, {session.seconds('1b'):g} s a beat"]
