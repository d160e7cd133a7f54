"""Credits: one line a sound, as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from corpus.model import Sound
from corpus.text import for_csv

FIELDS = ("id", "name", "username", "url", "licence", "licence_url", "line")


def credit(sound: Sound) -> dict[str, Any]:
    """What a credit says of one sound, with the finished `line`."""
    return {
        "id": sound.id,
        "name": sound.name,
        "username": sound.username,
        "url": sound.url,
        "licence": str(sound.licence),
        "licence_url": sound.licence.url or None,
        "line": sound.credit,
    }


def as_text(sounds: Iterable[Sound]) -> str:
    """One line a sound; line breaks inside a name become spaces."""
    return "".join(" ".join(sound.credit.split()) + "\n" for sound in sounds)


def as_csv(sounds: Iterable[Sound]) -> str:
    """A table with a heading, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for sound in sounds:
        values = credit(sound)
        writer.writerow("" if values[field] is None else for_csv(values[field]) for field in FIELDS)
    return out.getvalue()
