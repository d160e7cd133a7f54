"""What `check` holds rows against: a sum over each vector's bytes, and when a file with this hash was last decoded."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TOUCHED = "update spaces set changes = random() where id = {row}.space_id;"
CHANGED = TOUCHED.format(row="old") + " " + TOUCHED.format(row="new")


def upgrade():
    op.add_column("vectors", sa.Column("sum", sa.BigInteger()))
    op.add_column("files", sa.Column("decoded", sa.String(length=32)))
    op.execute("update files set decoded = added")  # nothing came in that was not decoded from end to end
    if op.get_bind().dialect.name == "sqlite":  # a sum is no change of a vector
        op.execute("drop trigger vectors_changed")
        columns = "space_id, sound_id, data"
        op.execute(f"create trigger vectors_changed after update of {columns} on vectors begin {CHANGED} end")
        op.execute("update vectors set sum = crc32(data)")  # a function of `corpus.store.database`
