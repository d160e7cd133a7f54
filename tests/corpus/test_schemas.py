"""A corpus written by each earlier schema is upgraded with every row that it had; `schemas/make.py` made them."""

import sqlite3
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.store import backups, schema

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
DRAWN = {("spaces", "changes"), ("texts", "changes"), ("states", "changes"), ("alembic_version", "version_num")}
"""What an upgrade sets anew."""


def test_each_earlier_schema_is_kept_here():
    assert [one.stem for one in SCHEMAS] == [f"{number:04}" for number in range(1, int(schema.HEAD))]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """What a new database is made of."""
    home = tmp_path_factory.mktemp("fresh")
    Corpus(home).close()
    return parts(home / "corpus.sqlite")


@pytest.mark.parametrize("script", SCHEMAS, ids=lambda script: script.stem)
def test_an_upgrade_keeps_every_row(home, script, fresh):
    home.mkdir()
    file = home / "corpus.sqlite"
    with sqlite3.connect(file) as database:
        database.executescript(script.read_text(encoding="utf-8"))
    database.close()
    columns = known(file)
    before = rows(file, columns)
    with Corpus(home) as corpus:
        assert corpus.soundness.problems() == []
        assert corpus.soundness.damaged_vectors({}) == []
        assert set(corpus.sounds.ids("drop").tolist()) == {4832, 1_000_000_000}
        assert len(corpus.agents.history(corpus.agents.get("water"), forgotten=True)) == 3
    after = rows(file, columns)
    assert sum(map(len, before.values())) >= 20
    assert after == before
    assert parts(file) == fresh
    (copy,) = backups.kept(file)
    assert backups.contents(copy).schema == script.stem
    assert rows(copy, columns) == before


def known(file):
    """The columns of each table but those of what SQLite makes itself."""
    with backups.opened(file) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        own = [name for name in tables if not name.startswith("sound_text_")]
        listed = {name: [row[1] for row in database.execute(f"pragma table_info({name})")] for name in own}
    return {name: [one for one in some if (name, one) not in DRAWN] or ["1"] for name, some in listed.items()}


def rows(file, columns):
    with backups.opened(file) as database:
        return {
            name: sorted(map(repr, database.execute(f"select {', '.join(some)} from {name}")))
            for name, some in columns.items()
        }


def parts(file):
    """Tables with their columns, indexes and triggers."""
    with backups.opened(file) as database:
        things = database.execute("select type, name from sqlite_master where name not like 'sqlite_%'").fetchall()
        columns = {name: sorted(row[1] for row in database.execute(f"pragma table_info({name})")) for _, name in things}
    return sorted((kind, name, str(columns[name])) for kind, name in things)
