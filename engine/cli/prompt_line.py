"""The line below the prompt: what plays in each group, newest first, under which licences, how loud, and drop-outs."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from corpus.text import for_terminal
from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corpus.model import Sound
    from engine.session import Session

SECONDS = 0.25
"""How long a line counts: no key waits for the audio process more often."""
_SHORT = {"Creative Commons 0": "CC0", "Attribution": "BY", "Attribution NonCommercial": "BY-NC"}
_NAME = 18
_SILENCE = -120.0


class BottomLine:
    """Call it for the line.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._line, self._until = "", 0.0

    def __call__(self) -> str:
        """The line, escaped for a terminal."""
        if time.monotonic() >= self._until:
            self._line, self._until = f" {self._made()} ", time.monotonic() + SECONDS
        return self._line

    def _made(self) -> str:
        session = self._session
        groups = [f"{name}: {_sounding(group.playing)}" for name, group in session.groups.items() if group.sounds]
        parts = ["   ".join(groups) or "nothing plays"]
        if session.rig.opened:
            try:
                parts += _device(session.rig.instrument.stats())
            except EngineError as error:
                parts.append(for_terminal(error))
        return " | ".join(parts)


def _sounding(sounds: Sequence[Sound]) -> str:
    if not sounds:
        return "silent"
    names = ", ".join(for_terminal(sound.name)[:_NAME] for sound in sounds[:-4:-1])
    more = f" and {len(sounds) - 3} more" if len(sounds) > 3 else ""
    licences = dict.fromkeys(_SHORT.get(sound.licence.name) or str(sound.licence) for sound in sounds)
    return f"{names}{more} ({', '.join(for_terminal(licence) for licence in licences)})"


def _device(stats: dict[str, Any]) -> list[str]:
    level = stats.get("level")
    quiet = level is None or not math.isfinite(level) or level <= _SILENCE
    parts = ["silence" if quiet else f"{level:.0f} dBFS"]
    if lost := stats.get("underruns"):
        parts.append(f"{lost} drop-outs")
    if errors := stats.get("errors"):
        parts.append(f"{errors} audio errors")
    return parts
