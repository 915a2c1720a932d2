"""The key figures of one run, each with what it counts, and the figures per step.

Absent on purpose: comparisons with another period; a run's yardstick is its own prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from studio.analytics.facts import Design, Facts, People, is_treated, treated_arms, united
from studio.analytics.findings import amount
from studio.analytics.funnel import Funnel
from studio.analytics.returns import Return

UNSUBSCRIBE_LIMIT = 0.005
BOUNCE_LIMIT = 0.03
COMPLAINT_LIMIT = 0.001
"""Complaints per delivered message that large mailbox providers ask senders to stay under."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure. `unit` count | rate | money | ratio; a rate's `numerator` and `denominator` are what it was made of.

    `value` None: there is nothing to say yet. `limit` is the value not to exceed, where there is one.
    """

    name: str
    title: str
    value: float | None
    unit: Literal["count", "rate", "money", "ratio"]
    note: str = ""
    numerator: int | None = None
    denominator: int | None = None
    limit: float | None = None


HEADLINE = ("revenue", "roi", "buyers", "reach", "unsubscribed", "complained")
"""The figures a screen shows first."""


def kpis(facts: Facts, run_id: str, funnel: Funnel, returned: Return) -> tuple[Kpi, ...]:
    """Revenue, return, cost, buyers, reach, unsubscribes, complaints, bounces by class, deliveries, opens by people and
    by machines, clicks; in the order a marketer asks. Rates of reactions are of delivered messages.
    """
    sums = facts.sums(("kind", "actor", "detail"), [run_id])
    counts = dict(sums.group_by("kind").agg(pl.col("count").sum()).iter_rows())
    machine = sums.filter(pl.col("kind") == "opened", pl.col("actor") == "machine").get_column("count").sum()
    opened = facts.people(run_id, ["opened"], by=("actor",))
    human = united(people for (actor,), people in opened.items() if actor != "machine")
    delivered = int(counts.get("delivered", 0)) or int(counts.get("sent", 0)) - int(counts.get("bounced", 0))
    blocked = united(facts.people(run_id, ["blocked"]).values())
    sent = funnel.people("sent")
    return (
        Kpi("revenue", "Revenue", returned.revenue, "money", _revenue_note(returned)),
        Kpi("roi", "Return on spend", returned.roi, "ratio", _cost_note(returned)),
        Kpi("cost", "Cost", returned.cost, "money", f"{int(counts.get('sent', 0)):,} messages"),
        Kpi(
            "buyers",
            "Buyers",
            returned.buyers,
            "count",
            f"{_percent(returned.buyers, returned.people)} of {returned.people:,} people",
            returned.buyers,
            returned.people,
        ),
        Kpi("reach", "Reach", sent, "count", f"{blocked:,} kept back before sending", sent, funnel.people("entered")),
        _rate("unsubscribed", "Unsubscribed", counts, delivered, UNSUBSCRIBE_LIMIT),
        _rate("complained", "Complaints", counts, delivered, COMPLAINT_LIMIT),
        _rate("bounced", "Bounces", counts, int(counts.get("sent", 0)), BOUNCE_LIMIT, _classes(sums)),
        _share("delivered", "Delivered", delivered, int(counts.get("sent", 0)), "of messages sent"),
        _share("opened", "Opened by people", human, funnel.people("delivered"), "different people, of those reached"),
        _share("machine_opened", "Opened by machines", int(machine), int(counts.get("opened", 0)), "of all opens"),
        _share("clicked", "Clicked", funnel.people("clicked"), funnel.people("delivered"), "different people"),
    )


def by_step(facts: Facts, run_id: str, design: Design) -> pl.DataFrame:
    """`node_id, kind, count, people, value`: events per send step and kind, treated people only.

    `opened` is by people; what machines opened is `machine_opened`.
    """
    is_machine = (pl.col("kind") == "opened") & (pl.col("actor") == "machine")
    named = pl.when(is_machine).then(pl.lit("machine_opened")).otherwise(pl.col("kind")).alias("kind")
    counts = facts.rollup([run_id], node_ids=list(design.sends)).filter(is_treated(design)).with_columns(named)
    counts = counts.group_by("node_id", "kind").agg(pl.col("count").sum(), pl.col("value").sum())
    kinds = counts["kind"].unique().to_list()
    if not kinds:
        return counts.with_columns(pl.lit(0, pl.UInt32).alias("people"))
    asked = [kind for kind in kinds if kind != "machine_opened"] + ["opened"]
    groups = facts.people(run_id, asked, by=("node_id", "kind", "actor", "arms"), node_ids=list(design.sends))
    found: dict[tuple[str, str], list[People]] = {}
    for (node_id, kind, actor, arms), who in groups.items():
        if not treated_arms(design, arms):
            continue
        key = (node_id, "machine_opened" if (kind, actor) == ("opened", "machine") else kind)
        found.setdefault(key, []).append(who)
    people = pl.DataFrame(
        [(*key, united(who)) for key, who in found.items()],
        schema={"node_id": pl.String, "kind": pl.String, "people": pl.UInt32},
        orient="row",
    )
    return counts.join(people, on=["node_id", "kind"], how="left").sort("node_id", "kind")


def revenue_by_hour(facts: Facts, run_id: str, design: Design) -> pl.DataFrame:
    """`hour, value, count`: goal events of treated people, by the hour they happened, ascending."""
    rows = facts.rollup([run_id], ["converted"]).filter(is_treated(design))
    return rows.group_by("hour").agg(pl.col("value").sum(), pl.col("count").sum()).sort("hour")


def treated_by_hour(facts: Facts, run_id: str, design: Design) -> pl.DataFrame:
    """`hour, people`: how many people were treated for the first time in an hour, ascending; O(people).

    They sum to the people of `run_return`.
    """
    kind, node_id = ("entered", None) if design.holdout is None else ("exposed", design.holdout)
    treated = facts.contact_values(run_id, kind, node_id).filter(is_treated(design))
    first = treated.group_by("contact_id").agg(pl.col("first_at").min().dt.truncate("1h").alias("hour"))
    return first.group_by("hour").agg(pl.len().alias("people")).sort("hour")


def _share(name: str, title: str, part: int, base: int, note: str) -> Kpi:
    return Kpi(name, title, part / base if base else None, "rate", note, part, base)


def _classes(sums: pl.DataFrame) -> str:
    """`, hard 12, soft 3`: bounces by class; nothing when there are none."""
    rows = sums.filter(pl.col("kind") == "bounced").group_by("detail").agg(pl.col("count").sum()).sort("detail")
    return "".join(f", {detail or 'unknown'} {count:,}" for detail, count in rows.iter_rows())


def _rate(name: str, title: str, counts: dict[str, int], base: int, limit: float, more: str = "") -> Kpi:
    part = int(counts.get(name, 0))
    value = part / base if base else None
    return Kpi(name, title, value, "rate", f"limit {limit * 100:g} %{more}", part, base, limit)


def _revenue_note(returned: Return) -> str:
    if not returned.mixed:
        return f"{returned.orders:,} orders inside the window"
    others = ", ".join(returned.mixed)
    return f"{returned.orders:,} orders; some are in {others}, and amounts are added up without exchanging them"


def _cost_note(returned: Return) -> str:
    if returned.cost is None:
        return "no cost per message is set"
    return f"cost {amount(returned.cost, returned.currency)}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
