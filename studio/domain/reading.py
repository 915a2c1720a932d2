"""What a step may read, as Protocols: people, what they did, and what feeds say; `workspace` fills them.

Frames are Polars frames with the schemas of `studio.frames`. Absent on purpose: any implementation, and writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from studio.domain.run import Mode

if TYPE_CHECKING:
    import polars as pl


class ContactView(Protocol):
    """People as they are known at one moment. Ids are dense u32."""

    def ids(self, after: int, limit: int, source: str | None = None) -> pl.Series:
        """The next contact ids above `after`, ascending; only those of one import when `source` is given."""
        ...

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        """`contact_id` and one column per name, in the order of `ids`; a field nobody has is a null column."""
        ...

    def few(
        self, ids: Sequence[int], names: Sequence[str]
    ) -> tuple[Mapping[str, pl.DataType], Sequence[Mapping[str, object]]]:
        """The same for a few people: the type of each field that somebody has, and per id, in order, its values by
        name, of at least these names; a value that is not there is missing.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """Every field some contact has, built-in ones (`key`, `email`, `name`, `language`, `zone`) first."""
        ...

    def consent(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        """`contact_id`, `state` (`granted` | `withdrawn` | `none`): the last statement at or before now."""
        ...

    def suppressed(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        """`contact_id`, `reason`: only the suppressed ones among `ids`."""
        ...


class EventView(Protocol):
    """Contact events that have happened by one moment."""

    def totals(
        self, kind: str, *, since: datetime | None = None, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """`contact_id`, `count`, `first_at`, `last_at`, `value` (sum): one row per contact that has such an event."""
        ...

    def rows(
        self, kinds: Sequence[str], *, since: datetime, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """The events themselves (EVENT_SCHEMA) of these kinds that happened at or after `since`, by `occurred_at`."""
        ...

    def instances(self, kind: str, run_id: str) -> pl.Series:
        """`instance_id` (u64, distinct, any order) of the run's instances that have such an event."""
        ...

    def event_ids(self, kind: str, run_id: str) -> pl.Series:
        """`event_id` (u64, any order) of the run's events of a kind."""
        ...


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a feed. `url` is http, https or empty."""

    id: str
    title: str
    url: str
    summary: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """One line of a product list; `product` tells it apart. None: the list does not say."""

    product: str
    name: str
    price: float | None = None
    stock: int | None = None
    url: str = ""


class Feeds(Protocol):
    """What feeds say now. In mode `simulate` nothing outside is touched: the answer is made up, and stays the same."""

    async def articles(self, address: str, now: datetime, mode: Mode) -> Sequence[Article]:
        """Newest first."""
        ...

    async def products(self, address: str, known: Sequence[str], now: datetime, mode: Mode) -> Sequence[Product]:
        """All products of the list; a made-up list holds the `known` ones."""
        ...
