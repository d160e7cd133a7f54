"""The API's JSON as sounds and vectors: the only place that knows its field names.

The API promises little: rows may be null, fields missing, unknown or null, dates in two forms. What is needed is
checked, what is unknown is kept as it came. Vectors leave the record: they are stored as spaces.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import orjson

from corpus.descriptors import SCALARS, Trait, fitting
from corpus.errors import FreesoundError
from corpus.licences import from_text
from corpus.model import FIRST_LOCAL_ID, Sound, Space
from corpus.text import storable

METADATA = (
    "id,url,name,tags,description,category,subcategory,category_code,category_is_user_provided,geotag,is_geotagged,"
    "created,license,gen_ai_preference,type,channels,filesize,bitrate,bitdepth,duration,samplerate,username,pack,"
    "pack_name,previews,images,num_downloads,avg_rating,num_ratings,num_comments,is_explicit,is_remix,was_remixed,md5"
)
TRAITS = ",".join(name for name in SCALARS if name not in METADATA.split(","))
VECTORS = "mfcc,mfcc_var,sim_laion_clap,sim_freesound_classic"
_VECTORS = frozenset(VECTORS.split(","))
FIELDS = f"{METADATA},{TRAITS},{VECTORS}"
"""Everything a search page can carry of a sound, so that no sound costs a request of its own."""

_FACTS: dict[str, type[Trait]] = {
    "created": str,
    "type": str,
    "channels": int,
    "samplerate": float,
    "filesize": int,
    "num_downloads": int,
    "num_ratings": int,
    "avg_rating": float,
    "gen_ai_preference": str,
    "is_explicit": bool,
    "md5": str,
}
_ENOUGH_RATINGS = 3

SPACES = {
    "api_mfcc": Space("api_mfcc", 26, "freesound: mfcc, mfcc_var", "api"),
    "laion_clap": Space("laion_clap", 512, "freesound: sim_laion_clap", "api"),
    "freesound_classic": Space("freesound_classic", 100, "freesound: sim_freesound_classic", "api"),
}
"""The spaces that the API serves; they have no extractor here, so their fingerprint names what was served."""

PREVIEWS = {name: f"preview-{name}" for name in ("hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3")}


@dataclass(frozen=True)
class Record:
    """One sound as the API gave it: what the corpus knows of it, the rest of the record, its vectors and previews."""

    sound: Sound
    record: dict[str, Any]
    vectors: dict[str, npt.NDArray[np.float32]]
    previews: dict[str, str]


@dataclass(frozen=True)
class Page:
    """One page of a list: how many sounds there are in all, and those of the page that could be read."""

    count: int
    records: list[Record]
    more: bool


def parse(body: bytes) -> Any:
    """Read JSON. What orjson takes, any database can hold; the odd rest goes through Python's own parser and a gate.

    Raises
    ------
    ValueError
        It is cut or broken.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        try:
            return _storable(json.loads(body))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def page(answer: Any) -> Page:
    """Read a page of search results.

    Raises
    ------
    FreesoundError
        It is not the form of a page.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise FreesoundError(f"Freesound answered no page of sounds but {str(answer)[:80]!r}; try again later")
    count = answer.get("count")
    rows = [row for row in answer["results"] if isinstance(row, dict)]  # null: deleted a moment ago
    return Page(
        count=count if isinstance(count, int) and count >= 0 else 0,
        records=[found for row in rows if (found := record(row))],
        more=bool(answer.get("next")),
    )


def one(answer: Any, sound_id: int) -> Record:
    """Read the answer to a question for one sound.

    Raises
    ------
    FreesoundError
        It is not that sound.
    """
    found = record(answer) if isinstance(answer, dict) else None
    if found is None or found.sound.id != sound_id:
        raise FreesoundError(f"Freesound answered no sound {sound_id} but {str(answer)[:80]!r}; try again later")
    return found


def record(row: Mapping[str, Any]) -> Record | None:
    """Read one sound; None when it has no usable id."""
    number = row.get("id")
    if not isinstance(number, int) or not 0 < number < FIRST_LOCAL_ID:
        return None
    licence = _text(row.get("license")) or ""
    kept = dict(row)
    for name in _VECTORS:
        kept.pop(name, None)
    return Record(
        sound=Sound(
            id=number,
            name=_text(row.get("name")) or str(number),
            username=_text(row.get("username")),
            licence=from_text(licence),
            url=_text(row.get("url")),
            tags=_texts(row.get("tags")),
            description=_text(row.get("description")),
            pack=_text(row.get("pack_name")),
            duration=_number(row.get("duration")),
        ),
        record=kept,
        vectors=_vectors(row),
        previews=_previews(row.get("previews")),
    )


def traits(record: Mapping[str, Any]) -> dict[str, Trait]:
    """The scalar descriptors in a record as it is stored, by name; what is null or of another type is left out."""
    return fitting(record)


def facts(record: Mapping[str, Any]) -> dict[str, Trait]:
    """What else a record says that filters ask for: `created` in UTC to the second, `avg_rating` as the API filters it.

    Freesound's index has ratings from 0 to 10, and 0 for sounds with fewer than 3.
    """
    found = fitting(record, _FACTS)
    created = _utc(found.pop("created", None))
    if created is not None:
        found["created"] = created
    if isinstance(rating := found.get("avg_rating"), float):
        found["avg_rating"] = 2 * rating if float(found.get("num_ratings", 0)) >= _ENOUGH_RATINGS else 0.0
    return found


def _utc(text: object) -> str | None:
    """A date of the API, in either of its forms, in ours."""
    try:
        when = datetime.fromisoformat(str(text))
        when = when.astimezone(UTC) if when.tzinfo else when
    except (ValueError, OverflowError):
        return None
    return when.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _vectors(row: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    mfcc, variance = row.get("mfcc"), row.get("mfcc_var")
    served = {
        "api_mfcc": [*mfcc, *variance] if isinstance(mfcc, list) and isinstance(variance, list) else None,
        "laion_clap": row.get("sim_laion_clap"),
        "freesound_classic": row.get("sim_freesound_classic"),
    }
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    for name, values in served.items():
        if not isinstance(values, list) or len(values) != SPACES[name].dim:
            continue
        try:
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and left out below
                vector = np.array(values, np.float32)
        except (TypeError, ValueError):
            continue
        if vector.ndim == 1 and np.isfinite(vector).all():
            vectors[name] = vector
    return vectors


def _previews(links: Any) -> dict[str, str]:
    if not isinstance(links, dict):
        return {}
    return {name: links[key] for name, key in PREVIEWS.items() if isinstance(links.get(key), str)}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(storable(one) for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _text(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    usable = _finite(value) and not isinstance(value, bool) and value >= 0
    return float(value) if usable else None


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max  # JSON's integers know no bounds


def _storable(value: Any) -> Any:
    """The same JSON with text and numbers that any database can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
