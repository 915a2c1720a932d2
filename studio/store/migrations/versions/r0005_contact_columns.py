"""Contact fields once more as columns, in blocks of ids, which are dropped when anything in them changes.

Absent on purpose: filling them; they are made when they are first asked for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOCK = 50_000
CHANGES = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))


def upgrade() -> None:
    op.create_table(
        "contact_columns",
        sa.Column("id", BIG, nullable=False),
        sa.Column("first", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact_columns"),
        sa.UniqueConstraint("first", "name", name="uq_contact_columns_first_name"),
        sqlite_autoincrement=True,
    )
    for change, row in CHANGES:
        op.execute(
            f"CREATE TRIGGER contact_columns_{change.lower()} AFTER {change} ON contacts BEGIN "  # noqa: S608 - own words
            f"DELETE FROM contact_columns WHERE first = ({row}.id - 1) / {BLOCK} * {BLOCK} + 1; END"
        )
    # A field that is new or holds other values than before has another type in every block.
    for change in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER contact_columns_field_{change.lower()} AFTER {change} ON contact_fields BEGIN "  # noqa: S608
            "DELETE FROM contact_columns; END"
        )
