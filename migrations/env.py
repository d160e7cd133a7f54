"""Alembic's entry: on the connection that the program hands in, or for a developer on `MIRLA_HOME`'s database."""

from alembic import context

from corpus.settings import Settings
from corpus.store.database import Database
from corpus.store.tables import metadata


def ours(name, type_, parent_names):
    """Leave the full-text index and its shadow tables out of comparisons."""
    return not (type_ == "table" and name.startswith("sound_text"))


def migrate(connection):
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=ours,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    with Database(Settings.load().database).write(foreign_keys=False) as own:
        migrate(own)
