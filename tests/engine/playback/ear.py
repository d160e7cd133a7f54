"""A second client of a JACK server that hears what the first plays."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import numpy as np


@contextlib.contextmanager
def listening(server, *, rate=44100):
    """Hear all that plays on a server: yields an `Ear`."""
    import jack

    client = jack.Client(f"ear-{os.getpid()}", servername=server.name, no_start_server=True)
    ports = [client.inports.register(name) for name in ("left", "right")]
    ear = Ear(client, rate)

    @client.set_process_callback
    def hear(frames):
        ear.take(np.column_stack([port.get_array() for port in ports]))

    with client:
        ear.ports = ports
        yield ear


class Ear:
    """What was heard so far, shape (frames, 2)."""

    def __init__(self, client, rate):
        self._client, self._rate = client, rate
        self._blocks = []
        self._lock = threading.Lock()
        self.ports = []

    def take(self, block):
        with self._lock:
            self._blocks.append(block.copy())

    def attend(self, seconds=10):
        """Connect to whatever plays; waits until there is something."""
        deadline = time.monotonic() + seconds
        while True:
            mine = {port.name for port in self.ports}
            out = [p for p in self._client.get_ports(is_audio=True, is_output=True) if not p.name.startswith("system:")]
            out = [port for port in out if port.name not in mine]
            if len(out) >= 2:
                for source, port in zip(out[:2], self.ports, strict=True):
                    self._client.connect(source, port)
                return
            assert time.monotonic() < deadline, "nothing plays on this server"
            time.sleep(0.05)

    @property
    def audio(self):
        with self._lock:
            return np.concatenate(self._blocks) if self._blocks else np.zeros((0, 2))

    @property
    def seconds(self):
        """How much was heard by now."""
        return len(self.audio) / self._rate


def level(audio, hertz, rate=44100):
    """The amplitude of a sine of a frequency in a stretch of sound, shape (frames, 2): left, right."""
    time_ = np.arange(len(audio)) / rate
    window = np.hanning(len(audio))[:, None]
    wave = np.exp(-2j * np.pi * hertz * time_)[:, None]
    return 2 * np.abs((audio * window * wave).sum(axis=0)) / window.sum()
