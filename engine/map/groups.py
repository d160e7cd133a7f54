"""Groups: what the colours of a map stand for. Every sound is in one; the largest comes first, the rest last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.model import Sound
from engine.agent.judging import Verdicts

COLOURS = ("tag", "licence", "verdict")
REST = "#9a9a9a"
"""What is not one of those that have a colour."""
_PALETTE = ("#cc6677", "#4477aa", "#ddcc77", "#228833", "#88ccee", "#aa4499", "#44aa99", "#999933", "#ee8866")
"""After P. Tol's schemes, which the colour-blind can tell apart: https://personal.sron.nl/~pault/"""


@dataclass(frozen=True)
class Group:
    """Sounds of one colour: `members` are places (m,) in the list of sounds; `name` may be a stranger's."""

    name: str
    colour: str
    symbol: str
    members: npt.NDArray[np.intp]


def by_tag(sounds: Sequence[Sound]) -> list[Group]:
    """The commonest tags: each is the one that most of the sounds not yet in a group have.

    A tag that more than half the sounds have tells little apart and is passed over where there are others.
    """
    tags = [frozenset(sound.tags) for sound in sounds]
    counts = Counter(tag for some in tags for tag in some)
    own: dict[int, str] = {}
    names: list[str] = []
    left = Counter({tag: count for tag, count in counts.items() if 2 * count <= len(sounds)}) or counts
    while left and len(names) < len(_PALETTE):
        name = min(left, key=lambda tag: (-left[tag], tag))
        if not left[name]:
            break
        names.append(name)
        for place, some in enumerate(tags):
            if name in some and place not in own:
                own[place] = name
                left.subtract(tag for tag in some if tag in left)
    return _groups([own.get(place) for place in range(len(sounds))], names, "other tags")


def by_licence(sounds: Sequence[Sound]) -> list[Group]:
    """Licences by name, whatever their version."""
    names = [sound.licence.name or "an unknown licence" for sound in sounds]
    common = sorted(Counter(names).items(), key=lambda found: (-found[1], found[0]))[: len(_PALETTE)]
    return _groups(names, [name for name, _ in common], "other licences")


def by_verdict(sounds: Sequence[Sound], verdicts: Verdicts) -> list[Group]:
    """Good, bad and not judged."""
    labels = np.array([str(verdicts.of(sound.id)["label"]) for sound in sounds])
    looks = {"good": ("#0077bb", "circle"), "bad": ("#ee7733", "x"), "None": (REST, "circle-open")}
    names = {"good": "good", "bad": "bad", "None": "not judged"}
    groups = [Group(names[label], *looks[label], np.flatnonzero(labels == label)) for label in looks]
    return [group for group in groups if len(group.members)]


def _groups(own: Sequence[str | None], names: Sequence[str], rest: str) -> list[Group]:
    numbers = {name: number for number, name in enumerate(names)}
    codes = np.array([numbers.get(name or "", len(names)) if name is not None else len(names) for name in own], np.intp)
    groups = [
        Group(name, colour, "circle", np.flatnonzero(codes == number))
        for number, (name, colour) in enumerate(zip(names, _PALETTE, strict=False))
    ]
    others = np.flatnonzero(codes == len(names))
    return [*groups, Group(rest, REST, "circle", others)] if len(others) else groups
