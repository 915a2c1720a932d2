"""The engine's smaller parts: ids and events, who has entered, views of what is not yet written, group commits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.ports import LedgerChange
from studio.domain.run import RunView
from studio.engine import facts
from studio.engine.draft import Draft, Sizes
from studio.engine.entered import Entered
from studio.engine.ledger_writer import LedgerWriter
from studio.engine.plan import compile_plan
from studio.engine.progress import state_changes
from studio.engine.views import CompleteView
from studio.frames.events import EVENT_SCHEMA, as_events, empty_events
from studio.frames.instances import INSTANCE_SCHEMA, instance_ids
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import MemoryLog, MemoryView, events_frame
from tests.engine.nodes import CATALOGUE


def people(*ids: int, **columns) -> pl.DataFrame:
    rows = [{"instance_id": i, "contact_id": i, "key": None, "entered_at": START, "arms": ""} for i in ids]
    return pl.DataFrame(rows, schema=INSTANCE_SCHEMA).with_columns(**columns)


def test_ids_depend_on_everything_that_tells_events_apart() -> None:
    ids = pl.Series([1, 2], dtype=pl.UInt64)
    made = [
        facts.event_ids(run, node, kind, ids, cause)
        for run in ("r1", "r2")
        for node in ("a", "b")
        for kind in ("sent", "opened")
        for cause in (None, pl.Series([7, 7], dtype=pl.UInt64), pl.Series([8, 8], dtype=pl.UInt64))
    ]
    assert pl.concat(made).n_unique() == 2 * len(made)
    assert facts.event_ids("r1", "a", "sent", ids).equals(facts.event_ids("r1", "a", "sent", ids.clone()))


def test_outbox_ids_are_hex_and_message_ids_carry_the_senders_domain() -> None:
    ids = facts.outbox_ids("r1", "m", pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64))
    assert ids.n_unique() == 3
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)
    assert facts.message_ids(ids, "shop@example.invalid")[0] == f"<{ids[0]}@example.invalid>"
    assert facts.message_ids(ids, "nobody")[0].endswith("@nobody>")
    assert facts.outbox_ids("r1", "m", pl.Series([], dtype=pl.UInt64)).is_empty()


def test_events_of_a_batch_take_what_the_rows_have_and_the_rest_from_the_step() -> None:
    rows = people(1, 2, value=pl.lit(3.5), cause=pl.Series([5, 6], dtype=pl.UInt64))
    events = facts.contact_events(rows, run_id="r", node_id="n", kind="converted", at=START)
    assert events.schema == EVENT_SCHEMA
    assert events.get_column("value").to_list() == [3.5, 3.5]
    assert events.get_column("occurred_at").to_list() == [START, START]
    later = rows.with_columns(occurred_at=pl.lit(START + timedelta(hours=1)))
    moved = facts.contact_events(later, run_id="r", node_id="n", kind="converted", at=START)
    assert moved.item(0, "occurred_at") == START + timedelta(hours=1)


def test_what_a_node_left_open_is_filled_in_and_what_it_said_stays() -> None:
    given = pl.DataFrame({"instance_id": [1, 2], "kind": ["exposed", "exposed"], "arms": ["x=a", None]})
    given = given.with_columns(pl.col("instance_id").cast(pl.UInt64))
    batch = people(1, 2, key=pl.lit("k"), arms=pl.lit("before"))
    events = facts.fill_in(given, batch, run_id="r", node_id="n", at=START)
    assert events.select("contact_id", "key", "arms", "run_id", "node_id").rows() == [
        (1, "k", "x=a", "r", "n"),
        (2, "k", "before", "r", "n"),
    ]
    assert events.get_column("event_id").n_unique() == 2
    assert facts.identified(events, "r", "n") is events


def test_batches_with_different_variables_go_together() -> None:
    one, other = people(1, **{"var.x": pl.lit("a")}), people(2, **{"var.y": pl.lit(1)})
    whole = facts.together([one, other])
    assert whole.get_column("var.x").to_list() == ["a", None]
    assert facts.together([one]) is one
    assert facts.tidy(whole.with_columns(due_at=pl.lit(START))).columns == whole.columns
    assert facts.tidy(whole) is whole


def test_chance_depends_on_salt_and_instance_only() -> None:
    drawn = [facts.chance(f"salt{n}", 7) for n in range(200)]
    assert all(0 <= one < 1 for one in drawn)
    assert len(set(drawn)) == 200
    assert facts.chance("salt1", 7) == drawn[1]


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 40), st.sampled_from([None, "c1", "c2"]), st.integers(0, 2)),
            min_size=1,
            max_size=6,
        ),
        max_size=5,
    )
)
def test_who_entered_is_known_by_contact_key_and_occurrence(chunks: list[list[tuple[int, str | None, int]]]) -> None:
    entered, plain = Entered("r1"), set()
    for chunk in chunks:
        frames = []
        for contact, key, occurrence in chunk:
            one = pl.DataFrame(
                {"contact_id": [contact], "key": [key]}, schema={"contact_id": pl.UInt32, "key": pl.String}
            )
            frames.append(one.with_columns(instance_ids("r1", one["contact_id"], one["key"], occurrence)))
        batch = pl.concat(frames)
        assert entered.mask(batch).to_list() == [one in plain for one in chunk]
        entered.add(batch)
        plain.update(chunk)
        assert entered.mask(batch).all()


@given(
    st.lists(st.tuples(st.sampled_from(["sent", "order"]), st.integers(0, 5), st.integers(0, 90)), max_size=20),
    st.integers(0, 20),
    st.integers(0, 100),
)
def test_a_view_over_the_unwritten_is_the_view_over_all(events: list, written: int, now: int) -> None:
    """Some of the events lie in the store, the others are on their way: nodes see no difference."""
    rows = [
        {
            "event_id": number,
            "kind": kind,
            "contact_id": contact,
            "instance_id": contact,
            "run_id": "r1" if number % 2 else None,
            "value": float(number),
            "occurred_at": START + timedelta(minutes=minutes),
        }
        for number, (kind, contact, minutes) in enumerate(events)
    ]
    whole, part = MemoryLog(), MemoryLog()
    whole.append(events_frame(rows))
    part.append(events_frame(rows[:written]))
    moment = START + timedelta(minutes=now)
    rest = events_frame(rows[written:])
    seen = CompleteView(MemoryView(part, moment), lambda kinds: rest.filter(pl.col("kind").is_in(list(kinds))), moment)
    expected = MemoryView(whole, moment)
    since = START + timedelta(minutes=30)
    few = pl.Series([1, 2, 3], dtype=pl.UInt32)
    for more in ({}, {"since": since}, {"ids": few}, {"run_id": "r1"}, {"since": since, "ids": few, "run_id": "r1"}):
        assert seen.totals("order", **more).equals(expected.totals("order", **more))
        span = {"since": since, **more}
        assert seen.rows(["order", "sent"], **span).equals(expected.rows(["order", "sent"], **span))
    assert sorted(seen.instances("sent", "r1")) == sorted(expected.instances("sent", "r1"))


class _Runs:
    """Notes commits; the `fails_at`-th fails."""

    def __init__(self, fails_at: int = 0) -> None:
        self.commits: list[list[str]] = []
        self.fails_at = fails_at

    def change_outbox(self, run_id, at, changes, events=None) -> None:
        if len(self.commits) + 1 == self.fails_at:
            raise OSError("disk full")
        self.commits.append([change.outbox_id for change in changes])


def change(name: str) -> LedgerChange:
    return LedgerChange(outbox_id=name, state="sending")


def test_changes_that_come_while_one_is_written_go_together_and_in_order() -> None:
    runs = _Runs()

    async def session(writer: LedgerWriter, name: str) -> None:
        for number in range(5):
            await writer.post(change(f"{name}{number}"))

    async def scenario() -> None:
        writer = LedgerWriter(runs, "r", lambda: START)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(writer.run())
            sessions = [group.create_task(session(writer, name)) for name in "abcd"]
            await asyncio.wait(sessions)
            writer.post(change("last"))
            writer.finish()
            await running
        assert not writer.has_failed

    asyncio.run(scenario())
    order = [name for commit in runs.commits for name in commit]
    assert len(order) == 21
    assert order[-1] == "last"
    assert [name for name in order if name.startswith("a")] == [f"a{n}" for n in range(5)]
    assert len(runs.commits) < 12


def test_a_failed_commit_reaches_everybody_who_waits_and_ends_the_writing() -> None:
    async def scenario() -> None:
        writer = LedgerWriter(_Runs(fails_at=1), "r", lambda: START)
        waiting = [writer.post(change("a")), writer.post(change("b"))]
        with pytest.raises(OSError, match="disk full"):
            await writer.run()
        assert writer.has_failed
        for done in waiting:
            with pytest.raises(OSError, match="disk full"):
                await done
        with pytest.raises(OSError, match="disk full"):
            writer.post(change("c"))

    asyncio.run(scenario())


def test_work_is_named_after_what_it_follows_from() -> None:
    world = World()
    world.begin(workflow({"s": ("people", {})}))
    run = world.runs.get("r1")

    def made(consumed, salt="") -> list[str]:
        draft = Draft(run, START, Sizes(), consumed=consumed, salt=salt)
        return [draft.add("a", "arrive").id, draft.add("a", "arrive").id, draft.add("b", "arrive").id]

    assert made(["x", "y"]) == made(["y", "x"])
    ids = {*made(["x"]), *made(["x", "y"]), *made([], "enter"), *made([], "match")}
    assert len(ids) == 12


def test_steps_nobody_can_reach_have_ended_and_goals_live_as_long_as_anybody() -> None:
    nodes = {"s": ("people", {}), "a": ("through", {}), "g": ("target", {}), "t": ("end", {})}
    plan = compile_plan(workflow(nodes, "s > a", "g.reached > t"), CATALOGUE)
    view = RunView("r1")
    assert state_changes(plan, view, {"a"}, is_listening=False) == {"s": "skipped"}
    assert set(state_changes(plan, view, set(), is_listening=False)) == {"s", "a", "g", "t"}
    assert set(state_changes(plan, view, {"a"}, is_listening=False, is_over=True)) == {"s", "a", "g", "t"}


def test_event_frames_come_out_complete_whatever_goes_in() -> None:
    assert as_events(pl.DataFrame({"kind": ["a"]})).schema == EVENT_SCHEMA
    assert as_events(empty_events()).equals(empty_events())
    narrow = pl.DataFrame({"contact_id": pl.Series([1], dtype=pl.Int64), "kind": ["a"], "more": [1]})
    assert as_events(narrow).select("contact_id", "kind").rows() == [(1, "a")]
