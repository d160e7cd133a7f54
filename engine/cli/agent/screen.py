"""What a lesson shows, on standard error: each sound with its shape, what was said of it, and how far the agent is.

On a terminal the last line changes as refits come in; elsewhere each answer has a line of its own. No line is wider
than the terminal, and nothing of a stranger's text reaches it unescaped.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from corpus.text import for_terminal
from engine.cli.waveform import levels_for, waveform

if TYPE_CHECKING:
    from corpus.model import Sound
    from engine.playback.clip import Clip
    from engine.teaching import Given, Status

_KEYS = ("g good", "b bad", "s skip", "a or space again", "u undo", "f another source", "q stop", "? keys")
_BETWEEN = " · "
_ELSEWHERE = 100
"""Columns where there is no terminal."""
_UNKNOWN = 80
"""Columns of a terminal that does not say."""
_WIDEST_SHAPE = 72
_INDENT = "  "
_COLOURS = {"good": "green", "bad": "red"}


class Screen:
    """Draws a lesson; `quiet` draws nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self._stream = sys.stderr
        self._quiet = quiet
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._coloured = self._live and not os.environ.get("NO_COLOR")
        self._levels = levels_for(self._stream.encoding)
        self._last = ""
        self._columns = self.width

    @property
    def width(self) -> int:
        """Columns that a line may take."""
        if not self._live:
            return _ELSEWHERE
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns or _UNKNOWN
            return max(columns - 1, 10)
        except OSError:
            return _ELSEWHERE

    def say(self, text: str, **style: bool | str) -> None:
        """One paragraph, above the line that changes."""
        for line in textwrap.wrap(for_terminal(text), self.width) or [""]:
            self._put(line, **style)

    def keys(self) -> None:
        """What each key does."""
        left = list(_KEYS)
        while left:
            line = _joined(left, self.width)
            self._put(line, dim=True)
            del left[: line.count(_BETWEEN) + 1]

    def sound(self, sound: Sound, clip: Clip | None) -> None:
        """What is asked: name, facts, tags, and the shape of it."""
        self._put(sound.name, bold=True)
        seconds = clip.seconds if clip else sound.duration
        loudness = sound.file.loudness if sound.file else None
        facts = [
            str(sound.id),
            "" if seconds is None else f"{seconds:.1f} s",
            "" if loudness is None else f"{loudness:.0f} LUFS",
            f"by {sound.username}" if sound.username else "",
            " ".join(sound.tags),
        ]
        self._put(_INDENT + "  ".join(fact for fact in facts if fact), dim=True)
        if clip and len(clip.frames):
            columns = min(self.width - len(_INDENT), _WIDEST_SHAPE)
            self._put(_INDENT + waveform(clip.frames, columns, self._levels), fg="cyan")

    def answered(self, status: Status) -> None:
        """What was said, what the agent had said, and without a terminal how far it is."""
        given = status.last
        if given is None:
            return
        words = in_words(given)
        if not self._live:
            words = _BETWEEN.join([words, *_progress(status)])
        self._put(_INDENT + words, fg=_COLOURS.get(given.said or "", ""))

    def progress(self, status: Status) -> None:
        """Draw the line that changes, if it did or the terminal was resized."""
        line = _joined(_progress(status), self.width)
        if self._live and (line != self._last or self.width != self._columns):
            self.clear()
            self._write(self._styled(line, dim=True))
            self._last, self._columns = line, self.width

    def clear(self) -> None:
        """Take the line that changes away, also where a narrower terminal has broken it."""
        if self._last:
            broken = (_cells(self._last) - 1) // (self.width + 1)
            self._write(f"\x1b[{broken}A" * bool(broken) + "\r\x1b[J")
            self._last = ""

    def again(self) -> None:
        """Have the line that changes drawn again where the cursor is now: something else wrote on the terminal."""
        self._last = ""

    def _put(self, text: str, **style: bool | str) -> None:
        self.clear()
        self._write(self._styled(_cut(for_terminal(text), self.width), **style) + "\n")

    def _styled(self, text: str, **style: Any) -> str:
        chosen = {name: value for name, value in style.items() if value}
        return click.style(text, **chosen) if self._coloured and chosen else text

    def _write(self, text: str) -> None:
        if not self._quiet:
            self._stream.write(text)
            self._stream.flush()


def in_words(given: Given) -> str:
    """An answer in words."""
    verdict = given.verdict
    told = f"{verdict.label} ({verdict.p:.2f})" if verdict else ""
    if given.said is None:
        return f"skipped; it says {told}" if told else "skipped"
    if verdict is None:
        return f"you said {given.said}"
    return f"you said {given.said}, it had said {told}"


def _progress(status: Status) -> Sequence[str]:
    """How far the agent is, the most wanted first."""
    parts = [f"{status.good} good, {status.bad} bad"]
    learnt = status.learnt
    if learnt.accuracy:
        low, high = learnt.accuracy.interval
        parts.append(f"accuracy {learnt.accuracy.value:.2f} ({low:.2f} to {high:.2f})")
    parts.append(f"from {status.source}" if status.source else "no source")
    if learnt.accuracy:
        parts.append(f"over {learnt.labels} labels, always the commoner: {learnt.baseline or 0:.2f}")
    if learnt.problem:
        parts.insert(1, learnt.problem)
    return [for_terminal(part) for part in parts]


def _joined(parts: Sequence[str], width: int) -> str:
    """As many parts as fit."""
    line = ""
    for part in parts:
        longer = f"{line}{_BETWEEN}{part}" if line else part
        if line and _cells(longer) > width:
            break
        line = longer
    return _cut(line, width)


def _cut(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return text if _cells(text) <= width else set_cell_size(text, width - 1) + "…"


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
