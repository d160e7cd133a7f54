"""Scalar traits by Freesound's names, computed here; a trait that a sound has not is None, never 0.

What Essentia's FreesoundExtractor has equals its values (the tests say within what):

* over frames (see `corpus.analysis.frames`), with its algorithms and parameters as in `corpus.analysis.traits`: pitch
  by YIN (Hz; `pitch_var` is the population variance) and its confidence (0 to 1), pitch salience (0 to 1), spectral
  centroid (Hz), spread (Hz²), roll-off (Hz, 85 % of the energy), flatness (0 tonal, 1 noise), dissonance and zero
  crossing rate (0 to 1). `silence_rate` is the share of frames whose mean power is below -15 dB; Essentia calls it
  `silence_rate_30dB`.
* of the sound: `loudness` (LUFS) and `dynamic_range` (LU) by EBU R128. A mono file counts in one loudspeaker, so it is
  3 LU below what `corpus.analysis.loudness` measures for playing. More than two channels are mixed to one.
* of the envelope: `log_attack_time` (log10 s) and `duration_effective` (s above a tenth of the maximum). Its envelope
  begins anew every 4096 samples, and so does this one.
* `onset_count` by Essentia's `OnsetRate` in its streaming mode; `bpm` by its estimator for loops (Percival and
  Tzanetakis), with the confidence of Font and Serra: how well whole beats fill the sound. `RhythmExtractor2013`, its
  other one, is far slower and has no tempo for most sounds below two seconds.
* `tonality` by `KeyExtractor` with the profile `bgate`, as "C minor", and its strength.

The rest is our own choice. The note is the median pitch of the frames less than 30 dB below the strongest; its
confidence is the mean confidence of these, where those more than half a semitone off count as 0. A sound all of whose
onsets lie within a quarter of a second is a single event.

None is what there is not: of digital silence everything but how much and how many; the pitch where no frame is sure of
any; the note below a confidence of 0.5 or three frames; the tempo below four onsets; the tonality below 93 ms; the
dynamic range below 3 s; loudness where nothing is above -70 LUFS. A frame of digital silence has no spectrum and no
pitch, and is left out of their statistics. To that, and to any frame below -100 dB, which is taken here as it is,
FreesoundExtractor adds noise, and has the values of the noise.

All are streamed in flat memory from long files but `bpm_confidence`, which needs the whole signal and is None there.

References: Essentia's source, freesoundextractor.cpp, FreesoundLowlevelDescriptors.cpp and FreesoundSfxDescriptors.cpp;
EBU Tech 3342; G. Percival, G. Tzanetakis, "Streamlined tempo estimation based on autocorrelation and cross-correlation
with pulses", IEEE/ACM TASLP 22(12), 2014; F. Font, X. Serra, "Tempo estimation for music loops and a simple confidence
measure", ISMIR 2016.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from corpus.analysis import frames, spaces, traits
from corpus.analysis.decode import (
    RATE,
    Audio,
    Samples,
    essentia,
    mono_blocks,
    open_file,
    read_by_essentia,
    samples_in,
)
from corpus.analysis.traits import Floats
from corpus.descriptors import Trait

Scalars = dict[str, Trait | None]

_MEANS = (  # as `traits.of_frames` has them in its columns
    "pitch",
    "pitch_confidence",
    "pitch_salience",
    "spectral_centroid",
    "spectral_spread",
    "spectral_flatness",
    "zero_crossing_rate",
    "dissonance",
    "spectral_rolloff",
)
_PITCH, _CONFIDENCE, _CROSSINGS = 0, 1, 6
NAMES = (
    *_MEANS,
    *("pitch_var", "pitch_min", "pitch_max", "silence_rate", "note_name", "note_midi", "note_confidence"),
    *("loudness", "dynamic_range", "log_attack_time", "duration_effective", "onset_count", "single_event"),
    *("bpm", "bpm_confidence", "tonality", "tonality_confidence"),
)
"""Every trait that is computed here."""

_ROLLOFF = {"cutoff": 0.85, "sampleRate": RATE}
_SILENT = 10**-1.5
_ENVELOPE = {"sampleRate": RATE, "attackTime": 10, "releaseTime": 1500, "applyRectification": True}
_ENVELOPE_BLOCK = 4096
_ATTACK = (0.2, 0.9)
_NO_ATTACK, _SHORTEST_ATTACK = -5.0, 1e-4
_EFFECTIVE, _NOISE_FLOOR = 0.1, 10 ** (-90 / 20)
_EBU = {"hopSize": 0.1, "startAtZero": False}
_NO_LOUDNESS, _RANGE_SECONDS = -70.0, 3.0
_TEMPO = {
    "frameSize": 1024,
    "hopSize": 128,
    "frameSizeOSS": 2048,
    "hopSizeOSS": 128,
    "minBPM": 50,
    "maxBPM": 210,
    "sampleRate": RATE,
}
_BEATS = 4
_ONE_EVENT = 0.25
_KEY: dict[str, Any] = {
    "profileType": "bgate",
    "frameSize": 4096,
    "hopSize": 4096,
    "hpcpSize": 12,
    "tuningFrequency": 440,
    "sampleRate": RATE,
}
_NOTES = "C C# D D# E F F# G G# A A# B".split()
_NOTE = {"power to the strongest": 1e-3, "frames": 3, "confidence": 0.5, "semitones": 0.5}
PARAMETERS: dict[str, Any] = traits.PARAMETERS | {
    "rolloff": _ROLLOFF,
    "silence": _SILENT,
    "envelope": _ENVELOPE | {"block": _ENVELOPE_BLOCK},
    "attack": [_ATTACK, _NO_ATTACK, _SHORTEST_ATTACK],
    "effective": [_EFFECTIVE, _NOISE_FLOOR],
    "loudness": [_EBU, _NO_LOUDNESS, _RANGE_SECONDS],
    "tempo": [_TEMPO, _BEATS],
    "key": _KEY,
    "note": _NOTE,
    "onsets": {"of": traits.PARAMETERS["onsets"], "centred": True},
    "single event": _ONE_EVENT,
    "statistics": "without digital silence",
}


@dataclass(frozen=True)
class _Heard:
    """What of a sound is in no frame: EBU's two numbers, tempo and how sure (None: not known), key, scale, strength."""

    loudness: float
    range: float
    bpm: float
    bpm_confidence: float | None
    key: tuple[str, str, float]


