"""What a web call's answer held of the values that were wanted, beside the call in the send ledger.

Absent on purpose: filling it in; what was answered before nobody kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("answer", sa.Text()))
