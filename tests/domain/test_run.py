"""The fold: live view and replay are the same function."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from studio.domain.run import RunEvent, RunView, fold

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = st.integers(0, 1_000)
HAPPENING = st.one_of(
    st.fixed_dictionaries(
        {"in": COUNT, "out": st.fixed_dictionaries({"out": COUNT}), "attempt": st.integers(1, 3)}
    ).map(lambda payload: ("step.ran", payload)),
    st.sampled_from(["running", "waiting", "done", "failed"]).map(lambda state: ("step.state", {"state": state})),
    COUNT.map(lambda n: ("step.waiting", {"waiting": n, "next_due": None})),
    st.tuples(st.sampled_from(["A-1", "B-2"]), COUNT).map(
        lambda pair: ("step.problem", {"code": pair[0], "message": "m", "hint": "h", "count": pair[1]})
    ),
)


def events(happenings: list[tuple[str, dict[str, object]]]) -> list[RunEvent]:
    return [
        RunEvent("r1", seq, START + timedelta(seconds=seq), "ab"[seq % 2], kind, payload)
        for seq, (kind, payload) in enumerate(happenings, start=1)
    ]


@given(st.lists(HAPPENING, max_size=30), st.integers(0, 30))
def test_folding_in_two_parts_is_folding_at_once(happenings: list, cut: int) -> None:
    facts = events(happenings)
    whole = fold(RunView("r1"), facts)
    assert fold(fold(RunView("r1"), facts[:cut]), facts) == whole


@given(st.lists(HAPPENING, max_size=30))
def test_counts_are_the_sums_of_the_facts(happenings: list) -> None:
    facts = events(happenings)
    view = fold(RunView("r1"), facts)
    for node_id in "ab":
        ran = [f.payload for f in facts if f.node_id == node_id and f.kind == "step.ran"]
        assert view.step(node_id).arrived == sum(p["in"] for p in ran)
        assert view.edge_count(node_id, "out") == sum(p["out"]["out"] for p in ran)
        problems = [f.payload for f in facts if f.node_id == node_id and f.kind == "step.problem"]
        assert sum(p.count for p in view.step(node_id).problems) == sum(p["count"] for p in problems)


def test_a_run_that_ends_says_why() -> None:
    facts = [
        RunEvent("r1", 1, START, None, "run.started", {"mode": "test"}),
        RunEvent(
            "r1", 2, START, None, "run.state", {"state": "failed", "message": "No mail server.", "hint": "Start it."}
        ),
    ]
    view = fold(RunView("r1"), facts)
    assert (view.state, view.message, view.hint) == ("failed", "No mail server.", "Start it.")
    assert view.about == {"mode": "test"}
