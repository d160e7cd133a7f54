"""Recipes: a corpus described in TOML, and the lock file beside it that says which sounds it came to be.

    about = "Hits and their rooms"
    max_sounds = 100                    # the bounds of `mirla harvest`: max_sounds, max_bytes, audio, similar

    [[query]]                           # one or more; what they may hold is in `corpus.wanted.Query`
    tags = ["metal", "hit"]
    take = 20

Where there is a lock file, its sounds are harvested, not what the queries would find today, and their audio is held
against its hashes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.errors import HarvestError
from corpus.files import write_whole
from corpus.model import Sound
from corpus.wanted import MAX_SOUNDS, Query, Wanted

_TEXTS = ("tags", "users", "packs", "licences")
_QUERY: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "filter": str,
    **dict.fromkeys(_TEXTS, list),
    "ids": list,
    **dict.fromkeys(("like", "hops", "random", "seed", "take"), int),
    **dict.fromkeys(("max_duration", "unlike"), (int, float)),
}
_WHOLE: dict[str, type | tuple[type, ...]] = {
    "about": str,
    "audio": str,
    **dict.fromkeys(("max_sounds", "max_bytes", "similar"), int),
    "query": list,
}


def load(file: Path, relock: bool = False) -> Wanted:
    """Read a recipe; where it has a lock file, the queries are the sounds of that, unless `relock`.

    Raises
    ------
    HarvestError
        It cannot be read, holds an unknown key or a value of the wrong kind, or differs from what was locked.
    """
    content = _read(file)
    try:
        recipe = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise HarvestError(f"{file} is not TOML: {error}") from error
    _check(file, "", recipe, _WHOLE)
    queries = []
    for number, query in enumerate(recipe.get("query", []), 1):
        where = f", query {number}"
        if not isinstance(query, dict):
            raise HarvestError(f"{file}{where}: {query!r} is not a table; write [[query]]")
        _check(file, where, query, _QUERY)
        given: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in query.items()}
        queries.append(Query(**given))
    if not queries:
        raise HarvestError(f"{file} holds no [[query]]; see `mirla harvest --help`")
    lock = lock_beside(file)
    locked = lock.exists() and not relock
    bounds = {name: recipe[name] for name in ("max_sounds", "max_bytes", "audio", "similar") if name in recipe}
    if locked:
        held = _read_lock(lock)
        if held["recipe_sha256"] != _digest(content):
            raise HarvestError(f"{file} was changed after {lock.name} was written; harvest with --relock to ask anew")
        queries = [Query(ids=tuple(sound["id"] for sound in held["sounds"]))]
        bounds |= {"max_sounds": max(MAX_SOUNDS, len(held["sounds"]))}
    return Wanted(tuple(queries), recipe=str(file.absolute()), recipe_sha256=_digest(content), locked=locked, **bounds)


def lock_beside(file: Path) -> Path:
    """The lock file of a recipe."""
    return file.with_suffix(".lock.json")


def check_folder(lock: Path) -> None:
    """Raise HarvestError now if the lock file could not be written at the end."""
    try:
        with tempfile.TemporaryFile(dir=lock.parent):
            pass
    except OSError as error:
        raise _unwritable(lock, error) from error


def write_lock(lock: Path, recipe_sha256: str, sounds: Sequence[Sound]) -> None:
    """Write beside a recipe which sounds it came to be: ids, hashes of their audio, dates; whole or not at all.

    Raises
    ------
    HarvestError
        The folder cannot be written.
    """
    entries = [{"id": sound.id, "checked": sound.checked, **_audio(sound)} for sound in sounds]
    _write(lock, {"recipe_sha256": recipe_sha256, "sounds": entries})


def hold_against(lock: Path, sounds: Sequence[Sound]) -> list[tuple[int, str]]:
    """Sounds whose audio is not what was locked, with words; a hash that the lock file lacked is added to it."""
    held = _read_lock(lock)
    heard = {sound.id: sound for sound in sounds if sound.file}
    departed, added = [], False
    for entry in held["sounds"]:
        sound = heard.get(entry["id"])
        if sound and entry["sha256"] is None:
            entry |= _audio(sound)
            added = True
        elif sound and entry["source"] == _audio(sound)["source"] and entry != entry | _audio(sound):
            departed.append((sound.id, f"its audio is not what {lock.name} has; listen, then accept it with --relock"))
    if added:
        _write(lock, held)
    return departed


def _audio(sound: Sound) -> dict[str, str | None]:
    file = sound.file
    return {"source": file.source if file else None, "sha256": file.sha256 if file else None}


def _write(lock: Path, data: dict[str, Any]) -> None:
    try:
        write_whole(lock, json.dumps(data, indent=1) + "\n")
    except OSError as error:
        raise _unwritable(lock, error) from error


def _unwritable(lock: Path, error: OSError) -> HarvestError:
    return HarvestError(
        f"cannot write {lock}: {error.strerror}; copy the recipe to a folder of yours and harvest it there"
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HarvestError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def _read_lock(lock: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(_read(lock))
        entries = data["sounds"]
        whole = all(isinstance(sound["id"], int) and {"source", "sha256"} <= set(sound) for sound in entries)
        if entries and whole and isinstance(data["recipe_sha256"], str):
            return data
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # said below
    raise HarvestError(f"{lock} is not a lock file of mirla; move it away, or harvest with --relock")


def _check(file: Path, where: str, table: dict[str, Any], kinds: dict[str, type | tuple[type, ...]]) -> None:
    for name, value in table.items():
        if name not in kinds:
            raise HarvestError(f"{file}{where}: unknown key {name!r}; known are {', '.join(kinds)}")
        items = str if name in _TEXTS else int if name == "ids" else object
        fits = isinstance(value, kinds[name]) and not isinstance(value, bool)
        if not fits or (isinstance(value, list) and not all(isinstance(item, items) for item in value)):
            kind = "list" if kinds[name] is list else "text" if kinds[name] is str else "number"
            raise HarvestError(f"{file}{where}: {name} = {value!r} is not a {kind} that fits")


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
