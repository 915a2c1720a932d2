"""Sums per hour are read in the order they lie in; the table of an experiment's looks, which nothing ever wrote, goes.

A look is a function of the events: it is worked out again, and what people decided is kept with the experiment.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_event_rollups_hours", "event_rollups", ["run_id", "hour", "kind", "count", "value"])
    op.drop_table("experiment_looks")
