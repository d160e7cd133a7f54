"""Sonic Pi's samples as a catalogue: CC0 sounds from Freesound, whose ids and makers its README.md lists.

Where Debian's package `sonic-pi-samples` is installed they lie in `FOLDER`. A line of the README names a sample as
Sonic Pi does (`glitch_perc_1`), the file is called a little differently (`glitch_perc1.flac`), so underscores are
ignored. Two samples share one Freesound id: the second becomes a local sound with the same address.
"""

from __future__ import annotations

import re
from pathlib import Path

from corpus.catalogue import Entry
from corpus.licences import from_text
from corpus.text import words

FOLDER = Path("/usr/share/sonic-pi/samples")
_LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"
_HEADING = re.compile(r"#+\s*(.+)")
_SAMPLE = re.compile(r"\*\s*`:(\w+)`\s*-\s*https?://(?:www\.)?freesound\.org/people/([^/\s]+)/sounds/(\d+)")


def catalogue(folder: Path = FOLDER) -> dict[Path, Entry]:
    """What is known of each sample, by path: name, id, maker, address, heading; tags from its name."""
    listed = _listed((folder / "README.md").read_text(encoding="utf-8"))
    licence = from_text(_LICENCE)
    entries: dict[Path, Entry] = {}
    for path in sorted(folder.glob("*.flac")):
        tags = tuple(dict.fromkeys(re.sub(r"\d+$", "", word) or word for word in words(path.stem)))
        username, number, heading = listed.get(path.stem.replace("_", ""), (None, None, None))
        entries[path] = Entry(
            id=number,
            name=path.stem,
            username=username,
            licence=licence,
            url=f"https://freesound.org/people/{username}/sounds/{number}/" if number else None,
            tags=tags,
            description=heading,
        )
    return entries


def _listed(readme: str) -> dict[str, tuple[str, int, str]]:
    """Maker, id and heading by the sample's name without underscores."""
    found: dict[str, tuple[str, int, str]] = {}
    heading = ""
    for line in readme.splitlines():
        if match := _HEADING.match(line):
            heading = match[1].strip()
        elif match := _SAMPLE.match(line):
            found[match[1].replace("_", "")] = (match[2], int(match[3]), heading)
    return found
