"""The small catalogue: Sonic Pi's samples under their Freesound ids, with their makers and licences, and real audio.

Where two samples share an id, the second by name has the next free one. Vectors are random projections of the
standardised MFCC statistics, so that sounds alike are near; the two spaces see them with other weights.
"""

import hashlib
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from urllib.parse import unquote

import numpy as np
import soundfile

from engine.demo.sonic_pi import catalogue as sonic_pi
from tests.freesound import made_up
from tests.freesound.catalogue import Catalogue
from tests.freesound.columns import Column, stems
from tests.freesound.fields import SPACES
from tests.freesound.measure import measured
from tests.freesound.vectors import Dense, unit

_DECIMALS = 3


class Samples(Catalogue):
    """The samples as records that a test may change; `files` has the audio by id."""

    def __init__(self, base, cdn, folder):
        known = _known(folder)
        self.records = [_record(number, sound, base, cdn) for number, sound in enumerate(known)]
        super().__init__([record["id"] for record in self.records])
        self.base = base
        self.files = {sound["id"]: sound["path"] for sound in known}
        self.spaces = _spaces(tuple(sound["path"].name for sound in known), folder)
        self.columns = _Lazily(self._column)
        self.index = _Lazily(self._index_column)

    def change(self, sound_id, **facts):
        """Give a sound other facts, by the names of its fields."""
        record = self.records[self._place(sound_id)]
        assert facts.keys() <= record.keys(), f"no such field: {facts.keys() - record.keys()}"
        record |= facts
        self.columns.clear()
        self.index.clear()
        self.touch()

    def pack_search(self, grouping):
        return f'{self.base}/search/?&query=&filter=pack_grouping:"{grouping}"&weights='

    def _column(self, field):
        if field.startswith("sim_"):
            return self.spaces[field.removeprefix("sim_")]
        return Column([record[field] for record in self.records])

    def _index_column(self, name):
        of_record = _INDEX.get(name, lambda record: record[name])
        return Column([of_record(record) for record in self.records])


class _Lazily(dict):
    """Columns made when first asked for."""

    def __init__(self, make):
        self._make = make

    def __missing__(self, name):
        self[name] = self._make(name)
        return self[name]


def _pack_grouping(record):
    return record["pack"] and f"{record['pack'].split('/')[-2]}_{record['pack_name']}"


def _seconds(text):
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp()


_INDEX = {
    "id": lambda record: str(record["id"]),
    "tag": lambda record: record["tags"],
    "created": lambda record: _seconds(record["created"]),
    "license": lambda record: made_up.LICENCE_NAMES[record["license"].split("/")[-3]],
    "pack": lambda record: record["pack_name"],
    "pack_grouping": _pack_grouping,
    "avg_rating": lambda record: 2 * record["avg_rating"] if record["num_ratings"] >= 3 else 0,
    "comment": lambda record: None,
    "in_remix_group": lambda record: record["is_remix"] or record["was_remixed"],
}


@cache
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


def _record(number, sound, base, cdn):
    """The whole resource of one sound, with descriptors; in the server's order of fields."""
    sound_id, entry, here = sound["id"], sound["entry"], f"{base}/sounds/{sound['id']}"
    pack_id, pack_name = sound["pack"] or (None, None)
    stem = f"{sound_id // 1000}/{sound_id}_{sound['user_id']}"
    images = {f"waveform{kind}_{size.lower()}": f"wave{kind}_{size}.png" for kind in ("", "_bw") for size in "ML"}
    images |= {f"spectral{kind}_{size.lower()}": f"spec{kind}_{size}.jpg" for kind in ("", "_bw") for size in "ML"}
    described = made_up.descriptors(sound_id) | sound["measured"]
    if number == made_up.NOT_ANALYSED:
        described = dict.fromkeys(described)
    facts = {
        "id": sound_id,
        "url": f"https://freesound.org/people/{entry.username}/sounds/{sound_id}/",
        "name": made_up.NAMES.get(number, f"{entry.name.replace('_', ' ')}.flac"),
        "tags": list(dict.fromkeys([*entry.tags, *stems(entry.description), "sonic-pi"])),
        "description": made_up.DESCRIPTIONS.get(number, f"{entry.description}: {entry.name}"),
        "created": made_up.created(number, 165),
        "type": "flac",
        **{key: sound[key] for key in "channels filesize bitrate bitdepth duration samplerate username md5".split()},
        "pack": pack_id and f"{base}/packs/{pack_id}/",
        "pack_name": pack_name,
        **{name: f"{here}/{name}/" for name in ("download", "bookmark", "rate", "comments", "comment")},
        "similar_sounds": f"{here}/similar/" if number < 100 else None,
        "previews": {
            f"preview-{q}-{form}": f"{cdn}/previews/{stem}-{q}.{form}" for q in ("hq", "lq") for form in ("mp3", "ogg")
        },
        "images": {name: f"{cdn}/displays/{stem}_{end}" for name, end in images.items()},
        "num_comments": len(comments(sound_id)),
    }
    return {**described, **facts, **made_up.facts(number, sound_id)}


def comments(sound_id):
    """What people said of a sound, the newest first."""
    words = ["Lovely, thanks! ❤", "Used it here: https://example.org/?x=<1>&y=2", "too loud :("]
    said = [
        {"username": f"listener {n}", "comment": text, "created": f"2024-0{n + 1}-02T03:04:05Z"}
        for n, text in enumerate(words)
    ]
    return said[: sound_id % 4][::-1]


@cache
def _spaces(names, folder):
    measures = measured((), folder)
    described = [measures[name] for name in names]
    means = np.array([each["mfcc"] for each in described])
    variances = np.log(np.array([each["mfcc_var"] for each in described]) + 1)
    made = {}
    for seed, (space, dimension) in enumerate(SPACES.items()):
        rows = np.hstack([means, variances * seed])
        rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-9)
        rows = unit(rows @ np.random.default_rng(seed).standard_normal((rows.shape[1], dimension)))
        rows[made_up.NOT_ANALYSED] = np.nan
        if space == "laion_clap":
            rows[made_up.WITHOUT_CLAP] = np.nan
        made[space] = Dense(rows, _DECIMALS)
    return made
