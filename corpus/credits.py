"""Credits: one line a sound, as text or CSV. Each is as `corpus.model.Sound.credited` says it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from corpus.licences import from_text
from corpus.model import Play
from corpus.text import for_csv

FIELDS = ("id", "name", "username", "url", "licence", "licence_url", "line")
PLAYED = ("times", "seconds", "heard")
"""What a credit says too of a sound that was played: how often, how long, and how long of that it was audible."""
PERMITTED = "permitted"
"""What it says where one asked whether the licence permits a use."""


def of_plays(plays: Iterable[Play]) -> list[dict[str, Any]]:
    """The credits of what was played, each sound once, in the order in which they first played.

    Of plays of old, of which it is not known how long they were audible, all counts as heard.
    """
    found: dict[int, dict[str, Any]] = {}
    for play in plays:
        one = found.setdefault(play.sound_id, dict(play.credit) | {"times": 0, "seconds": 0.0, "heard": 0.0})
        seconds = play.seconds or 0.0
        one["times"] += 1
        one["seconds"] = round(one["seconds"] + seconds, 3)
        one["heard"] = round(one["heard"] + (seconds if play.heard is None else play.heard), 3)
    return list(found.values())


def commercial(credit: Mapping[str, Any]) -> bool:
    """Whether the licence of a credited sound permits commercial use."""
    return from_text(credit["licence_url"] or credit["licence"]).commercial


def as_text(credits: Iterable[Mapping[str, Any]]) -> str:
    """One line a sound; line breaks inside a name become spaces. What is not permitted says so."""
    return "".join(
        " ".join(credit["line"].split()) + " (not for this use)" * (not credit.get(PERMITTED, True)) + "\n"
        for credit in credits
    )


def as_csv(credits: Iterable[Mapping[str, Any]]) -> str:
    """A table with a heading, safe to open in a spreadsheet."""
    credits = list(credits)
    fields = [*FIELDS, *(field for field in (*PLAYED, PERMITTED) if credits and field in credits[0])]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)
    for credit in credits:
        writer.writerow("" if credit[field] is None else for_csv(credit[field]) for field in fields)
    return out.getvalue()
