"""Labels outlast their sounds, which come back under their old ids; and a fact may say another again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade():
    with op.batch_alter_table("annotations") as batch:
        batch.drop_constraint("fk_annotations_sound_id", type_="foreignkey")
        batch.add_column(sa.Column("repeats", sa.Integer()))
    op.create_table(
        "forgotten",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("former_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_forgotten"),
    )
