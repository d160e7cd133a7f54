"""A maker of clips, and a sound device without a sound card: JACK's server with its dummy driver."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.errors import DeviceError
from engine.playback import Clip, Player

RATE = 44100
MakeClip = Callable[..., Clip]


@pytest.fixture
def make_clip() -> MakeClip:
    ids = itertools.count(1)

    def make(audio: npt.ArrayLike, *, rate: int = RATE, gain: float = 1.0) -> Clip:
        frames = np.asarray(audio, dtype=np.float32)
        if frames.ndim == 1:
            frames = np.column_stack([frames, frames])
        number = next(ids)
        return Clip(id=number, frames=frames, rate=rate, gain=gain, name=f"clip {number}")

    return make


class Jack:
    """A JACK server of one's own, with the dummy driver: paced like a sound card, and silent."""

    device = "JACK"

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self.begin()

    def begin(self, rate: int = RATE) -> None:
        """Start, or start again after `end`."""
        # -R: real-time where that is permitted, or else the server itself is late on a busy computer
        command = ["jackd", "-n", self.name, "-R", "-P", "10", "-d", "dummy", "-r", str(rate), "-p", "256"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def xruns(self) -> int:
        """How many overruns the server has told of."""
        return self._log.read_text(errors="replace").lower().count("xrun")

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Make it PortAudio's server, and wait until it is there."""
        patch.setenv("JACK_DEFAULT_SERVER", self.name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        patch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
        deadline = time.monotonic() + 10
        while True:
            try:
                return Player(self.device).close()
            except DeviceError as error:
                if time.monotonic() > deadline:
                    pytest.fail(f"{error}\njackd says:\n{self._log.read_text(errors='replace')}")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        for left in Path("/dev/shm").glob(f"jack_sem.*_{self.name}_*"):  # of a client it died under
            left.unlink()


def _started(name: str, folder: Path) -> Jack:
    if shutil.which("jackd") is None:
        pytest.fail("these tests need JACK's server: apt-get install jackd2")
    return Jack(f"mirla-test-{os.getpid()}-{name}", folder / f"{name}.log")


@pytest.fixture
def start_jack(tmp_path: Path) -> Iterator[Callable[[], Jack]]:
    """Starts further servers, which end with the test: JACK lets no more than eight of a user's be there at once."""
    servers: list[Jack] = []

    def start() -> Jack:
        servers.append(_started(str(len(servers)), tmp_path))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture(scope="session")
def jack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jack]:
    server = _started("jack", tmp_path_factory.mktemp("jack"))
    yield server
    server.end()


@pytest.fixture
def jack(jack_server: Jack, monkeypatch: pytest.MonkeyPatch) -> Jack:
    jack_server.use(monkeypatch)
    return jack_server
