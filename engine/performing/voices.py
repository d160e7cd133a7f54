"""How many voices a session has, and which of them gives way when there are no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.playback.mixer import MAX_VOICES

if TYPE_CHECKING:
    from engine.performing.sounding import Sounding


class Voices:
    """All that sounds in a session, the oldest first: no more than the mixer has voices."""

    def __init__(self, most: int = MAX_VOICES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._sounding: list[Sounding] = []
        self._full = False

    def hold(self, new: Sounding, position: int, said: Callable[[str], None]) -> None:
        """Count one more; if there are too many the oldest stops, and the first time that is said."""
        with self._lock:
            self._sounding = [one for one in self._sounding if not one.leaving and one.over > position]
            self._sounding.append(new)
            full, self._full = self._full, len(self._sounding) > self._most
            oldest = self._sounding.pop(0) if self._full else None
        if oldest:
            oldest.stop()
            if not full:
                gone = f"{oldest.sound.id} of group {oldest.group}"
                said(f"{self._most} sounds at once are the most: the oldest gives way, sound {gone}")
