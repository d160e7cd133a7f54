"""Agents kept for good: which version is in use, what undoes what, what a model was made of; and listening trials."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade():
    op.add_column("agents", sa.Column("deleted", sa.String(length=32)))
    op.add_column("agents", sa.Column("in_use", sa.Integer()))
    op.add_column("annotations", sa.Column("undoes", sa.Integer()))
    op.add_column("models", sa.Column("until", sa.Integer()))
    op.add_column("models", sa.Column("verdicts", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_trials_agent_id_agents"),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
    )
    op.create_table(
        "trial_answers",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_trial_answers_trial_id_trials"),
        sa.PrimaryKeyConstraint("trial_id", "number", "part", name="pk_trial_answers"),
    )
