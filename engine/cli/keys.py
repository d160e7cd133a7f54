"""One key at a time: from a terminal as it is pressed, from anything else a line for each, which may be a word.

A key is a lower-case letter, whichever was pressed. The terminal is as it was when this ends, however it ends (also by
SIGTERM), and while Ctrl-Z has stopped the program.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import time
from typing import Protocol, TextIO

END = "\x04"
"""No more keys: the end of the input, or Ctrl-D."""
STOP = ("q", END)
"""Keys that end what asks for keys; they are meant whenever they are pressed."""
HELD_SECONDS = 0.15
"""A key that comes again sooner is held down, and counts once."""
_WORDS = {
    "good": "g",
    "bad": "b",
    "skip": "s",
    "again": "a",
    "undo": "u",
    "source": "f",
    "stop": "q",
    "quit": "q",
    "keys": "?",
}
"""What a line may say in place of a key."""
_LONGEST = 20
"""Characters of a key that means nothing, as it is shown."""
_SEQUENCES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.?)")
"""What arrow keys and their like send."""


class Keys(Protocol):
    """Where keys come from.

    Attributes
    ----------
    resumed : bool
        Whether the program was stopped and goes on since this was last set to False: the screen is to be drawn again.
    """

    resumed: bool

    def __enter__(self) -> Keys: ...

    def __exit__(self, *_: object) -> None: ...

    def key(self, seconds: float) -> str | None:
        """The next key, or None if none came within so many seconds; `END` when there will be no more."""

    def line(self, prompt: str) -> str:
        """A line, typed as anywhere else; empty if there is none."""

    def drop(self) -> None:
        """Forget what was pressed so far: it was no answer to what is asked now, unless it asked to stop.

        Lines of a file or a pipe stay.
        """


def keys_from(stream: TextIO) -> Keys:
    """Keys from standard input, say."""
    return TerminalKeys(stream) if stream.isatty() else LineKeys(stream)


def unknown(key: str) -> str:
    """What to say of a key that means nothing."""
    return f"no key {key if len(key) <= _LONGEST else key[:_LONGEST] + '…'!r}; ? shows the keys"


class LineKeys:
    """Keys from a file or a pipe, one on each line; blank lines do not count. Waits as long as it takes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.resumed = False

    def __enter__(self) -> LineKeys:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def key(self, seconds: float) -> str | None:
        """The next line that is not blank, or `END`."""
        for line in iter(self._stream.readline, ""):
            if word := _SEQUENCES.sub("", line).strip().lower():
                return _WORDS.get(word, word)
        return END

    def line(self, prompt: str) -> str:
        """The next line."""
        return self._stream.readline().strip()

    def drop(self) -> None:
        """Nothing: each line is meant."""


class TerminalKeys:
    """Keys as they are pressed; what arrow keys and their like send is dropped, and a key held down counts once."""

    def __init__(self, stream: TextIO) -> None:
        self._fd = stream.fileno()
        self._typed = ""
        self._last = ("", -HELD_SECONDS)
        self.resumed = False

    def __enter__(self) -> TerminalKeys:
        import termios

        self._before = termios.tcgetattr(self._fd)
        self._handlers = {
            number: signal.signal(number, handler)
            for number, handler in ((signal.SIGTERM, _end), (signal.SIGTSTP, self._suspend))
        }
        self._one_by_one()
        self.drop()
        return self

    def __exit__(self, *_: object) -> None:
        self._as_before()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def key(self, seconds: float) -> str | None:
        """The next key pressed, or None if none was within so many seconds; `END` when the terminal is gone."""
        if not self._typed and select.select([self._fd], [], [], seconds)[0]:
            self._typed = self._read()
        if not self._typed:
            return None
        key, self._typed = self._typed[0].lower(), self._typed[1:]
        (last, when), self._last = self._last, (key, time.monotonic())
        return None if key == last and self._last[1] - when < HELD_SECONDS else key

    def line(self, prompt: str) -> str:
        """A line with the terminal's own editing; Ctrl-D gives an empty one."""
        self._as_before()
        try:
            sys.stderr.write(prompt)
            sys.stderr.flush()
            return os.read(self._fd, 4096).decode(errors="replace").strip()
        finally:
            self._typed = ""
            self._one_by_one()

    def drop(self) -> None:
        """Forget what was pressed so far, but for a stop."""
        while END not in self._typed and select.select([self._fd], [], [], 0)[0]:
            self._typed += self._read()
        self._typed = next((key for key in self._typed.lower() if key in STOP), "")

    def _read(self) -> str:
        try:
            typed = os.read(self._fd, 1024).decode(errors="replace")
        except OSError:  # the terminal is gone
            return END
        return _SEQUENCES.sub("", typed) if typed else END

    def _one_by_one(self) -> None:
        import termios
        import tty

        tty.setcbreak(self._fd, termios.TCSADRAIN)

    def _as_before(self) -> None:
        import termios

        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def _suspend(self, *_: object) -> None:
        self._as_before()
        os.kill(os.getpid(), signal.SIGSTOP)  # here Ctrl-Z stops it, and from here it goes on
        self._one_by_one()
        self.resumed = True


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)
