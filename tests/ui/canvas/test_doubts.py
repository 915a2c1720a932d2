"""A rule that asks for a field nobody has is said before it is run: such a run is green and reaches nobody."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from studio.domain.completion import Vocabulary
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow
from studio.ui.canvas import edits
from studio.ui.canvas.doubts import doubts
from studio.ui.canvas.page import CanvasPage

KNOWN = ("email", "age", "country")


def flow(*steps: tuple[str, dict[str, JsonValue]], **more: JsonValue) -> Workflow:
    nodes = [{"id": f"n{i}", "type": kind, "parameters": values, **more} for i, (kind, values) in enumerate(steps)]
    return Workflow.model_validate({"name": "W", "nodes": nodes})


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("audience.filter", {"rule": "agee >= 10"}, "parameters.rule"),
        (
            "flow.branch",
            {"conditions": [{"id": "a", "rule": "age > 1"}, {"id": "b", "rule": "agee > 1"}]},
            "parameters.conditions.1",
        ),
    ],
)
def test_an_unknown_field_is_doubted_with_the_near_one(
    types: Catalogue, kind: str, values: dict[str, JsonValue], field: str
) -> None:
    (problem,) = doubts(flow((kind, values)), types, KNOWN)
    assert (problem.node, problem.message) == ("n0", "No contact has a field “agee”.")
    assert "“age”" in problem.hint
    assert problem.field is not None
    assert problem.field.startswith(field)


def test_nothing_is_doubted_that_may_well_be_there(types: Catalogue) -> None:
    wrong = ("audience.filter", {"rule": "points > 3"})
    assert len(doubts(flow(wrong), types, KNOWN)) == 1
    assert doubts(flow(wrong), types, ()) == [], "without people nobody knows"
    assert doubts(flow(wrong, ("source.import", {"file": "new.csv"})), types, KNOWN) == [], "a file brings its own"
    made = ("data.update", {"changes": [{"action": "set", "field": "points", "value": 1}]})
    assert doubts(flow(made, wrong), types, KNOWN) == [], "a step writes it"
    assert doubts(flow(("audience.filter", {"rule": "age >= 18 and var.x > 1"})), types, KNOWN) == []
    assert doubts(flow(("audience.filter", {"rule": "age >"})), types, KNOWN) == [], "told as wrong elsewhere"
    assert doubts(flow(wrong, enabled=False), types, KNOWN) == []


def test_a_doubt_stands_at_the_step_and_goes_with_its_cause(page: CanvasPage, types: Catalogue) -> None:
    steps = flow(("trigger.manual", {}), ("audience.filter", {"rule": "agee >= 10"}))
    way = edits.edge(("n0", "out"), ("n1", "in"))
    page.set_workflow(steps.model_copy(update={"edges": (way,)}), types)
    page.aid.set_vocabulary(Vocabulary(fields={"age": "whole number"}))
    assert "agee" in page.scene.nodes["n1"].face.problem
    page.document.set_parameters("n1", {"rule": "age >= 10"})
    page.checks.check_now()
    assert "agee" not in page.scene.nodes["n1"].face.problem
    page.aid.set_vocabulary(Vocabulary())
