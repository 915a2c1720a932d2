"""All workflows beside each other and one step on its own, against plain recounts of the events."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from studio.analytics.exits import exits_at
from studio.analytics.overview import counted_runs, overview
from studio.analytics.step import step_by_hour, step_counts
from studio.domain.node import Mode
from studio.domain.ports import RunRow
from tests.analytics.plain_facts import PlainFacts
from tests.analytics.test_measures import DESIGN, START, run_events

NOW = START + timedelta(days=14)


def run(run_id: str, workflow: str, mode: Mode = "live", at: datetime = NOW) -> RunRow:
    return RunRow(
        run_id=run_id,
        workflow_id=workflow,
        version="v",
        name=f"Workflow {workflow}",
        mode=mode,
        seed=1,
        clock="real",
        state="running",
        started_at=START,
        at=at,
    )


def answered(people: int = 800) -> tuple[pl.DataFrame, str]:
    """A run's events with opens of people and machines and two kinds of leaving, and the step they are of."""
    events = run_events(people=people)
    sent = events.filter(pl.col("kind") == "sent", pl.col("node_id") == "m1a")
    more = [
        sent[::every].with_columns(pl.lit(kind).alias("kind"), pl.lit(actor).alias("actor"))
        for every, kind, actor in (
            (2, "opened", "human"),
            (3, "opened", "machine"),
            (8, "opened", "human"),
            (7, "unsubscribed", "human"),
            (50, "complained", "human"),
        )
    ]
    return pl.concat([events, *more]), "m1a"


def two_runs() -> pl.DataFrame:
    other = run_events(people=900, seed=8).with_columns(pl.lit("r2").alias("run_id"))
    return pl.concat([run_events(people=600), other])


@pytest.mark.parametrize("days", [None, 3])
def test_a_workflow_is_the_sum_of_its_runs_in_the_span(days: int | None) -> None:
    events = two_runs()
    runs = [run("r2", "w1"), run("r1", "w1")]
    seen = overview(PlainFacts(events), runs, {"r1": DESIGN, "r2": DESIGN}, "live", days)
    [row] = seen.workflows
    shown = events if days is None else events.filter(pl.col("occurred_at") >= NOW - timedelta(days=days))
    treated = shown.filter(pl.col("kind") == "converted", ~pl.col("arms").str.contains("held"))
    assert (row.runs, row.run_id) == (2, "r2")
    assert row.sent == shown.filter(pl.col("kind") == "sent").height
    assert (row.orders, row.revenue) == (treated.height, pytest.approx(treated["value"].sum()))
    assert seen.by_day["value"].sum() == pytest.approx(row.revenue)
    assert seen.by_day["at"].diff().drop_nulls().unique().to_list() in ([], [timedelta(days=1)])
    assert (row.before is None) == (days is None)
    if days is not None:
        earlier = events.filter(
            pl.col("occurred_at").is_between(NOW - timedelta(days=6), NOW - timedelta(days=3), closed="left"),
            pl.col("kind") == "converted",
            ~pl.col("arms").str.contains("held"),
        )
        assert row.before == pytest.approx(earlier["value"].sum())


def test_rehearsals_of_the_same_days_are_not_added_up() -> None:
    runs = [run("r4", "w1", "simulate"), run("r3", "w2", "simulate"), run("r2", "w1", "simulate"), run("r1", "w1")]
    assert [r.run_id for r in counted_runs(runs, "simulate")] == ["r4", "r3"]
    assert [r.run_id for r in counted_runs(runs, "live")] == ["r1"]


def test_the_finding_names_who_brought_most() -> None:
    runs = [run("r1", "w1"), run("r2", "w2")]
    seen = overview(PlainFacts(two_runs()), runs, {"r1": DESIGN, "r2": DESIGN}, "live")
    best = max(seen.workflows, key=lambda row: row.revenue)
    assert seen.workflows[0] == best
    assert seen.finding.endswith(f"most of it from {best.name}")
    assert seen.finding.startswith("2 workflows brought")
    empty = overview(PlainFacts(two_runs()), [], {}, "live")
    assert (empty.workflows, empty.finding) == ((), "No workflow has sent anything in this time")


def test_a_step_counts_people_and_leaves_machines_apart() -> None:
    events, node = answered()
    own = events.filter(pl.col("node_id") == node)
    rows = {row.kind: row for row in step_counts(PlainFacts(events), "r1", node)}
    human = own.filter(pl.col("kind") == "opened", pl.col("actor").fill_null("") != "machine")
    assert rows["opened"].people == human["contact_id"].n_unique()
    assert rows["opened"].events == human.height
    assert rows["sent"].people == own.filter(pl.col("kind") == "sent")["contact_id"].n_unique()
    assert rows["opened"].share == pytest.approx(rows["opened"].people / rows["sent"].people)
    hours = step_by_hour(PlainFacts(events), "r1", node)
    assert dict(hours.group_by("kind").agg(pl.col("count").sum()).iter_rows())["opened"] == human.height


def test_why_people_left_at_a_step_is_counted_there_only() -> None:
    events, node = answered()
    elsewhere = events.with_columns(pl.lit("other").alias("node_id"))
    here = exits_at(PlainFacts(pl.concat([events, elsewhere])), "r1", node)
    assert here == exits_at(PlainFacts(events), "r1", node)
    own = {
        kind: events.filter(pl.col("kind") == kind)["contact_id"].n_unique() for kind in ("unsubscribed", "complained")
    }
    assert {row.kind: row.people for row in here} == own
    assert [row.people for row in here] == sorted(own.values(), reverse=True)
