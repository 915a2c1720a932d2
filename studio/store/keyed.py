"""A batch of events laid out by key, once: its file, its sums and its people are all made from this.

A key is run, node, kind, arms, actor, detail and currency. There are few of them beside the events, and to look at
seven texts of every event costs more than all that is done afterwards with the numbers of keys. Absent on purpose:
what is counted (`rollups`) and how a file is written (`segments`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from studio.frames.events import DETAIL, with_detail

KEYS = ("run_id", "node_id", "kind", "arms", "actor", DETAIL)
CURRENCY = "currency"
_ROW = "__row"


@dataclass(frozen=True, slots=True)
class Keyed:
    """Events in order of time, and where those of each key lie.

    keys: KEYS and `currency`, a row per key; null and "" are different keys. rows: the events' row numbers, key after
    key, ascending within one. starts: where each key begins in `rows`, and where the last one ends.
    """

    events: pl.DataFrame
    keys: pl.DataFrame
    rows: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, events: pl.DataFrame) -> Keyed:
        """Of EVENT_SCHEMA columns without `event_id`, `instance_id` and `key`; others stay as they are."""
        if not events.get_column("occurred_at").is_sorted():
            events = events.sort("occurred_at", *(["event_id"] if "event_id" in events.columns else []))
        detailed = with_detail(events).select(*KEYS, CURRENCY).with_row_index(_ROW)
        # In memory: Polars' streaming engine takes twice as long to gather lists.
        found = detailed.lazy().group_by(*KEYS, CURRENCY).agg(_ROW).collect(engine="in-memory")
        lists = found.get_column(_ROW)
        starts = np.concatenate([[0], np.cumsum(lists.list.len().to_numpy(), dtype=np.int64)])
        return cls(events, found.drop(_ROW), lists.explode(empty_as_null=False).to_numpy(), starts)

    @property
    def counts(self) -> np.ndarray:
        """How many events each key has."""
        return np.diff(self.starts)

    def coded(self, names: tuple[str, ...]) -> dict[str, pl.Series]:
        """Columns of the keys for every event, as numbers with their texts beside them."""
        number = np.empty(len(self.rows), dtype=np.uint32)
        number[self.rows] = np.repeat(np.arange(self.keys.height, dtype=np.uint32), self.counts)
        places = pl.Series(number)
        columns = {name: self.keys.get_column(name) for name in names}
        return {
            name: column.cast(pl.Enum(column.drop_nulls().unique())).gather(places) for name, column in columns.items()
        }
