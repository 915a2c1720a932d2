"""Rollups and bitmaps with the tail on top are a plain recount of every event, at every instant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.frames.events import AT, EVENT_SCHEMA, as_events
from studio.store import Store, log
from studio.store.rollups import ROLLUP_SCHEMA
from studio.store.scanning import EventFilter
from tests.store.conftest import NOON, StandingClock
from tests.store.test_events import append, events, minutes

KEYS = ["run_id", "node_id", "kind", "arms", "actor"]


class Happening(NamedTuple):
    kind: str
    minute: int
    contact: int
    node: str | None
    arms: str | None
    value: int | None
    currency: str | None
    actor: str | None = None
    said: str | None = None


happenings = st.builds(
    Happening,
    kind=st.sampled_from(["sent", "converted", "clicked", "bounced"]),
    minute=st.integers(0, 400),
    contact=st.integers(1, 6),
    node=st.sampled_from(["mail", "goal", None]),
    arms=st.sampled_from(["split=A", "split=B", None]),
    value=st.sampled_from([None, 1, 5]),
    currency=st.sampled_from(["EUR", "USD", None]),
    actor=st.sampled_from(["human", "machine", None]),
    said=st.sampled_from([None, '{"link":"https://s.example/a?u=1#x"}', '{"class":"hard"}', '{"url":"b","link":null}']),
)


def frame_of(rows: list[Happening], first_id: int, run_id: str | None) -> pl.DataFrame:
    return as_events(
        pl.DataFrame(
            {
                "event_id": pl.Series(range(first_id, first_id + len(rows)), dtype=pl.UInt64),
                "occurred_at": pl.Series([minutes(row.minute) for row in rows], dtype=AT),
                "kind": [row.kind for row in rows],
                "contact_id": pl.Series([row.contact for row in rows], dtype=pl.UInt32),
                "node_id": pl.Series([row.node for row in rows], dtype=pl.String),
                "arms": pl.Series([row.arms for row in rows], dtype=pl.String),
                "value": pl.Series([row.value for row in rows], dtype=pl.Float64),
                "currency": pl.Series([row.currency for row in rows], dtype=pl.String),
                "actor": pl.Series([row.actor for row in rows], dtype=pl.String),
                "properties": pl.Series([row.said for row in rows], dtype=pl.String),
                "run_id": pl.Series([run_id] * len(rows), dtype=pl.String),
            }
        )
    )


def detail_of(kind: str, said: str | None) -> str:
    """What exactly happened, read with the standard library."""
    properties = json.loads(said) if said else {}
    if kind == "clicked":
        return str(properties.get("link") or properties.get("url") or "").split("?")[0].split("#")[0]
    return str(properties.get("class") or "") if kind == "bounced" else ""


def recount(every: pl.DataFrame) -> pl.DataFrame:
    details = [detail_of(*row) for row in every.select("kind", "properties").iter_rows()]
    every = every.with_columns(detail=pl.Series(details, dtype=pl.String))
    named = every.with_columns(pl.col(*KEYS, "currency").fill_null(""), hour=pl.col("occurred_at").dt.truncate("1h"))
    keys = [name for name in ROLLUP_SCHEMA if name not in ("count", "value")]
    return named.group_by(keys).agg(count=pl.len().cast(pl.Int64), value=pl.col("value").sum()).sort(keys)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("shop"), clock=StandingClock()) as opened:
        yield opened


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SEGMENT_ROWS_MIN", 8)
    monkeypatch.setattr(log, "TAIL_ROWS_MAX", 13)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(happenings, min_size=1, max_size=12), min_size=1, max_size=5), until=st.integers(0, 400)
)
def test_every_answer_is_a_recount(
    shared_store: Store, small_log: None, batches: list[list[Happening]], until: int
) -> None:
    tip = shared_store.log.state().tip
    run_id = f"r{tip}"
    every = pl.DataFrame(schema=EVENT_SCHEMA)
    for number, batch in enumerate(batches):
        frame = frame_of(batch, 1_000 * (tip + 1) + 100 * number, run_id)
        append(shared_store, frame)
        every = pl.concat([every, frame])
        projections = shared_store.projections
        assert projections.rollup([run_id]).equals(recount(every).select(*ROLLUP_SCHEMA))
        for by in (("kind",), ("kind", "detail", "actor"), ("hour", "currency"), ()):
            expected = recount(every).group_by(by).agg(pl.col("count", "value").sum()).sort(by) if by else None
            got = projections.sums(by, [run_id])
            assert got.equals(expected) if by else got.row(0) == (every.height, every["value"].sum())
        day = recount(every).filter(pl.col("hour").is_between(minutes(60), minutes(until), closed="left"))
        assert (
            projections.sums((), [run_id], since=minutes(60 + until % 60), until=minutes(until // 60 * 60))[
                "count"
            ].item()
            == day.filter(pl.col("hour") < minutes(until // 60 * 60))["count"].sum()
        )
        by_then = every.filter(pl.col("occurred_at") <= minutes(until))
        assert projections.rollup([run_id], until=minutes(until)).equals(recount(by_then).select(*ROLLUP_SCHEMA))
        distinct = projections.distinct(run_id, by=("kind", "arms"))
        expected = every.group_by("kind", pl.col("arms").fill_null("")).agg(pl.col("contact_id").n_unique())
        assert sorted(distinct.rows()) == sorted(expected.rows())
        sums = projections.contact_values(run_id, "converted")
        mine = every.filter(pl.col("kind") == "converted")
        assert (sums["count"].sum(), sums["value"].sum()) == (mine.height, mine["value"].sum())
    assert projections.scan(wanted=EventFilter(run_id=run_id)).collect().height == every.height


def test_rollups_are_asked_by_run_kind_and_node(store: Store) -> None:
    append(store, events([(number, "sent", minutes(number)) for number in range(1_200)], run_id="r1", node_id="m1"))
    append(store, events([(2_000, "sent", minutes(5)), (2_001, "order", minutes(5))], run_id="r1", node_id="m2"))
    append(store, events([(3_000, "order", minutes(5))]))
    assert store.projections.rollup(["r1"], ["sent"])["count"].sum() == 1_201
    assert store.projections.rollup(node_ids=["m2"])["kind"].to_list() == ["order", "sent"]
    outside = store.projections.rollup([""])
    assert outside.select("run_id", "kind", "count").rows() == [("", "order", 1)]
    assert store.projections.rollup(kinds=["sent"], until=minutes(59))["count"].sum() == 61
    assert store.projections.count() == 1_203


def test_values_per_person_keep_arms_apart(store: Store) -> None:
    append(store, events([(7, "converted", minutes(9)), (14, "converted", minutes(3))], run_id="r1", arms="split=A"))
    append(store, events([(8, "converted", minutes(1)), (9, "converted", minutes(1))], run_id="r2", arms="split=A"))
    found = store.projections.contact_values("r1", "converted")
    assert found.rows() == [(0, "split=A", 2, 7.0 + 4.0, minutes(3))]
    assert store.projections.contact_values("r1", "converted", until=minutes(3))["value"].to_list() == [4.0]


def test_people_can_be_intersected(store: Store) -> None:
    append(store, events([(1, "sent", NOON), (2, "sent", NOON), (9, "clicked", NOON)], run_id="r1"))
    groups = store.projections.people("r1", by=("kind",))
    assert sorted(groups[("sent",)] & groups[("clicked",)]) == [2]
    assert store.projections.distinct("r1", kinds=["sent"], by=()).rows() == [(2,)]
    assert store.projections.distinct("r9").is_empty()


def test_currencies_are_never_added_up(store: Store) -> None:
    rows = [Happening("converted", 1, 1, None, None, 5, currency) for currency in ("EUR", "USD", "EUR")]
    append(store, frame_of(rows, 1, "r1"))
    with store.transaction() as connection:
        store.log.seal(connection)
    found = store.projections.rollup(["r1"])
    assert found.select("currency", "value").rows() == [("EUR", 10.0), ("USD", 5.0)]
    assert found["hour"].to_list() == [NOON, NOON]
    assert found["hour"][0] + timedelta(hours=1) > minutes(1)
