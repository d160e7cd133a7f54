"""From sounds of the corpus to clips in memory, at one rate and one loudness."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import AudioError
from corpus.library import Corpus
from corpus.model import Sound
from engine.errors import EngineError
from engine.playback.clip import TARGET_LUFS, Clip, clip_from_array, gain_towards, load_clip, shift_pitch

if TYPE_CHECKING:
    from corpus.analysis.decode import Audio


def load(
    corpus: Corpus, ids: Sequence[int], rate: int, progress: Callable[[int, int], None] | None = None
) -> list[Clip]:
    """Load sounds for playing, in the order of `ids`; the same sound twice is one clip twice.

    Raises
    ------
    UnknownSound
        One of them is not held.
    AudioError
        One of them has no audio, or it cannot be decoded any more.
    """
    clips: dict[int, Clip] = {}
    sounds = corpus.sounds.many(ids)
    for done, sound in enumerate(sounds, 1):
        if sound.id not in clips:
            clips[sound.id] = load_sound(sound, rate)
        if progress:
            progress(done, len(sounds))
    return [clips[sound.id] for sound in sounds]


def load_sound(sound: Sound, rate: int, *, semitones: float = 0.0, target: float = TARGET_LUFS) -> Clip:
    """Load one sound, at `rate` Hz and the common loudness `target` in LUFS, with its pitch shifted.

    Raises
    ------
    AudioError
        It has no audio, or it cannot be decoded any more.
    EngineError
        It cannot be shifted by so much.
    """
    file = sound.file
    if file is None:
        raise AudioError(f"sound {sound.id} has no audio here; choose another")
    if not file.path.is_file():
        raise AudioError(f"sound {sound.id}: {file.path} is missing; put it back or adopt it again")
    try:
        clip = load_clip(file.path, id=sound.id, name=sound.name, loudness=file.loudness, rate=rate, target=target)
    except EngineError:
        audio = _decode(sound, file.path)  # another decoder, for the files that libsndfile refuses
        clip = clip_from_array(
            audio.samples, audio.rate, id=sound.id, name=sound.name, loudness=file.loudness, rate=rate, target=target
        )
    if file.peak is None:  # it was not analysed yet
        clip = replace(clip, gain=gain_towards(target, _loudness(clip)))
    return shift_pitch(clip, semitones) if semitones else clip


def _decode(sound: Sound, path: Path) -> Audio:
    from corpus.analysis.decode import decode

    try:
        return decode(path)
    except AudioError as error:
        raise AudioError(f"sound {sound.id}, {path.name}: {error}") from error


def loudness_of(file: Path) -> float | None:
    """Integrated loudness of a file in LUFS; None for silence, or where libsndfile cannot read it."""
    from corpus.analysis.decode import blocks
    from corpus.analysis.loudness import LevelMeter

    meter: LevelMeter | None = None
    with contextlib.suppress(RuntimeError):
        for block, rate in blocks(file):
            meter = meter or LevelMeter(rate)
            meter.add(block)
    return meter.loudness() if meter else None


def _loudness(clip: Clip) -> float | None:
    from corpus.analysis.loudness import LevelMeter

    meter = LevelMeter(clip.rate)
    meter.add(clip.frames)
    return meter.loudness()
