"""All addresses that the OSC server answers: ONE table, made from the verbs, for the server, docs/osc.md, the class for
SuperCollider and the tests.

    python -m engine.server.routes [FOLDER]

writes it anew into the document and the class, in the source folder (else the present one).
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.group import Group
from engine.performing.verbs import Verb, verbs_of
from engine.server.arguments import OPTIONS, names, required, takes_any_name, takes_options
from engine.session import Session

Level = Literal["group", "session", "server"]
DOCUMENT = Path("docs/osc.md")
CLASS = Path("engine/clients/supercollider/Mirla.sc")


@dataclass(frozen=True)
class Route:
    """One address.

    Attributes
    ----------
    level : str
        Whose it is: a group's, the session's, or the server's own.
    name : str
    usage : str
        What it takes, as OSC has it.
    answers, about : str
    verb : Verb, optional
        What does it, where it is not the server itself.
    """

    level: Level
    name: str
    usage: str
    answers: str
    about: str
    verb: Verb | None = None

    @property
    def address(self) -> str:
        """With `<group>` in it where one is to be named."""
        return f"/mirla/<group>/{self.name}" if self.level == "group" else f"/mirla/{self.name}"


def _routes_of(kind: type, level: Level) -> list[Route]:
    return [Route(level, name, _usage(verb), _answers(verb), verb.about, verb) for name, verb in verbs_of(kind).items()]


def _answers(verb: Verb) -> str:
    if verb.manner == "handled":
        return "a number, for `/mirla/cancel`"
    if verb.manner == "answered":
        return "what it says"
    return "the ids brought" if inspect.signature(verb.function).return_annotation == "list[int]" else ""


def _usage(verb: Verb) -> str:
    words = []
    for one in verb.parameters:
        if one.kind is one.VAR_POSITIONAL:
            words.append(f"{one.name}…")
        elif one.kind is one.VAR_KEYWORD:
            words.append("*options*" if takes_options(verb) else "*name value*…")
        elif one.name in required(verb):
            words.append(one.name)
        elif one.default is None or one.default in ("", ()):
            words.append(f"[{one.name}]")
        else:
            words.append(f"[{one.name}={one.default}]")
    return " ".join(words)


_OWN = [
    Route("server", "cancel", "number", "", "End what `similarauto`, `playauto` and their like began."),
    Route(
        "server", "subscribe", "", "seconds it lasts", "Get `/mirla/event` for what happens, at the sender's address."
    ),
    Route("server", "unsubscribe", "", "", "Get no more of them."),
]
ROUTES: tuple[Route, ...] = (*_routes_of(Group, "group"), *_routes_of(Session, "session"), *_OWN)
OF_GROUPS = {route.name: route for route in ROUTES if route.level == "group"}
OF_ALL = {route.name: route for route in ROUTES if route.level != "group"}


def as_markdown() -> str:
    """The table for the document."""
    lines = ["| address | takes | answers | what it does |", "|---|---|---|---|"]
    lines += [f"| `{one.address}` | {one.usage} | {one.answers} | {one.about} |" for one in ROUTES]
    return "\n".join([*lines, "", f"*Options* are {', '.join(f'`{name}`' for name in OPTIONS)}.", ""])


def as_methods(level: Level) -> str:
    """The methods of the class for SuperCollider: one for each route of a level."""
    return "".join(f"\t{_method(route)}\n" for route in ROUTES if route.level == level and route.verb)


def _method(route: Route) -> str:
    """A method with named arguments, where the verb's are all known, and `action`; else of values as they come."""
    verb, star = route.verb, "*" if route.level == "session" else ""
    assert verb is not None
    if takes_any_name(verb) or any(one.kind is one.VAR_POSITIONAL for one in verb.parameters):
        return f"{star}{route.name} {{ |... values| this.prSay(\\{route.name}, values) }}"
    given = required(verb)
    named = [*names(verb), *(name for name in OPTIONS if takes_options(verb) and name not in names(verb))]
    pairs = ", ".join(f"{name}: {name}" for name in named)
    return (
        f"{star}{route.name} {{ |{', '.join([*given, *named, 'action'])}| "
        f"this.prSend(\\{route.name}, [{', '.join(given)}], ({pairs}), action) }}"
    )


def _within(text: str, mark: str, new: str) -> str:
    """A text with what stands between two lines made anew."""
    between = re.compile(rf"({re.escape(mark)} begin[^\n]*\n).*?([^\n]*{re.escape(mark)} end)", re.DOTALL)
    return between.sub(lambda found: found[1] + new + found[2], text)


def regenerated(document: str, source: str) -> tuple[str, str]:
    """The document and the class, with what they have from the table made anew."""
    document = _within(document, "<!-- routes", as_markdown())
    return document, _within(_within(source, "// verbs", as_methods("group")), "// session", as_methods("session"))


def main(folder: Path) -> None:
    """Write the document and the class anew."""
    texts = regenerated(*((folder / path).read_text(encoding="utf-8") for path in (DOCUMENT, CLASS)))
    for path, text in zip((DOCUMENT, CLASS), texts, strict=True):
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(*sys.argv[1:]))
