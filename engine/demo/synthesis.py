"""A small set of synthesised sounds, for a machine that has none: drums that decay, tones and noises that last.

Mono float32 at 44100 Hz. Every sound follows from one seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 44100
_EACH = 12

Samples = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator], Samples]


def write(folder: Path, seed: int = 0) -> int:
    """Write the set as `folder/<kind>/<kind>_<n>.wav`, so that kinds become tags; returns how many there are."""
    import soundfile

    generator = np.random.default_rng(seed)
    for kind, make in _KINDS.items():
        (folder / kind).mkdir(parents=True)
        for number in range(1, _EACH + 1):
            signal = make(generator)
            soundfile.write(folder / kind / f"{kind}_{number}.wav", 0.7 * signal / np.abs(signal).max(), RATE)
    return _EACH * len(_KINDS)


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * RATE)) / RATE


def _kick(generator: np.random.Generator) -> Samples:
    t, low = _time(generator.uniform(0.2, 0.5)), generator.uniform(40, 60)
    sweep = low * t + generator.uniform(3, 8) * (1 - np.exp(-30 * t))
    return np.asarray(np.exp(-t * generator.uniform(8, 16)) * np.sin(2 * np.pi * sweep))


def _snare(generator: np.random.Generator) -> Samples:
    t = _time(generator.uniform(0.15, 0.4))
    body = np.sin(2 * np.pi * generator.uniform(160, 240) * t) * np.exp(-25 * t)
    return np.asarray(body + generator.normal(size=len(t)) * np.exp(-t * generator.uniform(12, 30)))


def _hat(generator: np.random.Generator) -> Samples:
    t = _time(generator.uniform(0.05, 0.3))
    hiss = np.diff(generator.normal(size=len(t) + 1))
    return np.asarray(hiss * np.exp(-t * generator.uniform(20, 60)))


def _tom(generator: np.random.Generator) -> Samples:
    t, pitch = _time(generator.uniform(0.3, 0.6)), generator.uniform(80, 200)
    return np.asarray(np.exp(-t * generator.uniform(6, 12)) * np.sin(2 * np.pi * (pitch * t + np.exp(-12 * t))))


def _drone(generator: np.random.Generator) -> Samples:
    t, pitch = _time(generator.uniform(2, 4)), generator.uniform(50, 110)
    waves = [np.sin(2 * np.pi * pitch * n * generator.uniform(0.998, 1.002) * t) / n for n in range(1, 9)]
    return np.asarray(np.sum(waves, axis=0) * _swell(t))


def _pad(generator: np.random.Generator) -> Samples:
    t, pitch = _time(generator.uniform(2, 4)), generator.uniform(200, 400)
    chord = [np.sin(2 * np.pi * pitch * ratio * t) for ratio in (1, 1.25, 1.5, 2)]
    return np.asarray(np.sum(chord, axis=0) * _swell(t))


def _wind(generator: np.random.Generator) -> Samples:
    t = _time(generator.uniform(2, 4))
    noise = np.convolve(generator.normal(size=len(t)), np.hanning(round(generator.uniform(8, 60))), "same")
    return np.asarray(noise * _swell(t) * (1 + 0.5 * np.sin(2 * np.pi * generator.uniform(0.3, 1) * t)))


def _bass(generator: np.random.Generator) -> Samples:
    t, pitch = _time(generator.uniform(1, 2)), generator.uniform(40, 80)
    return np.asarray(np.tanh(3 * np.sin(2 * np.pi * pitch * t)) * _swell(t))


def _swell(t: Samples) -> Samples:
    return np.asarray(np.abs(np.sin(np.pi * t / t[-1])) ** 0.5)


_KINDS: dict[str, Maker] = {
    "kick": _kick,
    "snare": _snare,
    "hat": _hat,
    "tom": _tom,
    "drone": _drone,
    "pad": _pad,
    "wind": _wind,
    "bass": _bass,
}
