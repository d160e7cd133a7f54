"""What the mixer takes of a block's time, and how much faster than real time it renders, beside plain alternatives.

    python benchmarks/mixer.py [--json FILE]

Blocks of 256 frames at 44.1 kHz, voices that loop at odd rates, forwards and backwards, on four groups; `effects` says
how many of these have one (lowpf, reverb, delay, vibrato). A share is that of the 5.8 ms which a block lasts, in the
processor's time: the audio process comes before others, this one does not. Its median and its 99th percentile are taken
in each round over all of its blocks.

To read 8 looping voices at odd rates, the mixer's way (`hermite`, and the whole `mixer` with its gains, pans, seams and
limiter) takes turns with what one would write instead: `np.interp` for each channel (straight lines), scipy's
`map_coordinates` of order 3 (a cubic spline, filtered beforehand), and soxr, which converts the block's worth of frames
from one rate to another (no rate that glides, and no loop; VHQ down to QQ is its own scale of quality, QQ is cubic).
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from scipy.ndimage import map_coordinates, spline_filter1d
from side_by_side import Figure, by_turns, ratio, run

from engine.playback import Clip, Mixer
from engine.playback.effects import prepare
from engine.playback.interpolation import hermite

RATE = 44100
BLOCK = 256
BLOCKS = 800
ROUNDS = 5
VOICES = (8, 16, 32, 64)
EFFECTS = ("lowpf", "reverb", "delay", "vibrato")
RENDERED = 10.0
"""Seconds."""
READ = 50
"""Blocks that the alternatives read in a turn."""


def main(_: Path) -> tuple[list[Figure], dict[str, str]]:
    prepare(RATE)
    figures = [figure for voices in VOICES for effects in (0, 4) for figure in shares(voices, effects)]
    figures += [rendering(8, 0), rendering(8, 4), *alternatives(8), panic()]
    return figures, {"blocks": f"{BLOCKS} of {BLOCK} frames a round", "rounds": str(ROUNDS)}


def clips(count: int) -> Iterator[tuple[Clip, float]]:
    """Noise of 0.1 to 2 s that would click at its seam, and the rate at which to play it."""
    generator = np.random.default_rng(0)
    for number in range(count):
        length = int(generator.integers(RATE // 10, 2 * RATE))
        frames = generator.uniform(-0.02, 0.02, (length, 2)).astype(np.float32)
        frames[0] = 0.5
        rate = float(generator.choice([-1.0, 1.0]) * generator.uniform(0.3, 3.0))
        yield Clip(number, frames, RATE, 1.0, str(number)), rate


def looping(voices: int, effects: int) -> Mixer:
    mixer = Mixer(RATE)
    for number, (clip, rate) in enumerate(clips(voices)):
        mixer.start(clip, rate=rate, loop=True, group=f"group {number % 4}", pan=0.3)
    for number, name in enumerate(EFFECTS[:effects]):
        mixer.effects(f"group {number}", [(name, {})])
    for _ in range(20):
        mixer.render(BLOCK)
    return mixer


def shares(voices: int, effects: int) -> list[Figure]:
    mixer = looping(voices, effects)
    gc.collect()
    medians, lasts = [], []
    for _ in range(ROUNDS):
        each = []
        for _ in range(BLOCKS):
            start = time.thread_time()
            mixer.render(BLOCK)
            each.append(100 * (time.thread_time() - start) * RATE / BLOCK)
        medians.append(statistics.median(each))
        lasts.append(statistics.quantiles(each, n=100)[98])
    what = f"{voices} voices, {effects} effects"
    target = 50 if (voices, effects) == (32, 4) else None
    return [Figure(what, medians, "%"), Figure(f"{what}, 99th percentile", lasts, "%", at_most=target)]


def rendering(voices: int, effects: int) -> Figure:
    """Seconds of sound in a second, in blocks as large as `render` takes them."""
    speeds = []
    for _ in range(ROUNDS):
        mixer = looping(voices, effects)
        start = time.process_time()
        for _ in range(round(RENDERED * RATE) // 8192):
            mixer.render(8192)
        speeds.append(RENDERED / (time.process_time() - start))
    return Figure(f"render {voices} voices, {effects} effects", speeds, "x real time", at_least=20)


def alternatives(voices: int) -> list[Figure]:
    """Each way to read the voices, as a multiple of `np.interp`'s time."""
    material = list(clips(voices))
    mixer = looping(voices, 0)
    ways: dict[str, Callable[[int], object]] = {
        "np.interp": partial(each_of, by_lines, [(*frames_of(clip), rate) for clip, rate in material]),
        "hermite": partial(each_of, by_hermite, [(complex_of(clip), rate) for clip, rate in material]),
        "scipy": partial(each_of, by_spline, [(spline_of(clip), rate) for clip, rate in material]),
        "mixer": lambda block: mixer.render(BLOCK),
    }
    for quality in ("QQ", "HQ"):
        streams = [(soxr.ResampleStream(abs(rate), 1.0, 2, quality=quality), clip, rate) for clip, rate in material]
        ways[f"soxr {quality}"] = partial(each_of, by_soxr, streams)
    by_turns(ways, range(5), 1)
    taken = by_turns(ways, range(READ), ROUNDS, time.process_time)
    plain = taken["np.interp"]
    made = [Figure(f"read {voices} voices: np.interp", [1e6 * one / READ for one in plain], "us a block")]
    rest = {name: seconds for name, seconds in taken.items() if name != "np.interp"}
    return made + [
        Figure(f"read {voices} voices: {name} / np.interp", ratio(one, plain), "x") for name, one in rest.items()
    ]


