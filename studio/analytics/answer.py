"""The answer to a question: one number, a row per group where one was asked for, and what exactly was counted.

Counts and money come from rollups; different people, and what became of whom, from the raw events. A share is of the
people of its own denominator: who clicked among those whose message was delivered in that group, however much later.
Absent on purpose: understanding the question (`question`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from studio.analytics.askable import READ, By
from studio.analytics.facts import Design, Facts, is_held, is_treated
from studio.analytics.findings import amount
from studio.analytics.question import Query
from studio.analytics.returns import run_return
from studio.frames.events import with_detail
from studio.frames.instances import arm_of

GROUPS_MAX = 500
_COLUMN: Mapping[By, str] = {
    "step": "node_id",
    "variant": "arms",
    "link": "detail",
    "reason": "detail",
    "actor": "actor",
}
_EVERY: Mapping[By, str] = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}
_READ = ("contact_id", "instance_id", "occurred_at", "kind", "node_id", "arms", "actor", "value")
_MESSAGE = ("contact_id", "instance_id", "node_id")
_DID = {
    "sent": "were sent a message",
    "delivered": "got a message",
    "opened": "opened",
    "clicked": "clicked",
    "converted": "ordered afterwards",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
    "bounced": "had a message bounce",
}
_UNITS = {"value": "money", "average": "money", "per_person": "money", "cost": "money", "caused": "money"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`number` answers without groups; `rows` are (group, value), in time's order or largest first. A rate's `number`
    and rows are fractions, None where nobody was there to divide by. `chart` says how it is best drawn, `asked` is the
    query in words, `note` what was counted.
    """

    query: Query
    number: float | None
    unit: Literal["count", "money", "rate", "ratio"]
    rows: tuple[tuple[str, float | None], ...]
    chart: Literal["number", "line", "bars"]
    currency: str
    asked: str
    note: str = ""


def answer(facts: Facts, run_id: str, design: Design, query: Query) -> Answer:
    """The answer about one run."""
    asked = _Asked(facts, run_id, design, query)
    figure = query.metric.figure
    number, note = asked.number()
    rows = asked.groups() if query.by else {}
    is_time = query.by in _EVERY
    ordered = sorted(rows.items()) if is_time else sorted(rows.items(), key=lambda row: (-(row[1] or 0.0), row[0]))
    named = tuple((_named(group, query.by, design), value) for group, value in ordered[:GROUPS_MAX])
    machines = "What machines open and click is left out." if query.actor == "people" else ""
    return Answer(
        query=query,
        number=number,
        unit="rate" if figure == "rate" else "ratio" if figure == "return" else _UNITS.get(figure, "count"),  # type: ignore[arg-type]
        rows=named,
        chart="number" if query.by is None else "line" if is_time else "bars",
        currency=design.currency,
        asked=query.text(design.labels),
        note=" ".join(part for part in (note, machines, _ends(named)) if part),
    )


