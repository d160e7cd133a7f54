"""Decoding: a file to samples, by Essentia's decoder, else by libsndfile.

Samples are float32 with full scale at 1, shape `(frames, channels)`, at the file's own rate. `at_44100` brings them to
what Essentia's FreesoundExtractor sees: mono, 44100 Hz, clipped at full scale.

Lossy formats decode to other last bits by each decoder, so Essentia's comes first. It is only given what it knows: one
that it refuses for its codec (Opus, ADPCM) leaves it in a state that crashes now and then.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import AudioError

Samples = npt.NDArray[np.float32]

RATE = 44100
"""Rate in Hz at which every space is computed."""
_BLOCK = 1 << 16
_PIECE = 10
"""Seconds that are resampled at a time."""
_CODECS_OF_ESSENTIA = re.compile(r"PCM_|FLOAT|DOUBLE|ULAW|ALAW|GSM610|VORBIS|MPEG_LAYER_")
_ESSENTIA_QUALITY = 1
"""libsamplerate's 'medium sinc': what EasyLoader uses unless told otherwise."""


@dataclass(frozen=True)
class Audio:
    """A decoded file: `samples` (frames, channels), `rate` in Hz, and who decoded it."""

    samples: Samples
    rate: int
    decoder: str

    @cached_property
    def at_44100(self) -> Samples:
        """Mono at 44100 Hz, clipped at full scale, bit for bit as Essentia's `EasyLoader(replayGain=-6)` has it."""
        mono = _mix_down(self.samples)
        if self.rate != RATE:
            resampled = _resample(mono, self.rate)
            mono = resampled if len(resampled) else mono[:1]  # too short for a sample at the lower rate
        return np.clip(mono, -1, 1)


def essentia() -> Any:
    """Essentia, quiet."""
    import essentia as library

    library.log.infoActive = False
    library.log.warningActive = False
    return library


def has_essentia() -> bool:
    """Whether Essentia is installed (it has no wheel for Windows)."""
    return find_spec("essentia") is not None


def decode(path: Path) -> Audio:
    """Decode a whole file.

    Raises
    ------
    AudioError
        It is missing, no decoder can read it, or its samples are not numbers.
    """
    if not path.is_file():
        raise AudioError(f"{path} is missing; put it back or adopt it again")
    decoders = (_by_essentia, _by_libsndfile) if essentia_reads(path) else (_by_libsndfile,)
    words = []
    for decoder in decoders:
        try:
            audio = decoder(path)
        except RuntimeError as error:
            words.append(f"{decoder.__name__[4:]}: {_reason(error)}")
            continue
        if not len(audio.samples):
            raise AudioError("holds no samples; re-export it")
        if not np.isfinite(audio.samples).all():
            raise AudioError("holds samples that are NaN or infinite; re-export it")
        return audio
    raise AudioError("cannot be decoded (" + "; ".join(words) + "); convert it to WAV or FLAC")


def essentia_reads(path: Path) -> bool:
    """Whether Essentia is there and safely takes this file: a codec it knows, at most two channels.

    A file that libsndfile cannot open is left for it to try.
    """
    if not has_essentia():
        return False
    try:
        with open_file(path) as file:
            return bool(_CODECS_OF_ESSENTIA.match(file.subtype)) and file.channels <= 2
    except RuntimeError:
        return True


@contextmanager
def read_by_essentia(path: Path) -> Iterator[Path]:
    """The file, or while it lasts a temporary copy (see `copy_as_float`) if Essentia cannot read the file itself."""
    if essentia_reads(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="mirla-") as folder:
        copy = Path(folder, "decoded.wav")
        copy_as_float(path, copy)
        yield copy


def blocks(path: Path) -> Iterator[tuple[Samples, int]]:
    """Decode by libsndfile in blocks `(frames, channels)` with their rate, so that memory stays flat.

    Raises
    ------
    RuntimeError
        libsndfile cannot read it.
    """
    with open_file(path) as file:
        for block in file.blocks(blocksize=_BLOCK, dtype="float32", always_2d=True):
            yield block, file.samplerate


