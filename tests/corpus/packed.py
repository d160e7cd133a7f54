"""Small homes to pack, and archives made by hand."""

import io

import numpy as np
import sqlalchemy as sa

from corpus import Corpus, Sound
from corpus.archive import Writer, sums_text
from corpus.credits import of_palette
from corpus.folder import Adoption
from corpus.licences import from_text
from corpus.model import Command, Model, Space
from corpus.publishing import Made
from corpus.store.rows import CARRIED
from corpus.store.tables import metadata
from corpus.store.vectors import Vector

FIRST = 1_000_000_000
TOKEN = "d34db33fd34db33f"
DRAWN = {("spaces", "changes"), ("files", "decoded"), ("files", "path"), ("files", "linked")}
"""What is drawn or written anew in each home."""


def made_home(home, samples, linked=None):
    """A home with these files adopted, in their order, under CC0; the linked one without a licence."""
    with Corpus(home) as corpus:
        corpus.adopt(samples, Adoption(licence=from_text("CC0")))
        if linked:
            corpus.adopt([linked], Adoption(link=True))
    return home


def furnish(corpus):
    """Vectors, one sound of Freesound's without audio, an agent, a palette, a performance, a token, a harvest."""
    token = corpus.home / "mirla.toml"
    token.write_text(f'freesound_token = "{TOKEN}"\n')
    token.chmod(0o600)
    by = from_text("https://creativecommons.org/licenses/by/4.0/")
    ids = corpus.sounds.ids().tolist()
    corpus.vectors.register(Space("level", 2, "a" * 64))
    with corpus.database.write() as connection:
        tin = Sound(77, "tin roof", "alba", by, "https://freesound.org/s/77/", ("tin", "rain"), duration=2.0)
        corpus.sounds.insert(connection, [tin], {77: {"id": 77, "gen_ai_preference": "no-gen-ai"}})
        files = {sound.id: sound.file.id for sound in corpus.sounds.many(ids)}
        corpus.vectors.put(
            connection,
            [Vector("level", "a" * 64, n, files[n], np.array([n % 7, 1], np.float32), {"numpy": "x"}) for n in ids],
        )
        for number in ids[:2]:
            corpus.onsets.put(connection, number, files[number], "b" * 64, np.array([0, 0.5], np.float32))
            corpus.descriptors.measured(connection, number, files[number], "c" * 64, {"pitch": 440.0})
    corpus.harvests.start({"queries": [{"text": "secret query"}]})
    agent = corpus.agents.create("water", "what flows", ["level"], "mlp")
    corpus.agents.annotate(agent, [FIRST, FIRST + 1], "good", who="anna", session="lesson")
    corpus.agents.annotate(agent, [FIRST + 1], "bad", who="ben", session="lesson")
    corpus.agents.annotate(agent, [77], "good", who="ben", session="lesson")
    fact = corpus.agents.history(agent)[-1].id
    verdicts = {str(FIRST): 0.9, str(FIRST + 1): 0.2}
    corpus.agents.add_model(agent, Model(0, {"kind": "mlp"}, {"w": [1.0]}, {}, "h", 1, {}, {}, fact, verdicts))
    sound = corpus.sounds.get(FIRST)
    made = Made(FIRST, "000_x.wav", np.zeros((100, 2), np.float32), 44100, sound.credited)
    with corpus.palette_folder.alone():
        corpus.palette_folder.publish("kicks", None, [made], of_palette)
    performance = corpus.performances.begin(5, "a set")
    corpus.performances.said(performance, [Command(0.5, "a", "id", [FIRST], {}, [FIRST])])
    [play] = corpus.performances.plays_began(performance, [(1.0, "a", sound)])
    corpus.performances.plays_lasted({play: (2.0, 1.5)})
    corpus.performances.end(performance)


def dump(corpus, everything=False):
    """All rows of what is carried, but for what is drawn or written anew in each home; or really all."""
    with corpus.database.read() as connection:
        return {
            table.name: [
                tuple(value for name, value in row.items() if everything or (table.name, name) not in DRAWN)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in (metadata.sorted_tables if everything else CARRIED)
        } | ({"texts": []} if everything else {})


def labels_of(corpus, name, forgotten=False):
    """Who said what of which content."""
    history = corpus.agents.history(corpus.agents.get(name), forgotten=True)
    if forgotten:
        return {(one.label, one.who) for one in history}
    with corpus.database.read() as connection:
        digests = {row.sound_id: row.sha256 for row in connection.execute(sa.text("select * from files"))}
    return {(digests.get(one.sound_id, one.sound_id), one.label, one.who, one.at) for one in history}


def wrapped(file, content, sums=None):
    """An archive of some members; those that each has are added where they lack."""
    texts = {"CREDITS.txt": b"", "README.txt": b""}
    with file.open("wb") as target:
        writer = Writer(target, 0)
        for name, data in (texts | content).items():
            writer.add(name, io.BytesIO(data), len(data))
        told = (sums or sums_text)(writer.sums).encode()
        writer.add("SHA256SUMS", io.BytesIO(told), len(told))
        writer.end()
    return file
