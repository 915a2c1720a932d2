"""The facts of some people only: those of one variant, or those who entered in a span of time, with all they did.

People are chosen, never events: whoever is in counts with everything, so that rates and comparisons stay honest.
Sums are counted from the raw events, which takes longer than rollups do. Absent on purpose: choosing by what people did
later, which would choose the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from studio.analytics.facts import By, Design, Facts, People, SumBy, variant_of
from studio.frames.events import DETAIL, with_detail

ROLLED = ("run_id", "node_id", "kind", "arms", "actor", DETAIL, "currency", "hour")
_READ = ("contact_id", "occurred_at", "kind", "value", "currency", "run_id", "node_id", "arms", "actor", "properties")
_KINDS = (
    "entered", "exposed", "sent", "delivered", "opened", "clicked", "converted", "bounced", "complained",
    "unsubscribed", "blocked", "exited",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Who counts: everybody where nothing is set. `variant` is of the first split; `entered_since` is included."""

    variant: str | None = None
    entered_since: datetime | None = None

    def __bool__(self) -> bool:
        return self.variant is not None or self.entered_since is not None


def narrowed(facts: Facts, run_id: str, design: Design, narrowing: Narrowing) -> Facts:
    """The run's facts about the people the narrowing names; the facts themselves where it names everybody."""
    chosen: pl.Series | None = None
    if narrowing.variant is not None and design.splits:
        met = facts.contact_values(run_id, "exposed", design.splits[0])
        arms = [
            arm for arm in met.get_column("arms").unique() if variant_of(design.splits[0], arm) == narrowing.variant
        ]
        chosen = met.filter(pl.col("arms").is_in(arms)).get_column("contact_id").unique()
    if narrowing.entered_since is not None:
        entered = facts.contact_values(run_id, "entered").group_by("contact_id").agg(pl.col("first_at").min())
        late = entered.filter(pl.col("first_at") >= narrowing.entered_since).get_column("contact_id")
        chosen = late if chosen is None else chosen.filter(chosen.is_in(late.implode()))
    return facts if chosen is None else NarrowedFacts(facts, chosen.cast(pl.UInt32).sort())


class NarrowedFacts:
    """The port `Facts` over some contacts."""

    def __init__(self, facts: Facts, contacts: pl.Series) -> None:
        self._facts = facts
        self._contacts = contacts
        self._chosen = pl.col("contact_id").is_in(contacts.implode())

    def rollup(
        self,
        run_ids: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        node_ids: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """As the port says."""
        return self._summed(ROLLED, run_ids, kinds, node_ids, None, None)

    def sums(
        self,
        by: Sequence[SumBy],
        run_ids: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        node_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """As the port says."""
        return self._summed(by, run_ids, kinds, node_ids, since, until)

    def events(
        self,
        columns: Sequence[str],
        kinds: Sequence[str],
        run_id: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.LazyFrame:
        """As the port says."""
        wanted = tuple(dict.fromkeys((*columns, "contact_id")))
        found = self._facts.events(wanted, kinds, run_id, since=since, until=until)
        return found.filter(self._chosen).select(*columns)

    def people(
        self,
        run_id: str | None,
        kinds: Sequence[str] | None = None,
        by: Sequence[By] = ("kind",),
        node_ids: Sequence[str] | None = None,
    ) -> Mapping[tuple[str, ...], People]:
        """As the port says."""
        groups = self._facts.people(run_id, kinds, by, node_ids)
        if not groups:
            return {}
        # The set type is the store's own; it is made of what it already is.
        kind: Any = type(next(iter(groups.values())))
        chosen = kind(self._contacts.to_list())
        return {key: found for key, people in groups.items() if len(found := people & chosen)}

    def contact_values(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        """As the port says."""
        return self._facts.contact_values(run_id, kind, node_id).filter(self._chosen)

    def records(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        """As the port says."""
        return self._facts.records(run_id, kind, node_id).filter(self._chosen)

    def _summed(
        self,
        by: Sequence[str],
        run_ids: Sequence[str] | None,
        kinds: Sequence[str] | None,
        node_ids: Sequence[str] | None,
        since: datetime | None,
        until: datetime | None,
    ) -> pl.DataFrame:
        parts = [
            self.events(_READ, kinds or _KINDS, run_id).collect()
            for run_id in (run_ids if run_ids is not None else [None])
        ]
        rows = with_detail(pl.concat(parts))
        conditions = [
            node_ids is not None and pl.col("node_id").is_in(list(node_ids or ())),
            since is not None and pl.col("occurred_at") >= since,
            until is not None and pl.col("occurred_at") < until,
        ]
        rows = rows.filter(*(condition for condition in conditions if condition is not False)).with_columns(
            pl.col("run_id", "node_id", "arms", "actor", "currency").fill_null(""),
            pl.col("occurred_at").dt.truncate("1h").alias("hour"),
        )
        sums = (pl.len().cast(pl.Int64).alias("count"), pl.col("value").fill_null(0.0).sum())
        return rows.group_by(by).agg(*sums).sort(by) if by else rows.select(*sums)
