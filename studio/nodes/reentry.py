"""Entries out of events: which of them may start, by the re-entry policy, and as which occurrence.

Absent on purpose: memory. Who has entered before, in this run or in earlier activations of its workflow, is asked of
the log's `entered` events, where that matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import polars as pl

from studio.domain.node import NodeContext
from studio.domain.workflow import ReEntryPolicy
from studio.frames.events import AT
from studio.frames.expression import event_property

_JOURNEY = ["contact_id", "key"]
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
    key = pl.lit(None, pl.String) if not instance_key else pl.col("key")
    if instance_key not in ("", "key"):
        key = event_property(instance_key)
    seen = pl.struct("kind", pl.col("occurred_at").dt.to_string("iso:strict"), "value", "currency", "key", "properties")
    candidates = (
        events.filter(pl.col("contact_id").is_not_null())
        .sort("occurred_at", "event_id")
        .select(
            "contact_id",
            key.alias("key"),
            pl.col("occurred_at").alias("entered_at"),
            seen.struct.json_encode().alias("var.event"),
        )
    )
    return admitted(candidates, re_entry, context).select("contact_id", "key", "entered_at", "occurrence", "var.event")


def admitted(candidates: pl.DataFrame, re_entry: ReEntry, context: NodeContext) -> pl.DataFrame:
    """The candidates (`contact_id`, `key`, `entered_at`, any other) that may enter, with `occurrence`."""
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


def _entered(candidates: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    """The `entered` events of these people in this run and in earlier activations of its workflow."""
    ids = candidates.get_column("contact_id").unique().sort()
    if not context.earlier_runs:
        return context.events.rows(("entered",), since=context.started_at, ids=ids, run_id=context.run_id)
    runs = [context.run_id, *context.earlier_runs]
    return context.events.rows(("entered",), since=_EVER, ids=ids).filter(pl.col("run_id").is_in(runs))


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
