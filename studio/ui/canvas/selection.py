"""Which nodes, edges, notes and groups are selected, and which node has the keyboard.

Absent on purpose: painting; the scene listens and marks its items.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PySide6.QtCore import QObject, Signal

from studio.domain.workflow import Edge, Workflow
from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.edges import EdgeKey


class Selection(QObject):
    """`current` is the node that keys act on; it is usually selected too. `changed` fires once per change."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.nodes: frozenset[str] = frozenset()
        self.edges: frozenset[EdgeKey] = frozenset()
        self.marks: frozenset[MarkKey] = frozenset()
        """Notes and groups."""
        self.current: str | None = None

    def set(
        self,
        nodes: Iterable[str] = (),
        edges: Iterable[EdgeKey] = (),
        current: str | None = None,
        marks: Iterable[MarkKey] = (),
    ) -> None:
        """Exactly these; `current` defaults to the single node there is."""
        chosen = frozenset(nodes)
        if current is None and len(chosen) == 1:
            current = next(iter(chosen))
        self._become(chosen, frozenset(edges), current, frozenset(marks))

    def toggle(self, node_id: str) -> None:
        """Adds a node to the selection, or takes it out."""
        chosen = self.nodes ^ {node_id}
        self._become(chosen, self.edges, node_id if node_id in chosen else None, self.marks)

    def clear(self) -> None:
        self._become(frozenset(), frozenset(), None, frozenset())

    def prune(self, workflow: Workflow) -> None:
        """Forgets what the workflow no longer holds."""
        known = {node.id for node in workflow.nodes}
        keys = {(edge.from_, edge.to) for edge in workflow.edges}
        current = self.current if self.current in known else None
        counts = {"note": len(workflow.notes), "group": len(workflow.groups)}
        marks = frozenset(mark for mark in self.marks if mark[1] < counts[mark[0]])
        self._become(self.nodes & known, self.edges & keys, current, marks)

    def chosen_edges(self, edges: Collection[Edge]) -> list[Edge]:
        return [edge for edge in edges if (edge.from_, edge.to) in self.edges]

    @property
    def single(self) -> str | None:
        """The one selected node; None when there are none or several."""
        return next(iter(self.nodes)) if len(self.nodes) == 1 else None

    @property
    def single_edge(self) -> EdgeKey | None:
        """The one selected edge, when nothing else is selected."""
        return next(iter(self.edges)) if len(self.edges) == 1 and not self.nodes else None

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.edges or self.marks)

    def _become(
        self, nodes: frozenset[str], edges: frozenset[EdgeKey], current: str | None, marks: frozenset[MarkKey]
    ) -> None:
        if (nodes, edges, current, marks) != (self.nodes, self.edges, self.current, self.marks):
            self.nodes, self.edges, self.current, self.marks = nodes, edges, current, marks
            self.changed.emit()
