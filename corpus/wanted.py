"""What a harvest is to bring: queries and bounds, as stored with it so that it can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corpus.errors import HarvestError
from corpus.licences import KNOWN, from_text
from corpus.model import FIRST_LOCAL_ID

MAX_SOUNDS = 2000
"""How many sounds a harvest brings unless told otherwise: a personal copy, not a mirror of Freesound."""

_RANGES = (
    ("like", 1, FIRST_LOCAL_ID - 1),
    ("hops", 1, 5),
    ("random", 1, FIRST_LOCAL_ID),
    ("seed", 0, 2**63),
    ("take", 1, FIRST_LOCAL_ID),
    ("max_duration", 0.001, 1e6),
    ("unlike", 0, 2),
)
_LONGEST_LIST = 150
AUDIO = ("hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3", "none")


@dataclass(frozen=True)
class Query:
    """One search, by words, tags (all of them), users and packs (any of them) and Freesound's filter language.

    Attributes
    ----------
    licences, max_duration
        Narrow any kind of query.
    ids : tuple of int
        These sounds.
    like, hops : int
        The API's own list of sounds similar to one; with more hops also the lists of those on it.
    random, seed : int
        So many by chance of all that fit, or of all of Freesound.
    take : int, optional
        At most so many.
    unlike : float, optional
        Take only sounds of another maker and pack than those taken, and farther from each than this: cosine distance
        in the space `freesound_classic`, from 0 to 2.
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
    random: int | None = None
    seed: int = 0
    take: int | None = None
    unlike: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise HarvestError(f"{name} = {value} makes no sense; give {least:g} to {most:g}")
        for number in self.ids:
            if not 0 < number < FIRST_LOCAL_ID:
                raise HarvestError(f"{number} is not a Freesound id; they go from 1 to {FIRST_LOCAL_ID - 1}")
        for name in ("tags", "users", "packs", "licences"):
            if not all(value.strip() for value in getattr(self, name)):
                raise HarvestError(f"one of the {name} is empty; leave it out")
        for licence in self.licences:
            if from_text(licence).name not in KNOWN:
                raise HarvestError(f"no licence {licence!r} at Freesound; there are {', '.join(KNOWN)}")

    @property
    def selective(self) -> bool:
        """Whether it asks for something in particular rather than for all of Freesound."""
        return any((self.text.strip(), self.tags, self.users, self.packs, self.filter.strip()))

    @property
    def bounded(self) -> bool:
        """Whether what it brings has an end."""
        return self.selective or bool(self.ids) or self.like is not None or self.random is not None

    def solr(self, *more: str) -> str:
        """The filter that the API is sent, with `more` parts behind it."""
        parts = [f"tag:{_quoted(tag)}" for tag in self.tags]
        parts += [_any("username", self.users), _any("pack", self.packs), self.filter.strip()]
        parts.append(_any("license", [from_text(licence).name for licence in self.licences]))
        if self.max_duration is not None:
            parts.append(f"duration:[0 TO {self.max_duration:g}]")
        return " ".join(part for part in (*parts, *more) if part)


@dataclass(frozen=True)
class Wanted:
    """Queries, and the bounds of all of them together.

    Attributes
    ----------
    queries : tuple of Query
        Answered one after another; a sound that two of them find is brought once.
    max_sounds, max_bytes : int
        At most so many sounds, and bytes of audio.
    audio : str
        Which preview, or `none`.
    similar : int
        How many places of each sound's similar list to keep; each list costs a request.
    agents : tuple of str
        Fetch audio only of what all of them call good, judged by the served MFCCs.
    most : int, optional
        Of those the so many that the agents are surest of.
    recipe, recipe_sha256 : str, optional
        The recipe's file, beside which a lock file is written, and the digest of what it held.
    locked : bool
        The queries are those of the lock file.
    forgotten : tuple of int
        Brought once and deleted since: not to be brought again.

    Raises
    ------
    HarvestError
        There is no bound, or one that makes no sense.
    """

    queries: tuple[Query, ...]
    max_sounds: int = MAX_SOUNDS
    max_bytes: int | None = None
    audio: str = "hq-ogg"
    similar: int = 0
    agents: tuple[str, ...] = ()
    most: int | None = None
    recipe: str | None = None
    recipe_sha256: str | None = None
    locked: bool = False
    forgotten: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would ask for everything."""
        if not self.queries or not all(query.bounded for query in self.queries):
            raise HarvestError(
                "a harvest without any bound is refused; "
                "give it words, --tag, --user, --pack, --filter, --ids, --like, --random or --recipe"
            )
        if self.audio not in AUDIO:
            raise HarvestError(f"no audio called {self.audio!r}; choose one of {', '.join(AUDIO)}")
        if self.max_sounds < 1 or (self.max_bytes is not None and self.max_bytes < 0):
            raise HarvestError(f"bounds of {self.max_sounds} sounds and {self.max_bytes} bytes bring nothing")
        if not 0 <= self.similar <= _LONGEST_LIST:
            raise HarvestError(
                f"similar = {self.similar} makes no sense; give 0 to {_LONGEST_LIST} places of each list"
            )
        if self.most is not None and not self.agents:
            raise HarvestError(f"-k {self.most} is how many sounds the agents may choose; name one with --agent")

    def as_json(self) -> dict[str, Any]:
        """Everything, in JSON's types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wanted:
        """What `as_json` gave, by this program or an older one."""
        given = {key: _frozen(value) for key, value in data.items() if key != "queries"}
        queries = (Query(**{key: _frozen(value) for key, value in query.items()}) for query in data["queries"])
        return cls(tuple(queries), **given)


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
