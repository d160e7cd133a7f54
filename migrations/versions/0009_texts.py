"""Which state the full-text index is in, kept by triggers, so that no writer of whatever program can forget it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade():
    op.create_table(
        "texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_texts"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("insert into texts values (1, random())")
        for event in ("insert", "delete", "update"):
            touched = "update texts set changes = random();"
            op.execute(f"create trigger texts_{event} after {event} on sound_text_docsize begin {touched} end")
