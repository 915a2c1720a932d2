"""The audience a source names: everybody, or the contacts of one import, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from studio.domain.node import NodeContext

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Audience:
    """`name`: `everyone`, or that of an import."""

    name: str = EVERYONE

    def ids(self, after: int, limit: int, context: NodeContext) -> tuple[pl.Series, int | None]:
        """The next contact ids above `after`, and the last one of them; None when there are no more."""
        ids = context.contacts.ids(after, limit, None if self.name == EVERYONE else self.name)
        return ids, None if ids.len() < limit else int(ids[-1])

    def page(self, after: int, limit: int, context: NodeContext) -> tuple[pl.DataFrame, int | None]:
        """The same as entries (`contact_id`, `key`, which is null)."""
        ids, last = self.ids(after, limit, context)
        return entries_of(ids), last

    def nobody(self) -> pl.DataFrame:
        """No entries."""
        return entries_of(pl.Series("contact_id", [], dtype=pl.UInt32))


def entries_of(ids: pl.Series) -> pl.DataFrame:
    """Entries without a key, in the order of the ids."""
    frame = pl.DataFrame({"contact_id": ids.cast(pl.UInt32)})
    return frame.with_columns(pl.lit(None, pl.String).alias("key"))
