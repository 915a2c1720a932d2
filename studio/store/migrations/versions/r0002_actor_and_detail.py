"""Rollups and bitmaps tell apart who acted (human or machine) and what exactly (link, bounce class, reason).

Absent on purpose: filling them; they are counted anew from the event files after every upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURED = ("run_id", "node_id", "kind", "arms", "actor", "detail")


def upgrade() -> None:
    op.drop_table("event_rollups")
    op.drop_table("event_bitmaps")
    op.create_table(
        "event_rollups",
        *(sa.Column(name, sa.Text(), nullable=False) for name in MEASURED),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("hour", BIG, autoincrement=False, nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(*MEASURED, "currency", "hour", name="pk_event_rollups"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_bitmaps",
        *(sa.Column(name, sa.Text(), nullable=False) for name in MEASURED),
        sa.Column("contacts", BIG, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*MEASURED, name="pk_event_bitmaps"),
    )