class _Asked:
    """One question about one run."""

    def __init__(self, facts: Facts, run_id: str, design: Design, query: Query) -> None:
        self._facts, self._run_id, self._design, self._query = facts, run_id, design, query

    def number(self) -> tuple[float | None, str]:
        """The answer over all groups, and what was counted."""
        figure = self._query.metric.figure
        if figure in ("return", "caused"):
            return self._of_the_run()
        whole = self._worked_out(None).get("")
        if figure == "rate":
            of = _people(self._base(None)).get("", 0)
            did = _DID[self._query.metric.kind]
            return whole, f"People who {did}, of {of:,.0f} who {_DID[self._query.metric.of or 'sent']}."
        if figure == "cost" and self._design.cost_per_message is None:
            return None, "No cost per message is set."
        return 0.0 if whole is None and figure in ("events", "people", "value", "cost") else whole, ""

    def groups(self) -> dict[str, float | None]:
        """The answer by group."""
        return self._worked_out(self._query.by)

    def _worked_out(self, by: By | None) -> dict[str, float | None]:
        metric = self._query.metric
        if metric.figure == "people":
            return {**_people(self._rows(metric.kind, by))}
        if metric.figure == "rate":
            return self._rates(by)
        if metric.figure == "per_person":
            return self._per_person(by)
        count, value = self._sums(metric.kind, by)
        if metric.figure == "average":
            return {group: value[group] / n if n else None for group, n in count.items()}
        if metric.figure == "cost":
            price = self._design.cost_per_message
            return {} if price is None else {group: n * price for group, n in count.items()}
        return {**(value if metric.figure == "value" else count)}

    def _sums(self, kind: str, by: By | None) -> tuple[dict[str, float], dict[str, float]]:
        """Number and value of events by group."""
        query = self._query
        if kind == "delivered" and not self._says_delivered():
            rows = self._rows(kind, by).group_by("group").agg(pl.len().alias("count"), pl.col("value").sum())
        else:
            nodes = None if query.step is None else [query.step]
            columns = ("hour", "node_id", "arms", "actor", "detail")
            found = self._facts.sums(columns, [self._run_id], [kind], nodes, since=query.since, until=query.until)
            rows = self._chosen(found, kind).with_columns(self._group(by))
            rows = rows.group_by("group").agg(pl.col("count").sum(), pl.col("value").sum())
        counted = list(rows.select("group", "count", "value").iter_rows())
        return {group: float(n) for group, n, _ in counted}, {group: float(v or 0.0) for group, _, v in counted}

    def _rates(self, by: By | None) -> dict[str, float | None]:
        """People of the denominator who did it, by group. A link's or reason's share is of everybody."""
        is_detail = by in ("link", "reason")
        base = self._base(None if is_detail else by)
        did = self._followed(base, by if is_detail else None)
        of, upper = _people(base), _people(did)
        if is_detail:
            return {group: n / of[""] if of.get("") else None for group, n in upper.items()}
        return {group: upper.get(group, 0.0) / n if n else None for group, n in of.items()}

    def _per_person(self, by: By | None) -> dict[str, float | None]:
        base = self._base(by)
        orders = base if self._query.metric.of == "converted" else self._followed(base, None)
        worth = dict(orders.group_by("group").agg(pl.col("value").sum()).iter_rows())
        return {group: worth.get(group, 0.0) / n if n else None for group, n in _people(base).items()}

    def _base(self, by: By | None) -> pl.DataFrame:
        return self._rows(self._query.metric.of or self._query.metric.kind, by)

    def _followed(self, base: pl.DataFrame, by: By | None) -> pl.DataFrame:
        """The events of the figure's kind that answer a message of `base`, whenever they came; `group` is the
        message's, or, with `by`, their own.
        """
        kind, of_order = self._query.metric.kind, self._query.metric.kind == "converted"
        keys = [name for name in _MESSAGE if name != "node_id" or not of_order]
        messages = base.group_by(*keys, "group").agg(pl.col("occurred_at").min().alias("since"))
        rows = self._rows(kind, by, bounded=False)
        rows = rows.drop("group") if by is None else rows.rename({"group": "own"})
        found = rows.join(messages, on=keys, how="inner", nulls_equal=True)
        if of_order:
            found = found.filter(pl.col("occurred_at") >= pl.col("since"))
        return found if by is None else found.with_columns(pl.col("own").alias("group"))

    def _rows(self, kind: str, by: By | None, *, bounded: bool = True) -> pl.DataFrame:
        """Raw events that count, with their `group`; not `bounded`: whenever and wherever they happened."""
        query = self._query
        if kind == "delivered" and not self._says_delivered():
            back = self._rows("bounced", None, bounded=False).select(_MESSAGE).unique()
            return self._rows("sent", by, bounded=bounded).join(back, on=_MESSAGE, how="anti", nulls_equal=True)
        recorded = "exposed" if kind == "held" else kind
        span = {"since": query.since, "until": query.until} if bounded else {}
        # Properties are most of an event's bytes, and only links and reasons are read off them.
        columns = [*_READ, "properties"] if by in ("link", "reason") else _READ
        found = self._facts.events(columns, [recorded], self._run_id, **span).collect()
        rows = (with_detail(found) if "properties" in columns else found).with_columns(
            pl.col("node_id", "arms", "actor").fill_null(""), pl.col("occurred_at").dt.truncate("1h").alias("hour")
        )
        if bounded and query.until is not None:
            rows = rows.filter(pl.col("occurred_at") < query.until)
        if bounded and query.step is not None:
            rows = rows.filter(pl.col("node_id") == query.step)
        if kind in ("held", "exposed"):
            node = self._design.holdout if kind == "held" else next(iter(self._design.splits), None)
            rows = rows.filter(pl.col("node_id") == (node or ""))
        return self._chosen(rows, kind).with_columns(self._group(by))

    def _chosen(self, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
        query, design = self._query, self._design
        if kind == "converted":
            # Orders of people nothing was done for are no result of the run; every other figure leaves them out, too.
            rows = rows.filter(is_treated(design))
        if kind == "held":
            rows = rows.filter(is_held(design))
        if kind in READ and query.actor in ("people", "machines"):
            is_machine = pl.col("actor") == "machine"
            rows = rows.filter(is_machine if query.actor == "machines" else ~is_machine)
        if query.variant is not None:
            rows = rows.filter(arm_of(design.splits[0]).eq_missing(query.variant))
        return rows

    def _group(self, by: By | None) -> pl.Expr:
        if by is None:
            return pl.lit("").alias("group")
        if by in _EVERY:
            form = "%Y-%m-%d %H:%M" if by == "hour" else "%Y-%m-%d"
            return pl.col("hour").dt.truncate(_EVERY[by]).dt.strftime(form).alias("group")
        if by == "variant":
            return arm_of(self._design.splits[0]).fill_null("").alias("group")
        return pl.col(_COLUMN[by]).alias("group")

    def _says_delivered(self) -> bool:
        """Mail servers seldom say that something was delivered; where none did, it is what did not come back."""
        return bool(self._facts.people(self._run_id, ["delivered"]))

    def _of_the_run(self) -> tuple[float | None, str]:
        returned = run_return(self._facts, self._run_id, self._design)
        if self._query.metric.figure == "return":
            spent = "No cost per message is set." if returned.cost is None else ""
            return returned.roi, spent or f"On a cost of {amount(returned.cost or 0.0, returned.currency)}."
        increment = returned.increment
        if increment is None or increment.total is None or increment.total_ci is None:
            return None, "Only a holdout can tell, and nobody, or too few, are held out."
        low, high = (amount(value, returned.currency) for value in increment.total_ci)
        proven = " That is no proof yet." if increment.indistinguishable else ""
        return increment.total, f"Beside the holdout; 95 % interval {low} to {high}.{proven}"


def _people(rows: pl.DataFrame) -> dict[str, float]:
    grouped = rows.group_by("group").agg(pl.col("contact_id").n_unique().alias("n"))
    return {str(group): float(n) for group, n in grouped.iter_rows()}


def _named(group: str, by: By | None, design: Design) -> str:
    if by == "step":
        return design.labels.get(group, group)
    return group or {"variant": "not in the test", "link": "any link"}.get(by or "", "not said")


def _ends(rows: tuple[tuple[str, float | None], ...]) -> str:
    """Which groups have most and fewest, where there is a difference."""
    known = [(value, group) for group, value in rows if value is not None]
    if len(known) < 2 or max(known)[0] == min(known)[0]:
        return ""
    return f"Most: {max(known)[1]}; fewest: {min(known)[1]}."
