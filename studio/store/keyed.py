"""A batch of events laid out by key, once: its file, its sums and its people are all made from this.

A key is run, node, kind, arms, actor, detail and currency. There are few of them beside the events, and to look at
seven texts of every event costs more than all that is done afterwards with the numbers of keys: so texts are told apart
by digests of 64 bits, as events are by their ids. Absent on purpose: what is counted (`rollups`) and how a file is
written (`segments`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from studio.frames.events import DETAIL, with_detail

KEYS = ("run_id", "node_id", "kind", "arms", "actor", DETAIL)
CURRENCY = "currency"
FEW_KEYS = 8
"""At least so many events a combination of texts, or the texts are looked at, and written, as they are."""

_TEXTS = ("run_id", "node_id", "kind", "arms", "actor", CURRENCY, "properties")
_ODD = 0x9E3779B97F4A7C15
_ROW = "__row"


@dataclass(frozen=True, slots=True)
class Keyed:
    """Events in order of time, and where those of each key lie.

    keys: KEYS and `currency`, a row per key; null and "" are different keys. rows: the events' row numbers, key after
    key, ascending within one. starts: where each key begins in `rows`, and where the last one ends. texts: the
    different combinations of texts there are, `places`: which of them each event has; None where there are many.
    """

    events: pl.DataFrame
    keys: pl.DataFrame
    rows: np.ndarray
    starts: np.ndarray
    texts: pl.DataFrame | None = None
    places: np.ndarray | None = None

    @classmethod
    def of(cls, events: pl.DataFrame) -> Keyed:
        """Of EVENT_SCHEMA columns without `event_id`, `instance_id` and `key`; others stay as they are."""
        if not events.get_column("occurred_at").is_sorted():
            events = events.sort("occurred_at", *(["event_id"] if "event_id" in events.columns else []))
        number, places = _told_apart(_digests(events))
        if number * FEW_KEYS > events.height:
            return cls._one_by_one(events)
        first = np.empty(number, dtype=np.int64)
        first[places[::-1]] = np.arange(events.height - 1, -1, -1)
        texts = events.select(*_TEXTS)[first]
        keys, key_of = _numbered(with_detail(texts).select(*KEYS, CURRENCY))
        key = key_of[places].astype(np.uint16 if keys.height < 1 << 16 else np.uint32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=keys.height), dtype=np.int64)])
        # Of 16 bits: sorting those takes NumPy a tenth of the time.
        return cls(events, keys, np.argsort(key, kind="stable"), starts, texts, places)

    @classmethod
    def _one_by_one(cls, events: pl.DataFrame) -> Keyed:
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
        """Columns of texts for every event, as numbers with their texts beside them; nothing where there are many."""
        if self.texts is None or self.places is None:
            return {}
        places = pl.Series(self.places)
        columns = {name: self.texts.get_column(name) for name in names}
        return {
            name: column.cast(pl.Enum(column.drop_nulls().unique())).gather(places) for name, column in columns.items()
        }


def _digests(events: pl.DataFrame) -> np.ndarray:
    """A number per event, the same where all its texts are: one in 10¹⁹ pairs of others shares it."""
    mixed = np.zeros(events.height, dtype=np.uint64)
    for name in _TEXTS:
        mixed *= np.uint64(_ODD)
        mixed += events.get_column(name).hash().to_numpy()
    return mixed


def _told_apart(digests: np.ndarray) -> tuple[int, np.ndarray]:
    """How many different digests there are, and a number below that (u32) for each.

    Where there are few, one of their four quarters tells them apart, and a table of its values is all that is needed.
    """
    for shift in (48, 32, 16, 0):
        quarter = (digests >> np.uint64(shift)).astype(np.uint16)
        whole = np.zeros(1 << 16, dtype=np.uint64)
        whole[quarter] = digests
        if not np.array_equal(whole[quarter], digests):
            continue
        known = np.flatnonzero(np.bincount(quarter, minlength=1 << 16))
        numbers = np.zeros(1 << 16, dtype=np.uint32)
        numbers[known] = np.arange(len(known))
        return len(known), numbers[quarter]
    different, places = np.unique(digests, return_inverse=True)
    return len(different), places.astype(np.uint32)


def _numbered(texts: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """The different rows, and the number of its row for each. Links that differ in what is left out are one key."""
    keys: dict[tuple[object, ...], int] = {}
    key_of = np.array([keys.setdefault(row, len(keys)) for row in texts.rows()])
    return pl.DataFrame(list(keys), schema=texts.schema, orient="row"), key_of
