"""The scalar descriptors of Freesound by name, each with its type: what a sound's traits are, wherever they come from.

A reference for the names is https://freesound.org/docs/api/analysis_docs.html; units are Freesound's own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

Trait = float | int | bool | str

_FLOATS = """
    amplitude_peak_ratio beat_loudness boominess bpm bpm_confidence brightness decay_strength depth dissonance
    duration_effective dynamic_range hardness hpcp_crest hpcp_entropy inharmonicity log_attack_time loudness
    note_confidence pitch pitch_confidence pitch_max pitch_min pitch_salience pitch_var roughness sharpness silence_rate
    spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness
    spectral_rolloff spectral_skewness spectral_spread start_time temporal_centroid temporal_centroid_ratio
    temporal_decrease temporal_skewness temporal_spread tonality_confidence warmth zero_crossing_rate
"""
_INTEGERS = "beat_count birdnet_detections_count fsdsinet_detections_count note_midi onset_count"
_TRUTHS = "has_audio_problems loopable reverbness single_event"
_TEXTS = "category note_name subcategory tonality"

_BY_KIND: dict[type[Trait], str] = {float: _FLOATS, int: _INTEGERS, bool: _TRUTHS, str: _TEXTS}
SCALARS: dict[str, type[Trait]] = dict(
    sorted((name, kind) for kind, names in _BY_KIND.items() for name in names.split())
)
"""Each scalar descriptor's type, in the order of the names."""

_LARGEST = sys.float_info.max
_LARGEST_INTEGER = 2**63 - 1
"""The largest numbers that a database holds; JSON's integers know no bounds."""


def fitting(values: Mapping[str, Any], kinds: Mapping[str, type[Trait]] = SCALARS) -> dict[str, Trait]:
    """Those of `values` that have a kind and are of it, in the order of the kinds; null, infinite and odd ones are not.

    Examples
    --------
    >>> fitting({"pitch": 440, "note_midi": 69.5, "loopable": None, "mood": "sad"})
    {'pitch': 440.0}
    """
    found: dict[str, Trait] = {}
    for name, kind in kinds.items():  # a harvest's inmost loop: the common cases first
        value: Any = values.get(name)
        found_kind = type(value)
        if found_kind is float and kind is float:
            if -_LARGEST <= value <= _LARGEST:  # so never NaN
                found[name] = value
        elif found_kind is kind:
            if kind is not int or -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
                found[name] = value
        elif found_kind is int and kind is float and abs(value) <= _LARGEST:
            found[name] = float(value)
    return found
