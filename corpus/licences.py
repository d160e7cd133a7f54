"""Licences: what their deeds are called, what each permits, and the line that credits a maker.

Names are Freesound's. A licence that is not known is kept as it came and permits nothing by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DEED = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/([a-z+-]+)/(\d\.\d)", re.IGNORECASE
)
_SHORT = re.compile(r"(?:cc[ -]?)?(0|zero|by|by-nc|sampling\+)(?:[ -](\d\.\d))?", re.IGNORECASE)

_NAMES = {
    "zero": "Creative Commons 0",
    "by": "Attribution",
    "by-nc": "Attribution NonCommercial",
    "sampling+": "Sampling+",
}
KNOWN = tuple(_NAMES.values())
"""The licences that Freesound has, by name."""
_ONLY = {"zero": "1.0", "sampling+": "1.0"}
"""Licences with one version; where there are several, none is made up."""


@dataclass(frozen=True)
class Licence:
    """A licence by name, version and the address of its deed; any of them may be empty."""

    name: str
    version: str = ""
    url: str = ""

    @property
    def redistributable(self) -> bool:
        """Whether copies may be handed on, for nothing: every licence of Freesound's permits that, with the credit.

        Sampling+ permits copies of the whole work for non-commercial purposes alone, as Attribution NonCommercial does.
        """
        return self.name in KNOWN

    @property
    def commercial(self) -> bool:
        """Whether the sound may be used for money."""
        return self.name in ("Creative Commons 0", "Attribution")

    @property
    def limits(self) -> str:
        """What one must not do with the sound, in words; empty where crediting its maker is enough."""
        if self.name == "Sampling+":
            return "only as a part of something new, and not in advertising"
        if self.redistributable:
            return "" if self.commercial else "not for commercial use"
        parts = self.name.upper().removeprefix("CREATIVE COMMONS ").split("-")
        if parts[0] != "BY":
            return "its licence is not known: ask its maker"
        found = {"NC": "not for commercial use", "ND": "not to be shared when changed", "SA": "to be shared alike"}
        return ", ".join(words for part, words in found.items() if part in parts)

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip() or "an unknown licence"


def from_text(text: str) -> Licence:
    """Recognise the address of a deed, a name or a short form (`CC0`, `by-nc 3.0`).

    Anything else is kept as it came: an address as `url`, other words as `name`.
    """
    text = text.strip()
    if deed := _DEED.match(text):
        code, version = deed[1].lower(), deed[2]
        return Licence(_NAMES.get(code, f"Creative Commons {code.upper()}"), version, text)
    for code, name in _NAMES.items():
        named = re.fullmatch(re.escape(name) + r"(?: (\d\.\d))?", text, re.IGNORECASE)
        if named:
            return _of(code, named[1] or "")
    if short := _SHORT.fullmatch(text):
        return _of({"0": "zero"}.get(short[1], short[1].lower()), short[2] or "")
    return Licence("", "", text) if "://" in text else Licence(text)


def credit_line(name: str, username: str | None, url: str | None, licence: Licence) -> str:
    """Credit one sound: `NAME by USER (URL) licensed under LICENCE VERSION (LICENCE URL)`.

    What is not known is left out, except the maker and the licence, whose absence is said.
    """
    where = f" ({url})" if url else ""
    deed = f" ({licence.url})" if licence.url else ""
    return f"{name} by {username or 'an unknown maker'}{where} licensed under {licence}{deed}"


def _of(code: str, version: str) -> Licence:
    version = version or _ONLY.get(code, "")
    folder = "publicdomain" if code == "zero" else "licenses"
    url = f"https://creativecommons.org/{folder}/{code}/{version}/" if version else ""
    return Licence(_NAMES[code], version, url)
