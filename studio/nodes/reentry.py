"""Entries out of events: which of them may start, by the re-entry policy, and as which occurrence.

Absent on purpose: memory. Who has entered before, in this run or in earlier activations of its workflow, is asked of
the log's `entered` events, where that matters.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

import polars as pl

from studio.domain.node import NodeContext
from studio.domain.workflow import ReEntryPolicy
from studio.frames.events import AT
from studio.frames.expression import event_property
from studio.frames.few import Few, Row, is_few

RE_ENTRY_WORDS: Mapping[str, str] = {
    "never": "Never",
    "every_time": "Every time",
    "one_per_key": "Once for each cart or order",
    "after_days": "Some days after the last start",
    "after_exit": "Once they are through",
}
"""What forms call the policies."""
_JOURNEY = ["contact_id", "key"]
_ENTRY = ("contact_id", "key", "entered_at", "occurrence", "var.event")
_SEEN = ("kind", "occurred_at", "value", "currency", "key", "properties")
_CANDIDATE: dict[str, pl.DataType] = {
    "contact_id": pl.UInt32(),
    "key": pl.String(),
    "entered_at": AT,
    "var.event": pl.String(),
}
_Journey: TypeAlias = tuple[int, str | None]
_MICROS = "microseconds"
_TOLD = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReEntry:
    """Whether somebody who has entered may enter again. `days` counts for `after_days` alone."""

    policy: ReEntryPolicy
    days: int = 30


class Starting(Protocol):
    """The parameters of a trigger, as far as starting again goes."""

    @property
    def re_entry(self) -> ReEntryPolicy: ...
    @property
    def re_entry_days(self) -> int: ...
    @property
    def model_fields_set(self) -> set[str]: ...


def re_entry_of(parameters: Starting, context: NodeContext) -> ReEntry:
    """What the trigger says; where it says nothing, what the workflow's settings say; else the trigger's default."""
    policy = context.settings.re_entry
    if policy is None or "re_entry" in parameters.model_fields_set:
        policy = parameters.re_entry
    return ReEntry(policy, parameters.re_entry_days)


def entries_from(events: pl.DataFrame, instance_key: str, re_entry: ReEntry, context: NodeContext) -> pl.DataFrame:
    """Entries, oldest first: `contact_id`, `key`, `entered_at`, `occurrence`, `var.event` (the event as JSON).

    Args:
        events: EVENT_SCHEMA rows; of several that may not all enter, the earliest does.
        instance_key: `key` for the event's key, the name of a property, or empty for none.
        re_entry: who may enter again.
        context: the run, whose `entered` events so far are the memory.
    """
    if is_few(events):
        few = Few.of(events)
        if (entering := few_entries_from(few, instance_key, re_entry, context)) is not None:
            return entering.frame()
        found = _few_candidates(few, instance_key)
        candidates = _candidates(events, instance_key) if found is None else found.frame()
    else:
        candidates = _candidates(events, instance_key)
    admitting = admitted(candidates, re_entry, context)
    return pl.DataFrame([admitting.get_column(name) for name in _ENTRY])


def few_entries_from(events: Few, instance_key: str, re_entry: ReEntry, context: NodeContext) -> Few | None:
    """`entries_from` for a few, row by row; None where columns have to be asked."""
    if re_entry.policy not in ("one_per_key", "every_time"):
        return None
    candidates = _few_candidates(events, instance_key)
    if candidates is None:
        return None
    entering = _few_admitted(candidates, re_entry.policy == "every_time", context)
    return Few({name: entering.dtypes[name] for name in _ENTRY}, entering.rows)


def _candidates(events: pl.DataFrame, instance_key: str) -> pl.DataFrame:
    key = pl.lit(None, pl.String) if not instance_key else pl.col("key")
    if instance_key not in ("", "key"):
        key = event_property(instance_key)
    seen = pl.struct("kind", pl.col("occurred_at").dt.to_string("iso:strict"), "value", "currency", "key", "properties")
    return (
        events.filter(pl.col("contact_id").is_not_null())
        .sort("occurred_at", "event_id")
        .select(
            "contact_id",
            key.alias("key"),
            pl.col("occurred_at").alias("entered_at"),
            seen.struct.json_encode().alias("var.event"),
        )
    )


def _few_candidates(events: Few, instance_key: str) -> Few | None:
    """The same for a few events that come in order, without Polars' engine; None for all others."""
    if instance_key not in ("", "key"):
        return None
    places = [(row["occurred_at"], row["event_id"]) for row in events.rows]
    told = [_seen(row) for row in events.rows]
    if None in told or places != sorted(places) or any(row["contact_id"] is None for row in events.rows):
        return None
    rows = [
        {
            "contact_id": row["contact_id"],
            "key": row["key"] if instance_key else None,
            "entered_at": row["occurred_at"],
            "var.event": seen,
        }
        for row, seen in zip(events.rows, told, strict=True)
    ]
    return Few(_CANDIDATE, rows)


def _seen(event: Row) -> str | None:
    """The event as JSON, written as Polars writes it; None for a number that both write in different ways."""
    value = event["value"]
    if value is not None and value != 0 and not 1e-4 <= abs(value) < 1e15:
        return None
    told = {name: event[name] for name in _SEEN} | {"occurred_at": event["occurred_at"].isoformat(timespec=_MICROS)}
    return _TOLD.encode(told)


