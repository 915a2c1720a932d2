"""What the engine relies on in the ports Runs and Events, checked against the store and the engine tests' own fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.errors import Corrupt, UserFixable
from studio.domain.node import Quarantined
from studio.domain.ports import Checkpoint, EventCursor, Events, LedgerChange, RunRow, Runs, Work
from studio.domain.run import RunEvent
from studio.frames.events import OUTBOX_PLAN_SCHEMA
from studio.frames.instances import INSTANCE_SCHEMA, to_bytes
from studio.store import Store
from tests.engine.memory_store import MemoryEvents, MemoryLog, MemoryRuns, events_frame

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class _Standing:
    def now(self) -> datetime:
        return NOON


@dataclass(frozen=True)
class Ports:
    runs: Runs
    events: Events


@pytest.fixture(params=["memory", "store"])
def make_ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Ports]]:
    opened: list[Store] = []

    def make() -> Ports:
        if request.param == "memory":
            log = MemoryLog()
            return Ports(MemoryRuns(log), MemoryEvents(log))
        store = Store.open(tmp_path / f"shop{len(opened)}", clock=_Standing())
        opened.append(store)
        return Ports(store.runs, store.events)

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def ports(make_ports: Callable[[], Ports]) -> Ports:
    made = make_ports()
    made.runs.start(RUN, '{"name": "Test"}', Checkpoint(run_id="r1", at=NOON, work=[work("first", kind="produce")]))
    return made


RUN = RunRow(
    run_id="r1",
    workflow_id="w1",
    version="v1",
    name="Test",
    mode="test",
    seed=1,
    clock="max",
    state="running",
    started_at=NOON,
    at=NOON,
    options={"texts": {"m.mjml": "Hello"}},
)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def work(work_id: str, **fields) -> Work:
    return Work(**{"id": work_id, "run_id": "r1", "node_id": "a", "kind": "arrive", **fields})


def checkpoint(**fields) -> Checkpoint:
    return Checkpoint(**{"run_id": "r1", "at": minutes(5), **fields})


def said(seq: int, **payload) -> RunEvent:
    return RunEvent("r1", seq, NOON, "a", "step.state", payload)


def people(*ids: int, arms: str = "") -> pl.DataFrame:
    rows = [{"instance_id": 2**64 - i, "contact_id": i, "key": None, "entered_at": NOON, "arms": arms} for i in ids]
    return pl.DataFrame(rows, schema=INSTANCE_SCHEMA)


def happened(*rows: tuple[int, str, float], run_id: str | None = None) -> pl.DataFrame:
    """Events: (id, kind, minutes)."""
    return events_frame(
        {"event_id": number, "kind": kind, "occurred_at": minutes(at), "contact_id": number % 7, "run_id": run_id,
         "instance_id": number if run_id else None}
        for number, kind, at in rows
    )  # fmt: skip


def planned(*ids: str) -> pl.DataFrame:
    rows = [
        {"outbox_id": i, "node_id": "m", "instance_id": n, "contact_id": n, "message_id": f"<{i}@x>", "arms": ""}
        for n, i in enumerate(ids)
    ]
    return pl.DataFrame(rows, schema=OUTBOX_PLAN_SCHEMA)


def test_a_run_is_what_it_was_started_as(ports: Ports) -> None:
    assert ports.runs.get("r1") == RUN
    assert ports.runs.document("v1") == '{"name": "Test"}'
    assert [w.id for w in ports.runs.pending("r1")] == ["first"]
    with pytest.raises(UserFixable):
        ports.runs.get("r2")
    with pytest.raises(UserFixable):
        ports.runs.document("v2")
    with pytest.raises(UserFixable):
        ports.runs.start(RUN, "{}", Checkpoint(run_id="r1", at=NOON))


def test_work_comes_back_as_it_was_with_batches_apart(ports: Ports) -> None:
    batch = to_bytes(people(1, 2))
    full = work("x", kind="resume", due_at=minutes(9), rows=2, batch=batch, cursor="c", attempt=3, priority=1)
    ports.runs.commit(checkpoint(done=["first"], work=[full]))
    assert ports.runs.pending("r1") == [replace(full, batch=None)]
    assert ports.runs.batches(["x", "first"]) == {"x": batch}


def test_work_is_ordered_by_due_time_what_is_due_at_once_first(ports: Ports) -> None:
    due = {"late": minutes(9), "soon": minutes(1), "now": None}
    ports.runs.commit(checkpoint(done=["first"], work=[work(key, due_at=at) for key, at in due.items()]))
    assert [w.id for w in ports.runs.pending("r1")] == ["now", "soon", "late"]


def test_kinds_that_wait_for_a_person_are_work_like_any_other(ports: Ports) -> None:
    ports.runs.commit(checkpoint(done=["first"], work=[work("f", kind="failed"), work("d", kind="doubt")]))
    assert {w.id: w.kind for w in ports.runs.pending("r1")} == {"f": "failed", "d": "doubt"}


def test_a_checkpoint_twice_is_once(ports: Ports) -> None:
    ports.runs.commit(checkpoint(done=["first"], work=[work("x")], events=happened((1, "order", 1))))
    again = checkpoint(
        done=["first"],
        work=[work("x"), work("y")],
        events=happened((1, "order", 1), (2, "order", 1)),
        entries=people(1),
        departed=people(1).select("instance_id"),
        run_events=(said(1, state="running"),),
        state="failed",
    )
    ports.runs.commit(again)
    assert [w.id for w in ports.runs.pending("r1")] == ["x"]
    assert ports.events.at(minutes(9)).rows(["order"], since=NOON).height == 1
    assert ports.runs.entries("r1").is_empty()
    assert ports.runs.departed("r1").is_empty()
    assert ports.runs.last_seq("r1") == 0
    assert ports.runs.get("r1").state == "running"


def test_done_work_does_not_come_back(ports: Ports) -> None:
    ports.runs.commit(checkpoint(done=["first"], work=[work("x")]))
    ports.runs.commit(checkpoint(done=["x"]))
    ports.runs.commit(checkpoint(work=[work("x"), work("first", kind="produce")]))
    assert ports.runs.pending("r1") == []


def test_a_checkpoint_that_finishes_half_done_work_is_refused_whole(ports: Ports) -> None:
    ports.runs.commit(checkpoint(done=["first"], work=[work("x"), work("y")]))
    ports.runs.commit(checkpoint(done=["x"]))
    with pytest.raises(Corrupt):
        ports.runs.commit(checkpoint(done=["x", "y"], work=[work("z")]))
    assert [w.id for w in ports.runs.pending("r1")] == ["y"]


def test_entries_keep_their_longest_arms_and_departures_add_up(ports: Ports) -> None:
    ports.runs.commit(checkpoint(entries=people(1, 2)))
    ports.runs.commit(checkpoint(entries=people(2, arms="s=A|t=B"), departed=people(1).select("instance_id")))
    ports.runs.commit(checkpoint(entries=people(2, 3, arms="s=A"), departed=people(1, 3).select("instance_id")))
    ports.runs.commit(checkpoint(dropped=people(2).select("instance_id")))
    ports.runs.commit(checkpoint(dropped=people(2, 4).select("instance_id")))
    entries = ports.runs.entries("r1")
    assert entries.schema == INSTANCE_SCHEMA
    assert dict(entries.select("contact_id", "arms").rows()) == {1: "", 2: "s=A|t=B", 3: "s=A"}
    assert sorted(ports.runs.departed("r1")) == [2**64 - 3, 2**64 - 1]
    assert ports.runs.departed("r1").dtype == pl.UInt64
    assert sorted(ports.runs.dropped("r1")) == [2**64 - 4, 2**64 - 2]


def test_clock_state_and_cursors_are_kept(ports: Ports) -> None:
    assert ports.runs.cursor("r1", "enter") == EventCursor()
    ports.runs.commit(checkpoint(cursors={"enter": EventCursor(4, minutes(3)), "match": EventCursor(5, None)}))
    ports.runs.commit(checkpoint(at=minutes(7), cursors={"enter": EventCursor(6, minutes(6))}, state="waiting"))
    assert ports.runs.cursor("r1", "enter") == EventCursor(6, minutes(6))
    assert ports.runs.cursor("r1", "match") == EventCursor(5, None)
    run = ports.runs.get("r1")
    assert (run.at, run.state, run.ended_at) == (minutes(7), "waiting", None)
    ports.runs.commit(checkpoint(at=minutes(8), state="done"))
    assert ports.runs.get("r1").ended_at == minutes(8)
    ports.runs.commit(checkpoint(at=minutes(9), state="running"))
    assert ports.runs.get("r1").ended_at is None


def test_the_newest_moment_on_the_wall_is_known_and_virtual_clocks_say_nothing(ports: Ports) -> None:
    runs, started = ports.runs, ports.runs.get("r1")
    later = started.started_at + timedelta(days=3)
    for run_id, clock, at in (("r2", "real", later), ("r3", "max", later + timedelta(days=900))):
        row = replace(started, run_id=run_id, clock=clock)
        runs.start(row, "{}", Checkpoint(run_id=run_id, at=started.started_at))
        runs.commit(Checkpoint(run_id=run_id, at=at))
    assert runs.last_at_work() == later
    assert runs.last_at_work(besides="r2") == (started.at if started.clock == "real" else None)


def test_run_events_are_kept_in_order_and_never_replaced(ports: Ports) -> None:
    told = [said(n, state="running", out={"out": n}) for n in (1, 2, 3)]
    ports.runs.commit(checkpoint(run_events=told[:2]))
    ports.runs.commit(checkpoint(run_events=told))
    assert ports.runs.run_events("r1") == told
    assert ports.runs.run_events("r1", after=1, limit=1) == told[1:2]
    assert ports.runs.last_seq("r1") == 3
    with pytest.raises(Corrupt):
        ports.runs.commit(checkpoint(run_events=[said(3, state="done")]))


def test_quarantine_takes_a_reason_once(ports: Ports) -> None:
    item = Quarantined(2**64 - 1, 1, "X", "bad")
    ports.runs.commit(checkpoint(quarantined={"a": [item]}))
    ports.runs.commit(checkpoint(quarantined={"a": [item]}))


def ledger(ports: Ports) -> dict[str, str]:
    return dict(ports.runs.outbox("r1").select("outbox_id", "state").rows())


def change(ports: Ports, outbox_id: str, state: str, **fields) -> None:
    ports.runs.change_outbox("r1", minutes(6), [LedgerChange(outbox_id=outbox_id, state=state, **fields)])


def test_messages_are_planned_once_and_change_with_their_events(ports: Ports) -> None:
    ports.runs.commit(checkpoint(outbox=planned("a", "b")))
    change(ports, "a", "sending", count_attempt=True)
    ports.runs.commit(checkpoint(outbox=planned("a", "b", "c")))
    assert ledger(ports) == {"a": "sending", "b": "planned", "c": "planned"}
    sent = LedgerChange(outbox_id="a", state="sent")
    ports.runs.change_outbox("r1", minutes(6), [sent], happened((1, "sent", 6), run_id="r1"))
    change(ports, "b", "retry", reason="busy", due_at=minutes(30))
    row = ports.runs.outbox("r1", ids=["b"]).to_dicts()[0]
    assert (row["state"], row["reason"], row["due_at"], row["attempts"]) == ("retry", "busy", minutes(30), 0)
    assert ports.runs.outbox("r1", states=["sent"]).item(0, "attempts") == 1
    assert ports.runs.outbox_counts("r1") == {"m": {"sent": 1, "retry": 1, "planned": 1}}
    assert ports.events.at(minutes(9)).instances("sent", "r1").to_list() == [1]


@pytest.mark.parametrize("before", ["sending", "sent", "in_doubt", "failed", "blocked", "resolved_sent"])
def test_the_ledger_refuses_what_could_send_twice(ports: Ports, before: str) -> None:
    ports.runs.commit(checkpoint(outbox=planned("a", "b")))
    change(ports, "a", "sending")
    if before != "sending":
        change(ports, "a", before)
    with pytest.raises(Corrupt):
        ports.runs.change_outbox(
            "r1", minutes(6), [LedgerChange(outbox_id=i, state="sending") for i in ("b", "a")], happened((1, "sent", 6))
        )
    assert ledger(ports)["a"] == before
    assert ports.events.at(minutes(9)).rows(["sent"], since=NOON).is_empty()


def test_a_sent_message_is_never_planned_again_and_an_unknown_one_is_refused(ports: Ports) -> None:
    ports.runs.commit(checkpoint(outbox=planned("a")))
    change(ports, "a", "sending")
    change(ports, "a", "sent")
    for state in ("planned", "retry", "in_doubt", "resend_approved"):
        with pytest.raises(Corrupt):
            change(ports, "a", state)
    with pytest.raises(Corrupt):
        change(ports, "never planned", "sending")


@pytest.mark.parametrize("back", ["planned", "retry", "resend_approved"])
def test_what_may_be_sent_again_may_go_to_sending(ports: Ports, back: str) -> None:
    ports.runs.commit(checkpoint(outbox=planned("a")))
    change(ports, "a", "sending")
    change(ports, "a", back)
    change(ports, "a", "sending")
    assert ledger(ports) == {"a": "sending"}


def test_what_was_cut_off_while_sending_is_in_doubt(ports: Ports) -> None:
    ports.runs.commit(checkpoint(outbox=planned("a", "b")))
    change(ports, "a", "sending")
    assert ports.runs.doubt_sending("r1") == 1
    assert ports.runs.doubt_sending("r1") == 0
    assert ledger(ports) == {"a": "in_doubt", "b": "planned"}


def test_without_kinds_only_the_cursor_moves(ports: Ports) -> None:
    ports.runs.commit(checkpoint(events=happened((1, "order", 1), (2, "order", 60))))
    events, cursor = ports.events.new(EventCursor(), minutes(5), ())
    assert events.is_empty()
    assert ports.events.new(cursor, minutes(5), ["order"])[0].is_empty()
    assert ports.events.next_at(cursor, ["order"]) == minutes(60)
    assert ports.events.next_at(cursor, ["cart"]) is None


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_is_seen_once_when_its_time_has_come(make_ports: Callable[[], Ports], data: st.DataObject) -> None:
    """Imported early or late, in any order of imports and looks: seen at the first look at or after its moment."""
    made = make_ports()
    made.runs.start(RUN, "{}", Checkpoint(run_id="r1", at=NOON))
    cursor, now, number = EventCursor(), 0, 0
    imported: dict[int, tuple[str, int]] = {}
    seen: list[int] = []
    for is_import in data.draw(st.lists(st.booleans(), max_size=10)):
        if is_import:
            drawn = data.draw(st.lists(st.tuples(st.sampled_from(["order", "cart"]), st.integers(-30, 90)), max_size=4))
            rows = [(number + place, kind, at) for place, (kind, at) in enumerate(drawn, start=1)]
            number += len(rows)
            imported |= {event_id: (kind, at) for event_id, kind, at in rows}
            made.runs.commit(Checkpoint(run_id="r1", at=NOON, events=happened(*rows)))
        else:
            now += data.draw(st.integers(0, 40))
            expected_next = min(
                (at for i, (kind, at) in imported.items() if kind == "order" and i not in seen), default=None
            )
            found_next = made.events.next_at(cursor, ["order"])
            assert found_next == (None if expected_next is None else minutes(expected_next))
            events, cursor = made.events.new(cursor, minutes(now), ["order"])
            new = events.get_column("event_id").to_list()
            due = {i for i, (kind, at) in imported.items() if kind == "order" and at <= now and i not in seen}
            assert set(new) == due
            assert len(new) == len(due)
            seen += new
