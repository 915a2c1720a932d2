"""Two runs step by step: the figures of either, and what only one of them has."""

from __future__ import annotations

import itertools

from studio.analytics.side_by_side import StepFigures, side_by_side
from studio.domain.run import RunView, StepView
from studio.domain.workflow import Edge, Node, Workflow


def workflow(*ids: str) -> Workflow:
    edges = tuple(Edge.model_validate({"from": (a, "out"), "to": (b, "in")}) for a, b in itertools.pairwise(ids))
    return Workflow(name="w", nodes=tuple(Node(id=i, type="flow.delay") for i in ids), edges=edges)


def test_each_step_stands_once_with_the_figures_of_both_runs() -> None:
    first = RunView(
        "r1", steps={"b": StepView("b", arrived=10, out={"out": 7}, waiting=2, failed=1, sending={"sent": 6})}
    )
    second = RunView("r2", steps={"a": StepView("a", out={"out": 4}), "c": StepView("c", arrived=4)})
    pairs = side_by_side((workflow("a", "b"), first), (workflow("c", "a"), second))
    assert [(pair.node, pair.a is None, pair.b is None) for pair in pairs] == [
        ("c", True, False),
        ("a", False, False),
        ("b", False, True),
    ]
    assert pairs[2].a == StepFigures(came=10, went_on=7, waiting=2, sent=6, failed=1)
    # A source has nobody come to it: who left it is who came.
    assert pairs[1].b == StepFigures(came=4, went_on=4, waiting=0, sent=0, failed=0)
