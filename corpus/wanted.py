"""What a harvest is to bring: queries and bounds, as stored with it so that it can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from corpus.errors import HarvestError
from corpus.licences import from_text

MAX_SOUNDS = 2000
"""How many sounds a harvest brings unless told otherwise: a personal copy, not a mirror of Freesound."""

AUDIO = ("hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3", "none")


@dataclass(frozen=True)
class Query:
    """One search: words, tags (all of them), users and packs (any of them), Freesound's filter language, or ids.

    `like` asks for the API's own list of sounds similar to one; `hops` goes on from those to theirs.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    filter: str = ""
    licences: tuple[str, ...] = ()
    max_duration: float | None = None
    ids: tuple[int, ...] = ()
    like: int | None = None
    hops: int = 1

    @property
    def bounded(self) -> bool:
        """Whether it asks for something in particular rather than for all of Freesound."""
        named = self.text, self.tags, self.users, self.packs, self.filter.strip(), self.ids, self.like
        return any(named)

    def solr(self, *more: str) -> str:
        """The filter that the API is sent, with `more` parts behind it."""
        parts = [f"tag:{_quoted(tag)}" for tag in self.tags]
        parts += [_any("username", self.users), _any("pack", self.packs), self.filter.strip()]
        parts.append(_any("license", [from_text(licence).name or licence for licence in self.licences]))
        if self.max_duration is not None:
            parts.append(f"duration:[0 TO {self.max_duration:g}]")
        return " ".join(part for part in (*parts, *more) if part)


@dataclass(frozen=True)
class Wanted:
    """Queries, and the bounds of all of them together.

    Raises
    ------
    HarvestError
        There is no bound, or one that makes no sense.
    """

    queries: tuple[Query, ...]
    max_sounds: int = MAX_SOUNDS
    max_bytes: int | None = None
    audio: str = "hq-ogg"

    def __post_init__(self) -> None:
        """Refuse what would ask for everything."""
        for query in self.queries:
            if not query.bounded:
                raise HarvestError(
                    "a harvest without any bound is refused; "
                    "give it words, --tag, --user, --pack, --filter, --ids or --like"
                )
        if self.audio not in AUDIO:
            raise HarvestError(f"no audio called {self.audio!r}; choose one of {', '.join(AUDIO)}")
        if self.max_sounds < 1 or (self.max_bytes is not None and self.max_bytes < 0):
            raise HarvestError(f"bounds of {self.max_sounds} sounds and {self.max_bytes} bytes bring nothing")

    def as_json(self) -> dict[str, Any]:
        """Everything, in JSON's types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wanted:
        """What `as_json` gave."""
        queries = tuple(Query(**{f.name: _frozen(query[f.name]) for f in fields(Query)}) for query in data["queries"])
        return cls(queries, data["max_sounds"], data["max_bytes"], data["audio"])


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _any(field: str, values: tuple[str, ...] | list[str]) -> str:
    if not values:
        return ""
    quoted = [_quoted(value) for value in values]
    return f"{field}:{quoted[0]}" if len(quoted) == 1 else f"{field}:({' OR '.join(quoted)})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
