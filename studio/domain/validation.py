"""Everything that can be wrong with a workflow, found at once.

Absent on purpose: reading files; the catalogue of node types is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from studio.domain.duration import parse_duration
from studio.domain.errors import Problem, UserFixable
from studio.domain.expression import Expression
from studio.domain.expression_parser import parse_expression
from studio.domain.node import NodeType, Refers
from studio.domain.refusals import in_words
from studio.domain.spelling import nearest
from studio.domain.workflow import RETRY_ON, Node, Workflow, topological_order

Catalogue: TypeAlias = Mapping[str, type[NodeType]]
"""Node type id → class."""


def make_node(catalogue: Catalogue, workflow: Workflow, node: Node) -> NodeType:
    """The node object. Raises KeyError, ValidationError or UserFixable on a node that `check` would refuse."""
    node_class = catalogue[node.type]
    return node_class(node_class.Parameters.model_validate(workflow.bound(node)))


def check(workflow: Workflow, catalogue: Catalogue) -> list[Problem]:
    """All problems: ids, unknown types, parameters, dangling edges, ports, sources, cycles. Empty when valid."""
    problems = _duplicates(workflow)
    nodes: dict[str, NodeType] = {}
    for node in workflow.nodes:
        made, found = _check_node(workflow, node, catalogue)
        declared = catalogue[node.type].declaration if node.type in catalogue else None
        problems += [*found, *_check_policy(node, declared and declared.role)]
        if made is not None:
            nodes[node.id] = made
    problems += [
        Problem(p.code, p.message, p.hint, node=node_id, field=p.field and f"parameters.{p.field}")
        for node_id, made in nodes.items()
        if isinstance(made, Refers)
        for p in made.dangling(workflow)
    ]
    problems += _check_edges(workflow, nodes, catalogue)
    problems += _check_shape(workflow, catalogue)
    problems += _check_exit(workflow)
    return problems


def _check_policy(node: Node, role: str | None) -> list[Problem]:
    """What every node has beside its own parameters: condition, time limit, retry policy."""
    problems = [
        *_check_length(node, "timeout", node.timeout, may_be_none=False),
        *_check_length(node, "retry.backoff", node.retry.backoff, may_be_none=True),
    ]
    for place, kind in enumerate(node.retry.retry_on):
        if kind not in RETRY_ON:
            hint = nearest(kind, RETRY_ON) or f"It can be {', '.join(RETRY_ON)}."
            text = f"There is no kind of failure “{kind}”."
            problems.append(Problem("NODE-RETRY", text, hint, node=node.id, field=f"retry.retry_on[{place}]"))
    return [*problems, *_check_condition(node, role)]


def _check_length(node: Node, field: str, text: str | None, *, may_be_none: bool) -> list[Problem]:
    try:
        if text is None or parse_duration(text) or may_be_none:
            return []
        message = "No time at all is no time limit"
    except ValueError as error:
        message = str(error)
    hint = "PT is for hours and minutes (PT90M), P for days and weeks (P7D)."
    return [Problem("NODE-DURATION", f"{message}.", hint, node=node.id, field=field)]


def _check_condition(node: Node, role: str | None) -> list[Problem]:
    if node.condition is None or not node.condition.strip():
        return []
    if role == "source":
        text = "A condition cannot stand on the step that starts the workflow: nobody is there yet to be asked about."
        return [Problem("ENGINE-CONDITION", text, "Put a filter behind it.", node.id, "condition")]
    try:
        parse_expression(node.condition)
    except UserFixable as error:
        found = error.problems or (Problem(error.code, error.message, error.hint or ""),)
        return [Problem(p.code, p.message, p.hint, node.id, "condition") for p in found]
    return []


def _duplicates(workflow: Workflow) -> list[Problem]:
    counts = Counter(node.id for node in workflow.nodes)
    return [
        Problem("WORKFLOW-DUPLICATE", f"{count} nodes have the id “{node_id}”.", "Give each its own id.", node=node_id)
        for node_id, count in counts.items()
        if count > 1
    ]


def _check_node(workflow: Workflow, node: Node, catalogue: Catalogue) -> tuple[NodeType | None, list[Problem]]:
    if node.type not in catalogue:
        return None, [
            Problem(
                "NODE-TYPE",
                f"There is no node type “{node.type}”.",
                nearest(node.type, catalogue) or "Open the node palette to see the types there are.",
                node=node.id,
                field="type",
            )
        ]
    try:
        return make_node(catalogue, workflow, node), []
    except UserFixable as error:
        own = [Problem(p.code, p.message, p.hint, node=node.id, field=p.field) for p in error.problems]
        return None, own or [
            Problem(error.code, error.message, error.hint or "", node=node.id, field=_field_of(error.where))
        ]
    except ValidationError as error:
        fields = catalogue[node.type].Parameters.model_fields
        found = error.errors()
        # A list whose items are wrong is also called too short, which only confuses.
        nested = {item["loc"][:-depth] for item in found for depth in range(1, len(item["loc"]))}
        return None, [
            _parameter_problem(node, item, fields)
            for item in found
            if item["type"] != "too_short" or item["loc"] not in nested
        ]


def _parameter_problem(node: Node, item: ErrorDetails, fields: Mapping[str, object]) -> Problem:
    """A node's own checks say code and hint themselves (`studio.nodes.parameters.refuse`)."""
    own = item.get("ctx", {}) if item["type"] == "parameter" else {}
    return Problem(
        str(own.get("code", "NODE-PARAMETER")),
        in_words(item),
        str(own.get("hint", ""))
        or (nearest(str(item["loc"][-1]), fields) if item["type"] == "extra_forbidden" else ""),
        node=node.id,
        field="parameters." + ".".join(str(part) for part in item["loc"]) if item["loc"] else "parameters",
    )


