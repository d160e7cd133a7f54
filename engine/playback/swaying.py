"""The effects that pedalboard lacks, or whose memory it would take too long to clear: delay, vibrato, ring modulation.

Conventions: as in `engine.playback.rack`. Pedalboard's delay keeps 30 s of memory, which takes a panic 13 ms to clear.
"""

from __future__ import annotations

import math

import numpy as np

from engine.playback.interpolation import hermite
from engine.playback.rack import Audio, Processor
from engine.playback.registry import Parameter, effect


@effect(
    "delay",
    "echoes",
    Parameter("decay", 3.0, 0.0, 60.0, "s", "until they are 60 dB softer"),
    Parameter("time", 0.2, 0.01, 1.0, "s", "from one to the next"),
    Parameter("mix", 0.5, 0.0, 1.0, "", "level of the echoes, beside the sound as it was"),
)
def delay(rate: int, decay: float, time: float, mix: float) -> Processor:
    """A comb filter."""
    length = round(time * rate)
    feedback = np.float32(10.0 ** (-3.0 * time / decay) if decay else 0.0)
    memory = np.zeros((2, length), dtype=np.float32)
    place = 0

    def process(audio: Audio) -> Audio:
        nonlocal place
        out = audio.copy()
        done = 0
        while done < audio.shape[1]:
            count = min(audio.shape[1] - done, length - place)  # up to the end of the memory at most
            echo = memory[:, place : place + count]
            out[:, done : done + count] += np.float32(mix) * echo
            echo *= feedback
            echo += audio[:, done : done + count]
            place = (place + count) % length
            done += count
        return out

    return process


@effect(
    "vibrato",
    "the pitch sways",
    Parameter("amount", 0.01, 0.0, 0.2, "", "how far, as a share of the pitch"),
    Parameter("speed", 6.0, 0.5, 20.0, "Hz", "how often"),
)
def vibrato(rate: int, amount: float, speed: float) -> Processor:
    """Read behind what comes in, by 2 frames to amount / (pi speed) seconds more: a distance that sways as a sine."""
    depth = amount * rate / (2.0 * math.pi * speed)  # in frames: so the greatest slope of the distance is the amount
    behind = np.zeros((math.ceil(2.0 * depth) + 6, 2), dtype=np.float32)
    passed = 0

    def process(audio: Audio) -> Audio:
        nonlocal behind, passed
        count = audio.shape[1]
        line = np.concatenate([behind, audio.T])
        turns = np.arange(passed, passed + count) * (speed / rate) % 1.0
        positions = len(behind) + np.arange(count) - 2.0 - depth * (1.0 - np.cos(2.0 * math.pi * turns))
        passed += count
        behind = line[count:]
        return np.ascontiguousarray(hermite(line.view(np.complex64)[:, 0], positions, loop=False).T)

    return process


@effect("rmod", "ring modulation: multiplied with a sine", Parameter("freq", 700.0, 0.1, 18000.0, "Hz", "of the sine"))
def rmod(rate: int, freq: float) -> Processor:
    """As it says."""
    passed = 0

    def process(audio: Audio) -> Audio:
        nonlocal passed
        count = audio.shape[1]
        turns = np.arange(passed, passed + count) * (freq / rate) % 1.0
        passed += count
        return audio * np.sin(2.0 * math.pi * turns).astype(np.float32)

    return process
