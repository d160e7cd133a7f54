"""The database's schema: made, upgraded after a copy, refused when newer; and what the store keeps in order."""

import multiprocessing
import shutil
import sqlite3

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from corpus import Corpus
from corpus.errors import SchemaError, SettingsError, StoreError
from corpus.store import schema
from corpus.store.database import Database
from corpus.store.tables import metadata

OLD = schema.HEAD
"""The revision that the programs of these tests are one ahead of."""


def ours(name, kind, parents):
    return not (kind == "table" and name.startswith("sound_text"))


def test_migrations_make_the_tables_that_the_program_knows(home):
    with Corpus(home) as corpus, corpus.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration():
    assert ScriptDirectory(str(schema.migrations_folder())).get_current_head() == schema.HEAD


def test_the_database_is_in_wal_mode_with_foreign_keys(home):
    with Corpus(home) as corpus:
        with corpus.database.read() as connection:
            assert connection.execute(sa.text("pragma journal_mode")).scalar() == "wal"
            assert connection.execute(sa.text("pragma foreign_keys")).scalar() == 1
        with pytest.raises(StoreError, match="FOREIGN KEY"), corpus.database.write() as connection:
            connection.execute(sa.text("insert into tags values (1, 'x', 0)"))


@pytest.fixture
def next_schema(tmp_path, monkeypatch):
    """A program one revision ahead: its migration adds a column."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations_folder(), folder)
    (folder / "versions" / "next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision = 'next'\ndown_revision = {schema.HEAD!r}\n\n\n"
        "def upgrade():\n    op.add_column('sounds', sa.Column('mood', sa.Text()))\n"
    )
    monkeypatch.setattr(schema, "HEAD", "next")
    monkeypatch.setattr(schema, "migrations_folder", lambda: folder)


def test_an_older_database_is_copied_aside_and_upgraded(sonic_home, next_schema):
    with Corpus(sonic_home) as corpus, corpus.database.read() as connection:
        assert connection.execute(sa.text("select count(*), count(mood) from sounds")).one() == (165, 0)
    (copy,) = (sonic_home / "backups").iterdir()
    with sqlite3.connect(copy) as old:
        assert old.execute("select count(*) from sounds").fetchone() == (165,)
        assert old.execute("select version_num from alembic_version").fetchone() == (OLD,)
        assert "mood" not in [row[1] for row in old.execute("pragma table_info(sounds)")]
    old.close()


def test_labels_outlast_the_upgrade_that_lets_them_outlast_sounds(home, monkeypatch):
    facts = ((1, 1, 4, "good", 1, "anna", "s", "2026", None), (2, 1, 4, None, 0, "ben", "t", "2026", 1))
    columns = "id, agent_id, sound_id, label, test, who, session, at, undoes"
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "HEAD", "0009")
        with Corpus(home) as corpus, corpus.database.write() as connection:
            connection.execute(
                sa.text(
                    "insert into sounds (id, name, added, licence, licence_version, licence_url)"
                    " values (4, '', '', '', '', '')"
                )
            )
            connection.execute(
                sa.text(
                    "insert into agents (id, name, about, spaces, classifier, created)"
                    " values (1, 'water', '', '[]', 'mlp', '')"
                )
            )
            for fact in facts:
                connection.exec_driver_sql(f"insert into annotations ({columns}) values (?,?,?,?,?,?,?,?,?)", fact)
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            assert tuple(map(tuple, connection.execute(sa.text(f"select {columns} from annotations")))) == facts
            connection.execute(sa.text("delete from sounds"))
        assert corpus.agents.history(corpus.agents.get("water")) == []
        assert len(corpus.agents.history(corpus.agents.get("water"), forgotten=True)) == 2


def test_a_failing_upgrade_leaves_the_database_as_it_was(sonic_home, next_schema):
    broken = schema.migrations_folder() / "versions" / "next.py"
    broken.write_text(broken.read_text() + "    op.execute('no such statement')\n")
    with pytest.raises(StoreError, match="syntax error"):
        Corpus(sonic_home)
    database = sqlite3.connect(sonic_home / "corpus.sqlite")
    assert database.execute("select version_num from alembic_version").fetchone() == (OLD,)
    assert "mood" not in [row[1] for row in database.execute("pragma table_info(sounds)")]
    database.close()


def test_a_newer_database_is_refused_and_untouched(sonic_home):
    with sqlite3.connect(sonic_home / "corpus.sqlite") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    with pytest.raises(SchemaError, match=r"has schema 9999, this program knows 00\d\d: .* install that one"):
        Corpus(sonic_home)
    assert not (sonic_home / "backups").exists()


def test_alembic_does_not_load_when_there_is_nothing_to_do(sonic_home):
    import subprocess
    import sys

    script = (
        f"import sys; from corpus import Corpus; Corpus({str(sonic_home)!r}).close(); print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"


def test_two_processes_may_make_one_home_at_once(home):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(opened, [home] * 4) == [schema.HEAD] * 4


def opened(home):
    with Corpus(home) as corpus:
        return corpus.status()["schema"]


def test_writers_wait_for_one_another_instead_of_failing(home):
    Corpus(home).close()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(add_agents, [(home, worker) for worker in range(4)])
    with Corpus(home) as corpus:
        assert len(corpus.agents.all()) == 100


def add_agents(task):
    home, worker = task
    with Corpus(home) as corpus:
        for number in range(25):
            corpus.agents.create(f"{worker}-{number}", "", ["mfcc"], "mlp")


def test_a_url_that_is_none_is_said(monkeypatch, home):
    monkeypatch.setenv("MIRLA_DATABASE", "nonsense")
    with pytest.raises(SettingsError, match="MIRLA_DATABASE: 'nonsense' is not a database URL"):
        Corpus(home)


def test_a_passing_write_is_rolled_back_whole(home):
    with Corpus(home) as corpus:
        with pytest.raises(ZeroDivisionError), corpus.database.write() as connection:
            connection.execute(sa.text("insert into provenances values (1, 'x')"))
            raise ZeroDivisionError
        with corpus.database.read() as connection:
            assert connection.execute(sa.text("select count(*) from provenances")).scalar() == 0


def test_a_database_of_its_own_place(tmp_path, home, monkeypatch):
    monkeypatch.setenv("MIRLA_DATABASE", f"sqlite:///{tmp_path / 'elsewhere' / 'my.sqlite'}")
    with Corpus(home) as corpus:
        assert isinstance(corpus.database, Database)
    assert (tmp_path / "elsewhere" / "my.sqlite").is_file()
    assert not (home / "corpus.sqlite").exists()
