"""Play an arrangement on a device, as `render_offline` writes it to a file."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from engine.playback.arrangement import Placed
from engine.playback.player import WAIT_SECONDS, Player
from engine.playback.playhead import FOREVER

AHEAD_SECONDS = 2.0  # how early a sound is loaded and scheduled
LEAD_SECONDS = 0.05  # from counting the clock to the first sound
LEAD_SECONDS_EACH = 0.001  # more for each sound of the beginning, so that all are scheduled by then


def play_arrangement(
    player: Player,
    placed: Sequence[Placed],
    on_start: Callable[[Placed], None] | None = None,
) -> bool:
    """Play what `arrange` made, and return when all of it was heard.

    Parameters
    ----------
    player : Player
        At the clips' rate.
    placed : sequence of Placed
        In order of their start.
    on_start : callable or None
        Called with each sound as it begins, within a few hundredths of a second.

    Returns
    -------
    bool
        True if all of it was played; False if Ctrl-C came: then everything has faded out.
    """
    try:
        _Performance(player, placed, on_start or (lambda _: None)).run()
    except KeyboardInterrupt:
        player.panic()
        player.wait_until_silent(timeout=1.0)
        return False
    return True


class _Performance:
    """Loads and schedules shortly before the time, announces at the time, unloads after the last use."""

    def __init__(self, player: Player, placed: Sequence[Placed], on_start: Callable[[Placed], None]) -> None:
        self._player = player
        self._on_start = on_start
        self._coming = deque(placed)
        self._scheduled: deque[Placed] = deque()
        self._voices: dict[int, Placed] = {}
        self._uses = Counter(item.clip.key for item in placed)
        self._ahead = round(AHEAD_SECONDS * player.rate)

    def run(self) -> None:
        first = [item for item in self._coming if item.start <= self._ahead]
        for item in first:  # before the clock counts: loading takes time
            self._player.load(item.clip)
        lead = LEAD_SECONDS + LEAD_SECONDS_EACH * len(first)
        origin = self._player.position + round(lead * self._player.rate)
        while self._coming or self._voices:
            now = self._player.position - origin
            self._schedule(origin, now)
            self._announce(now)
            self._forget()
            time.sleep(WAIT_SECONDS)
        self._announce(FOREVER)
        self._player.wait_until_silent()

    def _schedule(self, origin: int, now: int) -> None:
        while self._coming and self._coming[0].start <= now + self._ahead:
            item = self._coming.popleft()
            voice = self._player.start(item.clip, at=origin + item.start, frames=item.frames, loop=item.loop)
            self._voices[voice] = item
            self._scheduled.append(item)

    def _announce(self, now: int) -> None:
        while self._scheduled and self._scheduled[0].start <= now:
            self._on_start(self._scheduled.popleft())

    def _forget(self) -> None:
        for voice in self._voices.keys() - set(self._player.active):
            clip = self._voices.pop(voice).clip
            self._uses[clip.key] -= 1
            if not self._uses[clip.key]:
                self._player.unload(clip)
