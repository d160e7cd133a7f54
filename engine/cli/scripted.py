"""What `live` and `render` share: a script or the log of a set, by its file, and what its statements show."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.text import for_terminal
from engine.performing.replay import SUFFIX, Log
from engine.performing.script import Script

if TYPE_CHECKING:
    from corpus.cli.app import App
    from engine.session import Session

NO_TIME = "lets no time pass, so nothing is heard: end it with wait(8)"


def read(path: Path) -> Script | Log:
    """The log of a set if its name ends in .jsonl, else a script.

    Raises
    ------
    SetError
        It cannot be read, or is not what its name says.
    """
    return Log.read(path) if path.suffix == SUFFIX else Script.read(path)


def loudness(played: Script | Log | None, wanted: float | None) -> float:
    """What sounds are brought to, in LUFS: what is wanted, else what the log of a set says."""
    from engine.playback.clip import TARGET_LUFS

    if wanted is not None:
        return wanted
    said = played.loudness if isinstance(played, Log) else None
    return TARGET_LUFS if said is None else said


class Errors:
    """Counts what goes wrong in a session, and says what goes wrong in a script."""

    def __init__(self, app: App, session: Session) -> None:
        self._app = app
        self.count = 0
        session.on(self._heard)

    def __call__(self, words: str, error: BaseException) -> None:
        """Say what went wrong in a statement, with `--debug` the whole trace."""
        self.count += 1
        if self._app.debug:
            traceback.print_exception(error)
        self._app.warn(words)

    def _heard(self, kind: str, _group: str | None, _sound: int | None, _words: str) -> None:
        self.count += kind == "error"


def run(played: Script | Log, app: App, session: Session, errors: Errors, found: dict[str, Any]) -> None:
    """Run it in a session; a script finds some names, and adds its own."""
    if isinstance(played, Log):
        played.run(session)
    else:
        played.run(found, shower(app.say), errors)


def shower(say: Callable[[str], None]) -> Callable[[Any], None]:
    """What shows the value of what was typed, in lines."""

    def show(value: Any) -> None:
        for line in lines_of(value):
            say(line)

    return show


def lines_of(value: Any) -> list[str]:
    """An answer in lines: one for each sound; nothing of what is only there to be chained."""
    from engine.performing.handle import Handle
    from engine.performing.verbs import verbs_of
    from engine.query.answer import Hit

    if value is None or isinstance(value, Handle) or verbs_of(type(value)):
        return []
    if isinstance(value, str):
        return [for_terminal(value)]
    if isinstance(value, list) and value and all(isinstance(each, dict | str | Hit) for each in value):
        return [for_terminal(_line(each)) for each in value]
    return [for_terminal(repr(value))]


def _line(each: Any) -> str:
    from engine.query.answer import Hit

    if isinstance(each, Hit):
        sound = each.sound
        return f"{sound.id}  {sound.name}  {sound.username or '?'}  {sound.licence}"
    if isinstance(each, dict):
        return "  ".join(_cell(key, value) for key, value in each.items())
    return str(each)


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "?"
    return f"{value:.2f} s" if key == "duration" else str(value)
