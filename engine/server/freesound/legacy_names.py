"""The old API's descriptors: how they were called, what each is here, and the nested answers in which they came.

An old name is a path with dots, as in `lowlevel.pitch.mean`; some clients put a dot before it, and `[0]` behind it for
one number of several. A *quantity* is what it is here: the name of a trait, `duration`, or `mfcc` and `mfcc_var`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_SPECTRAL = "centroid complexity crest energy entropy rolloff skewness spread".split()
QUANTITIES: dict[str, str] = {
    "lowlevel.mfcc.mean": "mfcc",
    "lowlevel.mfcc.var": "mfcc_var",
    "lowlevel.pitch.mean": "pitch",
    "lowlevel.pitch.var": "pitch_var",
    "lowlevel.pitch.min": "pitch_min",
    "lowlevel.pitch.max": "pitch_max",
    "lowlevel.pitch_instantaneous_confidence.mean": "pitch_confidence",
    "lowlevel.pitch_salience.mean": "pitch_salience",
    "lowlevel.dissonance.mean": "dissonance",
    "lowlevel.zerocrossingrate.mean": "zero_crossing_rate",
    "lowlevel.silence_rate_30dB.mean": "silence_rate",
    "lowlevel.spectral_flatness_db.mean": "spectral_flatness",
    **{f"lowlevel.spectral_{name}.mean": f"spectral_{name}" for name in _SPECTRAL},
    "tonal.key_key": "tonality",
    "tonal.key_scale": "tonality",
    "tonal.key_strength": "tonality_confidence",
    "tonal.hpcp_crest.mean": "hpcp_crest",
    "tonal.hpcp_entropy.mean": "hpcp_entropy",
    "rhythm.bpm": "bpm",
    "rhythm.bpm_confidence": "bpm_confidence",
    "rhythm.beats_count": "beat_count",
    "rhythm.beats_loudness.mean": "beat_loudness",
    "rhythm.onset_count": "onset_count",
    "sfx.duration": "duration",
    "sfx.effective_duration": "duration_effective",
    "sfx.logattacktime": "log_attack_time",
    "sfx.strongdecay": "decay_strength",
    "sfx.inharmonicity.mean": "inharmonicity",
    "sfx.max_to_total": "amplitude_peak_ratio",
    "sfx.temporal_centroid": "temporal_centroid",
    "sfx.tc_to_total": "temporal_centroid_ratio",
    "sfx.temporal_decrease": "temporal_decrease",
    "sfx.temporal_skewness": "temporal_skewness",
    "sfx.temporal_spread": "temporal_spread",
}
"""What each old name is here."""

_NONE_FOUND: dict[str, float | str] = {
    **dict.fromkeys("pitch pitch_var pitch_min pitch_max pitch_confidence pitch_salience".split(), 0.0),
    **dict.fromkeys("dissonance bpm bpm_confidence tonality_confidence".split(), 0.0),
    "tonality": "",
}
"""What the old API said where nothing was found: its clients do not look whether a key is there."""

_INDEX = re.compile(r"\[[0-9]+\]$")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_SHARPS = {sharp: flat for flat, sharp in _FLATS.items()}
KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES = ("major", "minor")


def plain(name: str) -> str:
    """An old name without the dot before it and the index behind it."""
    return _INDEX.sub("", name.strip().removeprefix("."))


@lru_cache(maxsize=64)
def under(asked: str) -> tuple[str, ...]:
    """The old names that one asked for stands for: itself, or all below it.

    Examples
    --------
    >>> under(".lowlevel.mfcc")
    ('lowlevel.mfcc.mean', 'lowlevel.mfcc.var')
    """
    name = plain(asked)
    return tuple(known for known in QUANTITIES if known == name or known.startswith(f"{name}."))


def quantities(descriptors: str) -> tuple[str, ...]:
    """What has to be known of a sound for a `descriptors` parameter, each once."""
    return tuple(dict.fromkeys(QUANTITIES[name] for asked in descriptors.split(",") for name in under(asked)))


def nested(descriptors: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The old answer to a `descriptors` parameter: an object in an object for each dot.

    What is not known is left out, but where nothing was found has a number for that.

    Parameters
    ----------
    descriptors : str
        Names with commas between them; unknown ones are left out.
    values : mapping
        By quantity.

    Examples
    --------
    >>> nested("lowlevel.pitch.mean,tonal.key_key", {"pitch": 440.0, "tonality": "Bb minor"})
    {'lowlevel': {'pitch': {'mean': 440.0}}, 'tonal': {'key_key': 'ASharp'}}
    """
    answer: dict[str, Any] = {}
    for asked in descriptors.split(","):
        for name in under(asked):
            value = _value(name, values)
            if value is not None:
                _put(answer, name.split("."), value)
    return answer


def _value(name: str, values: Mapping[str, Any]) -> Any:
    quantity = QUANTITIES[name]
    value = values.get(quantity)
    if value is None:
        value = _NONE_FOUND.get(quantity)
    if quantity != "tonality" or not value:
        return value
    key, _, scale = str(value).partition(" ")
    return scale if name.endswith("scale") else key_written(key)


def _put(answer: dict[str, Any], path: Iterable[str], value: Any) -> None:
    *folders, last = path
    for folder in folders:
        answer = answer.setdefault(folder, {})
    answer[last] = value


def key_written(key: str) -> str:
    """A key as the old API wrote it: `ASharp` for A# and Bb."""
    return _FLATS.get(key, key).replace("#", "Sharp")


def key_read(text: str) -> str | None:
    """A key that a client wrote, as one of `KEYS`; None: it is none.

    Examples
    --------
    >>> key_read("Asharp"), key_read("Bb"), key_read("H")
    ('A#', 'A#', None)
    """
    found = re.fullmatch(r"([A-Ga-g])(sharp|#|flat|b)?", text.strip(), re.IGNORECASE)
    if not found:
        return None
    letter, sign = found[1].upper(), (found[2] or "").lower()
    place = KEYS.index(letter) + {"sharp": 1, "#": 1, "flat": -1, "b": -1}.get(sign, 0)
    return KEYS[place % len(KEYS)]


def tonalities(keys: Iterable[str], scales: Iterable[str]) -> list[str]:
    """All that the trait `tonality` can say for some keys and scales, flats included."""
    names = [name for key in keys for name in (key, _SHARPS.get(key)) if name]
    return [f"{name} {scale}" for name in names for scale in scales]
