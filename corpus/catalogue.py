"""Catalogues: a CSV file that says what the files of a folder are.

Columns `path,id,name,username,licence,url,tags`; only `path` is needed. Paths are relative to the catalogue's folder,
`id` is a Freesound id, tags are separated by spaces.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import CatalogueError
from corpus.licences import Licence, from_text
from corpus.model import FIRST_LOCAL_ID
from corpus.text import as_tag

_COLUMNS = ("path", "id", "name", "username", "licence", "url", "tags")


@dataclass(frozen=True)
class Entry:
    """What a catalogue knows of one file; None or empty where it says nothing."""

    id: int | None = None
    name: str | None = None
    username: str | None = None
    licence: Licence | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None


def read(file: Path) -> dict[Path, Entry]:
    """Entries by real path.

    Raises
    ------
    CatalogueError
        The file cannot be read, has no `path` column or an unknown one, or an id that is not Freesound's.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return dict(_entries(file, csv.DictReader(lines, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(f"the catalogue {file} cannot be read: {error}") from error


def real(path: Path) -> Path:
    """The path by which a file is looked up: absolute, without links and `..`."""
    return Path(os.path.realpath(path))


def _entries(file: Path, reader: csv.DictReader[str]) -> Iterator[tuple[Path, Entry]]:
    columns = reader.fieldnames or ()
    if "path" not in columns:
        raise CatalogueError(
            f"the catalogue {file} has no column 'path'; its first line should be {','.join(_COLUMNS)}"
        )
    if unknown := [column for column in columns if column not in _COLUMNS]:
        raise CatalogueError(f"the catalogue {file} has a column {unknown[0]!r}; known are {','.join(_COLUMNS)}")
    for row in reader:
        where = f"the catalogue {file}, line {reader.line_num}"
        if None in row:
            raise CatalogueError(f"{where}: more values than columns; put a value with commas in quotes")
        values = {column: (value or "").strip() for column, value in row.items()}
        if "\0" in values["path"]:
            raise CatalogueError(f"{where}: {values['path']!r} is no path; save the catalogue as text")
        if values["path"]:
            yield real(file.parent / values["path"]), _entry(where, values)


def _entry(where: str, values: dict[str, str]) -> Entry:
    number = values.get("id") or None
    if number is not None and not (
        number.isascii() and number.isdigit() and len(number) < 11 and 0 < int(number) < FIRST_LOCAL_ID
    ):
        raise CatalogueError(f"{where}: {number!r} is not a Freesound id (1 to {FIRST_LOCAL_ID - 1})")
    licence = values.get("licence")
    return Entry(
        id=int(number) if number else None,
        name=values.get("name") or None,
        username=values.get("username") or None,
        licence=from_text(licence) if licence else None,
        url=values.get("url") or None,
        tags=tuple(as_tag(tag) for tag in values.get("tags", "").split() if as_tag(tag)),
    )
