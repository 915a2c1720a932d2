"""Which runs are still news. Absent on purpose: reading them."""

from __future__ import annotations

from collections.abc import Sequence

from studio.domain.ports import RunRow


def newest_of_each(rows: Sequence[RunRow]) -> list[RunRow]:
    """The last run of every workflow, of runs newest first: what failed and was run again is no longer news."""
    newest: dict[str, RunRow] = {}
    for row in rows:
        newest.setdefault(row.workflow_id, row)
    return list(newest.values())