def scalars(audio: Audio, mono: Samples) -> Scalars:
    """Compute the traits of decoded audio and what `Audio.at_44100` makes of it."""
    from_frames = np.hstack([traits.of_mono(mono), _more(frames.stacked(mono), frames.spectra(mono))])
    envelopes = list(_envelope([mono]))
    return _named(from_frames, *traits.onsets_of([mono], centred=True), envelopes, _heard(audio, mono))


def scalars_of_file(path: Path, seconds: float | None = None) -> Scalars:
    """Compute the traits of a file of any length, or of its first seconds, in flat memory.

    libsndfile decodes it for what is of frames, onsets and the envelope, Essentia, where it can, for the rest.
    """
    window, spectrum = frames.algorithms()
    numbers = []
    for some in frames.centred(mono_blocks(path, seconds)):
        spectra = [spectrum(window(frame)) for frame in some]
        numbers.append(np.hstack([traits.of_frames(some, spectra), _more(some, spectra)]))
    onsets, samples = traits.onsets_of(mono_blocks(path, seconds), centred=True)
    with read_by_essentia(path) as readable:
        heard = _heard_in(readable, seconds)
    return _named(np.concatenate(numbers), onsets, samples, _Envelopes(path, seconds), heard)


@cache
def fingerprint(names: tuple[str, ...] = NAMES) -> str:
    """Of these traits: a digest of the parameters and of the answer on the spaces' probe by the libraries installed."""
    probe = spaces.probe()
    found = scalars(Audio(np.stack([probe, probe], axis=1), RATE, "probe"), probe)
    answer = [(name, f"{found[name]:.2e}" if isinstance(found[name], float) else found[name]) for name in names]
    text = json.dumps([PARAMETERS, answer], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _named(numbers: Floats, onsets: Floats, samples: int, envelopes: Iterable[Samples], heard: _Heard) -> Scalars:
    """All traits, from frames (n, 10), onsets (s), how many samples, envelopes to go through twice, and the rest."""
    power = numbers[:, -1]
    some = numbers[power > 0]
    found: Scalars = dict.fromkeys(NAMES)
    found |= {
        "silence_rate": float((power < _SILENT).mean()),
        "zero_crossing_rate": float(numbers[:, _CROSSINGS].mean()),
        "onset_count": len(onsets),
        **_of_envelope(envelopes),
    }
    if not len(some):
        return found
    found |= zip(_MEANS, some[:, : len(_MEANS)].mean(axis=0).tolist(), strict=True)
    found |= {**_of_pitch(some), **_note(some), "single_event": not len(onsets) or bool(np.ptp(onsets) <= _ONE_EVENT)}
    if heard.loudness > _NO_LOUDNESS:
        found["loudness"] = heard.loudness
        found["dynamic_range"] = heard.range if samples >= _RANGE_SECONDS * RATE else None
    if heard.bpm > 0 and len(onsets) >= _BEATS:
        found |= {"bpm": heard.bpm, "bpm_confidence": heard.bpm_confidence}
    key, scale, strength = heard.key
    if strength > 0 and samples >= _KEY["frameSize"]:
        found |= {"tonality": f"{key} {scale}", "tonality_confidence": strength}
    return found


def _of_pitch(some: Floats) -> Scalars:
    pitch = some[some[:, _PITCH] > 0, _PITCH]
    if not len(pitch) or not some[:, _CONFIDENCE].any():
        return dict.fromkeys(("pitch", "pitch_var", "pitch_min", "pitch_max"))
    return {
        "pitch": float(pitch.mean()),
        "pitch_var": float(pitch.var()),
        "pitch_min": float(pitch.min()),
        "pitch_max": float(pitch.max()),
    }


def _note(some: Floats) -> Scalars:
    power = some[:, -1]
    loud = some[power > power.max() * _NOTE["power to the strongest"]]
    pitch = loud[loud[:, _PITCH] > 0]
    if len(pitch) < _NOTE["frames"]:
        return {}
    middle = float(np.median(pitch[:, _PITCH]))
    near = np.abs(12 * np.log2(pitch[:, _PITCH] / middle)) <= _NOTE["semitones"]
    confidence = float(pitch[near, _CONFIDENCE].sum() / len(loud))
    midi = round(69 + 12 * math.log2(middle / 440))
    if confidence < _NOTE["confidence"] or not 0 <= midi <= 127:
        return {}
    return {"note_midi": midi, "note_name": f"{_NOTES[midi % 12]}{midi // 12 - 1}", "note_confidence": confidence}


def _more(some: Samples, spectra: list[Samples]) -> Floats:
    """Roll-off and mean power of frames (n, 2048) with their spectra: (n, 2)."""
    rolloff = _rolloff()
    power = np.einsum("ij,ij->i", some, some, dtype=np.float64) / some.shape[1]
    return np.column_stack([[rolloff(spectrum) for spectrum in spectra], power])


@cache
def _rolloff() -> Any:
    essentia()
    from essentia.standard import RollOff

    return RollOff(**_ROLLOFF)


class _Envelopes:
    """The envelope of a file, computed again each time one goes through it."""

    def __init__(self, path: Path, seconds: float | None) -> None:
        self._path, self._seconds = path, seconds

    def __iter__(self) -> Iterator[Samples]:
        return _envelope(mono_blocks(self._path, self._seconds))


def _envelope(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The envelope of blocks of samples that follow one another, in blocks of its own."""
    essentia()
    from essentia.standard import Envelope

    envelope = Envelope(**_ENVELOPE)  # begins anew with each call
    rest = np.empty(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // _ENVELOPE_BLOCK * _ENVELOPE_BLOCK
        for first in range(0, whole, _ENVELOPE_BLOCK):
            yield envelope(rest[first : first + _ENVELOPE_BLOCK])
        rest = rest[whole:]
    if len(rest):
        yield envelope(rest)


def _of_envelope(blocks: Iterable[Samples]) -> Scalars:
    """What Essentia's `LogAttackTime` and `EffectiveDuration` have, of an envelope in blocks."""
    highest = np.float32(max(float(block.max()) for block in blocks))
    if highest <= 0:
        return {"log_attack_time": None, "duration_effective": 0.0}
    thresholds = [np.float32(highest * np.float32(share)) for share in _ATTACK]
    firsts: list[int | None] = [None, None]
    effective = max(np.float32(_EFFECTIVE) * highest, np.float32(_NOISE_FLOOR))
    done = above = 0
    for block in blocks:
        for which, threshold in enumerate(thresholds):
            if firsts[which] is None and block.max() >= threshold:
                firsts[which] = done + int(np.argmax(block >= threshold))
        above += int((block >= effective).sum())
        done += len(block)
    attack = ((firsts[1] or 0) - (firsts[0] or 0)) / RATE
    return {
        "log_attack_time": math.log10(attack) if attack > _SHORTEST_ATTACK else _NO_ATTACK,
        "duration_effective": above / RATE,
    }


def _heard(audio: Audio, mono: Samples) -> _Heard:
    essentia()
    from essentia import standard

    channels = audio.samples
    if channels.shape[1] > 2:
        channels = channels.mean(axis=1, keepdims=True)
    if channels.shape[1] == 1:  # as Essentia loads a mono file
        channels = np.hstack([channels, np.zeros_like(channels)])
    *_, loudness, loudness_range = standard.LoudnessEBUR128(sampleRate=audio.rate, **_EBU)(
        np.ascontiguousarray(channels)
    )
    bpm = standard.PercivalBpmEstimator(**_TEMPO)(mono)
    confidence = standard.LoopBpmConfidence(sampleRate=RATE)(mono, bpm)
    return _Heard(loudness, loudness_range, bpm, confidence, standard.KeyExtractor(**_KEY)(mono))


def _heard_in(path: Path, seconds: float | None) -> _Heard:
    """Of a file that Essentia reads."""
    library = essentia()
    from essentia import streaming

    with open_file(path) as file:
        rate = file.samplerate
    pool = library.Pool()
    loader = streaming.AudioLoader(filename=str(path))
    split, joined = streaming.StereoDemuxer(), streaming.StereoMuxer()
    ebu = streaming.LoudnessEBUR128(sampleRate=rate, **_EBU)
    loader.audio >> split.audio
    for side in ("left", "right"):  # `StereoTrimmer` never says that it has come to the end
        trimmer = streaming.Trimmer(**_end(seconds, rate))
        getattr(split, side) >> trimmer.signal
        trimmer.signal >> getattr(joined, side)
    joined.audio >> ebu.signal
    for other in ("sampleRate", "numberChannels", "md5", "bit_rate", "codec"):
        getattr(loader, other) >> None
    ebu.momentaryLoudness >> None
    ebu.shortTermLoudness >> None
    ebu.integratedLoudness >> (pool, "loudness")
    ebu.loudnessRange >> (pool, "range")
    library.run(loader)

    mono = streaming.EasyLoader(filename=str(path), sampleRate=RATE, replayGain=-6)
    trimmer = streaming.Trimmer(**_end(seconds, RATE))
    tempo, key = streaming.PercivalBpmEstimator(**_TEMPO), streaming.KeyExtractor(**_KEY)
    mono.audio >> trimmer.signal
    trimmer.signal >> tempo.signal
    trimmer.signal >> key.audio
    tempo.bpm >> (pool, "bpm")
    for part in ("key", "scale", "strength"):
        getattr(key, part) >> (pool, part)
    library.run(mono)
    return _Heard(
        float(np.ravel(pool["loudness"])[-1]),
        float(np.ravel(pool["range"])[-1]),
        float(np.ravel(pool["bpm"])[-1]),
        None,
        (pool["key"], pool["scale"], float(np.ravel(pool["strength"])[-1])),
    )


def _end(seconds: float | None, rate: int) -> dict[str, float]:
    """Where a trimmer is to end, in samples, since it rounds seconds down."""
    return {} if seconds is None else {"sampleRate": 1, "endTime": samples_in(seconds, rate)}
