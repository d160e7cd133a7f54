"""Frames and their spectra, as Essentia's FreesoundExtractor has them: computed once for all spaces of one sound.

A frame has 2048 samples, a hop 1024; the first frame is centred on sample 0, and frames go on until one is centred
behind the last sample. What is beyond either end is zero.

Reference: `FreesoundExtractor` of Essentia, src/essentia/utils/extractor_freesound/FreesoundLowlevelDescriptors.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, TypeVar, cast

import numpy as np

from corpus.analysis.decode import Samples, essentia

FRAMES = {"frameSize": 2048, "hopSize": 1024, "startFromZero": False}
WINDOW = {"type": "blackmanharris62", "normalized": True, "zeroPhase": True, "zeroPadding": 0}
SPECTRUM = {"size": 2048}

Stage = TypeVar("Stage", bound=Callable[..., Any])

_answers: dict[tuple[object, ...], tuple[object, ...]] | None = None


@contextmanager
def shared() -> Iterator[None]:
    """While it lasts, a stage that is marked `once` answers the same arguments from memory."""
    global _answers
    _answers = {}
    try:
        yield
    finally:
        _answers = None


def once(stage: Stage) -> Stage:
    """Mark a function whose answer several spaces of one sound have in common. Arguments are told apart by identity."""

    @wraps(stage)
    def remembered(*arguments: Any) -> Any:
        if _answers is None:
            return stage(*arguments)
        key = (stage, *map(id, arguments))
        if key not in _answers:
            _answers[key] = (stage(*arguments), *arguments)  # held, so that no other gets its identity
        return _answers[key][0]

    return cast(Stage, remembered)


def frames(mono: Samples) -> Iterator[Samples]:
    """The frames of mono samples, each (2048,)."""
    essentia()
    from essentia.standard import FrameGenerator

    return iter(FrameGenerator(mono, **FRAMES))


@once
def stacked(mono: Samples) -> Samples:
    """All frames of mono samples, (n, 2048)."""
    return np.array(list(frames(mono)))


@once
def spectra(mono: Samples) -> list[Samples]:
    """The magnitude spectrum of each frame, (1025,)."""
    window, spectrum = algorithms()
    return [spectrum(window(frame)) for frame in frames(mono)]


@cache
def algorithms() -> tuple[Any, Any]:
    """Window and spectrum."""
    essentia()
    from essentia import standard

    return standard.Windowing(**WINDOW), standard.Spectrum(**SPECTRUM)


def cut(blocks: Iterable[Samples], size: int, hop: int) -> Iterator[Samples]:
    """Cut blocks of samples that follow one another into frames (n, size), until a frame reaches the end.

    Parameters
    ----------
    blocks : iterable of (m,) float32
    size, hop : int
        In samples. The last frame is filled up with zeros.
    """
    rest = np.empty(0, np.float32)
    cut_any = False
    for block in blocks:
        rest = np.concatenate([rest, block])
        if len(rest) < size:
            continue
        some = np.lib.stride_tricks.sliding_window_view(rest, size)[::hop]
        yield some
        cut_any = True
        rest = rest[len(some) * hop :]
    if len(rest) > (size - hop if cut_any else 0):
        yield np.pad(rest, (0, size - len(rest)))[None]


def centred(blocks: Iterable[Samples], size: int = FRAMES["frameSize"]) -> Iterator[Samples]:
    """The frames of blocks of samples that follow one another, as arrays (n, size), the hop being half of that.

    The first is centred on sample 0, the last is the first whose centre is behind the last sample, as in `frames`.
    """
    beyond = np.zeros(size // 2, np.float32)

    def padded() -> Iterator[Samples]:
        yield beyond
        yield from blocks
        yield beyond

    return cut(padded(), size, size // 2)
