"""The port `Runs`: a checkpoint is all or nothing, and twice is once."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from studio.domain.errors import Corrupt, UserFixable
from studio.domain.node import Quarantined
from studio.domain.ports import Checkpoint, EventCursor, LedgerChange, RunRow, Work
from studio.domain.run import RunEvent
from studio.frames.events import OUTBOX_SCHEMA
from studio.frames.instances import INSTANCE_SCHEMA, to_bytes
from studio.store import Store
from tests.store.conftest import NOON
from tests.store.test_events import events, minutes


def instances(first: int, count: int) -> pl.DataFrame:
    ids = range(first, first + count)
    return pl.DataFrame(
        {
            "instance_id": [2**64 - number for number in ids],
            "contact_id": list(ids),
            "key": [None] * count,
            "entered_at": [NOON] * count,
            "arms": [""] * count,
        },
        schema=INSTANCE_SCHEMA,
    )


def plan(first: int, count: int) -> pl.DataFrame:
    ids = range(first, first + count)
    return pl.DataFrame(
        {
            "outbox_id": [f"o{number:04d}" for number in ids],
            "node_id": ["send"] * count,
            "instance_id": pl.Series([2**64 - number for number in ids], dtype=pl.UInt64),
            "contact_id": pl.Series(list(ids), dtype=pl.UInt32),
            "message_id": [f"<{number}@studio>" for number in ids],
            "arms": ["split=A"] * count,
            "key": pl.Series([None] * count, dtype=pl.String),
        }
    )


def a_run(run_id: str = "r1", **values: object) -> RunRow:
    row = RunRow(
        run_id=run_id,
        workflow_id="w1",
        version="abc",
        name="Win-back",
        mode="test",
        seed=7,
        clock="max",
        state="queued",
        started_at=NOON,
        at=NOON,
        options={"contacts": "a.csv", "n": 1.5},
    )
    return row if not values else RunRow(**{name: values.get(name, getattr(row, name)) for name in row.__slots__})


def first_checkpoint(run_id: str = "r1") -> Checkpoint:
    work = Work(id=f"{run_id}-produce", run_id=run_id, node_id="start", kind="produce", cursor="0")
    started = RunEvent(run_id, 1, NOON, None, "run.started", {"mode": "test"})
    return Checkpoint(run_id=run_id, at=NOON, work=[work], run_events=[started], state="running")


def full_checkpoint(run_id: str = "r1", count: int = 5) -> Checkpoint:
    """One of everything a checkpoint can hold."""
    batch = instances(1, count)
    return Checkpoint(
        run_id=run_id,
        at=minutes(1),
        done=[f"{run_id}-produce"],
        work=[
            Work(id="w-late", run_id=run_id, node_id="wait", kind="resume", due_at=minutes(60), rows=2, batch=b"late"),
            Work(id="w-now", run_id=run_id, node_id="send", kind="send", rows=count, batch=to_bytes(batch), priority=1),
            Work(id="w-soon", run_id=run_id, node_id="wait", kind="resume", due_at=minutes(30), rows=1, batch=b"soon"),
        ],
        events=events([(number, "entered", minutes(1)) for number in range(1, count + 1)], run_id=run_id),
        outbox=plan(1, count),
        entries=batch,
        departed=batch.select("instance_id").head(1),
        run_events=[
            RunEvent(run_id, 2, minutes(1), "start", "step.ran", {"in": 0, "out": {"out": count}}),
            RunEvent(run_id, 3, minutes(1), None, "clock"),
        ],
        quarantined={"start": [Quarantined(2**64 - 3, 3, "EMPTY", "No address.")]},
        cursors={"trigger": EventCursor(1, minutes(1)), "goal": EventCursor(0, None)},
        state="waiting",
    )


def everything(store: Store, run_id: str = "r1") -> dict[str, object]:
    """All a reader can learn of a run, in comparable form."""
    pending = store.runs.pending(run_id)
    return {
        "run": store.runs.get(run_id),
        "work": pending,
        "batches": store.runs.batches([work.id for work in pending]),
        "entries": store.runs.entries(run_id).rows(),
        "departed": store.runs.departed(run_id).to_list(),
        "events": sorted(store.events.new(EventCursor(), minutes(9_999), ["entered", "sent"])[0].rows()),
        "outbox": store.runs.outbox(run_id).rows(),
        "run events": store.runs.run_events(run_id),
        "quarantined": store.runs.quarantined(run_id).rows(),
        "cursors": [store.runs.cursor(run_id, reader) for reader in ("trigger", "goal", "other")],
        "files": sorted(path.name for path in store.log.folder.iterdir()),
    }


@pytest.fixture
def started(store: Store) -> Store:
    store.runs.start(a_run(), '{"name": "Win-back"}', first_checkpoint())
    return store


def test_a_started_run_is_kept_as_given(started: Store) -> None:
    assert started.runs.get("r1") == a_run(state="running")
    assert started.runs.document("abc") == '{"name": "Win-back"}'
    assert [work.id for work in started.runs.pending("r1")] == ["r1-produce"]
    assert started.runs.last_seq("r1") == 1
    assert started.runs.next_run_id() == "r2"
    with pytest.raises(UserFixable, match="r1"):
        started.runs.start(a_run(), "{}", first_checkpoint())


def test_a_checkpoint_is_read_back_whole(started: Store) -> None:
    checkpoint = full_checkpoint()
    started.runs.commit(checkpoint)
    runs = started.runs
    assert runs.get("r1") == a_run(state="waiting", at=minutes(1))
    assert [work.id for work in runs.pending("r1")] == ["w-now", "w-soon", "w-late"]
    late = next(work for work in runs.pending("r1") if work.id == "w-late")
    assert (late.due_at, late.rows, late.kind, late.batch) == (minutes(60), 2, "resume", None)
    assert runs.batches(["w-now", "w-late", "r1-produce"]) == {"w-now": to_bytes(instances(1, 5)), "w-late": b"late"}
    assert runs.entries("r1").equals(instances(1, 5))
    assert runs.departed("r1").to_list() == [2**64 - 1]
    assert runs.run_events("r1", after=1) == list(checkpoint.run_events)
    assert runs.run_events("r1", limit=1)[0].kind == "run.started"
    assert runs.cursor("r1", "trigger") == EventCursor(1, minutes(1))
    assert runs.cursor("r1", "goal") == runs.cursor("r1", "nobody") == EventCursor()
    assert runs.quarantined("r1").rows() == [("start", 2**64 - 3, 3, "EMPTY", "No address.")]
    outbox = runs.outbox("r1")
    assert dict(outbox.schema) == OUTBOX_SCHEMA
    assert outbox.select(plan(1, 5).columns).equals(plan(1, 5))
    assert set(outbox["state"]) == {"planned"}


def test_committing_twice_changes_nothing(started: Store) -> None:
    started.runs.commit(full_checkpoint())
    once = everything(started)
    started.runs.commit(full_checkpoint())
    assert everything(started) == once


def test_an_old_checkpoint_does_not_turn_the_run_back(started: Store) -> None:
    started.runs.commit(full_checkpoint())
    started.runs.commit(Checkpoint(run_id="r1", at=minutes(9), cursors={"trigger": EventCursor(5, minutes(9))}))
    started.runs.set_state("r1", "done", minutes(9))
    started.runs.commit(full_checkpoint())
    assert (started.runs.get("r1").state, started.runs.get("r1").at) == ("done", minutes(9))
    assert started.runs.cursor("r1", "trigger") == EventCursor(5, minutes(9))


def test_a_checkpoint_without_work_counts_once_too(started: Store) -> None:
    full = full_checkpoint()
    loose = Checkpoint(**{name: getattr(full, name) for name in full.__slots__ if name != "done"})
    started.runs.commit(loose)
    once = everything(started)
    started.runs.commit(loose)
    assert everything(started) == once
    started.runs.commit(Checkpoint(run_id="r1", at=minutes(2), done=["w-now"]))
    started.runs.commit(loose)
    assert "w-now" not in [work.id for work in started.runs.pending("r1")]
    assert started.runs.batches(["w-now"]) == {}


def test_work_done_in_part_is_refused_whole(started: Store) -> None:
    started.runs.commit(full_checkpoint())
    before = everything(started)
    with pytest.raises(Corrupt, match="1 were not open"):
        started.runs.commit(Checkpoint(run_id="r1", at=minutes(2), done=["w-now", "r1-produce"], state="done"))
    assert everything(started) == before


def test_two_different_facts_with_one_number_are_refused(started: Store) -> None:
    other = RunEvent("r1", 1, NOON, None, "run.state", {"state": "done"})
    with pytest.raises(Corrupt, match="same number"):
        started.runs.commit(Checkpoint(run_id="r1", at=NOON, run_events=[other]))


def test_many_small_entries_become_few_parts(started: Store) -> None:
    for number in range(120):
        batch = instances(number + 1, 2)
        started.runs.commit(
            Checkpoint(run_id="r1", at=NOON, entries=batch, departed=batch.select("instance_id").head(1))
        )
    assert started.runs.entries("r1").equals(instances(1, 121))
    assert len(started.runs.departed("r1")) == 120
    with started.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM run_parts").scalar_one() < 80


def test_an_entry_given_again_has_its_longest_arms(started: Store) -> None:
    batch = instances(1, 3)
    for arms in ("", "split=A", "split=A|holdout=treated", "split=A"):
        started.runs.commit(Checkpoint(run_id="r1", at=NOON, entries=batch.with_columns(arms=pl.lit(arms))))
    assert started.runs.entries("r1")["arms"].to_list() == ["split=A|holdout=treated"] * 3
    assert started.runs.entries("r1")["instance_id"].to_list() == batch["instance_id"].to_list()


def test_the_ledger_moves_with_its_events(started: Store) -> None:
    started.runs.commit(full_checkpoint())
    started.runs.change_outbox("r1", minutes(2), [LedgerChange(outbox_id="o0001", state="sending", count_attempt=True)])
    sent = events([(1_001, "sent", minutes(2))], run_id="r1", node_id="send", arms="split=A")
    change = LedgerChange(outbox_id="o0001", state="sent", answer='{"values": {}}')
    started.runs.change_outbox("r1", minutes(2), [change], sent)
    row = started.runs.outbox("r1", ids=["o0001", "unknown"]).row(0, named=True)
    assert row["answer"] == '{"values": {}}'
    assert (row["state"], row["attempts"], row["changed_at"]) == ("sent", 1, minutes(2))
    assert started.runs.outbox("r1", states=["planned", "retry"]).height == 4
    assert started.events.at(minutes(2)).totals("sent")["count"].to_list() == [1]
    assert started.runs.outbox_counts("r1") == {"send": {"planned": 4, "sent": 1}}


@pytest.mark.parametrize("state", ["sending", "planned", "retry", "in_doubt", "resend_approved", "held"])
def test_what_was_sent_is_never_sent_again(started: Store, state: str) -> None:
    started.runs.commit(full_checkpoint())
    started.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state="sending")])
    started.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state="sent")])
    before = everything(started)
    changes = [LedgerChange(outbox_id="o0002", state="sending"), LedgerChange(outbox_id="o0001", state=state)]
    with pytest.raises(Corrupt, match="twice"):
        started.runs.change_outbox("r1", NOON, changes, events([(9, "sent", NOON)]))
    assert everything(started) == before


@pytest.mark.parametrize("state", ["sending", "in_doubt", "failed", "held", "blocked"])
def test_a_row_is_handed_over_only_from_a_safe_state(started: Store, state: str) -> None:
    started.runs.commit(full_checkpoint())
    started.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state=state)])
    with pytest.raises(Corrupt, match="twice"):
        started.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state="sending")])


def test_what_was_cut_off_is_doubted_and_settled_by_a_person(started: Store) -> None:
    started.contacts.upsert_contacts(pl.DataFrame({"key": ["anna"], "email": ["anna@shop.invalid"]}), "list")
    started.runs.commit(full_checkpoint())
    changes = [LedgerChange(outbox_id=f"o000{number}", state="sending") for number in (1, 2)]
    started.runs.change_outbox("r1", minutes(2), changes)
    assert started.runs.doubt_sending("r1") == 2
    assert started.runs.doubt_sending("r1") == 0
    listed = started.runs.outbox_rows(state="in_doubt", run_id="r1").row(0, named=True)
    assert (listed["id"], listed["contact"], listed["to"]) == ("o0001", "anna", "anna@shop.invalid")
    verdicts = [("o0001", "resolved_sent"), ("o0002", "resend_approved")]
    settled = [LedgerChange(outbox_id=row, state=state, is_verdict=True) for row, state in verdicts]
    started.runs.change_outbox("r1", minutes(3), settled)
    assert started.runs.outbox("r1")["state"].to_list()[:2] == ["resolved_sent", "resend_approved"]
    started.runs.change_outbox("r1", minutes(4), [LedgerChange(outbox_id="o0002", state="sending")])


def test_runs_are_listed_last_first(started: Store) -> None:
    for number in range(2, 12):
        run = a_run(f"r{number}", workflow_id=f"w{number % 2}", started_at=NOON - timedelta(days=number))
        started.runs.start(run, "{}", first_checkpoint(f"r{number}"))
    assert [run.run_id for run in started.runs.list_runs(limit=3)] == ["r11", "r10", "r9"]
    assert [run.run_id for run in started.runs.list_runs("w0")] == ["r10", "r8", "r6", "r4", "r2"]
    started.runs.set_state("r3", "stopped", minutes(5))
    assert (started.runs.get("r3").state, started.runs.get("r3").ended_at) == ("stopped", minutes(5))
    with pytest.raises(UserFixable, match="no run r99"):
        started.runs.get("r99")
    with pytest.raises(UserFixable, match="no workflow version"):
        started.runs.document("nope")