def _field_of(where: str | None) -> str | None:
    return f"parameters.{where.split(', ')[-1]}" if where else None


def _check_edges(workflow: Workflow, nodes: Mapping[str, NodeType], catalogue: Catalogue) -> list[Problem]:
    problems: list[Problem] = []
    known = {node.id: node for node in workflow.nodes}
    for index, edge in enumerate(workflow.edges):
        place = f"edges[{index}]"
        (source, out_port), (target, in_port) = edge.from_, edge.to
        for node_id in (source, target):
            if node_id not in known:
                hint = nearest(node_id, known) or "Remove the edge or add the node."
                problems.append(
                    Problem(
                        "EDGE-DANGLING", f"The edge names a node “{node_id}” that does not exist.", hint, field=place
                    )
                )
        if source in nodes and out_port not in (*nodes[source].outputs(), "error"):
            hint = (
                nearest(out_port, nodes[source].outputs()) or f"It has: {', '.join(nodes[source].outputs()) or 'none'}."
            )
            problems.append(Problem("EDGE-PORT", f"There is no output “{out_port}”.", hint, node=source, field=place))
        if target in known and known[target].type in catalogue:
            inputs = catalogue[known[target].type].declaration.inputs
            if in_port not in inputs:
                hint = "A trigger takes no input." if not inputs else f"It has: {', '.join(inputs)}."
                problems.append(Problem("EDGE-PORT", f"There is no input “{in_port}”.", hint, node=target, field=place))
    repeated = Counter((edge.from_, edge.to) for edge in workflow.edges)
    problems += [
        Problem(
            "EDGE-DUPLICATE", "Two edges link the same ports: people would pass twice.", "Remove one.", node=edge[0][0]
        )
        for edge, count in repeated.items()
        if count > 1
    ]
    return problems


def _check_exit(workflow: Workflow) -> list[Problem]:
    try:
        exit_rule(workflow)
    except UserFixable as error:
        found = error.problems or (Problem(error.code, error.message, error.hint or ""),)
        return [Problem(p.code, p.message, p.hint, field="settings.exit") for p in found]
    return []


def exit_rule(workflow: Workflow) -> Expression | None:
    """The rule by which people leave the workflow from wherever they stand. Raises what a bad rule raises."""
    text = (workflow.settings.exit or "").strip()
    return parse_expression(text, "contact") if text else None


def _check_shape(workflow: Workflow, catalogue: Catalogue) -> list[Problem]:
    problems: list[Problem] = []
    sources = [n.id for n in workflow.nodes if n.type in catalogue and catalogue[n.type].declaration.role == "source"]
    if not sources:
        problems.append(
            Problem(
                "WORKFLOW-NO-SOURCE", "Nothing starts this workflow.", "Add a trigger or a source as its first node."
            )
        )
    _, cyclic = topological_order(workflow)
    if cyclic:
        named = ", ".join(cyclic[:6]) + (" …" if len(cyclic) > 6 else "")
        problems.append(
            Problem(
                "ENGINE-CYCLE",
                f"These nodes lead back to themselves: {named}.",
                "Remove one of the edges between them; to repeat steps use a loop node.",
                node=cyclic[0],
            )
        )
    reached = _reachable(workflow, sources)
    cut_off = [n.id for n in workflow.nodes if sources and n.enabled and n.id not in reached and n.id not in cyclic]
    # What follows a node that is cut off comes back with it: only the first of them is named.
    behind = {edge.to[0] for edge in workflow.edges if edge.from_[0] in cut_off}
    problems += [
        Problem("NODE-UNREACHED", "Nobody can reach this node.", "Connect it, switch it off, or remove it.", node=node)
        for node in cut_off
        if node not in behind
    ]
    return problems


def _reachable(workflow: Workflow, sources: list[str]) -> set[str]:
    targets: dict[str, list[str]] = {}
    for edge in workflow.edges:
        targets.setdefault(edge.from_[0], []).append(edge.to[0])
    seen, todo = set(sources), list(sources)
    while todo:
        for target in targets.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen
