"""How long an OSC client waits, from its query to the reply, on 100 000 sounds.

    python benchmarks/osc.py [--json FILE]

The server is `mirla serve` in a process of its own; the client a plain socket in this one. `find` asks for the ten
nearest sounds to one, with audio at hand as always when something is to play; `tempo` is what a command costs that
does nothing. The last figure is of `find` while 200 other commands a second come from a second client. What a flood of
1000 commands at once loses is below the table.

The corpus is that of `similarity.py`, but each sound has a file, which nobody reads.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from material import samples, task
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg
from side_by_side import Figure, run
from similarity import build

from corpus.analysis.measuring import measure as analysed
from corpus.library import Corpus
from corpus.store.tables import files

SOUNDS = 100_000
QUERIES = 1000
FLOOD = 1000
OTHERS_PER_SECOND = 200
MOST_MS = 20.0
"""What the 99th percentile is to stay below."""


class Client:
    """A client that waits for each reply."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.settimeout(60)
        self._server = ("127.0.0.1", port)

    def send(self, address: str, *values: Any) -> None:
        """Send a command."""
        self.socket.sendto(build_msg(address, list(values)).dgram, self._server)

    def ask(self, address: str, *values: Any) -> list[Any]:
        """Send a command and wait for what it answers."""
        self.send(address, *values)
        _, _, ok, *answer = OscMessage(self.socket.recv(70_000)).params
        assert ok, answer
        return answer

    def seconds(self, address: str, *values: Any) -> float:
        """How long its answer takes."""
        start = time.perf_counter()
        self.ask(address, *values)
        return time.perf_counter() - start


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    home = folder / "home"
    build(home, SOUNDS, np.array([analysed(task(path)).vectors["mfcc"] for path in samples(folder)]))
    give_audio(home)
    program = Path(sys.executable).with_name("mirla")
    command = [program, "--home", str(home), "--json", "serve", "--osc", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        return measure(json.loads(process.stdout.readline())["osc"]["port"])
    finally:
        process.terminate()
        process.communicate()


def give_audio(home: Path) -> None:
    """A file for each sound, in name."""
    with Corpus(home) as corpus, corpus.database.write() as connection:
        facts = {
            "source": "synthetic",
            "sha256": "0" * 64,
            "bytes": 1,
            "format": "WAV",
            "added": "2026-01-01T00:00:00Z",
        }
        fixed = {**facts, "linked": False, "preferred": True, "samplerate": 44100, "channels": 1, "frames": 44100}
        rows = [{**fixed, "sound_id": one, "path": f"sounds/{one}.wav"} for one in range(1, SOUNDS + 1)]
        connection.execute(sa.insert(files), rows)


def measure(port: int) -> tuple[list[Figure], dict[str, str]]:
    client = Client(port)
    ids = np.random.default_rng(1).integers(1, SOUNDS, size=QUERIES).tolist()
    first = client.seconds("/mirla/find", "like", [1])
    assert len(client.ask("/mirla/find", "like", [1])) == 10
    figures = [Figure("first find of all", [first], "s")]
    figures += waited("tempo", [client.seconds("/mirla/tempo", 120) for _ in ids], None)
    figures += waited("find", [client.seconds("/mirla/find", "like", [one]) for one in ids], MOST_MS)
    with_others, over = Client(port), threading.Event()
    thread = threading.Thread(target=chatter, args=(with_others, over))
    thread.start()
    figures += waited("find beside others", [client.seconds("/mirla/find", "like", [one]) for one in ids], MOST_MS)
    over.set()
    thread.join()
    return figures, {"flood": flood(client)}


def waited(what: str, seconds: list[float], most: float | None) -> list[Figure]:
    last = 1e3 * statistics.quantiles(seconds, n=100)[98]
    return [
        Figure(f"{what}: median", [1e3 * statistics.median(seconds)], "ms"),
        Figure(f"{what}: 99th percentile", [last], "ms", at_most=most),
    ]


def chatter(client: Client, over: threading.Event) -> None:
    while not over.wait(1 / OTHERS_PER_SECOND):
        client.send("/mirla/tempo", 120)


def flood(client: Client) -> str:
    """What becomes of many commands at once."""
    start = time.perf_counter()
    for _ in range(FLOOD):
        client.send("/mirla/a/agent")
    sent = time.perf_counter() - start
    client.socket.settimeout(1)
    answered = 0
    try:
        while answered < FLOOD:
            client.socket.recv(70_000)
            answered += 1
    except TimeoutError:
        pass
    counts = json.loads(client.ask("/mirla/status")[0])["osc"]
    return f"{FLOOD} commands sent in {1e3 * sent:.0f} ms, {answered} answered; the server counts {counts}"


if __name__ == "__main__":
    run(__doc__ or "", main)
