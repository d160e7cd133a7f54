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


@dataclass(frozen=True)
class Space:
    """A named kind of vector, with the fingerprint of the extractor that makes it."""

    name: str
    dim: int
    fingerprint: str
    origin: Origin = "computed"


@dataclass(frozen=True)
class Agent:
    """A taste for one situated musical action: what it is called, looks at and learns with."""

    id: int
    name: str
    about: str
    spaces: tuple[str, ...]
    classifier: str


@dataclass(frozen=True)
class Annotation:
    """The label that counts for one sound: the last one given."""

    sound_id: int
    label: Label
    test: bool = False


@dataclass(frozen=True)
class Model:
    """One trained version of an agent. `arrays` judge; `recipe`, `seed`, `versions` and `labels_hash` reproduce it."""

    version: int
    recipe: dict[str, Any]
    arrays: dict[str, Any]
    scores: dict[str, Any]
    labels_hash: str
    seed: int
    versions: dict[str, str]
    fingerprints: dict[str, str]
