"""Rendering a script, or the log of a set: the same session, against a clock that runs as fast as the mixer."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.scripted import NO_TIME, Errors, loudness, read, run
from engine.errors import SetError
from engine.performing.script import names
from engine.playback.offline import OfflinePlayer, Write
from engine.playback.render import Rendered, writing
from engine.session import Session

if TYPE_CHECKING:
    from corpus.cli.app import App

RATE = 44100


class _Over(BaseException):
    """The time is; no script can take it for an error of its own."""


class _Bounded(OfflinePlayer):
    """Stops whoever lets more time pass than there is."""

    def __init__(self, write: Write, most: int | None) -> None:
        super().__init__(RATE, write=write)
        self._most = most

    def advance(self, frames: int) -> None:
        left = frames if self._most is None else self._most - self.position
        super().advance(min(frames, left))
        if frames > left:
            raise _Over


def render_set(app: App, script: Path, out: Path, seconds: float | None, seed: int | None) -> tuple[Rendered, int]:
    """Write to a file what a script would play: what was written, and how many errors there were.

    Raises
    ------
    SetError
        It is no script, or lets no time pass.
    EngineError
        The file cannot be written.
    """
    played = read(script)
    most = None if seconds is None else round(seconds * RATE)
    with writing(out, RATE) as write:
        player = _Bounded(write, most)
        title, loud = f"render {script.name}", loudness(played, None)
        with Session(app.home, seed=seed, rendering=player, say=app.warn, title=title, loudness=loud) as session:
            errors = Errors(app, session)
            with _until_over():
                run(played, app, session, errors, names(session))
                if most is not None:
                    session.wait((most - player.position) / RATE)
        if not player.position:
            raise SetError(f"{script} {NO_TIME}, or say --seconds 8")
    peak = player.stats()["peak"]
    decibels = 20.0 * math.log10(peak) if peak else None
    return Rendered(player.position / RATE, decibels, player.position), errors.count


@contextlib.contextmanager
def _until_over() -> Iterator[None]:
    with contextlib.suppress(_Over):
        yield
