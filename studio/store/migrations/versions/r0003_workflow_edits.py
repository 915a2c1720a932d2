"""Every edit of a workflow is kept, so that nothing is lost and any earlier state can be had again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "workflow_edits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_edits"),
    )
    op.create_index("ix_workflow_edits_workflow_id", "workflow_edits", ["workflow_id"], unique=False)
