"""Onsets: where the events of a sound begin, in seconds from its start, ascending.

librosa finds them, as peaks of the spectral flux of mono samples at 44100 Hz. Each is then traced back to the minimum
of energy before it, and forward again to the last moment before the energy rises, so that what is cut there begins
before the attack and not in it: by 6 to 12 ms. What is softer than -70 dBFS has none, and at its very end, where
anything may be cut off, a sound has none. Sounds are looked at in pieces of a minute, each with a second of what is
around it, so that memory stays flat.

It is not done unless asked for: it takes as long as the MFCCs or twice, and librosa takes 1.5 s to load in each worker
(6 s the first time, when it compiles).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis.decode import RATE, Samples, mono_blocks

Onsets = npt.NDArray[np.float32]

PARAMETERS: dict[str, Any] = {
    "n_fft": 1024,
    "hop_length": 256,
    "n_mels": 64,
    "energy_frame": 512,
    "silence": 10 ** (-70 / 20),
    "rise": 0.05,
    "rise_frames": 12,
    "piece": 60,
    "around": 1,
}
_HOP = PARAMETERS["hop_length"]
_PIECE, _AROUND = PARAMETERS["piece"] * RATE, PARAMETERS["around"] * RATE


def onsets(mono: Samples) -> Onsets:
    """The onsets of mono samples at 44100 Hz, in seconds."""
    return _joined([mono])


def onsets_of_file(path: Path, seconds: float | None = None) -> Onsets:
    """The onsets of a file of any length, or of its first so many seconds.

    Raises
    ------
    RuntimeError
        libsndfile cannot read it.
    """
    return _joined(mono_blocks(path, seconds))


@cache
def fingerprint(_asked: object = None) -> str:
    """The fingerprint of what finds them here (loads librosa): the parameters, and what it finds in made clicks."""
    noise = np.modf(np.sin(np.arange(RATE) * 12.9898) * 43758.5453)[0]
    clicks = sum(np.where(np.arange(RATE) >= at, 0.8 ** (np.arange(RATE) / 100), 0) * noise for at in (0, 9000, 23456))
    found = [f"{at:.3f}" for at in onsets(np.asarray(clicks, np.float32))]
    return hashlib.sha256(json.dumps([PARAMETERS, found], sort_keys=True).encode()).hexdigest()


def _joined(blocks: Iterable[Samples]) -> Onsets:
    found = [_of_piece(piece, first, last) + start / RATE for start, piece, first, last in _pieces(blocks)]
    return np.concatenate([np.empty(0), *found]).astype(np.float32)


def _pieces(blocks: Iterable[Samples]) -> Iterator[tuple[int, Samples, int, int]]:
    """Pieces with what is around them: where each starts in the sound, its samples, and which of these count."""
    rest, start, before = np.empty(0, np.float32), 0, 0
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) >= before + _PIECE + _AROUND:
            yield start, rest[: before + _PIECE + _AROUND], before, before + _PIECE
            cut = before + _PIECE - _AROUND
            rest, start, before = rest[cut:], start + cut, _AROUND
    yield start, rest, before, len(rest)


def _of_piece(samples: Samples, first: int, last: int) -> npt.NDArray[np.float64]:
    """The onsets from one sample on and before another, in seconds from the first of all."""
    from librosa import feature, onset

    if not len(samples) or np.abs(samples).max() < PARAMETERS["silence"]:
        return np.empty(0)
    silence = np.zeros(RATE // 10, np.float32)  # so that what begins at once is heard to begin
    length, samples = len(samples), np.concatenate([silence, samples])
    strength = onset.onset_strength(
        y=samples, sr=RATE, n_fft=PARAMETERS["n_fft"], hop_length=_HOP, n_mels=PARAMETERS["n_mels"]
    )
    energy = feature.rms(y=samples, frame_length=PARAMETERS["energy_frame"], hop_length=_HOP)[0]
    peaks = onset.onset_detect(onset_envelope=strength, sr=RATE, hop_length=_HOP)
    if not len(peaks):
        return np.empty(0)
    starts = {_rises(energy, low) for low in onset.onset_backtrack(peaks, energy)}
    at = np.unique(np.maximum(0, np.array(sorted(starts), np.int64) * _HOP - len(silence)))
    end = length - PARAMETERS["n_fft"]
    found: npt.NDArray[np.float64] = at[(at >= first) & (at < last) & ((at < end) | (at == 0))] / RATE
    return found


def _rises(energy: npt.NDArray[np.float32], low: int) -> int:
    """The last frame, from a minimum of the energy on, before it rises."""
    ahead = energy[low : low + PARAMETERS["rise_frames"] + 1]
    above = ahead > ahead[0] + PARAMETERS["rise"] * (ahead.max() - ahead[0])
    return int(low) + max(0, int(np.argmax(above)) - 1)
