"""A home of tones in every format, to be hurt and mended."""

import shutil
import sqlite3

from corpus import Corpus
from corpus.files import sha256_of
from corpus.folder import Adoption
from tests.audio_files import FORMATS, write_tone


def make_tones(folder):
    """A home in a folder, measured, one of its sounds linked: nothing is wrong with it."""
    sources = [write_tone(folder / f"{kind}.{kind}", 300 + 10 * n, kind=kind) for n, kind in enumerate(FORMATS)]
    linked = write_tone(folder / "linked.wav", 900)
    with Corpus(folder / "home") as corpus:
        assert len(corpus.adopt(sources).ids) == len(FORMATS)
        corpus.adopt([linked], Adoption(link=True))
        corpus.analyse()
    return folder


def path_of(corpus, kind):
    """A sound by its format, and where its file is."""
    sound = next(one for one in corpus.sounds.many(corpus.sounds.ids()) if one.file.format == kind)
    return sound, sound.file.path


def change(corpus, statement, *values):
    """Change the database as no program of ours would."""
    with sqlite3.connect(corpus.home / "corpus.sqlite") as database:
        database.execute(statement, values)
    database.close()


def everything(home):
    """The hashes of all audio in a home, wherever it lies."""
    return {sha256_of(path) for path in home.rglob("*") if path.is_file() and path.suffix.strip(".") in FORMATS}


def copied(folder, home):
    """A copy of the home in a folder; the linked file is everyone's."""
    shutil.copytree(folder / "home", home)
    return home
