"""What a worker does with one file: decode it once, compute every space asked for, measure its levels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import Audio, blocks, decode
from corpus.analysis.loudness import LevelMeter
from corpus.analysis.spaces import extractor
from corpus.errors import AudioError
from corpus.store.vectors import Pending

LONG = 128 << 20
"""Bytes of decoded stereo audio from which a file is streamed (about six minutes at 44.1 kHz)."""
_BYTES_A_FRAME = 8


@dataclass(frozen=True)
class Measured:
    """The numbers of one file; `loudness` is None for silence, `peak` None where it was not asked for."""

    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    provenance: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    loudness: float | None = None
    peak: float | None = None


def deadline(task: Pending) -> float:
    """Seconds a file may take: twenty times real time even on a slow machine, and time to load the libraries."""
    return 60 + task.duration / 20


def measure(task: Pending) -> Measured:
    """Measure one file.

    Raises
    ------
    AudioError
        It cannot be decoded.
    """
    long = task.duration * task.samplerate * _BYTES_A_FRAME > LONG
    audio = None if long else decode(task.path)
    measured = Measured()
    for name in task.spaces:
        try:
            measured.vectors[name] = _vector(name, task, audio)
        except (AudioError, RuntimeError) as error:
            measured.failed[name] = str(error)
            continue
        measured.provenance[name] = {
            "extractor": extractor(name).version,
            "decoder": audio.decoder if audio else "essentia, streamed",
            "source": task.source,
        }
    if not task.levels:
        return measured
    meter = LevelMeter(audio.rate if audio else task.samplerate)
    for block in [audio.samples] if audio else (block for block, _ in blocks(task.path)):
        meter.add(block)
    return Measured(measured.vectors, measured.provenance, measured.failed, meter.loudness(), meter.peak)


def _vector(name: str, task: Pending, audio: Audio | None) -> npt.NDArray[np.float32]:
    space = extractor(name)
    if audio is not None:
        vector = space.compute(audio.at_44100)
    elif space.compute_file is not None:
        vector = space.compute_file(task.path)
    else:
        raise AudioError(f"{task.duration / 60:.0f} minutes are too long for space {name!r}; cut it into shorter files")
    if not np.isfinite(vector).all():
        raise AudioError(f"space {name!r} came out as {vector[~np.isfinite(vector)][0]}")
    return vector
