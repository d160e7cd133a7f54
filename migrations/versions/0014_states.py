"""In which state each family of facts is, kept by triggers, so that no writer of whatever program can forget it.

What is played, asked of Freesound or published belongs to none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

FAMILIES = {
    "sounds": ("sounds", "tags", "files", "served", "traits", "texts"),
    "vectors": ("spaces", "similar_lists"),  # a space is touched by triggers when its vectors are
    "agents": ("agents", "models", "annotations"),
}
FILE = "sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate, channels, frames, loudness, peak"


def upgrade():
    op.create_table(
        "states",
        sa.Column("family", sa.String(length=16), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("family", name="pk_states"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for family, tables in FAMILIES.items():
            op.execute(f"insert into states values ('{family}', random())")
            for table in tables:
                for event in ("insert", "delete", "update"):
                    # that a file was decoded once more changes nothing
                    which = f"update of {FILE}" if (table, event) == ("files", "update") else event
                    touched = f"update states set changes = random() where family = '{family}';"
                    op.execute(f"create trigger {table}_state_{event} after {which} on {table} begin {touched} end")
        op.execute("insert into states values ('audio', random())")  # which sounds have a file
        for event in ("insert", "delete", "update of sound_id"):
            touched = "update states set changes = random() where family = 'audio';"
            name = event.partition(" ")[0]
            op.execute(f"create trigger audio_state_{name} after {event} on files begin {touched} end")
