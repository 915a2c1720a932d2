"""Made-up beginnings for a simulation: events such as carts or bookings, where a workspace has none to start from.

So that every workflow can be tried at once. They carry the run's id, like all that is simulated, and no other run sees
them. Absent on purpose: people (they are the workspace's), and what they do afterwards (`simulator`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from pydantic import JsonValue

from studio.domain.duration import parse_duration
from studio.experiments.assignment import hash64
from studio.frames.events import as_events

SHARE = 0.5
DAYS = 14.0
"""Half of the people begin, spread over two weeks: enough to see every branch, and no claim about a real business."""
FEW = 25
"""Of so few people or fewer, all begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a made-up event is like. `sample`: its properties; a text such as `+P5D` is a moment so long after it, and
    `value` is its worth, `times` how often each person does it, an hour apart.
    """

    kind: str
    key: str | None = None
    sample: Mapping[str, JsonValue] = field(default_factory=dict)
    currency: str = "EUR"

    @property
    def times(self) -> int:
        """How often each person does it."""
        times = self.sample.get("times", 1)
        return times if isinstance(times, int) else 1


def made_up_entries(
    beginning: Beginning, people: pl.Series, start: datetime, *, run_id: str, seed: int
) -> pl.DataFrame:
    """EVENT_SCHEMA, by moment; the same for the same run, seed and people."""
    salt = f"{seed}|{run_id}|{beginning.kind}"
    ids = people.cast(pl.UInt64).to_numpy()
    drawn = (hash64(f"{salt}|who", ids) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    when = (hash64(f"{salt}|when", ids) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    drawn = drawn if people.len() > FEW else drawn * SHARE
    rows: list[dict[str, object]] = []
    for contact_id, moment in zip(ids[drawn < SHARE].tolist(), when[drawn < SHARE].tolist(), strict=True):
        for time in range(beginning.times):
            at = start + timedelta(days=moment * DAYS, hours=time)
            rows.append(_row(beginning, contact_id, at, f"{salt}|{contact_id}|{time}", run_id))
    if not rows:
        return as_events(pl.DataFrame({"contact_id": pl.Series([], dtype=pl.UInt32)}))
    return as_events(pl.DataFrame(rows, infer_schema_length=None)).sort("occurred_at", "event_id")


def _row(beginning: Beginning, contact_id: int, at: datetime, salt: str, run_id: str) -> dict[str, object]:
    number = int(hash64(salt, np.array([contact_id], dtype=np.uint64))[0])
    properties = {name: _dated(value, at) for name, value in beginning.sample.items() if name not in ("value", "times")}
    value = beginning.sample.get("value")
    return {
        "event_id": number,
        "occurred_at": at,
        "kind": beginning.kind,
        "contact_id": contact_id,
        "value": float(value) if isinstance(value, (int, float)) else None,
        "currency": beginning.currency if value is not None else None,
        "key": beginning.key or f"{beginning.kind}-{number % 10**8:08d}",
        "run_id": run_id,
        "actor": "human",
        "properties": json.dumps(properties, ensure_ascii=False) if properties else None,
    }


def _dated(value: JsonValue, at: datetime) -> JsonValue:
    if isinstance(value, str) and value.startswith(("+P", "-P")):
        shift = parse_duration(value[1:])
        return (at + shift if value[0] == "+" else at - shift).isoformat()
    return value
