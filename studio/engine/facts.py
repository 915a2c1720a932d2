"""The contact events that a run records, and ids that are digests of what they name, thousands at a time.

An event's id depends on run, node, kind, instance and (where one instance can have several) what caused it, so that a
stage done twice names the same events. Absent on purpose: run events, which number themselves (`engine/memory.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.domain.workflow import VISITS
from studio.experiments.assignment import hash64, hash64_of
from studio.frames.events import AT, EVENT_SCHEMA, as_events, empty_events
from studio.frames.few import Few
from studio.frames.instances import INSTANCE_SCHEMA

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VARIABLE = "var."
_NO_EVENT = dict.fromkeys(EVENT_SCHEMA)
REACHED = "var.reached"
"""Set to the goal's id on instances that left through its `reached` port: they are past every goal's exit."""


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def tidy(batch: pl.DataFrame) -> pl.DataFrame:
    """The batch with the instance columns and variables only: what travels on an edge."""
    columns = batch.get_columns()
    wanted = [column for column in columns if column.name in INSTANCE_SCHEMA or column.name.startswith(VARIABLE)]
    return batch if len(wanted) == len(columns) else pl.DataFrame(wanted)


def constant(name: str, value: object, dtype: pl.DataType, rows: int) -> pl.Series:
    """A column that holds one value. (An expression would cost ten times as much on a small batch.)"""
    if isinstance(value, datetime):
        # Polars takes a quarter of a millisecond to look at a moment; a number is one look.
        return pl.Series(name, [_micros(value)], dtype=pl.Int64).cast(dtype).new_from_index(0, rows)
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, rows)


def together(batches: list[pl.DataFrame]) -> pl.DataFrame:
    """One batch of several; a variable that some lack is null there."""
    if len(batches) == 1:
        return batches[0]
    return pl.concat(batches, how="diagonal_relaxed")


def visited_ids(batch: pl.DataFrame) -> pl.Series:
    """Per row the instance's id, mixed with how often it is going round the loops it is in: what happens in the second
    round is not what happened in the first. Outside of loops it is the instance's id.
    """
    ids = batch.get_column("instance_id")
    names = [name for name in batch.columns if name.startswith(VISITS)]
    if not names:
        return ids
    mixed = _u64(ids)
    for name in names:
        visits = batch.get_column(name).cast(pl.UInt64).fill_null(0).to_numpy()
        mixed = mixed ^ np.where(visits > 0, hash64(name, visits), np.uint64(0))
    return pl.Series("instance_id", mixed, dtype=pl.UInt64)


def event_ids(
    run_id: str, node_id: str, kind: str, instance_ids: pl.Series, cause: pl.Series | None = None
) -> pl.Series:
    """u64 per row: digest of run, node, kind, instance and cause (u64, such as the id of the event that led to it)."""
    ids = _u64(instance_ids)
    if cause is not None:
        ids = ids ^ hash64("cause", _u64(cause))
    return pl.Series("event_id", hash64(f"{run_id}|{node_id}|{kind}", ids), dtype=pl.UInt64)


def outbox_ids(run_id: str, node_id: str, instance_ids: pl.Series) -> pl.Series:
    """32 hex digits per row: what a message is known by in the ledger."""
    ids = _u64(instance_ids)
    halves = np.stack([hash64(f"{run_id}|{node_id}|outbox|{half}", ids) for half in "ab"], axis=1)
    text = halves.astype(">u8").tobytes().hex()
    return pl.Series("outbox_id", [text[at : at + 32] for at in range(0, len(text), 32)], dtype=pl.String)


def message_ids(outbox: pl.Series, sender_address: str) -> pl.Series:
    """`<outbox id@sender's domain>`, the Message-ID that a message keeps over every try."""
    domain = sender_address.rpartition("@")[2] or "localhost"
    return ("<" + outbox + f"@{domain}>").alias("message_id")


def chance(salt: str, instance_id: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return float(hash64(salt, np.array([instance_id], dtype=np.uint64))[0]) / 2**64


def few_contact_events(few: Few, *, run_id: str, node_id: str, kind: str, moment: str) -> pl.DataFrame:
    """`contact_events` for a few instances outside of loops; `moment`: the column that says when it happened."""
    made = {"kind": kind, "run_id": run_id, "node_id": node_id}
    salt = f"{run_id}|{node_id}|{kind}"
    events = [
        {
            **_NO_EVENT,
            **made,
            **{name: row[name] for name in ("contact_id", "key", "arms", "instance_id")},
            "event_id": hash64_of(salt, row["instance_id"]),
            "occurred_at": row[moment],
        }
        for row in few.rows
    ]
    return pl.from_dicts(events, schema=EVENT_SCHEMA) if events else empty_events()


def contact_events(rows: pl.DataFrame, *, run_id: str, node_id: str, kind: str, at: datetime) -> pl.DataFrame:
    """EVENT_SCHEMA, one event of this kind per row of a batch. `occurred_at`, `value`, `currency`, `properties` and
    `cause` (u64, goes into the id) are taken from the rows where they have them.
    """
    columns = {column.name: column for column in rows.get_columns()}
    made = {"kind": kind, "run_id": run_id, "node_id": node_id}
    columns |= {name: constant(name, text, pl.String(), rows.height) for name, text in made.items()}
    columns["event_id"] = event_ids(run_id, node_id, kind, visited_ids(rows), columns.get("cause"))
    if "occurred_at" not in columns:
        columns["occurred_at"] = constant("occurred_at", at, AT, rows.height)
    return as_events(pl.DataFrame(list(columns.values())))


def fill_in(events: pl.DataFrame, people: pl.DataFrame, *, run_id: str, node_id: str, at: datetime) -> pl.DataFrame:
    """EVENT_SCHEMA out of what a node gave (at least `instance_id` and `kind`): ids, run, node and moment are filled
    in, and from `people` (a batch) whatever of contact, key and arms is missing.
    """
    events = as_events(events)
    known = people.select("instance_id", "contact_id", "key", "arms").unique("instance_id", keep="last")
    joined = events.join(known, on="instance_id", how="left", suffix="_known", maintain_order="left")
    filled = joined.with_columns(
        *(pl.coalesce(name, f"{name}_known").alias(name) for name in ("contact_id", "key", "arms")),
        pl.col("occurred_at").fill_null(pl.lit(at, dtype=AT)),
        pl.lit(run_id).alias("run_id"),
        pl.lit(node_id).alias("node_id"),
    ).select(*EVENT_SCHEMA)
    return identified(filled, run_id, node_id)


def identified(events: pl.DataFrame, run_id: str, node_id: str) -> pl.DataFrame:
    """The events with an id where they had none: a digest of kind, instance and moment."""
    if not events.get_column("event_id").null_count():
        return events
    ids = np.empty(events.height, dtype=np.uint64)
    moments = events.get_column("occurred_at").to_physical().cast(pl.UInt64)
    instances = events.get_column("instance_id").fill_null(0)
    kinds = events.get_column("kind")
    for kind in kinds.unique():
        mask = (kinds == kind).to_numpy()
        ids[mask] = event_ids(run_id, node_id, kind, instances.filter(mask), moments.filter(mask)).to_numpy()
    made = pl.Series("event_id", ids, dtype=pl.UInt64)
    return events.with_columns(pl.col("event_id").fill_null(made))


def _u64(ids: pl.Series) -> NDArray[np.uint64]:
    return ids.cast(pl.UInt64).to_numpy()
