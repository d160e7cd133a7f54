"""Drop-outs while everything else works too, beside those of the same server in silence, on JACK's dummy device.

    python benchmarks/underruns.py [--seconds 600]

In one process an agent is refitted every second and 50 similar queries run each second over 100 000 sounds; its player
loops 32 voices at odd rates on 4 groups with an effect each, starts a short sound ten times a second, and records.
First the same work is done for as long with a player that plays nothing. An underrun is what PortAudio tells of our
stream, an xrun what the server tells of all its clients. `load` is the share of the block's time within which 99 % of
the last blocks were mixed.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from agents import examples
from dummy import DEVICE, RATE, Server, server
from side_by_side import scratch
from similarity import build

from corpus.library import Corpus
from engine.agent.fitting import fit
from engine.playback import Clip, Player
from engine.query.run import Choice, similar

SOUNDS = 100_000
QUERIES_PER_SECOND = 50
LABELS = 130
VOICES = 32
EFFECTS = ("lowpf", "reverb", "delay", "vibrato")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    with scratch() as folder:
        generator = np.random.default_rng(0)
        build(folder / "home", SOUNDS, generator.normal(size=(1000, 26)).astype(np.float32))
        with Corpus(folder / "home") as corpus, server(folder) as running:
            similar(corpus, 1, Choice(k=10))  # builds what is kept
            for name, play in (("silent", silent), ("playing", playing)):
                with Player(DEVICE, must_open=False, on_event=lambda *what: print(*what)) as player:
                    measure(name, player, running, corpus, play, seconds, folder)


def measure(
    name: str,
    player: Player,
    running: Server,
    corpus: Corpus,
    play: Callable[[Player, Path], Callable[[], None]],
    seconds: float,
    folder: Path,
) -> None:
    with working(corpus) as done:
        step = play(player, folder)
        time.sleep(2.0)
        before, begin = (running.xruns(), player.stats()["underruns"]), time.monotonic()
        while time.monotonic() - begin < seconds:
            step()
            time.sleep(0.1)
        figures = player.stats()
        xruns, underruns = running.xruns() - before[0], figures["underruns"] - before[1]
    print(
        f"{name:8} {seconds:.0f} s: {underruns} underruns, {xruns} xruns of the server, load {figures['load']:.0%}, "
        f"{figures['errors']} errors, {figures['faults']} faults, {figures['outages']} outages, "
        f"{figures['lost']} frames lost; {done['refits']} refits, {done['queries']} queries",
        flush=True,
    )


def silent(_player: Player, _folder: Path) -> Callable[[], None]:
    return lambda: None


def playing(player: Player, folder: Path) -> Callable[[], None]:
    generator = np.random.default_rng(1)
    clips = [noise(number, generator.uniform(0.2, 3.0), generator) for number in range(VOICES)]
    for number, name in enumerate(EFFECTS):
        player.effects(str(number), [(name, {})])
    for number, clip in enumerate(clips):
        rate = float(generator.choice([-1.0, 1.0]) * generator.uniform(0.3, 3.0))
        player.start(clip, loop=True, rate=rate, group=str(number % len(EFFECTS)))
    player.record(folder / "set.wav")
    short = noise(VOICES, 0.2, generator)
    return lambda: void(player.start(short, rate=float(generator.uniform(0.5, 2.0))))


def noise(number: int, seconds: float, generator: np.random.Generator) -> Clip:
    frames = generator.uniform(-0.02, 0.02, (round(seconds * RATE), 2)).astype(np.float32)
    return Clip(number + 1, frames, RATE, 1.0, f"noise {number}")


def void(_: object) -> None:
    """For a step."""


@contextmanager
def working(corpus: Corpus) -> Iterator[dict[str, int]]:
    """Refit and query until the block ends; count both."""
    done, ended = {"refits": 0, "queries": 0}, threading.Event()
    X, y = examples(LABELS)
    generator = np.random.default_rng(2)

    def refit() -> None:
        fit("mlp", X, y)
        done["refits"] += 1

    def query() -> None:
        similar(corpus, int(generator.integers(1, SOUNDS)), Choice(k=10))
        done["queries"] += 1

    threads = [
        threading.Thread(target=every, args=(period, act, ended))
        for period, act in ((1.0, refit), (1.0 / QUERIES_PER_SECOND, query))
    ]
    for thread in threads:
        thread.start()
    yield done
    ended.set()
    for thread in threads:
        thread.join()


def every(period: float, act: Callable[[], None], ended: threading.Event) -> None:
    due = time.monotonic()
    while not ended.wait(max(0.0, due - time.monotonic())):
        act()
        due = max(due + period, time.monotonic() - period)


if __name__ == "__main__":
    main()
