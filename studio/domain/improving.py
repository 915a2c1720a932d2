"""What advice changes in a workflow: a test of leaving a message out, a test of another hour, a smaller holdout.

Each takes a workflow and gives the changed one; what already runs is not touched. Absent on purpose: deciding whether
to, and saving it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.workflow import Edge, Node, Workflow

SPLIT, WINDOW = "exp.split", "flow.time_window"
GAP = 270.0
HOURS = 3


def leave_out_for_half(workflow: Workflow, node_id: str) -> Workflow:
    """Half of the people get the message as before, the other half go on as if they had got it.

    Raises:
        UserFixable: ADVICE-GONE when the step is no longer there, ADVICE-DONE when such a test stands before it.
    """
    node = _there(workflow, node_id)
    split_id = f"without_{node_id}"[:64]
    onward = [edge.to for edge in workflow.edges if edge.from_ == (node_id, "out")]
    split = _split(workflow, node, split_id, {"with": "With the message", "without": "Without it"})
    to_without = tuple(_edge((split_id, "without"), target) for target in onward)
    return _inserted(workflow, node, split, "with", to_without)


def choose_hour_for_half(workflow: Workflow, node_id: str, hour: int) -> Workflow:
    """Half of the people get the message as before, the other half between `hour` and three hours later, their time.

    Raises:
        UserFixable: as `leave_out_for_half`.
    """
    node = _there(workflow, node_id)
    split_id, window_id = f"hour_{node_id}"[:64], f"at_{node_id}"[:64]
    span = f"{hour:02}:00", f"{(hour + HOURS) % 24:02}:00"
    split = _split(workflow, node, split_id, {"any": "At any hour", "best": f"From {span[0]}"})
    window = Node(
        id=window_id,
        type=WINDOW,
        label=f"Wait for {span[0]} to {span[1]}",
        position=(node.position[0], node.position[1] + GAP / 2),
        parameters={"start": span[0], "end": span[1]},
    )
    edges = (_edge((split_id, "best"), (window_id, "in")), _edge((window_id, "out"), (node_id, "in")))
    changed = _inserted(workflow, node, split, "any", edges)
    return changed.model_copy(update={"nodes": (*changed.nodes, window)})


def hold_out_less(workflow: Workflow, node_id: str) -> Workflow:
    """Half of the share that was held out. Raises UserFixable ADVICE-GONE."""
    node = _there(workflow, node_id)
    share = workflow.bound(node).get("share", 0.1)
    assert isinstance(share, int | float)
    changed = node.model_copy(update={"parameters": {**node.parameters, "share": round(share / 2, 4)}})
    return workflow.model_copy(update={"nodes": tuple(changed if n.id == node_id else n for n in workflow.nodes)})


def _there(workflow: Workflow, node_id: str) -> Node:
    found = next((node for node in workflow.nodes if node.id == node_id), None)
    if found is None:
        hint = "The workflow was changed since this run; open it on the canvas."
        raise UserFixable("ADVICE-GONE", f"The workflow has no step “{node_id}” any more.", where=node_id, hint=hint)
    return found


def _split(workflow: Workflow, node: Node, split_id: str, variants: Mapping[str, str]) -> Node:
    if any(one.id == split_id for one in workflow.nodes):
        hint = "Run the workflow, and look at the test under Experiments."
        said = f"This test of “{node.label or node.id}” is in the workflow already."
        raise UserFixable("ADVICE-DONE", said, where=split_id, hint=hint)
    arms: list[JsonValue] = [{"id": name, "label": label, "weight": 0.5} for name, label in variants.items()]
    return Node(
        id=split_id,
        type=SPLIT,
        label=f"Test: {node.label or node.id}"[:100],
        position=(node.position[0] - GAP / 2, node.position[1] - GAP / 2),
        parameters={"variants": arms},
    )


def _inserted(workflow: Workflow, node: Node, split: Node, through: str, more: tuple[Edge, ...]) -> Workflow:
    """The split takes over all that led to the node; one of its ports leads on to it."""
    before = (node.id, "in")
    edges = [_edge(edge.from_, (split.id, "in")) if edge.to == before else edge for edge in workflow.edges]
    added = (_edge((split.id, through), before), *more)
    return workflow.model_copy(update={"nodes": (*workflow.nodes, split), "edges": (*edges, *added)})


def _edge(start: tuple[str, str], end: tuple[str, str]) -> Edge:
    return Edge.model_validate({"from": start, "to": end})
