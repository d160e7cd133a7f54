"""What a performance and each of its commands went by; how long a play was audible; bare numbers as answers."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade():
    op.add_column("performances", sa.Column("facts", sa.JSON()))
    op.add_column("commands", sa.Column("facts", sa.JSON()))
    op.add_column("plays", sa.Column("heard", sa.Float()))
    # SQLite turns the text of a number into a number in a column declared as JSON
    op.add_column("commands", sa.Column("answered", sa.Text()))
    op.execute("update commands set answered = cast(answer as text)")
    op.drop_column("commands", "answer")
    op.alter_column("commands", "answered", new_column_name="answer")