def mono_blocks(path: Path, seconds: float | None = None) -> Iterator[Samples]:
    """Decode a file by libsndfile, or its first seconds, in flat memory: in blocks, what `at_44100` is whole.

    Raises
    ------
    RuntimeError
        libsndfile cannot read it.
    """
    with open_file(path) as file:
        rate = file.samplerate
    mono = (_mix_down(block) for block, _ in blocks(path))
    at_44100 = mono if rate == RATE else _resample_pieces(mono, rate)
    for block in first_of(at_44100, seconds, RATE):
        yield np.clip(block, -1, 1)


def first_of(some: Iterable[Samples], seconds: float | None, rate: int) -> Iterator[Samples]:
    """As `first`, of blocks that follow one another."""
    done = 0
    for block in some:
        left = len(block) if seconds is None else samples_in(seconds, rate) - done
        if left <= 0:
            return
        yield block[:left]
        done += len(block)


def open_file(path: Path) -> Any:
    """Open by libsndfile, whatever bytes its name is made of, as a `soundfile.SoundFile`."""
    import soundfile

    return soundfile.SoundFile(os.fsencode(path))


def first(samples: Samples, seconds: float | None, rate: int) -> Samples:
    """The first `seconds` of samples at `rate` Hz, to the nearest sample but at least one; all of them for None."""
    return samples if seconds is None else samples[: samples_in(seconds, rate)]


def samples_in(seconds: float, rate: int) -> int:
    """How many samples at `rate` Hz come nearest to `seconds`, at least one."""
    return max(1, round(seconds * rate))


def copy_as_float(path: Path, copy: Path) -> None:
    """Decode by libsndfile to a WAV file of floats, block by block; more than two channels become their mean."""
    import soundfile

    with open_file(path) as source:
        channels = source.channels if source.channels <= 2 else 1
        with soundfile.SoundFile(copy, "w", source.samplerate, channels, "FLOAT", format="RF64") as target:
            for block in source.blocks(blocksize=_BLOCK, dtype="float32", always_2d=True):
                target.write(block if source.channels <= 2 else _mix_down(block))


def _by_essentia(path: Path) -> Audio:
    essentia()
    from essentia.standard import AudioLoader

    samples, rate, channels, *_ = AudioLoader(filename=str(path))()
    return Audio(samples[:, : min(channels, 2)], int(rate), "essentia")


def _by_libsndfile(path: Path) -> Audio:
    import soundfile

    with open_file(path) as file:
        samples = file.read(dtype="float32", always_2d=True)
        return Audio(samples, file.samplerate, f"libsndfile {soundfile.__libsndfile_version__}")


def _mix_down(samples: Samples) -> Samples:
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    if samples.shape[1] == 2:
        return np.float32(0.5) * (samples[:, 0] + samples[:, 1])
    return np.asarray(samples.mean(axis=1), np.float32)


def _resample(mono: Samples, rate: int) -> Samples:
    if has_essentia():
        essentia()
        from essentia.standard import Resample

        resample = Resample(inputSampleRate=rate, outputSampleRate=RATE, quality=_ESSENTIA_QUALITY)
        return np.asarray(resample(mono), np.float32)
    import soxr

    return np.asarray(soxr.resample(mono, rate, RATE), np.float32)


def _resample_pieces(some: Iterable[Samples], rate: int) -> Iterator[Samples]:
    """Resample blocks that follow one another, in pieces that begin and end where a second does.

    A piece is resampled with a second before and one behind it, far more than the filter is long, so that it comes out
    as if all were resampled at once.
    """
    rest, before = np.empty(0, np.float32), 0
    for block in some:
        rest = np.concatenate([rest, block])
        while len(rest) >= (before + _PIECE + 1) * rate:
            piece = _resample(rest[: (before + _PIECE + 1) * rate], rate)
            yield piece[before * RATE : (before + _PIECE) * RATE]
            rest, before = rest[(before + _PIECE - 1) * rate :], 1
    yield _resample(rest, rate)[before * RATE :]


def _reason(error: Exception) -> str:
    """Why a decoder gave up, without the path, which may be any text."""
    lines = str(getattr(error, "error_string", error)).strip().splitlines() or [type(error).__name__]
    return lines[-1].rpartition("error = ")[2].rpartition("AudioLoader: ")[2].rstrip(".")
