"""What a node shows of the workflow itself: title, one line of settings, icon, ports. A plain value, no painting.

Absent on purpose: the run (see `status.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.node import Role
from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, TemplateRef, Workflow
from studio.ui.canvas.document import display_name
from studio.ui.canvas.ports import Ports, ports_of
from studio.ui.canvas.summary import summary


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFace:
    """`tile` chooses the colour of the icon's tile; `kind` is the type's title, or its group when that is the title."""

    title: str
    summary: str
    kind: str
    group: str = ""
    icon: str
    tile: str
    role: Role | None
    ports: Ports
    enabled: bool = True
    problem: str = ""


class Faces:
    """Makes faces, and keeps them while nothing they depend on has changed."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._known: dict[str, tuple[Node, TemplateRef | None, tuple[str, ...], str, NodeFace]] = {}

    def of(self, workflow: Workflow, node: Node, connected: tuple[str, ...], problem: str = "") -> NodeFace:
        """`connected` are the outputs that edges use, in the order of the edges."""
        known = self._known.get(node.id)
        if known is not None:
            before, template, ports, said, face = known
            if before is node and template is workflow.template and ports == connected and said == problem:
                return face
        face = make_face(workflow, node, self.catalogue, connected, problem)
        self._known[node.id] = node, workflow.template, connected, problem, face
        return face

    def forget(self, ids: Sequence[str]) -> None:
        for node_id in ids:
            self._known.pop(node_id, None)


def make_face(
    workflow: Workflow, node: Node, catalogue: Catalogue, connected: tuple[str, ...] = (), problem: str = ""
) -> NodeFace:
    ports = ports_of(workflow, node, catalogue, connected)
    title = display_name(node, catalogue)
    node_class = catalogue.get(node.type)
    if node_class is None:
        return NodeFace(
            title=title,
            summary=f"unknown type {node.type}",
            kind=node.type,
            icon="circle-question-mark",
            tile="",
            role=None,
            ports=ports,
            enabled=node.enabled,
            problem=problem,
        )
    about = node_class.declaration
    return NodeFace(
        title=title,
        summary=summary(node_class.Parameters, _values(workflow, node)),
        kind=about.title if node.label and node.label != about.title else about.group,
        group=about.group,
        icon=about.icon,
        tile=about.role if about.role in ("goal", "exit") else about.group,
        role=about.role,
        ports=ports,
        enabled=node.enabled,
        problem=problem,
    )


def _values(workflow: Workflow, node: Node) -> Mapping[str, JsonValue]:
    try:
        return workflow.bound(node)
    except UserFixable:
        return node.parameters
