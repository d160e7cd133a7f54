"""What the sounds of a group are."""

from __future__ import annotations

from typing import Any

from engine.performing.ensemble import Part
from engine.performing.grouped import Grouped
from engine.performing.verbs import answered


class Telling(Grouped):
    """Verbs that answer."""

    @answered
    def info(self) -> list[dict[str, Any]]:
        """Say of each sound what it is, who made it and how it sounds."""
        return [
            {
                "number": number,
                "id": part.sound.id,
                "name": part.sound.name,
                "username": part.sound.username,
                "licence": str(part.sound.licence),
                "duration": part.sound.duration,
                "state": _state(part),
            }
            for number, part in enumerate(self._ensemble.parts)
        ]

    @answered
    def whatid(self) -> list[int]:
        """Say the ids of the sounds."""
        return [part.sound.id for part in self._ensemble.parts]

    @answered
    def whatdur(self) -> list[float | None]:
        """Say the durations of the sounds in seconds."""
        return [part.sound.duration for part in self._ensemble.parts]

    @answered
    def whatpitch(self) -> list[Any]:
        """Say the pitches of the sounds in Hz; None where none was measured or found."""
        return self._traits("pitch")

    @answered
    def whatbpm(self) -> list[Any]:
        """Say the tempos of the sounds in beats a minute; None where none was measured or found."""
        return self._traits("bpm")

    @answered
    def whatkey(self) -> list[Any]:
        """Say the keys of the sounds; None where none was measured or found."""
        return self._traits("tonality")

    @answered
    def credits(self) -> list[str]:
        """Say whose sounds these are."""
        return [part.sound.credit for part in self._ensemble.parts]

    def _traits(self, name: str) -> list[Any]:
        corpus = self._session.corpus
        return [corpus.traits(sound.id).get(name, {}).get("value") for sound in self.sounds]


def _state(part: Part) -> str:
    if part.clip is None:
        return "loading"
    return "muted" if part.muted else "playing" if part.sounding else "silent"
