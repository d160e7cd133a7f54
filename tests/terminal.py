"""A pseudo-terminal with `mirla` in it, typed into and read as a person would."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

SECONDS = 60


class Terminal:
    """A terminal with one program in it."""

    def __init__(self, home, *words, columns=80, rows=24, **environment):
        self.master, self._slave = os.openpty()
        self.rows = rows
        self.resize(columns)
        self.before = termios.tcgetattr(self._slave)
        self.text = ""
        self._read = 0
        program = Path(sys.executable).with_name("mirla")
        plain = {key: value for key, value in os.environ.items() if not key.startswith("MIRLA_")}
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec <"$0" >"$0" 2>&1; exec "$@"', os.ttyname(self._slave), program, "--home", home, *words],
            start_new_session=True,  # so that opening it makes it the controlling terminal
            env={**plain, "TERM": "xterm", "NO_COLOR": "1", **environment},
        )

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, columns, 0, 0))

    @property
    def modes(self):
        return termios.tcgetattr(self._slave)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def until(self, words):
        """Read on until some words appear behind what was read last."""
        deadline = time.monotonic() + SECONDS
        while (place := self.text.find(words, self._read)) < 0:
            assert time.monotonic() < deadline, f"no {words!r} in:\n{self.text[self._read :]}"
            self._more(0.05)
        self._read = place + len(words)

    def end(self):
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self._more(0.05)
        self._more(0)
        return self.process.returncode

    def kill(self):
        self.process.kill()
        return self.end()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        os.close(self.master)
        os.close(self._slave)

    def _more(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            self.text += os.read(self.master, 65536).decode(errors="replace")
            seconds = 0


class Screen(Terminal):
    """One whose screen can be read, as a person sees it: for programs that draw only what changed."""

    def __init__(self, *words, columns=120, rows=200, **environment):
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        super().__init__(*words, columns=columns, rows=rows, **environment)
        self._screen.write_process_input = self.press  # where the cursor is, say
        self._drawn = 0

    @property
    def lines(self):
        """What is to be seen, without blank lines."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def see(self, seen):
        """Wait until what is to be seen is as it should be; what that gave."""
        deadline = time.monotonic() + SECONDS
        while not (found := seen(self.lines)):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            self._more(0.05)
        return found

    def _more(self, seconds):
        super()._more(seconds)
        new, self._drawn = self.text[self._drawn :], len(self.text)
        self._stream.feed(new)
