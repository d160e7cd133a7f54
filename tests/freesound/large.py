"""The large catalogue: any number of made-up sounds, without audio, each time the same, at little cost a sound.

Nearly all facts come out of small tables through codes computed from the position, so that a record is a matter of
joining strings. Sounds of one cluster share most patches of their vectors and so are near; vectors have 8 decimals.
"""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np

from tests.freesound import made_up
from tests.freesound.catalogue import Catalogue
from tests.freesound.columns import Column, Written, dumps
from tests.freesound.fields import DESCRIPTORS, SPACES
from tests.freesound.vectors import Patchwork

_FIRST_ID, _STEP = 1000, 3
_VARIETY = 509
"""Rows of a table of descriptors: a prime, so that codes go through all of them."""
_BATCH = 4
"""Sounds uploaded within the same second."""
_USERS, _PACKS, _TAGS, _CLUSTERS = 400, 900, 150, 60
_DECIMALS = 8
_PLACES = {"laion_clap": 8, "freesound_classic": 5}
_SYLLABLES = "ka ro mi tu se la no vi pa dre zu gli".split()


class Large(Catalogue):
    """`sounds` records; `files` is empty."""

    def __init__(self, base, cdn, sounds):
        super().__init__(np.arange(sounds) * _STEP + _FIRST_ID)
        self.base, self.cdn = base, cdn
        self.files = {}
        self.spaces = {space: _patchwork(space, sounds) for space in SPACES}
        self.columns = {**self._tables(), **self._descriptors(), **self._written()}
        self.columns |= {f"sim_{space}": vectors for space, vectors in self.spaces.items()}
        self.index = {**self.columns, **self._index()}

    def pack_search(self, grouping):
        return f'{self.base}/search/?&query=&filter=pack_grouping:"{grouping}"&weights='

    def _codes(self, name, length):
        """Codes below `length` for each sound: a stride of its own for each name."""
        random = Random(name)
        stride, start = random.randrange(1, 10**6), random.randrange(10**6)
        return lambda: ((np.arange(len(self)) * stride + start) % 1000003 % length).astype(np.uint16)

    def _column(self, name, table):
        return Column(table, self._codes(name, len(table)))

    def _tables(self):
        facts = [made_up.facts(200 + number, number) for number in range(_VARIETY)]
        tables = {name: [each[name] for each in facts] for name in facts[0] if name not in ("license",)}
        random = Random("tables")
        words = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in ("", "n")][:_TAGS]
        packs = [None, *range(1, _PACKS)]
        columns = {name: self._column("facts", table) for name, table in tables.items()}
        columns |= {
            "tags": self._column("tags", [random.sample(words, 5) for _ in range(2000)]),
            "description": self._column("description", [f"{' '.join(random.sample(words, 12))} ✓" for _ in range(997)]),
            "license": self._column("license", [made_up.ZERO] * 4 + [*made_up.LICENCES.values()][:5]),
            "username": self._column("username", [f"user {number}" for number in range(_USERS)]),
            "pack": self._column("pack", [n and f"{self.base}/packs/{n}/" for n in packs]),
            "pack_name": self._column("pack", [n and f"pack {n}" for n in packs]),
            "duration": self._column("duration", [round(random.expovariate(0.1) + 0.05, 4) for _ in range(_VARIETY)]),
        }
        usual = {"type": "wav", "channels": 2, "filesize": 423364, "bitrate": 1411, "bitdepth": 16}
        usual |= {"samplerate": 44100.0, "num_comments": 0}
        return columns | {name: Column([value], self._codes(name, 1)) for name, value in usual.items()}

    def _descriptors(self):
        made = [made_up.descriptors(number) for number in range(_VARIETY)]
        for number, each in enumerate(made):
            each["mfcc"] = np.random.default_rng(number).normal(0, 50, 13).round(3).tolist()
            each["mfcc_var"] = np.random.default_rng([1, number]).exponential(900, 13).round(3).tolist()
        return {name: self._column(name, [each[name] for each in made]) for name in DESCRIPTORS}

    def _written(self):
        """What differs for each sound: its id, its addresses, its date."""
        ids, base, cdn = self.ids.tolist(), self.base, self.cdn
        batches = np.arange(len(ids)) // _BATCH * _BATCH
        first, last = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2006, 2026))
        seconds = np.floor(first + (last - first) * batches / len(ids))
        start = datetime(1970, 1, 1, tzinfo=UTC)
        kinds = [(quality, form) for quality in ("hq", "lq") for form in ("mp3", "ogg")]

        def previews(position):
            stem = f"{cdn}/previews/{ids[position] // 1000}/{ids[position]}_1"
            return dumps({f"preview-{q}-{form}": f"{stem}-{q}.{form}" for q, form in kinds})

        def address(end):
            return Written(lambda position: f'"{base}/sounds/{ids[position]}/{end}/"')

        return {
            "id": Written(lambda position: str(ids[position]), self.ids),
            "url": Written(lambda position: f'"https://freesound.org/people/x/sounds/{ids[position]}/"'),
            "name": Written(lambda position: f'"sound no. {ids[position]} “é”.wav"', self.ids),
            "md5": Written(lambda position: f'"{ids[position]:032x}"', self.ids),
            "created": Written(
                lambda position: f'"{start + timedelta(seconds=seconds[position]):%Y-%m-%dT%H:%M:%SZ}"', seconds
            ),
            "previews": Written(previews),
            "images": Written(lambda position: f'{{"waveform_m":"{cdn}/displays/{ids[position]}_wave_M.png"}}'),
            "similar_sounds": address("similar"),
            **{name: address(name) for name in ("download", "bookmark", "rate", "comments", "comment")},
        }

    def _index(self):
        columns = self.columns
        table = zip(columns["avg_rating"].table, columns["num_ratings"].table, strict=True)
        names = [made_up.LICENCE_NAMES[deed.split("/")[-3]] for deed in columns["license"].table]
        return {
            "tag": columns["tags"],
            "pack": columns["pack_name"],
            "pack_grouping": self._column("pack", [None, *(f"{n}_pack {n}" for n in range(1, _PACKS))]),
            "license": self._column("license", names),
            "avg_rating": self._column("facts", [2 * rating if count >= 3 else 0 for rating, count in table]),
            "comment": self._column("comment", [None]),
            "in_remix_group": self._column("in_remix_group", [False]),
        }


def _patchwork(space, sounds):
    places = _PLACES[space]
    random = np.random.default_rng(places)
    patches = random.standard_normal((places, 32, SPACES[space] // places))
    cluster = np.arange(sounds) * 7919 % _CLUSTERS
    shared = random.integers(32, size=(_CLUSTERS, places), dtype=np.uint8)[cluster]
    own = random.integers(32, size=(sounds, places), dtype=np.uint8)
    return Patchwork(patches, np.where(np.arange(places) * 2 > places, own, shared), _DECIMALS)
