"""What queries that keep to fresh sounds have returned."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    op.create_table(
        "returned",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sound_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name="fk_returned_sound_id_sounds"),
        sa.PrimaryKeyConstraint("id", name="pk_returned"),
    )
    op.create_index("ix_returned_sound_id", "returned", ["sound_id"])
    op.create_index("ix_returned_at", "returned", ["at"])
