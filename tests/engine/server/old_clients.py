"""A small corpus with what old clients choke on."""

import shutil
from dataclasses import replace

from corpus import Corpus
from corpus.catalogue import Entry
from corpus.folder import Adoption
from corpus.model import Sound
from engine.demo import sonic_pi

HOSTILE = 'v1.2 $(touch pwned) `id` "x" /é 😀\u2028\x07' + "l" * 300
SILENT, NOT_MEASURED = 999_001, 999_002
"""A sound without audio, and one whose audio was not measured."""


def playable(corpus):
    """The sounds whose audio is here."""
    return corpus.sounds.ids(with_audio=True).tolist()


def scalars(corpus, name):
    """By sound, the values of a trait that have any."""
    found = corpus.descriptors.of(corpus.sounds.ids().tolist())
    return {sound_id: traits[name][0] for sound_id, traits in found.items() if name in traits}


def make_home(folder, samples):
    """40 of Sonic Pi's samples with MFCCs and traits, two of them with a hostile name; see above for two more."""
    some, late = [shutil.copy(path, folder) for path in samples[:40]], folder / "late" / "late.flac"
    late.parent.mkdir()
    shutil.copy(samples[40], late)
    known = sonic_pi.catalogue()
    entries = {folder / path.name: entry for path, entry in known.items() if path in samples[:40]}
    for path in list(entries)[:2]:
        entries[path] = replace(entries[path], name=HOSTILE, description=HOSTILE, tags=(HOSTILE,))
    with Corpus(folder / "home") as corpus:
        assert not corpus.adopt(some, Adoption(catalogue=entries)).failed
        assert not corpus.analyse(traits=True).failed
        assert not corpus.adopt([late], Adoption(catalogue={late: Entry(NOT_MEASURED)})).failed
        with corpus.database.write() as connection:
            silent = Sound(SILENT, "no audio", "alba", tags=("drum",), duration=1.5, pack="roofs")
            record = {"created": "2024-02-03T10:11:12Z", "pack": "https://freesound.org/apiv2/packs/41000/"}
            corpus.sounds.insert(connection, [silent], {SILENT: record})
    return folder / "home"
