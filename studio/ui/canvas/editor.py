"""What can be done to the graph, by whatever means: the one place where mouse, keys, outline and palette meet.

Every method is one gesture and one undo step. Absent on purpose: pointers and keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from studio.domain.errors import UserFixable
from studio.domain.workflow import Edge, Node, PortRef, Workflow, parse_workflow
from studio.ui.background import run_in_background
from studio.ui.canvas import edits, look
from studio.ui.canvas.arranging import SIDES, Box, Side, align, distribute
from studio.ui.canvas.document import Document
from studio.ui.canvas.drawing import pill_width
from studio.ui.canvas.edits import Position
from studio.ui.canvas.excerpts import corner, excerpt
from studio.ui.canvas.layout import COLUMN_GAP, ROW_GAP, Link, Place, tidy
from studio.ui.canvas.navigation import comes_from, leads_to
from studio.ui.canvas.ports import ERROR_PORT
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.faults import faults

_TIDY_AT_ONCE = 300
_WIDEST_FIGURE = "00,000"
_PASTE_OFFSET = 40.0
NEW_NOTE = "Note"
NEW_GROUP = "Group"


class CanvasEditor(QObject):
    """`selected_anew(ids)`: what was just added and should come into sight; `arranged(places)`: nodes were laid out,
    and these are the places they come from.
    """

    selected_anew = Signal(object)
    arranged = Signal(object)

    def __init__(self, document: Document, selection: Selection, scene: CanvasScene) -> None:
        super().__init__()
        self.document = document
        self.selection = selection
        self.scene = scene
        self.read_only = False

    @property
    def workflow(self) -> Workflow:
        return self.document.workflow

    def add(
        self, type_id: str, place: Position | None = None, after: str | None = None, port: str | None = None
    ) -> str | None:
        """Adds a node and answers with its id; None when nothing may be changed.

        With `after` it is connected to an output of that node: to `port`, or its first free one; or it is put into the
        edge that leaves its only one. Without a place it stands to the right of that node, or of everything.
        """
        if self.read_only:
            return None
        node = self.document.new_node(type_id, place or (0.0, 0.0))
        inputs = self.document.catalogue[type_id].declaration.inputs
        edges: list[Edge] = []
        on_edge: Edge | None = None
        if after is not None and inputs:
            found, on_edge = (port, None) if port is not None else self._way_out(after)
            if found is not None and on_edge is None:
                edges.append(edits.edge((after, found), (node.id, inputs[0])))
        moved: dict[str, Position] = {}
        if place is None:
            node, moved = self._placed(node, after, on_edge)
        self.document.add_node(node, edges, on_edge=on_edge, moved=moved)
        self._choose([node.id])
        return node.id

    def _way_out(self, node_id: str) -> tuple[str | None, Edge | None]:
        """The first output no edge leaves; or the only output with the edge that leaves it."""
        names = [name for name in self.outputs(node_id) if name != ERROR_PORT]
        used = {e.from_[1]: e for e in reversed(self.workflow.edges) if e.from_[0] == node_id}
        for name in names:
            if name not in used:
                return name, None
        return (names[0], used[names[0]]) if len(names) == 1 else (None, None)

    def next_output(self, node_id: str) -> str | None:
        """The output a step added after this one would be connected to."""
        return self._way_out(node_id)[0]

    def select_all(self) -> None:
        marks = [("note", i) for i in range(len(self.workflow.notes))]
        self.selection.set((n.id for n in self.workflow.nodes), current=self.selection.current, marks=marks)

    def select_group(self, index: int) -> None:
        """The steps a group holds."""
        self.selection.set(self.workflow.groups[index].nodes)

    def outputs(self, node_id: str) -> tuple[str, ...]:
        return self.scene.nodes[node_id].face.ports.output_names

    def inputs(self, node_id: str) -> tuple[str, ...]:
        return self.scene.nodes[node_id].face.ports.inputs

    def _placed(self, node: Node, after: str | None, on_edge: Edge | None) -> tuple[Node, dict[str, Position]]:
        """A free place to the right of a node, or of everything; when put into an edge, what follows makes room."""
        pitch = look.NODE_WIDTH + COLUMN_GAP
        bodies = {node_id: item.body for node_id, item in self.scene.nodes.items()}
        if after is None:
            right = max((body.right() for body in bodies.values()), default=-COLUMN_GAP)
            top = min((body.top() for body in bodies.values()), default=0.0)
            return node.model_copy(update={"position": (right + COLUMN_GAP, top)}), {}
        x, y = bodies[after].left() + pitch, bodies[after].top()
        if on_edge is not None:
            following = leads_to(self.workflow, on_edge.to[0])
            crowded = any(bodies[n].left() < x + pitch for n in following)
            moved = {n: (bodies[n].left() + pitch, bodies[n].top()) for n in following} if crowded else {}
            return node.model_copy(update={"position": (x, y)}), moved
        while any(
            abs(body.left() - x) < look.NODE_WIDTH + 20 and abs(body.top() - y) < look.NODE_HEIGHT + 20
            for body in bodies.values()
        ):
            y += look.NODE_HEIGHT + ROW_GAP
        return node.model_copy(update={"position": (x, y)}), {}

    def targets_of(self, from_: PortRef) -> list[tuple[str, str]]:
        """(node, input) that an edge from this output may lead to: never back to its own node, never twice."""
        behind = comes_from(self.workflow, from_[0])
        there = {e.to for e in self.workflow.edges if e.from_ == from_}
        return [
            (node.id, name)
            for node in self.workflow.nodes
            if node.id not in behind
            for name in self.inputs(node.id)
            if (node.id, name) not in there
        ]

    def connect_ports(self, from_: PortRef, to: PortRef) -> bool:
        """Draws an edge where that is possible."""
        if self.read_only or to not in self.targets_of(from_):
            return False
        self.document.connect_ports(from_, to)
        return True

    def insert(self, type_id: str, edge: Edge) -> str | None:
        """Adds a node in the middle of an edge; what follows makes room. None when the type has no way through."""
        declared = self.document.catalogue[type_id].declaration
        if self.read_only or not declared.inputs:
            return None
        node, moved = self._placed(self.document.new_node(type_id, (0.0, 0.0)), edge.from_[0], edge)
        self.document.add_node(node, on_edge=edge, moved=moved)
        self._choose([node.id])
        return node.id

    def can_insert(self, node_id: str) -> bool:
        """Whether a node stands alone and has a way through, so that it can be put into an edge."""
        alone = not any(node_id in (e.from_[0], e.to[0]) for e in self.workflow.edges)
        return not self.read_only and alone and bool(self.inputs(node_id) and self.outputs(node_id))

    def replace(self, node_id: str, type_id: str) -> None:
        """Makes a node one of another type; its edges stay."""
        if not self.read_only and self.workflow.node(node_id).type != type_id:
            self.document.replace_type(node_id, type_id)

    def delete_selection(self) -> None:
        """Removes what is selected; the keyboard goes on to a neighbour."""
        chosen, edges = self.selection.nodes, self.selection.chosen_edges(self.workflow.edges)
        if self.read_only or self.selection.is_empty:
            return
        neighbour = next(
            (e.from_[0] for e in self.workflow.edges if e.to[0] in chosen and e.from_[0] not in chosen), None
        )
        self.document.remove(chosen, edges, self.selection.marks)
        self.selection.set([neighbour] if neighbour is not None else [])

    def move(
        self, places: Mapping[str, Position], *, notes: Mapping[int, Position] | None = None, nudge: bool = False
    ) -> None:
        if not self.read_only:
            self.document.move(places, notes=notes, nudge=nudge)

    def nudge(self, dx: float, dy: float) -> None:
        """Moves the selected nodes and notes a little."""
        nodes = [self.workflow.node(n) for n in sorted(self.selection.nodes)]
        notes = {i: self.workflow.notes[i].position for kind, i in sorted(self.selection.marks) if kind == "note"}
        if nodes or notes:
            self.move(
                {n.id: (n.position[0] + dx, n.position[1] + dy) for n in nodes},
                notes={i: (x + dx, y + dy) for i, (x, y) in notes.items()},
                nudge=True,
            )

    def align(self, side: Side) -> None:
        """Lines the selected nodes up."""
        if len(self.selection.nodes) > 1 and not self.read_only:
            self.document.align(align(self._boxes(), side), SIDES[side])

    def distribute(self, *, across: bool) -> None:
        """Spreads the selected nodes evenly between the outermost two."""
        if len(self.selection.nodes) > 2 and not self.read_only:
            words = f"Distribute {'across' if across else 'down'}"
            self.document.align(distribute(self._boxes(), across=across), words)

    def _boxes(self) -> dict[str, Box]:
        bodies = {n: self.scene.nodes[n].body for n in sorted(self.selection.nodes)}
        return {n: (body.left(), body.top(), body.width(), body.height()) for n, body in bodies.items()}

    def add_note(self, place: Position | None = None) -> int | None:
        """A sticky note to write into: at a place, or below what is selected or the whole graph."""
        if self.read_only:
            return None
        if place is None:
            chosen = [self.scene.nodes[n].body for n in self.selection.nodes] or [self.scene.extent()]
            place = min(b.left() for b in chosen), max(b.bottom() for b in chosen) + ROW_GAP
        index = self.document.add_note(NEW_NOTE, place)
        self.selection.set(marks=[("note", index)])
        return index

    def group(self) -> int | None:
        """Puts the selected nodes into a group of their own."""
        if self.read_only or not self.selection.nodes:
            return None
        index = self.document.group(self.selection.nodes, NEW_GROUP)
        self.selection.set(marks=[("group", index)])
        return index

    def rename(self, node_id: str, label: str) -> None:
        if not self.read_only:
            self.document.set_label(node_id, label.strip())
            self.document.end_session()

    def toggle_enabled(self) -> None:
        """Switches the selected nodes off, or all on when all are off."""
        chosen = [n for n in self.workflow.nodes if n.id in self.selection.nodes]
        if chosen and not self.read_only:
            self.document.set_enabled({n.id for n in chosen}, not any(n.enabled for n in chosen))

    def copy(self) -> None:
        """Puts what is selected on the clipboard, as the text of a workflow file."""
        part = self._chosen_part()
        if part is not None:
            QGuiApplication.clipboard().setText(part.to_json())

    def _chosen_part(self) -> Workflow | None:
        """The selected nodes, groups with what they hold, and notes; None when there are none."""
        groups = [self.workflow.groups[i].nodes for kind, i in self.selection.marks if kind == "group"]
        part = excerpt(
            self.workflow,
            self.selection.nodes.union(*groups),
            [index for kind, index in self.selection.marks if kind == "note"],
        )
        return part if part.nodes or part.notes else None

    def cut(self) -> None:
        self.copy()
        self.delete_selection()

    def paste(self, at: Position | None = None) -> None:
        """Adds what is on the clipboard, at a place, or a little beside where it came from; says so when it is no
        workflow.
        """
        if self.read_only:
            return
        text = QGuiApplication.clipboard().text()
        try:
            if not text.lstrip().startswith("{"):
                raise _no_steps()
            part = parse_workflow(text, where="clipboard")
            if not part.nodes and not part.notes:
                raise _no_steps()
            left, top = corner(part)
            offset = (at[0] - left, at[1] - top) if at is not None else (_PASTE_OFFSET, _PASTE_OFFSET)
            pasted = self.document.paste(part, offset)
        except UserFixable as error:
            faults().report(error)
            return
        self._choose(pasted.nodes, pasted.notes)

    def duplicate(self) -> None:
        """What is selected once more, below."""
        part = self._chosen_part()
        if part is not None and not self.read_only:
            pasted = self.document.paste(part, (_PASTE_OFFSET, _PASTE_OFFSET), words="Duplicate")
            self._choose(pasted.nodes, pasted.notes)

    def tidy(self) -> None:
        """Lays the whole graph out; a large one in the background, so that the window goes on."""
        self._tidy({node.id for node in self.workflow.nodes})

    def tidy_selection(self) -> None:
        """Lays the selected nodes out where they stand, and leaves the others alone."""
        self._tidy(set(self.selection.nodes))

    def _tidy(self, ids: set[str]) -> None:
        if self.read_only or not ids:
            return
        measures = self._measures(ids)
        if len(ids) <= _TIDY_AT_ONCE:
            self._arrange(self.workflow, tidy(*measures))
            return
        workflow = self.workflow
        run_in_background(lambda: tidy(*measures), lambda places: self._arrange(workflow, places), owner=self)

    def _arrange(self, workflow: Workflow, places: Mapping[str, Place]) -> None:
        # The person may have gone on editing while a large graph was laid out: then the result is of no use.
        if workflow is self.workflow:
            starts = {node_id: self.scene.nodes[node_id].pos() for node_id in places}
            self.document.arrange(places)
            self.arranged.emit(starts)

    def tidied(self, workflow: Workflow) -> Workflow:
        """A workflow that has no places yet, laid out. The scene must show it already."""
        sizes, links, gaps, _before = self._measures({node.id for node in workflow.nodes})
        return edits.move_nodes(workflow, tidy(sizes, links, gaps))

    def _measures(
        self, ids: set[str]
    ) -> tuple[dict[str, tuple[float, float]], list[Link], dict[Link, float], dict[str, Place]]:
        """Sizes, links, room for labels, and where the nodes stand now."""
        sizes = {n.id: (look.NODE_WIDTH, self.scene.nodes[n.id].height) for n in self.workflow.nodes if n.id in ids}
        order = {(n, port): (line, i) for line, n in enumerate(sizes) for i, port in enumerate(self.outputs(n))}
        shown = [e for e in self.scene.edges.values() if e.key[0][0] in sizes and e.key[1][0] in sizes]
        shown.sort(key=lambda e: order.get(e.key[0], (len(sizes), 0)))
        links = [(e.key[0][0], e.key[1][0]) for e in shown]
        gaps = {(e.key[0][0], e.key[1][0]): max(COLUMN_GAP, pill_width(e.label, _WIDEST_FIGURE) + 18.0) for e in shown}
        before = {n: (self.scene.nodes[n].body.left(), self.scene.nodes[n].body.top()) for n in sizes}
        # All in one place are nodes that nobody has laid out yet.
        return sizes, links, gaps, before if len(set(before.values())) > 1 else {}

    def _choose(self, ids: Sequence[str], notes: Sequence[int] = ()) -> None:
        self.selection.set(ids, current=ids[0] if ids else None, marks=[("note", index) for index in notes])
        self.selected_anew.emit(tuple(ids))


def _no_steps() -> UserFixable:
    return UserFixable(
        "PASTE-NOTHING",
        "There are no steps on the clipboard.",
        hint="Copy steps or notes of a workflow, here or in another window, or the text of a workflow file.",
    )
