"""The scheduler as a script: happenings in, commands out. No loop, no store, no frames."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from studio.domain.ports import Work, WorkKind
from studio.engine.scheduler import (
    Added,
    Asked,
    Do,
    Finish,
    Gone,
    Hold,
    Moved,
    Reach,
    Recorded,
    Returned,
    Rules,
    Scheduler,
    Seen,
    Take,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def work(work_id: str, kind: WorkKind = "arrive", node: str = "a", due: float | None = None, **more) -> Work:
    return Work(
        id=work_id, run_id="r", node_id=node, kind=kind, due_at=None if due is None else minutes(due), rows=1, **more
    )


def scheduler(
    *added: Work,
    enter: tuple[str, ...] = (),
    match: tuple[str, ...] = (),
    virtual: bool = True,
    step: float = 0,
    **rules,
) -> Scheduler:
    made = Scheduler(
        Rules(
            order={"a": 0, "b": 1, "c": 2},
            kinds={"enter": frozenset(enter), "match": frozenset(match)},
            is_virtual=virtual,
            step=timedelta(minutes=step),
            rows_max={"arrive": 3, "resume": 3, "send": 3, "inbox": 3},
            **rules,
        ),
        NOON,
    )
    made.tell(Added(added))
    return made


def test_nothing_to_do_is_done() -> None:
    assert scheduler().next() == Finish("done")


def test_within_one_instant_messages_go_last_and_waits_end_after_events_were_seen() -> None:
    made = scheduler(
        work("send", "send"),
        work("resume", "resume", due=0),
        work("produce", "produce"),
        work("arrive"),
        work("inbox", "inbox", due=0),
        enter=("cart",),
        match=("order",),
    )
    order = []
    while not isinstance(command := made.next(), Finish):
        if isinstance(command, Do):
            order.append(command.kind)
            made.tell(Gone(command.ids))
        else:
            assert isinstance(command, Take)
            order.append(command.reader)
            made.tell(Seen(command.reader, None))
    assert order == ["inbox", "enter", "arrive", "produce", "match", "resume", "send"]


def test_work_of_one_node_goes_together_up_to_one_chunk_oldest_first() -> None:
    made = scheduler(*(work(name, "resume", due=-age) for name, age in zip("vwxyz", (1, 5, 3, 2, 4), strict=True)))
    assert made.next() == Do("resume", "a", 1, ("w", "z", "x"))
    assert made.next() == Do("resume", "a", 1, ("y", "v"))


def test_work_larger_than_a_chunk_goes_alone_and_sources_one_by_one() -> None:
    made = scheduler(Work(id="big", run_id="r", node_id="a", kind="arrive", rows=99), work("x", due=1))
    assert made.next() == Do("arrive", "a", 1, ("big",))
    made = scheduler(work("p1", "produce"), work("p2", "produce"))
    assert made.next() == Do("produce", "a", 1, ("p1",))


def test_the_node_that_comes_first_goes_first_and_attempts_do_not_mix() -> None:
    made = scheduler(work("late", node="b"), work("again", node="a", attempt=2), work("first", node="a"))
    assert made.next() == Do("arrive", "a", 1, ("first",))
    assert made.next() == Do("arrive", "a", 2, ("again",))
    assert made.next() == Do("arrive", "b", 1, ("late",))


def test_work_in_hand_is_not_handed_out_twice_and_comes_back_when_returned() -> None:
    made = scheduler(work("x"), work("y", node="b"))
    assert made.next() == Do("arrive", "a", 1, ("x",))
    assert made.next() == Do("arrive", "b", 1, ("y",))
    made.tell(Returned(["x"]))
    assert made.next() == Do("arrive", "a", 1, ("x",))
    made.tell(Gone(["x", "y", "never heard of"]))
    assert made.next() == Finish("done")


def test_the_same_work_added_twice_is_there_once() -> None:
    made = scheduler(work("x"))
    made.tell(Added([work("x")]))
    assert made.next() == Do("arrive", "a", 1, ("x",))
    made.tell(Gone(["x"]))
    assert made.next() == Finish("done")


def test_the_clock_goes_to_the_next_due_time_rounded_up_to_its_step() -> None:
    made = scheduler(work("x", "resume", due=7), work("y", "resume", due=20), step=15)
    assert made.next() == Reach(minutes(15))
    made.tell(Moved(minutes(15)))
    assert made.next() == Do("resume", "a", 1, ("x",))
    made.tell(Gone(["x"]))
    assert made.next() == Reach(minutes(30))


def test_a_moment_on_the_step_is_not_rounded_on() -> None:
    assert scheduler(work("x", "resume", due=30), step=15).next() == Reach(minutes(30))


def test_work_that_is_gone_before_it_is_due_wakes_nobody() -> None:
    made = scheduler(work("x", "resume", due=7), work("y", "resume", due=20))
    made.tell(Gone(["x"]))
    assert made.next() == Reach(minutes(20))
    made.tell(Moved(minutes(20)))
    made.tell(Gone(["y"]))
    assert made.next() == Finish("done")


def test_due_work_that_goes_before_it_is_handed_out_is_forgotten() -> None:
    made = scheduler(work("x"), work("y"))
    made.tell(Gone(["x"]))
    assert made.next() == Do("arrive", "a", 1, ("y",))


def test_triggers_listen_on_a_virtual_clock_until_the_log_holds_nothing_more() -> None:
    made = scheduler(enter=("cart",))
    assert made.is_listening
    assert made.next() == Take("enter")
    made.tell(Seen("enter", minutes(10)))
    assert made.next() == Reach(minutes(10))
    made.tell(Moved(minutes(10)))
    assert made.next() == Take("enter")
    made.tell(Seen("enter", None))
    assert not made.is_listening
    assert made.next() == Finish("done")


def test_triggers_listen_on_the_wall_for_ever_or_until_the_limit() -> None:
    made = scheduler(enter=("cart",), virtual=False)
    made.tell(Seen("enter", None))
    assert made.next() == Reach(None)
    made = scheduler(enter=("cart",), virtual=False, until=minutes(60))
    made.tell(Seen("enter", None))
    assert made.next() == Reach(minutes(60))
    made.tell(Moved(minutes(60)))
    made.tell(Seen("enter", None))
    assert made.is_listening, "the leg ends here, not the workflow"
    assert made.next() == Finish("waiting")


def test_the_limit_ends_a_leg_with_work_left_as_waiting() -> None:
    made = scheduler(work("x", "resume", due=90), until=minutes(60), step=15)
    assert made.next() == Reach(minutes(60))
    made.tell(Moved(minutes(60)))
    assert made.next() == Finish("waiting")


def test_what_is_due_at_the_limit_is_still_done() -> None:
    made = scheduler(work("x", "resume", due=60), until=minutes(60))
    made.tell(Moved(minutes(60)))
    assert made.next() == Do("resume", "a", 1, ("x",))


def test_a_goal_looks_out_for_events_only_while_somebody_is_in_the_run() -> None:
    made = scheduler(work("x", "resume", due=90), match=("order",), always_match=True)
    assert made.next() == Take("match")
    made.tell(Seen("match", minutes(10)))
    assert made.next() == Reach(minutes(10))
    made.tell(Gone(["x"]))
    assert made.next() == Finish("done")


def test_a_wait_looks_out_for_events_only_while_somebody_waits_there() -> None:
    made = scheduler(work("x", "resume", "b", due=90), match=("order",), listeners=frozenset(("b",)))
    made.tell(Seen("match", minutes(10)))
    assert made.next() == Reach(minutes(10))
    made = scheduler(work("x", "resume", "a", due=90), match=("order",), listeners=frozenset(("b",)))
    made.tell(Seen("match", minutes(10)))
    assert made.next() == Reach(minutes(90))


def test_recorded_events_are_shown_to_the_readers_they_concern() -> None:
    made = scheduler(work("x", "resume", due=90), enter=("cart",), match=("order",))
    made.tell(Seen("enter", minutes(60)))
    made.tell(Seen("match", None))
    made.tell(Recorded(["sent"]))
    assert made.next() == Reach(minutes(60))
    made.tell(Recorded(["order", "sent"]))
    assert made.next() == Take("match")
    made.tell(Seen("match", None))
    made.tell(Recorded(None))
    assert made.next() == Take("enter")


def test_kept_failures_wait_for_a_person_and_do_not_keep_the_run() -> None:
    made = scheduler(work("x", "failed"))
    assert made.next() == Finish("done")
    assert made.busy_nodes() == set()
    assert set(made.pending("failed")) == {"x"}


def test_doubts_keep_the_run_waiting() -> None:
    made = scheduler(work("x", "doubt", "b"), work("y", "doubt", "b"))
    assert made.next() == Finish("waiting", 2)
    assert made.busy_nodes() == {"b"}
    made.tell(Gone(["x", "y"]))
    assert made.next() == Finish("done")
    assert made.busy_nodes() == set()


def test_a_pause_holds_until_continued() -> None:
    made = scheduler(work("x"))
    made.tell(Asked("pause"))
    assert made.next() == Hold()
    made.tell(Asked("continue"))
    assert made.next() == Do("arrive", "a", 1, ("x",))


def test_stepping_does_so_many_commands_and_holds() -> None:
    made = scheduler(work("x"), work("y", node="b"), match=("order",))
    made.tell(Asked("step", 2))
    assert made.next() == Do("arrive", "a", 1, ("x",))
    assert made.next() == Do("arrive", "b", 1, ("y",))
    assert made.next() == Hold()


def test_a_look_that_finds_nobody_is_no_step() -> None:
    made = scheduler(work("x"), match=("order",))
    made.tell(Asked("step", by="node"))
    assert made.steps_by == "node"
    made.tell(Recorded(None))
    assert made.next() == Do("arrive", "a", 1, ("x",))
    made.tell(Gone(["x"]))
    made.tell(Asked("step"))
    assert made.next() == Take("match")
    made.tell(Seen("match", None))
    made.tell(Recorded(None))
    assert made.next() == Take("match")
    made.tell(Seen("match", None, has_found=True))
    assert made.next() == Hold()


@pytest.mark.parametrize(("wish", "ending"), [("stop", "stopped"), ("leave", "left")])
def test_an_end_that_is_asked_for_comes_before_all_work(wish: str, ending: str) -> None:
    made = scheduler(work("x"))
    made.tell(Asked(wish))
    assert made.next() == Finish(ending)
    made.tell(Asked("continue"))
    assert made.next() == Finish(ending)


def test_the_clock_of_a_run_never_goes_back() -> None:
    made = scheduler()
    with pytest.raises(AssertionError):
        made.tell(Moved(minutes(-1)))


def test_work_is_known_by_its_id() -> None:
    assert scheduler(work("x", cursor="7")).work("x").cursor == "7"
