"""Material to measure on: Sonic Pi's samples where they are installed, else sounds that mirla synthesises.

Longer material is made of these: gain variations of each file, and one long file of all in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path

import numpy as np
import soundfile

from corpus.store.vectors import Pending
from engine.demo import sonic_pi, synthesis

_RATE = 44100


def samples(folder: Path) -> list[Path]:
    """Short sounds, in order of their names; made in `folder` where none are installed."""
    if installed := sorted(sonic_pi.FOLDER.glob("*.flac")):
        return installed
    synthesis.write(folder / "synthesised")
    return sorted((folder / "synthesised").rglob("*.wav"))


def task(path: Path, spaces: Sequence[str] = ("mfcc",), *, levels: bool = False) -> Pending:
    """What a worker is asked about one file: its vectors, and with `levels` loudness and peak."""
    facts = soundfile.info(path)
    return Pending(0, 0, path, facts.duration, facts.samplerate, "original", tuple(spaces), levels)


def variations(paths: list[Path], folder: Path, seconds: float) -> list[Path]:
    """At least `seconds` of audio in FLAC files: all of `paths`, each time a little softer."""
    folder.mkdir()
    made: list[Path] = []
    for turn in count():
        if seconds <= 0:
            return made
        for path in paths:
            audio, rate = soundfile.read(path)
            made.append(folder / f"{path.stem}_{turn}.flac")
            soundfile.write(made[-1], audio * 0.97**turn, rate)
            seconds -= len(audio) / rate
    raise AssertionError("count() never ends")


def in_a_row(paths: list[Path], file: Path, seconds: float) -> Path:
    """One stereo FLAC file of at least `seconds`: `paths` one after the other, from the start again when they end."""
    with soundfile.SoundFile(file, "w", _RATE, 2) as out:
        for path in cycle(paths):
            audio = soundfile.read(path, always_2d=True)[0]
            out.write(np.repeat(audio, 2, axis=1)[:, :2])
            seconds -= len(audio) / _RATE
            if seconds <= 0:
                return file
    raise AssertionError("cycle() never ends")
