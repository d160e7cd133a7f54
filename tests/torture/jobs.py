"""What `make torture` kills: each command that writes, with the corpus it begins from and what must be left."""

import re
import shutil
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from corpus import Corpus
from corpus.backup import backup
from corpus.publishing import CUT_SHORT, UNTRUE
from corpus.store import backups
from engine.playback.offline import OfflinePlayer
from engine.session import Session
from tests.audio_files import write_tone
from tests.torture.driver import Job

WRITING = ("adopt", "analyse", "harvest", "palette", "backup", "restore", "migration", "pack", "unpack")
"""What is both killed and given a failing disk."""
HERE = Path(__file__).parent
SCHEMA = HERE.parent / "corpus" / "schemas" / "0004.sql"
UPGRADED = ("sounds", "tags", "files", "vectors", "annotations")
PALETTE = [1_000_000_000, 1_000_000_003, 1_000_000_005, 1_000_000_001]


def folder_of_sounds(place: Path, count: int = 10) -> Path:
    """A folder of short tones."""
    place.mkdir()
    for number in range(count):
        write_tone(place / f"{number}.wav", 300 + 50 * number, seconds=0.3)
    return place


class Makers:
    """Makes the jobs below one folder."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.sounds = folder_of_sounds(place / "sounds")
        self.empty = place / "empty"
        Corpus(self.empty).close()
        self.adopted = place / "adopted"
        with Corpus(self.adopted) as corpus:
            corpus.adopt([self.sounds])
        self.measured = place / "measured"
        shutil.copytree(self.adopted, self.measured)
        with Corpus(self.measured) as corpus:
            corpus.analyse(jobs=1)

    def adopt(self) -> Job:
        return Job(self.empty, ["adopt", str(self.sounds)], state)

    def analyse(self) -> Job:
        return Job(self.adopted, ["analyse", "--jobs", "1"], state)

    def harvest(self, freesound) -> Job:
        env = {
            "MIRLA_FREESOUND_URL": freesound.url,
            "FREESOUND_TOKEN": freesound.token,
            "MIRLA_FREESOUND_PER_MINUTE": "1000000",
            "MIRLA_FREESOUND_PER_DAY": "1000000",
        }
        words = ["harvest", "tabla", "--filter", "duration:[0 TO 1]", "--max-sounds", "20", "--audio", "lq-ogg"]
        return Job(self.empty, words, state, env=env)

    def teach(self) -> Job:
        words = ["agent", "teach", "water", "--silent", "--seed", "1"]
        base = self.place / "many"
        with Corpus(base) as corpus:
            corpus.adopt([folder_of_sounds(self.place / "many-sounds", 40)])
            corpus.analyse(jobs=1)
        return Job(base, words, None, look=labels_are_kept, keys="g\nb\n" * 3 + "q\n")

    def label(self) -> Job:
        base = self.place / "to-label"
        shutil.copytree(self.measured, base)
        with Corpus(base) as corpus:
            corpus.agents.create("water", "", ["mfcc"], "mlp")
        return Job(base, ["agent", "label", "water", "--good", "1000000000", "1000000001"], labels)

    def render(self) -> Job:
        return Job(self.measured, ["render", "1000000000", "--out", "{home}/../set.wav"], None)

    def live(self) -> Job:
        return Job(self.measured, play_a_while, None, look=plays_are_kept)

    def palette(self) -> Job:
        words = ["palette", "publish", "p", *map(str, PALETTE), "--replace"]
        return Job(self.measured, words, palette_files, loose=frozenset({CUT_SHORT, UNTRUE}))

    def backup(self) -> Job:
        return Job(self.measured, ["backup"], state, look=backups_are_whole)

    def restore(self) -> Job:
        base = self.place / "to-restore"
        shutil.copytree(self.adopted, base)
        with Corpus(base) as corpus:
            backup(corpus.database)
            corpus.analyse(jobs=1)
        return Job(base, ["restore", "--latest"], None, look=backups_are_whole)

    def pack(self) -> Job:
        return Job(self.measured, ["pack", "{home}/../set.tar", "--replace"], state, look=an_archive_is_whole)

    def unpack(self) -> Job:
        archive = self.place / "measured.tar"
        with Corpus(self.measured) as corpus:
            corpus.pack(archive)
        return Job(self.empty, ["unpack", str(archive)], state)

    def migration(self) -> Job:
        base = self.place / "old"
        base.mkdir()
        with sqlite3.connect(base / "corpus.sqlite") as database:
            database.executescript(SCHEMA.read_text(encoding="utf-8"))
        database.close()
        return Job(base, ["status"], rows, look=backups_are_whole, audio=False)


def state(home: Path) -> object:
    """All that was brought in or measured, without times and row numbers."""
    return _answers(
        home,
        "select id, name, username, licence_url, url, description, duration, record from sounds order by id",
        "select sound_id, tag, position from tags order by sound_id, position",
        "select sound_id, path, sha256, bytes, format, source from files order by sound_id",
        "select s.name, v.sound_id, v.data from vectors v join spaces s on s.id = v.space_id order by 1, 2",
    )


def rows(home: Path) -> object:
    """The rows of an upgraded corpus."""
    return _answers(home, *(f"select * from {table} order by 1, 2" for table in UPGRADED))


def _answers(home: Path, *questions: str) -> object:
    with Corpus(home) as corpus, corpus.database.read() as connection:
        return [connection.execute(sa.text(one)).all() for one in questions]


def labels_are_kept(home: Path, log: str) -> None:
    """Each answer that was acknowledged is there, those of earlier runs too; at most one more, not acknowledged yet."""
    acknowledged = re.findall(r"you said (good|bad)", log)
    counted = home / "acknowledged"
    before = counted.read_text().split() if counted.exists() else []
    with Corpus(home) as corpus:
        known = [agent.name for agent in corpus.agents.all()]
        agent = corpus.agents.get("water") if "water" in known else None
        found = [one.label for one in corpus.agents.history(agent)] if agent else []
    expected = [*before, *acknowledged]
    assert found[: len(expected)] == expected
    assert len(found) - len(expected) <= 1
    counted.write_text(" ".join(found))


def labels(home: Path) -> object:
    """What an agent was told."""
    with Corpus(home) as corpus:
        history = corpus.agents.history(corpus.agents.get("water"))
        return {(one.sound_id, one.label) for one in history}


def play_a_while(home: Path) -> None:
    """A set in which a sound begins again and again; each is told when it is on the disk."""
    with Session(home, rendering=OfflinePlayer(), seed=1, title="torture", journal=True) as session:
        session.on(lambda kind, group, sound, words: print(kind, sound, flush=True) if kind == "playing" else None)
        group = session.group("a")
        for _ in range(20):
            group.random(1)
            group.play(0.1)
            session.wait(0.05)


def plays_are_kept(home: Path, log: str) -> None:
    """Each play that was told of is in the journal of this set."""
    told = [int(number) for number in re.findall(r"^playing (\d+)$", log, re.MULTILINE)]
    with Corpus(home) as corpus:
        known = corpus.performances.all()
        if not told and not known:
            return
        latest = max(known, key=lambda one: one.id)
        kept = [one.sound_id for one in corpus.performances.plays(performance=latest)]
    missing = [number for number in told if number not in kept]
    assert len(kept) >= len(told)
    assert not missing


def palette_files(home: Path) -> object:
    """What lies in the published folder."""
    with Corpus(home) as corpus:
        return [(one.file, one.sha256) for one in corpus.palettes.all()[0].sounds]


def an_archive_is_whole(home: Path, log: str) -> None:
    """What lies under the archive's name, if anything does, can be unpacked."""
    from corpus.unpacking import check

    archive = home.parent / "set.tar"
    if archive.exists():
        check(archive)


def backups_are_whole(home: Path, log: str) -> None:
    """Each backup under its name can be opened and is sound."""
    for file in backups.kept(home / "corpus.sqlite"):
        with sqlite3.connect(file) as database:
            assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        database.close()
