"""A line for each sound that comes, as soon as it is heard: in which group, its number and name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.session import Session


class Arrivals:
    """Listens to a session.

    Parameters
    ----------
    session : Session
    say : callable
        Told each line.
    """

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        self._session, self._say = session, say
        self._known: dict[str, set[int]] = {}  # by group, what was said to have come and is still there

    def __call__(self, kind: str, group: str | None, sound_id: int | None, words: str) -> None:
        """Hear of an event."""
        if kind != "playing" or group is None or sound_id is None:
            return
        held = self._session.groups.get(group)
        known = self._known.get(group, set()) & ({sound.id for sound in held.sounds} if held else set())
        self._known[group] = known | {sound_id}
        if sound_id not in known:
            self._say(f"{group}: + {sound_id} {words}")
