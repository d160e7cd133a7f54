"""Any number of made-up records, without audio, each time the same.

Facts come out of small tables, each gone through at its own pace. Sounds of one cluster have much the same vectors.
"""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np

from tests.freesound import made_up
from tests.freesound.fields import SPACES

_FIRST_ID, _STEP = 1000, 3
_VARIETY = 509
"""Rows of a table: a prime, so that every pace goes through all of them."""
_BATCH = 4
"""Sounds uploaded within the same second."""
_USERS, _PACKS, _TAGS, _CLUSTERS = 400, 900, 150, 60
_SYLLABLES = "ka ro mi tu se la no vi pa dre zu gli".split()
_USUAL = {"type": "wav", "channels": 2, "filesize": 423364, "bitrate": 1411, "bitdepth": 16, "samplerate": 44100.0}


def records(sounds):
    """So many records, one after another."""
    random, generator = Random("tables"), np.random.default_rng(0)
    words = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in ("", "n")][:_TAGS]
    deeds = [made_up.ZERO] * 4 + [*made_up.LICENCES.values()][:5]
    facts = [_facts(number, random, words, generator) for number in range(_VARIETY)]
    descriptors = [made_up.descriptors(number) for number in range(_VARIETY)]
    for each in descriptors:
        each["mfcc"] = generator.normal(0, 50, 13).round(3).tolist()
        each["mfcc_var"] = generator.exponential(900, 13).round(3).tolist()
    clusters = {space: generator.standard_normal((_CLUSTERS, dimension)) for space, dimension in SPACES.items()}
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (2006, 2026))
    for number in range(sounds):
        sound_id, pack = _FIRST_ID + _STEP * number, number * 31 % _PACKS
        created = first + (last - first) * (number // _BATCH * _BATCH / sounds)
        own = {
            "id": sound_id,
            "url": f"https://freesound.org/people/x/sounds/{sound_id}/",
            "name": f"sound no. {sound_id} “é”.wav",
            "md5": f"{sound_id:032x}",
            "created": f"{created - timedelta(microseconds=created.microsecond):%Y-%m-%dT%H:%M:%SZ}",
            "license": deeds[number * 7 % len(deeds)],
            "username": f"user {number * 7919 % _USERS}",
            "pack": f"https://freesound.org/apiv2/packs/{pack}/" if pack else None,
            "pack_name": f"pack {pack}" if pack else None,
        }
        for space, centres in clusters.items():
            vector = centres[number * 7919 % _CLUSTERS] + generator.standard_normal(centres.shape[1])
            own[f"sim_{space}"] = (vector / np.linalg.norm(vector)).tolist()
        yield descriptors[number * 97 % _VARIETY] | _USUAL | facts[number * 89 % _VARIETY] | own


def _facts(number, random, words, generator):
    return made_up.facts(200 + number, number) | {
        "tags": random.sample(words, 5),
        "description": f"{' '.join(random.sample(words, 12))} ✓",
        "duration": round(generator.exponential(10) + 0.05, 4),
    }
