"""What the corpus holds, as frozen values. No input or output here.

Durations in seconds, levels in LUFS (loudness) and linear full scale (peak), times as ISO 8601 in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from corpus.licences import Licence, credit_line

FIRST_LOCAL_ID = 1_000_000_000
"""Ids below are Freesound's; local sounds count up from here."""
LAST_LOCAL_ID = 2**31 - 1
"""SuperCollider's integers end here."""

Label = Literal["good", "bad"]
Grouping = Literal["user", "pack", "tag"]
"""By what sounds belong together."""
Origin = Literal["computed", "api"]
"""Where the vectors of a space come from: computed here from audio, or served by Freesound's API."""


@dataclass(frozen=True)
class AudioFile:
    """One audio file of a sound.

    `peak` is None until the file was analysed. `loudness` is None then too, and for silence.
    """

    path: Path
    sha256: str
    bytes: int
    format: str
    samplerate: int
    channels: int
    frames: int
    linked: bool = False
    source: str = "original"
    loudness: float | None = None
    peak: float | None = None
    id: int | None = None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.samplerate


@dataclass(frozen=True)
class Sound:
    """One Freesound sound or one local file, with its preferred audio file if it has one.

    `checked` is when Freesound was last asked about it, `gone` when it was found to be there no more.
    """

    id: int
    name: str
    username: str | None = None
    licence: Licence = field(default_factory=lambda: Licence(""))
    url: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    pack: str | None = None
    duration: float | None = None
    gone: str | None = None
    checked: str | None = None
    file: AudioFile | None = None

    @property
    def local(self) -> bool:
        """Whether this is a sound of one's own, not one of Freesound's."""
        return self.id >= FIRST_LOCAL_ID

    @property
    def uploader_group(self) -> str:
        """What must not be split between training and testing: all of one maker, else of one pack, else the sound."""
        if self.username:
            return f"user:{self.username}"
        return f"pack:{self.pack}" if self.pack else f"sound:{self.id}"

    @property
    def credit(self) -> str:
        """The line that credits its maker."""
        return credit_line(self.name, self.username, self.url, self.licence)

    @property
    def credited(self) -> dict[str, Any]:
        """What a credit says of it, field by field, with the finished `line`."""
        return {
            "id": self.id,
            "name": self.name,
            "username": self.username,
            "url": self.url,
            "licence": str(self.licence),
            "licence_url": self.licence.url or None,
            "line": self.credit,
        }


@dataclass(frozen=True)
class Space:
    """A named kind of vector, with the fingerprint of the extractor that makes it."""

    name: str
    dim: int
    fingerprint: str
    origin: Origin = "computed"


@dataclass(frozen=True)
class Agent:
    """A taste for one situated musical action: what it is called, looks at and learns with.

    `in_use` is the version that judges, where that is not the newest.
    """

    id: int
    name: str
    about: str
    spaces: tuple[str, ...]
    classifier: str
    in_use: int | None = None


@dataclass(frozen=True)
class Annotation:
    """What was said of one sound: the label that counts is the last one given, None where it was taken back.

    `undoes` is the annotation that this one took back, by saying again what was said before that. `repeats` is the one
    that this one says again, behind older ones from elsewhere, so that it goes on counting.
    """

    sound_id: int
    label: Label | None
    test: bool = False
    who: str = ""
    session: str = ""
    at: str = ""
    id: int | None = None
    undoes: int | None = None
    repeats: int | None = None


@dataclass(frozen=True)
class Model:
    """One trained version of an agent; `recipe`, `seed`, `versions` and `labels_hash` reproduce it.

    `arrays` are the learnt numbers of a classifier that keeps them; others learn anew, when they are loaded, from the
    annotations up to `until`. `verdicts` is the probability of good of its examples when it was made, by id as text,
    which shows whether it still judges the same.
    """

    version: int
    recipe: dict[str, Any]
    arrays: dict[str, Any]
    scores: dict[str, Any]
    labels_hash: str
    seed: int
    versions: dict[str, str]
    fingerprints: dict[str, str]
    until: int | None = None
    verdicts: dict[str, float] = field(default_factory=dict)
    at: str = ""


@dataclass(frozen=True)
class Performance:
    """One performance: when it began and ended (None: it goes on, or was killed), its seed and title.

    `facts` is what it was played on and with: `mirla` (the version), `loudness`, `device`, `rate`, `seconds` and more.
    """

    id: int
    begun: str
    ended: str | None = None
    seed: int | None = None
    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """A performance in numbers: its commands and plays, and the last second known of it."""

    performance: Performance
    commands: int
    plays: int
    seconds: float


@dataclass(frozen=True)
class Command:
    """What was asked for `at` seconds into a performance, of a group or (None) the whole session, and what came of it.

    `answer` is the ids that it brought, or its words; `error` what went wrong. `facts` is what it went by: `said` (when
    it was said, `at` being when its turn came), the `measure`, `agents` by version, `seed` of its query; and `kind`,
    where nobody said it to a group or the session: `lesson`, or `event` for what happened by itself.
    """

    at: float
    group: str | None
    verb: str
    given: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    error: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Play:
    """A sound that played: in which group, `at` seconds into its performance, for how many seconds.

    `heard` is how many of these it was audible: not muted, nor at volume 0 or rate 0, nor without a device. Both are
    None where that could not be written down. `credit` is the sound's as it was then.
    """

    id: int
    sound_id: int
    group: str
    at: float
    began: str
    seconds: float | None
    heard: float | None
    credit: dict[str, Any]


@dataclass(frozen=True)
class PaletteSound:
    """A sound of a palette: its place from 0, its file's name and SHA-256, and its credit, with what was changed."""

    index: int
    id: int
    file: str
    sha256: str
    credit: dict[str, Any]


@dataclass(frozen=True)
class Palette:
    """A named, ordered choice of sounds, published as a folder; `removed` is when it was taken back."""

    name: str
    version: int
    published: str
    sounds: tuple[PaletteSound, ...]
    removed: str | None = None
