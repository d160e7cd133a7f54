"""A sound device without a sound card, for benchmarks: JACK's server with its dummy driver, paced like a card."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DeviceError
from engine.playback import Player

RATE = 44100
BLOCK = 256
DEVICE = "JACK"


class Server:
    """A running server and its log."""

    def __init__(self, folder: Path, name: str) -> None:
        self._log = folder / f"{name}.log"
        command = ["jackd", "-n", name, "-R", "-P", "10", "-d", "dummy", "-r", str(RATE), "-p", str(BLOCK)]
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        os.environ |= {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}

    def xruns(self) -> int:
        """How many overruns it has told of."""
        return self._log.read_text(errors="replace").lower().count("xrun")

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A server that PortAudio finds, for as long as the block lasts."""
    running = Server(folder, f"mirla-bench-{os.getpid()}")
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                Player(DEVICE).close()
                break
            except DeviceError:
                if time.monotonic() > deadline:
                    raise
        yield running
    finally:
        running.end()
