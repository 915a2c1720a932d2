"""What to do next about a run, each with what it is worth, how sure that is, what it rests on, and where to do it.

Worth is money in the run's own span of time, out of the run's own figures; where nothing of the kind is known there is
no number. Absent on purpose: doing it, and advice that nothing stands behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from studio.analytics.attribution import Attribution
from studio.analytics.exits import Exit
from studio.analytics.facts import Design
from studio.analytics.findings import amount
from studio.analytics.kpis import Kpi
from studio.analytics.returns import Return
from studio.analytics.timing import Heat
from studio.analytics.trials import TrialResult
from studio.experiments.fixed import two_sided_quantile, wilson
from studio.experiments.moments import Proportion

QUIET_CREDIT = 0.05
"""A message is named whose share of the orders is below this even at the upper end of its interval."""
SENT_LEAST = 500
SAVING_LEAST = 0.01
"""A saving is told in money from this share of the revenue on; below, sparing people messages is the point."""
PEAK_SHARE = 0.25
NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`value` with `low` and `high` is what it is worth (None: not known, or not the point).

    `action` names where it is done; `apply`: by `workspace.improvements`, in the workflow itself, under `code`.
    """

    code: str
    title: str
    evidence: str
    button: str
    action: Literal["experiment", "canvas", "audience", "run", "apply"]
    target: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


def suggestions(
    run_id: str,
    design: Design,
    returned: Return,
    kpis: Sequence[Kpi],
    found: Attribution,
    opens: Heat,
    exits: Sequence[Exit],
    trial: TrialResult | None = None,
    sent: pl.DataFrame | None = None,
) -> list[Suggestion]:
    """The most valuable first, those without a value last. `sent`: `node_id, count` of messages per step."""
    made = [
        *_winner(run_id, returned, trial),
        *_holdout(run_id, returned),
        *_quiet_messages(run_id, design, returned, found, sent),
        *_limits(run_id, kpis),
        *_consent(returned, exits),
        *_hours(run_id, design, opens, sent),
    ]
    return sorted(made, key=lambda one: (one.value is None, -(one.value or 0.0), one.code))


def _winner(run_id: str, returned: Return, trial: TrialResult | None) -> list[Suggestion]:
    """The treatment that may be shipped: its effect on those who still got the control, at today's order value."""
    if trial is None or trial.analysis.decision.verdict != "ship" or trial.analysis.decision.variant is None:
        return []
    winner = trial.analysis.decision.variant
    compared = next(c for c in trial.analysis.comparisons if c.variant == winner)
    others = trial.variant(trial.plan.control).people
    per_order = returned.revenue / returned.orders if returned.orders else 0.0
    low, high = compared.anytime.ci or (None, None)
    worth = [None if x is None else x * others * per_order for x in (compared.effect, low, high)]
    evidence = (
        f"It brings {100 * (compared.effect or 0):.1f} points more than the control, however often one looks; "
        f"{others:,} people still got the control."
    )
    target = f"{run_id}/{trial.plan.node_id}"
    return [
        Suggestion("ship", f"Ship variant {winner} to the template", evidence, "Review", "experiment", target, *worth)
    ]


def _holdout(run_id: str, returned: Return) -> list[Suggestion]:
    """Once the effect is known, half of those held out are enough to go on watching it."""
    increment = returned.increment
    if increment is None or increment.indistinguishable or increment.effect is None or increment.anytime_ci is None:
        return []
    if increment.effect < 0:
        less = amount(-increment.effect, returned.currency)
        evidence = f"People who got it bought for {less} less each than those held out."
        return [Suggestion("stop", "Stop this workflow", evidence, "Open run", "run", run_id)]
    half = returned.held / 2
    worth = [half * x for x in (increment.effect, *increment.anytime_ci)]
    more = amount(increment.effect, returned.currency)
    evidence = f"Each person treated brings {more} more; {returned.held:,} are held out."
    return [Suggestion("holdout", "Hold out half as many people", evidence, "Do it", "apply", run_id, *worth)]


def _quiet_messages(
    run_id: str, design: Design, returned: Return, found: Attribution, sent: pl.DataFrame | None
) -> list[Suggestion]:
    """Messages hardly any order came by, once so many orders are known that this is no accident.

    By every model: a late message reaches those whom the earlier ones did not win, which some models hold against it.
    """
    shares = dict(found.credit.group_by("channel").agg(pl.col("share").max()).iter_rows())
    orders = found.attributed_orders
    if sent is None or len(shares) < 2 or not orders:
        return []
    made = []
    for node_id, count in sent.select("node_id", "count").iter_rows():
        label = design.labels.get(node_id, node_id)
        credited = min(orders, round(max(shares.get(label, 0.0), 0.0) * orders))
        if count < SENT_LEAST or wilson(Proportion(orders, credited), two_sided_quantile(0.1))[1] >= QUIET_CREDIT:
            continue
        cost = None if design.cost_per_message is None else count * design.cost_per_message
        worth = cost if cost is not None and cost >= SAVING_LEAST * returned.revenue else None
        evidence = (
            f"It went out {count:,} times, but no model credits it with more than {credited:,} of {orders:,} orders. "
            "Half of the people go without it, and the figures show whether anybody misses it."
        )
        title = f"Test leaving out “{label}”"
        made.append(
            Suggestion(f"quiet.{node_id}", title, evidence, "Set up the test", "apply", run_id, worth, worth, worth)
        )
    return made


def _limits(run_id: str, kpis: Sequence[Kpi]) -> list[Suggestion]:
    return [
        Suggestion(
            f"limit.{kpi.name}",
            f"{kpi.title}: above the limit",
            f"{100 * kpi.value:.2f}\u00a0% of {kpi.denominator or 0:,} messages; {kpi.note}",
            "Open run",
            "run",
            run_id,
        )
        for kpi in kpis
        if kpi.limit is not None and kpi.value is not None and kpi.value > kpi.limit
    ]


def _consent(returned: Return, exits: Sequence[Exit]) -> list[Suggestion]:
    """What asking for consent could bring at most: everybody kept back for it, at the effect that is known."""
    without = sum(row.people for row in exits if (row.kind, row.reason) == ("blocked", NO_CONSENT))
    increment = returned.increment
    if (
        not without
        or increment is None
        or increment.indistinguishable
        or not increment.effect
        or increment.anytime_ci is None
    ):
        return []
    most = without * increment.effect
    evidence = (
        f"{without:,} people were kept back because they have not agreed; at most {amount(most, returned.currency)} "
        "if all of them did."
    )
    return [
        Suggestion("consent", "Ask these people for consent", evidence, "Audience", "audience", "", None, 0.0, most)
    ]


def _hours(run_id: str, design: Design, opens: Heat, sent: pl.DataFrame | None) -> list[Suggestion]:
    """Sending the largest message when people read; opens follow sending, so only a test can tell."""
    best = opens.best_hours()
    if best is None or best[1] < PEAK_SHARE or opens.total < SENT_LEAST or sent is None or sent.is_empty():
        return []
    start, share = best
    node_id = sent.sort("count", "node_id", descending=[True, False]).get_column("node_id")[0]
    label = design.labels.get(node_id, node_id)
    evidence = (
        f"{100 * share:.0f}\u00a0% of {opens.total:,} opens come in the three hours from {start:02}:00, in people's "
        "own time. Half of the people get it then, the others as before."
    )
    title = f"Test sending “{label}” at {start:02}:00"
    return [Suggestion(f"hours.{node_id}.{start}", title, evidence, "Set up the test", "apply", run_id)]
