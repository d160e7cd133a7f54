"""Credits: one line a sound, as text or CSV. Each is as `corpus.model.Sound.credited` says it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from corpus.text import for_csv

FIELDS = ("id", "name", "username", "url", "licence", "licence_url", "line")


def as_text(credits: Iterable[Mapping[str, Any]]) -> str:
    """One line a sound; line breaks inside a name become spaces."""
    return "".join(" ".join(credit["line"].split()) + "\n" for credit in credits)


def as_csv(credits: Iterable[Mapping[str, Any]]) -> str:
    """A table with a heading, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for credit in credits:
        writer.writerow("" if credit[field] is None else for_csv(credit[field]) for field in FIELDS)
    return out.getvalue()
