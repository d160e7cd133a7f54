"""Which sounds have a file: a state kept by triggers, so that no writer of whatever program can forget it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade():
    op.create_table(
        "audio",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audio"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("insert into audio values (1, random())")
        for event in ("insert", "delete", "update of sound_id"):
            touched = "update audio set changes = random();"
            name = event.partition(" ")[0]
            op.execute(f"create trigger audio_{name} after {event} on files begin {touched} end")
