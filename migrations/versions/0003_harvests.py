"""Harvests: what was asked for, how far each is, and which sounds it brought."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.create_table(
        "harvests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("started", sa.String(length=32), nullable=False),
        sa.Column("changed", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_harvests"),
    )
    op.create_table(
        "harvested",
        sa.Column("harvest_id", sa.Integer(), nullable=False),
        sa.Column("sound_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("audio", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["harvest_id"], ["harvests.id"], name="fk_harvested_harvest_id"),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name="fk_harvested_sound_id"),
        sa.PrimaryKeyConstraint("harvest_id", "sound_id", name="pk_harvested"),
    )
