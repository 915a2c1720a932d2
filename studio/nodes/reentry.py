"""Entries out of events: which of them may start, by the re-entry policy, and as which occurrence.

Absent on purpose: memory. Who has entered before, in this run or in earlier activations of its workflow, is asked of
the log's `entered` events, where that matters.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import polars as pl

from studio.domain.node import NodeContext
from studio.domain.workflow import ReEntryPolicy
from studio.frames.events import AT
from studio.frames.expression import event_property
from studio.frames.few import is_few, kept, with_series

_JOURNEY = ["contact_id", "key"]
_ENTRY = ("contact_id", "key", "entered_at", "occurrence", "var.event")
_SEEN = ("kind", "occurred_at", "value", "currency", "key", "properties")
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
    candidates = _few_candidates(events, instance_key)
    if candidates is None:
        candidates = _candidates(events, instance_key)
    admitting = admitted(candidates, re_entry, context)
    return pl.DataFrame([admitting.get_column(name) for name in _ENTRY])


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


def _few_candidates(events: pl.DataFrame, instance_key: str) -> pl.DataFrame | None:
    """The same for a few events that come in order, without Polars' engine; None for all others."""
    if not is_few(events) or instance_key not in ("", "key") or events.get_column("contact_id").null_count():
        return None
    moments, ids = events.get_column("occurred_at"), events.get_column("event_id")
    places = list(zip(moments.cast(pl.Int64).to_list(), ids.to_list(), strict=True))
    seen = [_seen(event) for event in zip(*(events.get_column(name).to_list() for name in _SEEN), strict=True)]
    if None in seen or places != sorted(places):
        return None
    keys = events.get_column("key") if instance_key else pl.Series("key", [None] * events.height, dtype=pl.String)
    told = pl.Series("var.event", seen, dtype=pl.String)
    return pl.DataFrame([events.get_column("contact_id"), keys, moments.alias("entered_at"), told])


def _seen(event: tuple[Any, ...]) -> str | None:
    """The event as JSON, written as Polars writes it; None for a number that both write in different ways."""
    kind, at, value, *others = event
    if value is not None and value != 0 and not 1e-4 <= abs(value) < 1e15:
        return None
    told = dict(zip(_SEEN, (kind, at.isoformat(timespec="microseconds"), value, *others), strict=True))
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def admitted(candidates: pl.DataFrame, re_entry: ReEntry, context: NodeContext) -> pl.DataFrame:
    """The candidates (`contact_id`, `key`, `entered_at`, any other) that may enter, with `occurrence`."""
    if is_few(candidates) and re_entry.policy in ("one_per_key", "every_time"):
        return _few_admitted(candidates, re_entry.policy == "every_time", context)
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


def _few_admitted(candidates: pl.DataFrame, every_time: bool, context: NodeContext) -> pl.DataFrame:
    if not every_time:
        candidates = _new_journeys(candidates, context)
    occurrences = _occurrences(candidates, context) if every_time else [0] * candidates.height
    return with_series(candidates, [pl.Series("occurrence", occurrences, dtype=pl.UInt32)])


def _new_journeys(candidates: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    """Of a few, those who come first of their journey, where no earlier activation has let them in."""
    known: set[tuple[int, str | None]] = set()
    if context.earlier_runs:
        entered = _entered(candidates, context)
        runs = entered.get_column("run_id").to_list()
        pairs = zip(_journeys(entered), runs, strict=True)
        known = {journey for journey, run_id in pairs if run_id != context.run_id}
    is_new = []
    for journey in _journeys(candidates):
        is_new.append(journey not in known)
        known.add(journey)
    return kept(candidates, pl.Series(is_new, dtype=pl.Boolean))


def _journeys(frame: pl.DataFrame) -> list[tuple[int, str | None]]:
    return list(zip(*(frame.get_column(name).to_list() for name in _JOURNEY), strict=True))


def _occurrences(candidates: pl.DataFrame, context: NodeContext) -> list[int]:
    """How often the same contact and key have entered this run before each of a few."""
    before = _entered(candidates, context)
    is_here = (run_id == context.run_id for run_id in before.get_column("run_id").to_list())
    counts = Counter(journey for journey, here in zip(_journeys(before), is_here, strict=True) if here)
    found: list[int] = []
    for journey in _journeys(candidates):
        found.append(counts[journey])
        counts[journey] += 1
    return found


def _entered(candidates: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    """The `entered` events of these people in this run and in earlier activations of its workflow."""
    ids = candidates.get_column("contact_id")
    ids = pl.Series("contact_id", sorted(set(ids)), dtype=pl.UInt32) if is_few(candidates) else ids.unique().sort()
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
