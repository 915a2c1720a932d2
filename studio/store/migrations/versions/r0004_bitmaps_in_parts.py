"""Bitmaps grow by parts, so that a checkpoint writes who is new and not everybody once more.

Absent on purpose: filling them; they are counted anew from the event files after every upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURED = ("run_id", "node_id", "kind", "arms", "actor", "detail")


def upgrade() -> None:
    op.drop_table("event_bitmaps")
    op.create_table(
        "event_bitmaps",
        *(sa.Column(name, sa.Text(), nullable=False) for name in MEASURED),
        sa.Column("part", BIG, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*MEASURED, "part", name="pk_event_bitmaps"),
    )
