"""The API's similar lists; when a sound's record was last checked; deleting a sound without reading whole tables."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    op.create_table(
        "similar_lists",
        sa.Column("sound_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("fetched", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sound_id", name="pk_similar_lists"),
    )
    op.add_column("sounds", sa.Column("checked", sa.String(length=32), nullable=True))
    for table in ("vectors", "annotations", "harvested"):
        op.create_index(f"ix_{table}_sound_id", table, ["sound_id"])
