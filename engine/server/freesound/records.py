"""Sounds as the API's JSON: what Freesound said of them, with addresses that lead here.

A sound of one's own has no record of Freesound's; what clients rely on is filled from its file. Descriptors are those
that filters go by: the computed one, else the served one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from corpus.descriptors import SCALARS
from corpus.library import Corpus
from corpus.model import FIRST_LOCAL_ID, Sound
from engine.errors import NoVectors
from engine.features import load
from engine.server.freesound.fields import LISTS, METADATA, SERVED_SPACES
from engine.server.freesound.shelf import Shelf

NOBODY = "local"
"""The user name of sounds whose maker is not known."""
_OF_SOUND = frozenset("id name tags license username url description duration pack_name".split())
_OF_RECORD = frozenset(METADATA) - _OF_SOUND
_MFCC = {"mfcc": slice(0, 13), "mfcc_var": slice(13, 26)}
_RATE = 44100.0


Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Known:
    """One sound, and as much more of it as is asked for."""

    sound: Sound
    record: Mapping[str, Any] = field(default_factory=dict)
    added: str = ""
    traits: Mapping[str, Any] = field(default_factory=dict)
    vectors: Mapping[str, Vector | None] = field(default_factory=dict)
    mfcc: Vector | None = None


def rows(corpus: Corpus, shelf: Shelf, ids: Sequence[int], fields: Sequence[str], base: str) -> list[dict[str, Any]]:
    """Sounds in the order of `ids`, each with the fields asked for, in their order; `base` is the API's address.

    Raises
    ------
    UnknownSound
        One of them is not held.
    """
    return [_row(known, fields, base) for known in _look_up(corpus, shelf, ids, fields)]


def _look_up(corpus: Corpus, shelf: Shelf, ids: Sequence[int], fields: Sequence[str]) -> list[Known]:
    asked = set(fields)
    kept = shelf.many(ids, lambda lacking: dict(zip(lacking, corpus.sounds.many(lacking), strict=True)))
    sounds = [kept[sound_id] for sound_id in ids]
    if asked <= _OF_SOUND:
        return [Known(sound) for sound in sounds]
    records = corpus.sounds.records_of(ids)
    added = corpus.listing.added(ids) if "created" in asked else {}
    traits = corpus.descriptors.of(ids) if asked & SCALARS.keys() else {}
    spaces = {name.removeprefix("sim_") for name in asked if name.startswith("sim_")}
    known = [space for space in spaces if space in SERVED_SPACES or corpus.vectors.space(space)]
    vectors = {space: vectors_of(corpus, space, ids) for space in known}
    mfcc = [None] * len(ids) if not asked & _MFCC.keys() else _mfcc(corpus, ids)
    return [
        Known(
            sound,
            record,
            added.get(sound.id, ""),
            {name: value for name, (value, _) in traits.get(sound.id, {}).items()},
            {space: found[place] for space, found in vectors.items()},
            mfcc[place],
        )
        for place, (sound, record) in enumerate(zip(sounds, records, strict=True))
    ]


def _mfcc(corpus: Corpus, ids: Sequence[int]) -> list[Vector | None]:
    """Means and variances of MFCCs: as Freesound serves them, else as they were measured here."""
    served, own = vectors_of(corpus, "api_mfcc", ids), vectors_of(corpus, "mfcc", ids)
    return [other if one is None else one for one, other in zip(served, own, strict=True)]


def vectors_of(corpus: Corpus, space: str, ids: Sequence[int]) -> list[Vector | None]:
    """Vectors of sounds in a space, None for those without one."""
    try:
        matrix = load(corpus, space)
    except NoVectors:
        return [None] * len(ids)
    places = np.searchsorted(matrix.ids, np.asarray(ids, np.int64)).clip(max=len(matrix.ids) - 1)
    return [
        matrix.X[place] if matrix.ids[place] == sound_id else None
        for place, sound_id in zip(places.tolist(), ids, strict=True)
    ]


def _row(known: Known, fields: Sequence[str], base: str) -> dict[str, Any]:
    asked = set(fields)
    facts = _of_sound(known.sound, base)
    if asked & _OF_RECORD:
        facts |= _of_record(known, base)
    if not asked <= facts.keys():
        facts |= _descriptors(known)
    return {name: facts[name] for name in fields if name in facts}


def _of_sound(sound: Sound, base: str) -> dict[str, Any]:
    return {
        "id": sound.id,
        "name": sound.name,
        "tags": list(sound.tags),
        "license": sound.licence.url or str(sound.licence),
        "username": sound.username or NOBODY,
        "url": sound.url or f"{base}/sounds/{sound.id}/",
        "description": sound.description or "",
        "duration": sound.duration if sound.duration is not None or sound.file is None else sound.file.duration,
        "pack_name": sound.pack or None,
    }


def _of_record(known: Known, base: str) -> dict[str, Any]:
    """What is beyond `_of_sound` in METADATA: as Freesound said, as the file is, or as nothing is known."""
    sound, record, file = known.sound, known.record, known.sound.file
    here = f"{base}/sounds/{sound.id}"
    of_file: dict[str, Any] = {"type": "wav", "channels": 1, "filesize": 0, "samplerate": _RATE}
    if file is not None:
        of_file = {
            "type": file.format,
            "channels": file.channels,
            "filesize": file.bytes,
            "samplerate": float(file.samplerate),
            "bitrate": round(file.bytes * 8 / 1000 / file.duration) if file.frames else 0,
        }
    facts: dict[str, Any] = {**dict.fromkeys(METADATA), **_UNTOLD, **of_file, "created": known.added}
    facts |= {name: record[name] for name in _OF_RECORD if record.get(name) is not None}
    for name in _OF_SOUND:
        del facts[name]
    return facts | {
        "pack": f"{base}/packs/{pack_id(sound.pack, sound.username, record)}/" if sound.pack else None,
        "download": f"{here}/download/",
        "bookmark": f"{here}/bookmark/",
        "previews": previews(sound.id, base),
        "images": images(sound.id, base),
        "rate": f"{here}/rate/",
        "comments": f"{here}/comments/",
        "num_comments": 0,
        "comment": f"{here}/comment/",
        "similar_sounds": f"{here}/similar/",
    }


_UNTOLD: dict[str, Any] = {
    "category_is_user_provided": False,
    "is_geotagged": False,
    "gen_ai_preference": "no-additional-preferences",
    "bitrate": 0,
    "bitdepth": 0,
    "num_downloads": 0,
    "avg_rating": 0.0,
    "num_ratings": 0,
    "is_explicit": False,
    "is_remix": False,
    "was_remixed": False,
}
"""What is said of a sound of which it is not known."""


def _descriptors(known: Known) -> dict[str, Any]:
    facts: dict[str, Any] = dict.fromkeys(SCALARS.keys() - {"category", "subcategory"})
    facts |= {name: known.record.get(name) for name in LISTS}
    facts |= {name: _rounded(value) for name, value in known.traits.items() if name in facts}
    facts |= {f"sim_{space}": vector for space, vector in known.vectors.items()}
    mfcc = None if known.mfcc is None else known.mfcc.astype(np.float64).round(3).tolist()
    return facts | {name: mfcc and mfcc[part] for name, part in _MFCC.items()}


def _rounded(value: Any) -> Any:
    """With 3 decimals, as the API has them."""
    return round(value, 3) if isinstance(value, float) else value


def previews(sound_id: int, base: str) -> dict[str, str]:
    """Where to hear a sound: one file, under the names that the API has."""
    stem = f"{base}/previews/{sound_id // 1000}/{sound_id}_0"
    return {f"preview-{kind}-{ext}": f"{stem}-{kind}.{ext}" for kind in ("hq", "lq") for ext in ("mp3", "ogg")}


def images(sound_id: int, base: str) -> dict[str, str]:
    """Where to see a sound."""
    stem = f"{base}/displays/{sound_id // 1000}/{sound_id}_0"
    kinds = {"waveform": "wave", "spectral": "spec", "waveform_bw": "wave_bw", "spectral_bw": "spec_bw"}
    return {f"{name}_{size.lower()}": f"{stem}_{kind}_{size}.png" for name, kind in kinds.items() for size in "ML"}


def pack_id(pack: str, username: str | None, record: Mapping[str, Any]) -> int:
    """Freesound's number of a pack; of one's own, one beyond Freesound's that follows from its name and its user."""
    number = str(record.get("pack") or "").rstrip("/").rpartition("/")[2]
    if number.isascii() and number.isdigit() and len(number) < 10:
        return int(number)
    named = f"{username or ''}\0{pack}".lower()  # as filters compare them
    return FIRST_LOCAL_ID + zlib.crc32(named.encode("utf-8", "replace")) % 10**9


def quoted(name: str) -> str:
    """A name as a part of an address."""
    return quote(name, safe="")
