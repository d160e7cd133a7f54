"""A small corpus with what old clients choke on, and the local Freesound over it, in the forms of today and of old."""

import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from corpus import Corpus
from corpus.catalogue import Entry
from corpus.folder import Adoption
from corpus.model import Sound
from engine.demo import sonic_pi
from engine.server.freesound import Options
from engine.server.freesound.serve import freesound_server, listening

HOSTILE = 'v1.2 $(touch pwned) `id` "x" /é 😀\u2028\x07' + "l" * 300
SILENT, NOT_MEASURED = 999_001, 999_002
"""A sound without audio, and one whose audio was not measured."""


@dataclass(frozen=True)
class Local:
    """A local Freesound that is running: its corpus, and the address of its API."""

    corpus: Corpus
    url: str

    @property
    def playable(self):
        return self.corpus.sounds.ids(with_audio=True).tolist()

    def scalars(self, name):
        """By sound, the values of a trait that have any."""
        found = self.corpus.descriptors.of(self.corpus.sounds.ids().tolist())
        return {sound_id: traits[name][0] for sound_id, traits in found.items() if name in traits}


@contextmanager
def running(corpus, **options):
    """Serve a corpus in a thread, on a port of its own."""
    server = freesound_server(corpus, Options(**options))
    socket = listening("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield Local(corpus, f"http://127.0.0.1:{socket.getsockname()[1]}/apiv2")
    finally:
        server.should_exit = True
        thread.join(20)
        socket.close()


@pytest.fixture(scope="session")
def small_home(tmp_path_factory, samples):
    """40 of Sonic Pi's samples with MFCCs and traits, two of them with a hostile name; see above for two more."""
    folder = tmp_path_factory.mktemp("small")
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


@pytest.fixture(scope="session")
def small(small_home):
    with Corpus(small_home) as corpus:
        yield corpus


@pytest.fixture(scope="session")
def today(small):
    """As `mirla serve --freesound PORT`."""
    with running(small) as local:
        yield local


@pytest.fixture(scope="session")
def old(small):
    """With `--legacy`."""
    with running(small, legacy=True) as local:
        yield local


@pytest.fixture(scope="session")
def mapped(small):
    """With `--legacy --map-unknown-ids`."""
    with running(small, legacy=True, map_unknown_ids=True) as local:
        yield local
