"""What the tests of harvests share: a performer with a key whose clock does not wait, and what a harvest left."""

import hashlib
import time

import sqlalchemy as sa

from corpus.files import sha256_of
from corpus.freesound import client as client_module


class Hurried:
    """A clock on which sleeping takes no time."""

    ahead = 0.0

    def now(self):
        return time.time() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds


def enter(monkeypatch, freesound):
    """The environment of a performer with a key; returns her clock."""
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    monkeypatch.setenv("MIRLA_FREESOUND_PER_MINUTE", "2000")
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "2000")
    clock = Hurried()
    monkeypatch.setattr(client_module, "SystemClock", lambda: clock)
    return clock


def content(corpus):
    """What a harvest left, without times and local row numbers, as one digest; every file is there and whole."""
    queries = (
        "select id, name, username, licence_url, url, description, duration, record from sounds order by id",
        "select sound_id, tag, position from tags order by sound_id, position",
        "select sound_id, path, sha256, bytes, format, source from files order by sound_id",
        "select s.name, v.sound_id, v.data from vectors v join spaces s on s.id = v.space_id order by 1, 2",
        "select sound_id, audio, address from harvested order by sound_id",
        "select sound_id, ids, asked from similar_lists order by sound_id",
    )
    assert whole(corpus)
    with corpus.database.read() as connection:
        rows = [connection.execute(sa.text(query)).all() for query in queries]
    kept = {file for file in (corpus.home / "sounds").rglob("*") if file.is_file()}
    assert kept == {corpus.home / row.path for row in rows[2]}
    return [len(some) for some in rows], hashlib.sha256(repr(rows).encode()).hexdigest()


def whole(corpus):
    """Whether the store is consistent and each of its files is there with the content it should have."""
    with corpus.database.read() as connection:
        assert connection.execute(sa.text("pragma integrity_check")).scalar() == "ok"
        assert not connection.execute(sa.text("pragma foreign_key_check")).all()
        for path, size, sha256 in connection.execute(sa.text("select path, bytes, sha256 from files")).all():
            assert (corpus.home / path).stat().st_size == size
            assert sha256_of(corpus.home / path) == sha256
    return True