def admitted(candidates: pl.DataFrame, re_entry: ReEntry, context: NodeContext) -> pl.DataFrame:
    """The candidates (`contact_id`, `key`, `entered_at`, any other) that may enter, with `occurrence`."""
    if is_few(candidates) and re_entry.policy in ("one_per_key", "every_time"):
        return _few_admitted(Few.of(candidates), re_entry.policy == "every_time", context).frame()
    if re_entry.policy == "one_per_key":
        # The same contact, key and occurrence are the same instance, and one that is in the run does not enter again:
        # the log, which grows with every entry, need not be asked.
        first = candidates.unique(_JOURNEY, keep="first", maintain_order=True)
        if context.earlier_runs:
            elsewhere = _entered(first, context).filter(pl.col("run_id") != context.run_id)
            first = first.join(elsewhere, on=_JOURNEY, how="anti", nulls_equal=True, maintain_order="left")
        return first.with_columns(pl.lit(0, pl.UInt32).alias("occurrence"))
    before = _entered(candidates, context)
    here = before.filter(pl.col("run_id") == context.run_id)
    first = candidates.unique("contact_id", keep="first", maintain_order=True)
    match re_entry.policy:
        case "every_time":
            return _numbered(candidates, here)
        case "never":
            return _numbered(first.join(before, on="contact_id", how="anti", maintain_order="left"), here)
        case "after_exit":
            return _numbered(_gone(first, context), here)
        case "after_days":
            return _numbered(_spaced(candidates, before, timedelta(days=re_entry.days)), here)


def _few_admitted(candidates: Few, every_time: bool, context: NodeContext) -> Few:
    if not every_time:
        candidates = _new_journeys(candidates, context)
    occurrences = _occurrences(candidates, context) if every_time else [0] * candidates.height
    return candidates.with_columns([("occurrence", pl.UInt32(), occurrences)])


def _new_journeys(candidates: Few, context: NodeContext) -> Few:
    """Of a few, those who come first of their journey, where no earlier activation has let them in."""
    known: set[_Journey] = set()
    if context.earlier_runs:
        entered = _few_entered(candidates, context)
        known = {_journey(row) for row in entered if row["run_id"] != context.run_id}
    first: list[Row] = []
    for row in candidates.rows:
        if _journey(row) not in known:
            first.append(row)
        known.add(_journey(row))
    return Few(candidates.dtypes, first)


def _occurrences(candidates: Few, context: NodeContext) -> list[int]:
    """How often the same contact and key have entered this run before each of a few."""
    before = _few_entered(candidates, context)
    counts = Counter(_journey(row) for row in before if row["run_id"] == context.run_id)
    found: list[int] = []
    for journey in map(_journey, candidates.rows):
        found.append(counts[journey])
        counts[journey] += 1
    return found


def _journey(row: Row) -> _Journey:
    return row["contact_id"], row["key"]


def _few_entered(candidates: Few, context: NodeContext) -> list[Row]:
    ids = pl.Series("contact_id", sorted(set(candidates.column("contact_id"))), dtype=pl.UInt32)
    return _entered_before(ids, context).to_dicts() if len(ids) else []


def _entered(candidates: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    """The `entered` events of these people in this run and in earlier activations of its workflow."""
    return _entered_before(candidates.get_column("contact_id").unique().sort(), context)


def _entered_before(ids: pl.Series, context: NodeContext) -> pl.DataFrame:
    if not context.earlier_runs:
        return context.events.rows(("entered",), since=context.started_at, ids=ids, run_id=context.run_id)
    runs = [context.run_id, *context.earlier_runs]
    found = context.events.rows(("entered",), since=_EVER, ids=ids)
    return found.filter(pl.col("run_id").is_in(runs)) if found.height else found


def _gone(candidates: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    """Those who are not on their way in the run: they never entered, or their journey has ended."""
    if context.standing is None:
        return candidates
    return candidates.filter(~pl.col("contact_id").is_in(context.standing().implode()))


def _spaced(candidates: pl.DataFrame, before: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """Each round takes the earliest candidate of every contact that is far enough from the last entry."""
    last = before.group_by("contact_id").agg(pl.col("occurred_at").max().alias("last"))
    taken: list[pl.DataFrame] = [candidates.clear()]
    left = candidates.join(last, on="contact_id", how="left", maintain_order="left")
    while left.height:
        left = left.filter(pl.col("last").is_null() | (pl.col("entered_at") >= pl.col("last") + gap))
        chosen = left.unique("contact_id", keep="first", maintain_order=True)
        taken.append(chosen.drop("last"))
        last = chosen.select("contact_id", pl.col("entered_at").alias("last"))
        left = left.drop("last").join(last, on="contact_id", how="inner", maintain_order="left")
        left = left.filter(pl.col("entered_at") > pl.col("last"))
    return pl.concat(taken).sort("entered_at", maintain_order=True)


def _numbered(chosen: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    earlier = before.group_by(_JOURNEY).agg(pl.len().alias("earlier"))
    joined = chosen.with_columns(pl.col("entered_at").cast(AT)).join(
        earlier, on=_JOURNEY, how="left", nulls_equal=True, maintain_order="left"
    )
    within = pl.int_range(pl.len()).over(_JOURNEY)
    return joined.with_columns((pl.col("earlier").fill_null(0) + within).cast(pl.UInt32).alias("occurrence"))
