"""Paints a run over the graph: takes views as often as they come, and shows the last one at most 60 times a second.

Only steps that differ from the view shown before are worked out anew. Absent on purpose: folding events.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QObject, QTimer, Signal

from studio.domain.node import Role
from studio.domain.run import RunView
from studio.domain.workflow import Edge, Workflow
from studio.ui.canvas.edges import EdgeKey
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.status import EdgeStatus, NodeStatus, edge_status, node_status

FRAME_MS = 16


class RunOverlay(QObject):
    """`shown(view)` fires after a view has been painted; None when there is no run any more."""

    shown = Signal(object)

    def __init__(self, scene: CanvasScene) -> None:
        super().__init__()
        self.view: RunView | None = None
        self._scene = scene
        self._workflow = Workflow(name="")
        self._roles: Mapping[str, Role] = {}
        self._edges_of: dict[str, list[Edge]] = {}
        self._painted: RunView | None = None
        self._node_statuses: dict[str, NodeStatus] = {}
        self._waiting: set[str] = set()
        self._changed: set[str] | None = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.flush)

    def set_workflow(self, workflow: Workflow, roles: Mapping[str, Role]) -> None:
        """The graph the views are about. Call it after the scene has taken the workflow."""
        self._workflow = workflow
        self._roles = roles
        self._edges_of = {}
        for edge in workflow.edges:
            for node_id in {edge.from_[0], edge.to[0]}:
                self._edges_of.setdefault(node_id, []).append(edge)
        self._painted = None
        self._node_statuses.clear()
        if self.view is not None:
            self.flush()

    def show(self, view: RunView | None, changed: Collection[str] | None = None) -> None:
        """The run as it now is. Several views within a frame cost one painting.

        `changed`: the steps that differ from the view shown before, when that is known; else they are looked for.
        """
        self.view = view
        if changed is None or self._changed is None:
            self._changed = None
        else:
            self._changed.update(changed)
        if view is None:
            self._timer.stop()
            self.flush()
        elif not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Paints the last view now."""
        self._timer.stop()
        view = self.view
        if view is not None and view is self._painted:
            return
        if view is None:
            if self._painted is not None or self._node_statuses:
                self._scene.clear_statuses()
            self._painted = None
            self._node_statuses.clear()
        else:
            self._paint(view)
            self._painted = view
            self._changed = set()
        self.shown.emit(view)

    def _paint(self, view: RunView) -> None:
        touched = self._touched(view)
        nodes: dict[str, NodeStatus | None] = {}
        for node_id in touched:
            status = node_status(view, node_id, self._roles.get(node_id))
            if self._node_statuses.get(node_id) != status:
                self._node_statuses[node_id] = status
                nodes[node_id] = status
        edges: dict[EdgeKey, EdgeStatus] = {}
        for node_id in touched:
            for edge in self._edges_of.get(node_id, ()):
                edges[edge.from_, edge.to] = edge_status(view, edge, self._roles)
        if nodes or edges:
            self._scene.set_statuses(nodes, edges)

    def _touched(self, view: RunView) -> set[str]:
        before = self._painted
        if before is None or before.run_id != view.run_id or before.state != view.state:
            touched = {node.id for node in self._workflow.nodes}
        else:
            touched = self._changed if self._changed is not None else _different(before, view)
            # “next in 2 h” depends on the clock, not only on the step.
            touched = touched | self._waiting
        for node_id in touched:
            step = view.steps.get(node_id)
            if step is not None and step.waiting:
                self._waiting.add(node_id)
            else:
                self._waiting.discard(node_id)
        return touched


def _different(before: RunView, after: RunView) -> set[str]:
    # Steps are immutable: the same object says the same.
    known = before.steps.get
    changed = {node_id for node_id, step in after.steps.items() if known(node_id) is not step}
    return changed | (before.steps.keys() - after.steps.keys())
