"""What a worker does with one file: decode it once, compute every space asked for, measure its levels.

Freesound measures originals, a harvest keeps previews, and decoding these gives more samples than the original has. So
of a preview only the first seconds count, as many as Freesound serves as the sound's duration; of an original, all. Cut
off by that, as measured on previews of 28 sounds, each lined up with its original by cross-correlation:

* Ogg Vorbis starts where it should. Essentia's decoder takes no notice of where the last page says that the sound ends
  and adds up to 1008 samples; libsndfile's adds none.
* MP3s by LAME say in their first frame how long the encoder's delay and padding are. Both decoders go by it: the delay
  is 0, and nothing is added.

An MP3 without that frame starts 1105 samples (25 ms) late by either decoder and has up to 1162 more behind. That delay
is left in: LAME gives every preview that frame, and without it nothing says which encoder it was and how late it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import RATE, Audio, Samples, blocks, decode, first, first_of
from corpus.analysis.frames import shared
from corpus.analysis.loudness import LevelMeter
from corpus.analysis.onsets import Onsets, onsets, onsets_of_file
from corpus.analysis.scalars import Scalars, scalars, scalars_of_file
from corpus.analysis.spaces import extractor
from corpus.errors import AudioError
from corpus.store.vectors import Pending

LONG = 128 << 20
"""Bytes of decoded stereo audio from which a file is streamed (about six minutes at 44.1 kHz)."""
_BYTES_A_FRAME = 8
_ORIGINAL = "original"
_ROUNDING = 0.001
"""Seconds by which a duration that is served may be too long because of its few decimals."""


@dataclass(frozen=True)
class Measured:
    """The numbers of one file; `loudness` is None for silence, `peak`, `traits` and `onsets` None where not asked for.

    `failed` is by space, `no_traits` and `no_onsets` say why there are none.
    """

    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    provenance: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    loudness: float | None = None
    peak: float | None = None
    traits: Scalars | None = None
    no_traits: str | None = None
    onsets: Onsets | None = None
    no_onsets: str | None = None


def deadline(task: Pending) -> float:
    """Seconds a file may take even on a slow machine: time to load the libraries, and its duration over 20, over 4
    with traits or onsets.
    """
    return 60 + task.duration / (4 if task.traits or task.onsets else 20)


def seconds_that_count(task: Pending) -> float | None:
    """How much of a file, from its start, is the sound: as served for a preview, everything (None) for an original.

    A preview whose served duration is missing, zero or longer than the file itself is left whole.
    """
    if task.source == _ORIGINAL or not task.served:
        return None
    return task.served if task.served <= task.duration + _ROUNDING else None


def measure(task: Pending) -> Measured:
    """Measure one file, of a preview only the seconds that count.

    Raises
    ------
    AudioError
        It cannot be decoded.
    """
    long = task.duration * task.samplerate * _BYTES_A_FRAME > LONG
    audio = None if long else decode(task.path)
    seconds = seconds_that_count(task)
    trimmed = {} if seconds is None else {"trimmed": "to the served duration"}
    measured = Measured()
    heard = task.spaces or task.traits or task.onsets
    mono = None if audio is None or not heard else first(audio.at_44100, seconds, RATE)
    with shared():
        for name in task.spaces:
            try:
                measured.vectors[name] = _vector(name, task, mono, seconds)
            except (AudioError, RuntimeError) as error:
                measured.failed[name] = str(error)
                continue
            measured.provenance[name] = {
                "extractor": extractor(name).version,
                "decoder": audio.decoder if audio else f"{extractor(name).streams_by}, streamed",
                "source": task.source,
                **trimmed,
            }
        if task.traits:
            try:
                measured = replace(measured, traits=_traits(task, audio, mono, seconds))
            except (AudioError, RuntimeError) as error:
                measured = replace(measured, no_traits=str(error))
        if task.onsets:
            try:
                found = onsets(mono) if mono is not None else onsets_of_file(task.path, seconds)
                measured = replace(measured, onsets=found)
            except (AudioError, RuntimeError) as error:
                measured = replace(measured, no_onsets=str(error))
    if not task.levels:
        return measured
    meter = LevelMeter(audio.rate if audio else task.samplerate)
    if audio is not None:
        meter.add(first(audio.samples, seconds, audio.rate))
    else:
        for block in first_of((block for block, _ in blocks(task.path)), seconds, task.samplerate):
            meter.add(block)
    return replace(measured, loudness=meter.loudness(), peak=meter.peak)


def _traits(task: Pending, audio: Audio | None, mono: Samples | None, seconds: float | None) -> Scalars:
    if audio is None or mono is None:
        return scalars_of_file(task.path, seconds)
    return scalars(replace(audio, samples=first(audio.samples, seconds, audio.rate)), mono)


def _vector(name: str, task: Pending, mono: Samples | None, seconds: float | None) -> npt.NDArray[np.float32]:
    space = extractor(name)
    if mono is not None:
        vector = space.compute(mono)
    elif space.compute_file is not None:
        vector = space.compute_file(task.path, seconds)
    else:
        raise AudioError(f"{task.duration / 60:.0f} minutes are too long for space {name!r}; cut it into shorter files")
    wrong = ~np.isfinite(vector)
    wrong[list(space.may_miss)] &= ~np.isnan(vector[list(space.may_miss)])
    if wrong.any():
        raise AudioError(f"space {name!r} came out as {vector[wrong][0]}")
    return vector
