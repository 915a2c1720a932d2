"""Whom a problem of a step concerns: who they are, what was answered for each, and what became of them.

Absent on purpose: all of them; a problem keeps some of its people, and the outbox and `failed` list the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from studio.domain.clock import Clock
from studio.store.store import Store

Fate: TypeAlias = Literal["failed", "retry", "in_doubt", "sent", "kept"]
"""Failed for good, to be tried again, nobody knows, sent after all, or kept at the step for whoever mends it."""

_FATES: dict[str, Fate] = {
    "failed": "failed",
    "retry": "retry",
    "planned": "retry",
    "in_doubt": "in_doubt",
    "sent": "sent",
}
_REPLY = re.compile(r"\b[245]\d\d(?: [245]\.\d{1,3}\.\d{1,3})?\b")
_LOOKED_AT = 5_000
"""Rows of the ledger, the latest changes first."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """One of the people. `answer`: the server's status where there is one, else what was said, in short."""

    contact: str
    answer: str
    fate: Fate


def concerned(store: Store, clock: Clock, run_id: str, node_id: str, code: str, ids: Sequence[int]) -> list[Concerned]:
    """The people in the order of `ids`, as they stand now."""
    people = store.contacts.at(clock.now()).fields(pl.Series(ids, dtype=pl.UInt32), ["key", "name", "email"])
    letters = store.runs.outbox_rows(run_id=run_id, limit=_LOOKED_AT).filter(pl.col("node") == node_id)
    of_letter = {row["contact"]: row for row in letters.iter_rows(named=True)}
    apart = store.runs.quarantined(run_id, node_id).filter(pl.col("code") == code)
    of_row = dict(apart.select("contact_id", "message").iter_rows())
    found: list[Concerned] = []
    for number, row in zip(ids, people.iter_rows(named=True), strict=True):
        letter = of_letter.get(row["key"], {})
        said = letter.get("reason") or of_row.get(number) or ""
        fate = _FATES.get(letter.get("state", ""), "kept")
        found.append(Concerned(row["email"] or row["key"], _in_short(said), fate))
    return found


def _in_short(said: str) -> str:
    reply = _REPLY.search(said)
    if reply is not None:
        return reply.group()
    words = said.partition(": ")[2] or said
    return f"{words[:59].rstrip()}…" if len(words) > 60 else words
