"""Contact events as frames: one row per immutable fact about a contact."""

from __future__ import annotations

from functools import cache

import polars as pl

AT = pl.Datetime("us", "UTC")

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.UInt64(),
    "occurred_at": AT,
    "kind": pl.String(),
    "contact_id": pl.UInt32(),
    "value": pl.Float64(),
    "currency": pl.String(),
    "key": pl.String(),
    "run_id": pl.String(),
    "node_id": pl.String(),
    "arms": pl.String(),
    "instance_id": pl.UInt64(),
    "actor": pl.String(),
    "properties": pl.String(),
}
"""`event_id` unique; `kind` such as order, sent, clicked; `value` in `currency`; `key` the business key (cart id);
`run_id`, `node_id`, `arms`, `instance_id` null for events from outside; `actor` human | machine | unknown;
`properties` JSON text or null. Person data never stands here."""

RUN_KINDS = (
    "entered",
    "exposed",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "bounced",
    "complained",
    "unsubscribed",
    "blocked",
    "exited",
)
"""Kinds the engine and its connectors record for a run, funnel order first."""

ONCE_KINDS = frozenset({"exposed"})
"""Kinds of which a run keeps one event per id, even where what they tell of happens again: who comes a second time to a
test has met it already."""

DETAIL = "detail"
DETAIL_LENGTH_MAX = 200
_DETAILS: dict[str, tuple[str, ...]] = {
    "clicked": ("link", "url"),
    "bounced": ("class",),
    "blocked": ("reason",),
    "exited": ("reason",),
    "visited": ("channel",),
}
"""Kind → which of its properties says what exactly happened; the first one it has."""

OUTBOX_PLAN_SCHEMA: dict[str, pl.DataType] = {
    "outbox_id": pl.String(),
    "node_id": pl.String(),
    "instance_id": pl.UInt64(),
    "contact_id": pl.UInt32(),
    "message_id": pl.String(),
    "arms": pl.String(),
    "key": pl.String(),
}

OUTBOX_SCHEMA: dict[str, pl.DataType] = {
    **OUTBOX_PLAN_SCHEMA,
    "run_id": pl.String(),
    "state": pl.String(),
    "attempts": pl.UInt32(),
    "reason": pl.String(),
    "due_at": AT,
    "changed_at": AT,
    "answer": pl.String(),
}


@cache
def empty_events() -> pl.DataFrame:
    """A frame with the event columns and no row, always the same one: nobody changes a frame in its place."""
    return pl.DataFrame(schema=EVENT_SCHEMA)


def with_detail(events: pl.DataFrame) -> pl.DataFrame:
    """The events with `detail`: the link, bounce class, reason or channel out of `properties`, "" where there is none.

    Addresses of links lose what follows `?` or `#`, which is often made for one person.
    """
    properties = events.get_column("properties")
    if properties.null_count() == events.height:
        return events.with_columns(pl.lit("").alias(DETAIL))
    rows = properties.is_not_null().arg_true()
    texts = pl.DataFrame([rows.alias("row"), events.get_column("kind").gather(rows), properties.gather(rows)])
    texts = texts.filter(texts.get_column("kind").is_in(list(_DETAILS)))
    if texts.is_empty():
        return events.with_columns(pl.lit("").alias(DETAIL))
    # The same text comes over and over: each is read once.
    distinct = texts.select("kind", "properties").unique()
    found = distinct.with_columns(_detail().alias(DETAIL))
    known = texts.join(found, on=["kind", "properties"], how="left", nulls_equal=True, maintain_order="left")
    column = pl.Series(DETAIL, [""], dtype=pl.String).new_from_index(0, events.height)
    return events.with_columns(column.scatter(known.get_column("row"), known.get_column(DETAIL)))


def _detail() -> pl.Expr:
    whole = pl.coalesce(
        pl.when(pl.col("kind") == kind).then(pl.col("properties").str.json_path_match(f"$.{name}"))
        for kind, names in _DETAILS.items()
        for name in names
    )
    return whole.fill_null("").str.replace(r"[?#].*$", "").str.head(DETAIL_LENGTH_MAX)


def as_events(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the event columns, in order and type; missing ones are null."""
    # Column by column: on the small frames that runs record all the time, an expression costs five times as much.
    given = {column.name: column for column in frame.get_columns()}
    columns: list[pl.Series] = []
    for name, dtype in EVENT_SCHEMA.items():
        column = given.get(name)
        if column is None:
            columns.append(_NULLS[name].new_from_index(0, frame.height))
        else:
            columns.append(column if column.dtype == dtype else column.cast(dtype))
    return pl.DataFrame(columns)


_NULLS = {name: pl.Series(name, [None], dtype=dtype) for name, dtype in EVENT_SCHEMA.items()}
