"""Which sounds have audio is kept in memory, and is never an old answer, whoever wrote meanwhile."""

import sqlite3

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.store import sounds
from corpus.store.tables import files
from tests.audio_files import write_tone


@pytest.fixture
def corpus(home, tmp_path):
    """Three sounds with audio."""
    with Corpus(home) as corpus:
        corpus.adopt([write_tone(tmp_path / f"{number}.wav", 300 + number, seconds=0.1) for number in range(3)])
        yield corpus


def held(corpus):
    """What another program sees, which keeps nothing."""
    with Corpus(corpus.home) as fresh:
        return fresh.sounds.ids(with_audio=True).tolist()


def test_it_is_listed_once(corpus, monkeypatch):
    asked, listed = [], sounds.listed
    monkeypatch.setattr(sounds, "listed", lambda connection, query: asked.append(query) or listed(connection, query))
    first = corpus.sounds.ids(with_audio=True)
    assert len(first) == 3
    once = len(asked)
    corpus.agents.create("water", "", ["mfcc"], "mlp")  # what is no file changes nothing
    again = corpus.sounds.ids(with_audio=True)
    assert again.tolist() == first.tolist()
    assert len(asked) == once
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 7


def test_whatever_changes_the_files_is_seen(corpus, home, tmp_path):
    one, two, three = corpus.sounds.ids(with_audio=True).tolist()
    corpus.adopt([write_tone(tmp_path / "own.wav", 500, seconds=0.1)])
    four = max(corpus.sounds.ids().tolist())
    assert corpus.sounds.ids(with_audio=True).tolist() == held(corpus) == [one, two, three, four]
    with Corpus(home) as other:
        other.adopt([write_tone(tmp_path / "other.wav", 600, seconds=0.1)])
    assert corpus.sounds.ids(with_audio=True).tolist() == held(corpus)
    with sqlite3.connect(home / "corpus.sqlite") as raw:  # a program that knows nothing of mirla
        raw.execute("delete from files where sound_id = ?", [two])
    raw.close()
    assert corpus.sounds.ids(with_audio=True).tolist() == held(corpus)
    assert two not in corpus.sounds.ids(with_audio=True)
    with sqlite3.connect(home / "corpus.sqlite") as raw:
        raw.execute("update files set sound_id = ? where sound_id = ?", [two, three])
    raw.close()
    assert corpus.sounds.ids(with_audio=True).tolist() == held(corpus)
    assert two in corpus.sounds.ids(with_audio=True)
    with corpus.database.write() as connection:
        connection.execute(sa.delete(files))
        connection.rollback()  # nothing happened
    assert corpus.sounds.ids(with_audio=True).tolist() == held(corpus)
