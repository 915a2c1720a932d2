"""The workflow being edited: an immutable value, and a stack of commands that replace it, so that all can be undone.

Each command keeps the workflow before and after; unchanged parts are shared, so a command costs little and undo cannot
miss anything. Absent on purpose: saving. The journal hook is called after each command, undo and redo.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from pydantic import JsonValue
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from shiboken6 import isValid

from studio.domain.step_names import step_name
from studio.domain.validation import Catalogue
from studio.domain.workflow import Edge, Node, PortRef, Workflow
from studio.nodes.policy import with_policy
from studio.nodes.workflow_form import with_settings
from studio.ui.canvas import annotations, edits
from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.edits import Position
from studio.ui.canvas.excerpts import Pasted, paste
from studio.ui.canvas.ports import ports_of
from studio.ui.canvas.specimen import fitting_parameters, starting_parameters
from studio.ui.faults import guarded

Journal: TypeAlias = Callable[[Workflow, str, str | None], None]
"""Gets the workflow as it now is, the words of what was done (“Move 2 steps”), and, for what is typed or nudged bit by
bit, a key that is the same for all of it.
"""

UNDO_LIMIT = 500


class Document(QObject):
    """One method per gesture; each pushes one command. `changing` comes before every command, undo and redo,
    `changed(workflow)` follows it.
    """

    changing = Signal()
    changed = Signal(object)

    def __init__(self, workflow: Workflow, catalogue: Catalogue, journal: Journal | None = None) -> None:
        super().__init__()
        self.catalogue = catalogue
        self.workflow = workflow
        self.journal = journal
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(UNDO_LIMIT)
        self._session = 0
        self._outputs: dict[str, tuple[str, ...]] = {}

    def __del__(self) -> None:
        # Python's collector takes stack and commands apart in any order, and Qt would delete the commands twice.
        if (stack := vars(self).get("stack")) is not None and isValid(stack):
            stack.clear()

    def replace(self, workflow: Workflow, catalogue: Catalogue | None = None) -> None:
        """Another workflow altogether; what could be undone is forgotten."""
        self.changing.emit()
        self.catalogue = catalogue if catalogue is not None else self.catalogue
        self.stack.clear()
        self._outputs.clear()
        self.workflow = workflow
        self.changed.emit(workflow)

    def undo(self) -> None:
        words = self.stack.undoText()
        if self.stack.canUndo():
            self.stack.undo()
            self._tell(f"Undo: {words}")

    def redo(self) -> None:
        words = self.stack.redoText()
        if self.stack.canRedo():
            self.stack.redo()
            self._tell(f"Redo: {words}")

    def go_to(self, number: int) -> None:
        """Undoes or redoes until so many commands are done: a place in the visible history."""
        number = max(0, min(number, self.stack.count()))
        if number != self.stack.index():
            back = number < self.stack.index()
            words = self.stack.text(number - 1) if number else "the beginning"
            self.stack.setIndex(number)
            self._tell(f"{'Undo' if back else 'Redo'} to: {words}")

    def restore(self, workflow: Workflow, words: str) -> None:
        """Another state altogether, as one command that can be undone."""
        self._outputs.clear()
        self._push(words, workflow)

    def end_session(self) -> None:
        """What is typed or nudged from now on is undone by itself, not together with what went before."""
        self._session += 1

    def new_node(self, type_id: str, position: Position) -> Node:
        """A node of a type with an id that is free and settings to start with; not yet added."""
        taken = {node.id for node in self.workflow.nodes}
        node_class = self.catalogue[type_id]
        return Node(
            id=edits.fresh_id(taken, type_id),
            type=type_id,
            version=node_class.declaration.version,
            position=position,
            parameters=starting_parameters(node_class.Parameters),
        )

    def add_node(
        self,
        node: Node,
        edges: Collection[Edge] = (),
        *,
        on_edge: Edge | None = None,
        moved: Mapping[str, Position] | None = None,
    ) -> None:
        """Adds a node, with edges to others, or in the middle of an edge; others may make room."""
        after = edits.add_nodes(edits.move_nodes(self.workflow, moved or {}), [node])
        if on_edge is not None:
            ports = ports_of(after, node, self.catalogue)
            if ports.inputs and ports.outputs:
                after = edits.insert_on_edge(after, on_edge, node.id, ports.inputs[0], ports.outputs[0].name)
        self._push(f"Add {self.name_of(node)}", edits.add_edges(after, edges))

    def remove(self, ids: Collection[str], edges: Collection[Edge] = (), marks: Collection[MarkKey] = ()) -> None:
        """Removes nodes with their edges, further edges, notes and groups."""
        parts = ((ids, "step"), (edges, "edge"), (marks, "note or group"))
        words = next((_counted(len(part), word) for part, word in parts if part), "nothing")
        if len(marks) == 1 and not ids and not edges:
            words = f"a {next(iter(marks))[0]}"
        after = annotations.remove_marks(self.workflow, marks) if marks else self.workflow
        self._push(f"Remove {words}", edits.remove_nodes(edits.remove_edges(after, edges), ids))

    def move(
        self, places: Mapping[str, Position], *, notes: Mapping[int, Position] | None = None, nudge: bool = False
    ) -> None:
        """New top left corners of steps and notes. Nudges one after the other are undone together."""
        notes = notes or {}
        key = ("move", *sorted(places), *map(str, sorted(notes))) if nudge else ()
        after = edits.move_nodes(self.workflow, places)
        for index, place in notes.items():
            after = annotations.change_note(after, index, position=place)
        words = _counted(len(places), "step") if places else _counted(len(notes), "note")
        self._push(f"Move {words}", after, key)

    def align(self, places: Mapping[str, Position], words: str) -> None:
        """Steps lined up or spread out."""
        self._push(words, edits.move_nodes(self.workflow, places))

    def insert(self, node_id: str, on_edge: Edge, place: Position) -> None:
        """Puts a node that is there already into the middle of an edge, at a place."""
        node = self.workflow.node(node_id)
        ports = ports_of(self.workflow, node, self.catalogue)
        if ports.inputs and ports.outputs:
            name = ports.outputs[0].name
            moved = edits.move_nodes(self.workflow, {node_id: place})
            after = edits.insert_on_edge(moved, on_edge, node_id, ports.inputs[0], name)
            self._push(f"Put {self.name_of(node)} into an edge", after)

    def replace_type(self, node_id: str, type_id: str) -> None:
        """Another kind of step in the place of one: edges stay, and settings that both know and accept."""
        old = self.workflow.node(node_id)
        before = ports_of(self.workflow, old, self.catalogue).output_names
        model = self.catalogue[type_id].Parameters
        parameters = starting_parameters(model) | {
            name: value for name, value in old.parameters.items() if name in model.model_fields
        }
        new = old.model_copy(
            update={
                "type": type_id,
                "version": self.catalogue[type_id].declaration.version,
                "parameters": fitting_parameters(model, parameters, starting_parameters(model)),
            }
        )
        ports = ports_of(edits.replace_nodes(self.workflow, {node_id: new}), new, self.catalogue)
        after = edits.replace_node(self.workflow, new, ports.inputs, before, ports.output_names)
        self._outputs.pop(node_id, None)
        self._push(f"Replace {self.name_of(old)}", after)

    def add_note(self, text: str, position: Position) -> int:
        """A sticky note; answers with its place in the list."""
        self._push("Add a note", annotations.add_note(self.workflow, text, position))
        return len(self.workflow.notes) - 1

    def set_note_text(self, index: int, text: str) -> None:
        """What a sticky note says; one that says nothing any more goes."""
        if text.strip():
            after = annotations.change_note(self.workflow, index, text=text.strip())
            self._push("Change a note", after)
        else:
            self._push("Remove a note", annotations.remove_marks(self.workflow, [("note", index)]))

    def resize_note(self, index: int, size: Position) -> None:
        self._push("Resize a note", annotations.change_note(self.workflow, index, size=size))

    def group(self, ids: Collection[str], title: str, colour: str = "") -> int:
        """Puts steps into a new group; answers with its place in the list."""
        self._push(f"Group {_counted(len(ids), 'step')}", annotations.add_group(self.workflow, title, ids, colour))
        return len(self.workflow.groups) - 1

    def set_group(self, index: int, *, title: str | None = None, colour: str | None = None) -> None:
        words = "Rename a group" if title is not None else "Colour a group"
        self._push(words, annotations.change_group(self.workflow, index, title=title, colour=colour))

    def arrange(self, places: Mapping[str, Position]) -> None:
        """Tidy layout."""
        self._push("Tidy layout", edits.move_nodes(self.workflow, places))

    def connect_ports(self, from_: PortRef, to: PortRef) -> None:
        self._push("Connect", edits.add_edges(self.workflow, [edits.edge(from_, to)]))

    def set_parameters(self, node_id: str, parameters: Mapping[str, JsonValue], field: str = "") -> None:
        """The node's settings as they stand in the file. Edges follow the outputs that change with them."""
        node = self.workflow.node(node_id)
        before = self._last_outputs(node)
        changed = node.model_copy(update={"parameters": dict(parameters)})
        after = edits.replace_nodes(self.workflow, {node_id: changed})
        ports = ports_of(after, changed, self.catalogue)
        if ports.complete:
            self._outputs[node_id] = ports.output_names
            after = edits.follow_ports(after, node_id, before, ports.output_names)
        self._push(f"Change {field or 'settings'} of {self.name_of(node)}", after, ("parameters", node_id, field))

    def set_template_value(self, name: str, value: JsonValue) -> None:
        """The value of a template parameter, wherever it is bound."""
        self._push(
            f"Change {name.replace('_', ' ')}",
            edits.set_template_value(self.workflow, name, value),
            ("template", name),
        )

    def set_name(self, name: str) -> None:
        """What the workflow is called."""
        self._push("Rename the workflow", self.workflow.model_copy(update={"name": name}), ("name",))

    def set_settings(self, values: Mapping[str, JsonValue], field: str = "") -> None:
        """What holds for the whole workflow, as its form has it (`nodes.workflow_form`)."""
        settings = with_settings(self.workflow.settings, values)
        words = f"Change {field or 'the settings'} of the workflow"
        self._push(words, self.workflow.model_copy(update={"settings": settings}), ("settings", field))

    def set_label(self, node_id: str, label: str) -> None:
        node = self.workflow.node(node_id)
        after = self._with(node.model_copy(update={"label": label}))
        self._push(f"Rename {self.name_of(node)}", after, ("label", node_id))

    def set_note(self, node_id: str, note: str) -> None:
        node = self.workflow.node(node_id)
        self._push(
            f"Change note of {self.name_of(node)}",
            self._with(node.model_copy(update={"note": note})),
            ("note", node_id),
        )

    def set_on_error(self, node_id: str, on_error: str) -> None:
        """`on_error`: fail, skip or route; the edges of the error output go when it goes."""
        node = self.workflow.node(node_id)
        after = self._with(node.model_copy(update={"on_error": on_error}))
        if on_error != "route":
            gone = [e for e in after.edges if e.from_ == (node_id, "error")]
            after = edits.remove_edges(after, gone) if gone else after
        self._push(f"Change what {self.name_of(node)} does on errors", after)

    def set_policy(self, node_id: str, values: Mapping[str, JsonValue], field: str = "") -> None:
        """For whom the step is, how long it may take and when it is tried again (`nodes.policy`)."""
        node = self.workflow.node(node_id)
        words = f"Change {field or 'when'} of {self.name_of(node)}"
        self._push(words, self._with(with_policy(node, values)), ("policy", node_id, field))

    def set_enabled(self, ids: Collection[str], enabled: bool) -> None:
        changed = {n.id: n.model_copy(update={"enabled": enabled}) for n in self.workflow.nodes if n.id in ids}
        words = f"Switch {_counted(len(changed), 'step')} {'on' if enabled else 'off'}"
        self._push(words, edits.replace_nodes(self.workflow, changed))

    def paste(self, part: Workflow, offset: Position, *, words: str = "Paste") -> Pasted:
        """Adds what an excerpt holds, its nodes under new ids, and answers with what is new."""
        pasted = paste(self.workflow, part, offset)
        many = _counted(len(pasted.nodes), "step") if pasted.nodes else _counted(len(pasted.notes), "note")
        self._push(f"{words} {many}", pasted.workflow)
        return pasted

    def name_of(self, node: Node) -> str:
        """What the canvas calls a node."""
        return display_name(node, self.catalogue)

    def _with(self, node: Node) -> Workflow:
        return edits.replace_nodes(self.workflow, {node.id: node})

    def _last_outputs(self, node: Node) -> tuple[str, ...]:
        # Settings are often wrong for a moment while they are typed: edges follow from one right state to the next.
        ports = ports_of(self.workflow, node, self.catalogue)
        if ports.complete or node.id not in self._outputs:
            self._outputs[node.id] = ports.output_names
        return self._outputs[node.id]

    def _push(self, words: str, after: Workflow, key: tuple[str, ...] = ()) -> None:
        if after == self.workflow:
            return
        merge_key = (str(self._session), *key) if key else ()
        self.stack.push(_Replacement(self, words, self.workflow, after, merge_key))
        self._tell(words, "/".join(merge_key) or None)

    def show(self, workflow: Workflow) -> None:
        """For the commands: makes a workflow the present one."""
        self.changing.emit()
        self.workflow = workflow
        self.changed.emit(workflow)

    def _tell(self, words: str, session: str | None = None) -> None:
        if self.journal is not None:
            guarded(self.journal)(self.workflow, words, session)


class _Replacement(QUndoCommand):
    """One gesture: the workflow before and after it. Equal keys in a row become one command."""

    def __init__(self, document: Document, words: str, before: Workflow, after: Workflow, key: tuple[str, ...]) -> None:
        super().__init__(words)
        self._document = document
        self._before = before
        self._after = after
        self._key = key

    def redo(self) -> None:
        self._document.show(self._after)

    def undo(self) -> None:
        self._document.show(self._before)

    def id(self) -> int:
        return 1 if self._key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Replacement) or other._key != self._key:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True


def display_name(node: Node, catalogue: Catalogue) -> str:
    """What the canvas calls a node."""
    return step_name(node, catalogue)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number != 1 else f"a {word}"
