"""Handing out contacts chunk by chunk, with a cursor that says where the next chunk begins."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def page(
    cursor: str | None,
    limit: int,
    following: Callable[[int, int], pl.Series],
    *,
    at_most: int | None = None,
    keep: Callable[[pl.Series], pl.Series] | None = None,
) -> tuple[pl.DataFrame, str | None]:
    """The entries (`contact_id`, `key`, which is null) of the next chunk, and the next cursor, None at the end.

    Args:
        cursor: None at first; holds the last contact id looked at and how many were handed out.
        limit: how many contacts are looked at; fewer are handed out when `keep` drops some.
        following: the next ids above a given one, ascending, at most so many.
        at_most: how many are handed out over all chunks.
        keep: which of the ids looked at are handed out, in their order.
    """
    after, given = (-1, 0) if cursor is None else (int(part) for part in cursor.split(":"))
    ids = following(after, limit)
    kept = keep(ids) if keep is not None else ids
    if at_most is not None:
        kept = kept.head(at_most - given)
        given += kept.len()
    is_end = ids.len() < limit or (at_most is not None and given >= at_most)
    entries = pl.DataFrame({"contact_id": kept.cast(pl.UInt32)}).with_columns(pl.lit(None, pl.String).alias("key"))
    return entries, None if is_end else f"{ids[-1]}:{given}"
