"""Which state a space's vectors are in, kept by triggers, so that no writer of whatever program can forget it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TOUCHED = "update spaces set changes = random() where id = {row}.space_id;"
TRIGGERS = {
    "vectors_added": ("insert", TOUCHED.format(row="new")),
    "vectors_removed": ("delete", TOUCHED.format(row="old")),
    "vectors_changed": ("update", TOUCHED.format(row="old") + " " + TOUCHED.format(row="new")),
}


def upgrade():
    op.add_column("spaces", sa.Column("changes", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "additions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name="fk_additions_space_id"),
        sa.PrimaryKeyConstraint("id", name="pk_additions"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("update spaces set changes = random()")
        for name, (event, action) in TRIGGERS.items():
            op.execute(f"create trigger {name} after {event} on vectors begin {action} end")
