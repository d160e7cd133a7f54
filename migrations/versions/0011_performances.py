"""Performances with their commands and plays; palettes; onsets."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade():
    op.create_table(
        "performances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("begun", sa.String(length=32), nullable=False),
        sa.Column("ended", sa.String(length=32)),
        sa.Column("seed", sa.BigInteger()),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_performances"),
    )
    op.create_index("ix_performances_begun", "performances", ["begun"])
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("of_group", sa.Text()),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON()),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["performance_id"], ["performances.id"], name="fk_commands_performance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_performance_id", "commands", ["performance_id"])
    op.create_table(
        "plays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=False),
        sa.Column("sound_id", sa.Integer(), nullable=False),
        sa.Column("of_group", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("began", sa.String(length=32), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("credit", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["performance_id"], ["performances.id"], name="fk_plays_performance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plays"),
    )
    op.create_index("ix_plays_performance_id", "plays", ["performance_id"])
    op.create_index("ix_plays_sound_id", "plays", ["sound_id"])
    op.create_index("ix_plays_began", "plays", ["began"])
    op.create_table(
        "palettes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published", sa.String(length=32), nullable=False),
        sa.Column("removed", sa.String(length=32)),
        sa.PrimaryKeyConstraint("id", name="pk_palettes"),
        sa.UniqueConstraint("name", name="uq_palettes_name"),
    )
    op.create_table(
        "palette_sounds",
        sa.Column("palette_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sound_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("credit", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["palette_id"], ["palettes.id"], name="fk_palette_sounds_palette_id"),
        sa.PrimaryKeyConstraint("palette_id", "position", name="pk_palette_sounds"),
    )
    op.create_table(
        "onsets",
        sa.Column("sound_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name="fk_onsets_sound_id"),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name="fk_onsets_file_id"),
        sa.PrimaryKeyConstraint("sound_id", name="pk_onsets"),
    )
