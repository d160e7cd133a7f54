"""The small catalogue: Sonic Pi's samples under their Freesound ids, with their makers and licences, and real audio.

Where two samples share an id, the second by name has the next free one. Vectors are random projections of the
standardised MFCC statistics, so that sounds alike are near; the two spaces see them with other weights.
"""

import hashlib
import re
from collections import defaultdict
from urllib.parse import unquote

import numpy as np
import soundfile

from engine.demo.sonic_pi import catalogue as sonic_pi
from tests.freesound import made_up
from tests.freesound.fields import SPACES
from tests.freesound.measure import measured

_DECIMALS = 3
_STOP_WORDS = set("a an and are as at be but by for if in into is it no not of on or such that the to was with".split())


def records(folder):
    """The records in the order of the ids, and the originals by id; what is measured for it is kept in `folder`."""
    known = _known(folder)
    vectors = _spaces(tuple(sound["path"].name for sound in known), folder)
    made = [_record(number, sound) | vectors[number] for number, sound in enumerate(known)]
    return made, {sound["id"]: sound["path"] for sound in known}


def _known(folder):
    """Each sample with its id, maker, tags and what can be read off its file, in the order of the ids."""
    entries = sorted(sonic_pi().items())
    taken, sounds = {entry.id for _, entry in entries}, {}
    for path, entry in entries:
        sound_id = entry.id
        while sound_id in sounds or (sound_id != entry.id and sound_id in taken):
            sound_id += 1
        sounds[sound_id] = {"id": sound_id, "path": path, "entry": entry, "username": unquote(entry.username)}
    by_user = defaultdict(list)
    for sound in sounds.values():
        by_user[sound["username"]].append(sound)
    measures = measured([path for path, _ in entries], folder)
    for number, (_user, those) in enumerate(sorted(by_user.items())):
        for sound in those:
            pack = (1000 + number, those[0]["entry"].description.lower()) if len(those) > 1 else None
            sound |= {"user_id": 50 + 7 * number, "pack": pack, "measured": measures[sound["path"].name]}
    return tuple(sound | _of_file(sound["path"]) for _, sound in sorted(sounds.items()))


def _of_file(path):
    info = soundfile.info(path)
    size = path.stat().st_size
    return {
        "channels": info.channels,
        "filesize": size,
        "bitrate": int(size * 8 / info.duration / 1000),
        "bitdepth": int(info.subtype.removeprefix("PCM_")),
        "duration": info.frames / info.samplerate,
        "samplerate": float(info.samplerate),
        "md5": hashlib.md5(path.read_bytes()).hexdigest(),
    }


def _record(number, sound):
    """What Freesound says of one sound, with descriptors and without vectors; addresses are the server's to give."""
    sound_id, entry = sound["id"], sound["entry"]
    pack_id, pack_name = sound["pack"] or (None, None)
    described = made_up.descriptors(sound_id) | sound["measured"]
    if number == made_up.NOT_ANALYSED:
        described = dict.fromkeys(described)
    facts = {
        "id": sound_id,
        "url": f"https://freesound.org/people/{entry.username}/sounds/{sound_id}/",
        "name": made_up.NAMES.get(number, f"{entry.name.replace('_', ' ')}.flac"),
        "tags": list(dict.fromkeys([*entry.tags, *_stems(entry.description), "sonic-pi"])),
        "description": made_up.DESCRIPTIONS.get(number, f"{entry.description}: {entry.name}"),
        "created": made_up.created(number, 165),
        "type": "flac",
        **{key: sound[key] for key in "channels filesize bitrate bitdepth duration samplerate username md5".split()},
        "pack": pack_id and f"https://freesound.org/apiv2/packs/{pack_id}/",
        "pack_name": pack_name,
    }
    return {**described, **facts, **made_up.facts(number, sound_id)}


def _stems(text):
    """The words of a text as tags: lower case, no stop words, plural and -ed, -ing, -er taken off."""
    found = (word for word in re.findall(r"\w+", text.lower().replace("_", " ")) if word not in _STOP_WORDS)
    return [re.sub(r"(?<=\w\w\w)(ing|ers?|ed|es|s)$", "", word) for word in found]


def _spaces(names, folder):
    """Of each sound its vectors, by field: unit vectors up to the rounding, or None."""
    measures = measured((), folder)
    described = [measures[name] for name in names]
    means = np.array([each["mfcc"] for each in described])
    variances = np.log(np.array([each["mfcc_var"] for each in described]) + 1)
    made = [{} for _ in names]
    for seed, (space, dimension) in enumerate(SPACES.items()):
        rows = np.hstack([means, variances * seed])
        rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-9)
        rows = rows @ np.random.default_rng(seed).standard_normal((rows.shape[1], dimension))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for own, row in zip(made, rows.round(_DECIMALS).tolist(), strict=True):
            own[f"sim_{space}"] = row
    for space in SPACES:
        made[made_up.NOT_ANALYSED][f"sim_{space}"] = None
    made[made_up.WITHOUT_CLAP]["sim_laion_clap"] = None
    return made
