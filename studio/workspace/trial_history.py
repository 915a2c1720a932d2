"""The story of one experiment in dated lines: what its data proved when, and what people did about it.

Absent on purpose: a log of its own; every line follows from facts kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from studio.analytics.trials import TrialResult
from studio.experiments.band import BandPoint
from studio.store.learning import Promotion, StoredExperiment

Kind = Literal["started", "known", "proven", "kept", "shipped", "taken_back"]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """`at` is the run's own time for what the data say, the clock's for what people did."""

    at: datetime
    kind: Kind
    text: str
    variant: str | None = None


def history_of(
    result: TrialResult, kept: StoredExperiment, promotions: Sequence[Promotion]
) -> tuple[HistoryEntry, ...]:
    """Oldest first."""
    plan = result.plan
    entries: list[HistoryEntry] = []
    if result.started_at is not None:
        size = f"{plan.planned_total:,} people planned, smallest difference worth finding {100 * plan.mde:.2g} points"
        entries.append(HistoryEntry(result.started_at, "started", f"Started: {size}"))
    for treatment, looks in result.band.items():
        entries += _proofs(treatment, plan.control, looks)
    if kept.decision is not None and kept.decided_at is not None and kept.decision.get("verdict") == "kept":
        entries.append(HistoryEntry(kept.decided_at, "kept", "Left running by a person"))
    for promotion in promotions:
        text = f"“{promotion.to_value}” became the default, in place of “{promotion.from_value}”"
        entries.append(HistoryEntry(promotion.at, "shipped", text))
        if promotion.undone_at is not None:
            back = f"Taken back: “{promotion.from_value}” is the default again"
            entries.append(HistoryEntry(promotion.undone_at, "taken_back", back))
    return tuple(sorted(entries, key=lambda entry: entry.at))


def _proofs(treatment: str, control: str, looks: Sequence[BandPoint]) -> list[HistoryEntry]:
    found: list[HistoryEntry] = []
    for look in looks:
        if look.low is None or look.high is None:
            continue
        if not found:
            text = f"Enough people to judge {treatment} against {control}"
            found.append(HistoryEntry(look.at, "known", text, treatment))
        if look.low > 0 or look.high < 0:
            side = "better" if look.low > 0 else "worse"
            band = f"{100 * look.low:+.1f} % to {100 * look.high:+.1f} %"
            found.append(
                HistoryEntry(look.at, "proven", f"{treatment} proven {side} than {control}: {band}", treatment)
            )
            break
    return found