def panic() -> Figure:
    """The slowest block of a panic, in which all effects are made anew."""
    slowest = []
    for _ in range(ROUNDS):
        mixer = looping(32, 4)
        mixer.fade_out_all()
        each = []
        for _ in range(8):
            start = time.thread_time()
            mixer.render(BLOCK)
            each.append(100 * (time.thread_time() - start) * RATE / BLOCK)
        slowest.append(max(each))
    return Figure("panic, 32 voices, 4 effects, slowest block", slowest, "%")


def each_of(read: Callable[..., object], voices: list[tuple[object, ...]], block: int) -> None:
    for voice in voices:
        read(block, *voice)


def positions(block: int, rate: float, length: int) -> npt.NDArray[np.float64]:
    return (rate * np.arange(block * BLOCK, (block + 1) * BLOCK)) % length


def by_lines(block: int, places: npt.NDArray[np.int64], left: object, right: object, rate: float) -> object:
    at = positions(block, rate, len(places))
    return np.column_stack([np.interp(at, places, left), np.interp(at, places, right)])


def by_hermite(block: int, source: npt.NDArray[np.complex64], rate: float) -> object:
    return hermite(source, rate * np.arange(block * BLOCK, (block + 1) * BLOCK), loop=True)


def by_spline(block: int, coefficients: list[npt.NDArray[np.float32]], rate: float) -> object:
    at = positions(block, rate, len(coefficients[0]))[np.newaxis]
    return np.column_stack([map_coordinates(one, at, order=3, prefilter=False, mode="nearest") for one in coefficients])


def by_soxr(block: int, stream: soxr.ResampleStream, clip: Clip, rate: float) -> object:
    count = round(BLOCK * abs(rate))
    first = block * count % max(1, len(clip.frames) - count)
    return stream.resample_chunk(clip.frames[first : first + count])


def frames_of(clip: Clip) -> tuple[object, ...]:
    return np.arange(len(clip.frames)), clip.frames[:, 0].astype(float), clip.frames[:, 1].astype(float)


def complex_of(clip: Clip) -> npt.NDArray[np.complex64]:
    return clip.frames.view(np.complex64)[:, 0]


def spline_of(clip: Clip) -> list[npt.NDArray[np.float32]]:
    return [spline_filter1d(channel, order=3, output=np.float32) for channel in clip.frames.T]


if __name__ == "__main__":
    run(__doc__ or "", main)
