"""From asking for a sound to its first frame at the device, on JACK's dummy device.

    python benchmarks/latency.py [--json FILE]

Sounds of 10 s, in FLAC at 44.1 kHz and in Ogg Vorbis at 48 kHz, analysed. `not loaded` is asked for the first time, and
decoded; `loaded ahead` was announced with `Loader.ahead` before; `at once` is a verb on a sound that the instrument
holds. The time ends when the block with that frame is mixed, as the recording of what is heard shows: the limiter's
1.5 ms are in it, and up to one block of 5.8 ms until the device asks for the next.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import soundfile
from dummy import BLOCK, DEVICE, RATE, server
from material import samples
from side_by_side import Figure, run

from corpus.library import Corpus
from engine.loading import Loader
from engine.playback import Player
from engine.playback.clip import clip_from_array

SECONDS = 10
SOUNDS = 12
KINDS = (("FLAC", "flac", "FLAC", 44100), ("Ogg", "ogg", "OGG", 48000))
VERBS = 200


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    figures = []
    with server(folder), Corpus(folder / "home") as corpus, Player(DEVICE, must_open=False) as player:
        for name, suffix, kind, rate in KINDS:
            ids = corpus.adopt([sounds(folder / suffix, suffix, kind, rate)]).ids
            corpus.analyse(["mfcc"])
            loader = Loader(corpus, player)
            half = len(ids) // 2
            figures.append(Figure(f"{name}: not loaded", heard(player, loader, ids[:half], folder), "ms", at_most=150))
            loader.ahead(ids[half:])
            while not all(id in loader for id in ids[half:]):
                time.sleep(0.05)
            figures.append(Figure(f"{name}: loaded ahead", heard(player, loader, ids[half:], folder), "ms", at_most=20))
            clip = loader.get(ids[0]).result()
            figures.append(Figure(f"{name}: the verb itself returns", verbs(player, clip), "ms", at_most=1))
            loader.close()
    return figures, {"sounds": f"{SOUNDS} of {SECONDS} s each"}


def sounds(folder: Path, suffix: str, kind: str, rate: int) -> Path:
    """Files that begin with full force, and differ."""
    folder.mkdir()
    audio = np.concatenate(
        [soundfile.read(path, dtype="float32", always_2d=True)[0][:, :1] for path in samples(folder)]
    )
    for number in range(SOUNDS):
        begin = number * RATE
        some = np.tile(np.roll(audio, -begin, axis=0), (2, 2))[: SECONDS * rate]
        some[:100] = 0.5
        soundfile.write(folder / f"{number}.{suffix}", some, rate, format=kind)
    return folder


def heard(player: Player, loader: Loader, ids: list[int], folder: Path) -> list[float]:
    """Milliseconds from asking to the first frame, of each sound."""
    mark = clip_from_array(np.ones(1000, dtype=np.float32), RATE, id=2**31, name="mark", loudness=None, rate=RATE)
    player.load(mark)
    out = folder / f"{ids[0]}.wav"
    player.record(out)
    at = player.position + RATE
    player.start(mark, at=at)
    asked = []
    for id in ids:
        player.wait_until_silent()
        time.sleep(0.3)
        clock = player._look().view  # its frame and when that was mixed
        now = time.monotonic()
        clip = loader.get(id).result()
        player.start(clip, frames=RATE // 4)
        asked.append(clock.position + (now - clock.when) * RATE - at)
    player.wait_until_silent()
    seconds = player.stats()["recorded"]
    player.record(None)
    while player.stats()["recorded"] == seconds:
        time.sleep(0.1)
    time.sleep(0.5)
    sound = np.abs(soundfile.read(out)[0]).max(axis=1) > 0.001
    onsets = np.flatnonzero(sound & ~np.concatenate([np.zeros(4000, bool), quiet(sound, 4000)]))
    first, *rest = onsets
    return [1000 * (onset - first - frame + BLOCK) / RATE for onset, frame in zip(rest, asked, strict=True)]


def quiet(sound: np.ndarray, frames: int) -> np.ndarray:
    """Whether anything sounded within so many frames before, for frames from `frames` on."""
    sums = np.concatenate([[0], np.cumsum(sound)])
    return sums[frames:-1] > sums[: -frames - 1]


def verbs(player: Player, clip: object) -> list[float]:
    """Milliseconds that `start` takes to return."""
    taken = []
    for _ in range(VERBS):
        start = time.perf_counter()
        player.start(clip, frames=100)
        taken.append(1000 * (time.perf_counter() - start))
        time.sleep(0.01)
    return taken


if __name__ == "__main__":
    run(__doc__, main)
