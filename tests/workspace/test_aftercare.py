"""Workflows after a promotion keep some people on the old value, and what those say of the change."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.analytics.trials import TrialPlan, TrialResult, VariantResult, trial_spec
from studio.domain.workflow import Node, TemplateRef, Workflow
from studio.experiments.analyze import analyze
from studio.experiments.moments import Mean
from studio.store.learning import Promotion
from studio.workspace.aftercare import promotion_watched, watched, with_old_value

AT = datetime(2026, 3, 1, tzinfo=UTC)


def promotion(**changes) -> Promotion:
    values = {
        "id": 4,
        "template": "win-back",
        "parameter": "subject",
        "from_value": "Hello",
        "to_value": "Hi",
        "experiment_id": "r1/ab",
        "run_id": "r1",
        "at": AT,
        "undone_at": None,
    }
    return Promotion(**{**values, **changes})


def workflow(parameter="subject") -> Workflow:
    variants = [
        {"id": "A", "weight": 0.5, "value": {"$param": "subject"}},
        {"id": "B", "weight": 0.5, "value": {"$param": "subject_b"}},
    ]
    split = Node(id="ab", type="exp.split", parameters={"variants": variants, "parameter": parameter})
    template = TemplateRef(id="win-back", version=1, parameters={"subject": "Hi", "subject_b": "Hi"})
    return Workflow(name="Win back", template=template, nodes=(split, Node(id="end", type="flow.exit")))


def test_a_tenth_keeps_the_old_value():
    made = with_old_value(workflow(), [promotion()])
    first, second = made.bound(made.node("ab"))["variants"]
    assert (first["value"], first["weight"]) == ("Hi", 0.9)
    assert (second["value"], second["weight"]) == ("Hello", 0.1)
    assert made.node("end") == workflow().node("end")


def test_other_settings_and_changes_taken_back_leave_the_workflow_as_it_is():
    assert with_old_value(workflow(), []) == workflow()
    assert with_old_value(workflow(), [promotion(undone_at=AT)]) == workflow()
    assert with_old_value(workflow("colour"), [promotion()]) == workflow("colour")
    assert with_old_value(workflow(), [promotion(parameter="colour")]) == workflow()


def plan(**changes) -> TrialPlan:
    values = {
        "run_id": "r2",
        "node_id": "ab",
        "name": "Subject",
        "control": "A",
        "weights": {"A": 0.9, "B": 0.1},
        "values": {"A": "Hi", "B": "Hello"},
        "parameter": "subject",
        "planned_total": 20_000,
        "mde": 0.01,
    }
    return TrialPlan(**{**values, **changes})


def result(new: int, old: int) -> TrialResult:
    arms = (
        VariantResult("A", "Hi", 18_000, new, Mean(0, 0.0, 0.0)),
        VariantResult("B", "Hello", 2_000, old, Mean(0, 0.0, 0.0)),
    )
    return TrialResult(plan(), arms, analyze(trial_spec(plan(), arms, AT)), {}, 0, AT, AT)


def test_only_an_experiment_of_both_values_watches_a_promotion():
    assert promotion_watched(plan(), "win-back", [promotion()]) == promotion()
    assert promotion_watched(plan(), "welcome-series", [promotion()]) is None
    assert promotion_watched(plan(run_id="r1"), "win-back", [promotion()]) is None
    assert promotion_watched(plan(values={"A": "Hi", "B": "Hey"}), "win-back", [promotion()]) is None
    newer = promotion(id=5, from_value="Hey", to_value="Hi")
    assert promotion_watched(plan(values={"A": "Hi", "B": "Hey"}), "win-back", [promotion(), newer]) == newer


def test_people_on_the_old_value_say_when_it_was_a_mistake():
    assert watched(result(900, 200), promotion()).verdict == "roll_back"
    assert watched(result(1_800, 200), promotion()).verdict == "watching"
    assert watched(result(2_700, 150), promotion()).verdict == "holds"
