"""Every edit is undone exactly, whatever was done before it; what is drawn is what a fresh drawing would show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.validation import Catalogue
from studio.domain.workflow import MAX_NODES, Edge, Node, Workflow
from studio.nodes import catalogue
from studio.ui.canvas import annotations, edits, excerpts
from studio.ui.canvas.document import Document
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from tests.ui.canvas import cart_recovery

TYPES = catalogue()


class Bench:
    """An editor that a script of numbers drives; every number picks what the gesture is about."""

    def __init__(self) -> None:
        self.selection = Selection()
        self.journal: list[tuple[Workflow, str]] = []
        self.document = Document(cart_recovery.workflow(), TYPES, lambda w, words, _: self.journal.append((w, words)))
        self.scene = CanvasScene(TYPES, self.selection)
        self.scene.sync(self.document.workflow)
        self.document.changed.connect(self.scene.sync)
        self.editor = CanvasEditor(self.document, self.selection, self.scene)

    def node(self, pick: int) -> Node | None:
        nodes = self.document.workflow.nodes
        return nodes[pick % len(nodes)] if nodes else None

    def edge(self, pick: int) -> Edge | None:
        edges = self.document.workflow.edges
        return edges[pick % len(edges)] if edges else None

    def do(self, gesture: str, pick: int, other: int) -> None:
        _GESTURES[gesture](self, pick, other)


def _add(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(other)
    bench.editor.add(sorted(TYPES)[pick % len(TYPES)], after=node.id if node is not None and other % 2 else None)


def _remove(bench: Bench, pick: int, other: int) -> None:
    chosen = [node.id for node in (bench.node(pick), bench.node(other)) if node is not None]
    bench.selection.set(chosen)
    bench.editor.delete_selection()


def _disconnect(bench: Bench, pick: int, _other: int) -> None:
    edge = bench.edge(pick)
    if edge is not None:
        bench.selection.set(edges=[(edge.from_, edge.to)])
        bench.editor.delete_selection()


def _connect(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(pick)
    outputs = bench.editor.outputs(node.id) if node is not None else ()
    if node is None or not outputs:
        return
    targets = bench.editor.targets_of((node.id, outputs[other % len(outputs)]))
    if targets:
        bench.editor.connect_ports((node.id, outputs[other % len(outputs)]), targets[other % len(targets)])


def _move(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(pick)
    if node is not None:
        bench.editor.move({node.id: (float(other), float(-pick))})


def _nudge(bench: Bench, pick: int, _other: int) -> None:
    node = bench.node(pick)
    if node is not None:
        bench.selection.set([node.id])
        bench.editor.nudge(20, 0)


def _rename(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(pick)
    if node is not None:
        bench.editor.rename(node.id, f"Step {other}")


def _toggle(bench: Bench, pick: int, _other: int) -> None:
    node = bench.node(pick)
    if node is not None:
        bench.selection.set([node.id])
        bench.editor.toggle_enabled()


def _set(bench: Bench, pick: int, other: int) -> None:
    split = next((n for n in bench.document.workflow.nodes if n.type == "exp.split"), None)
    if split is not None:
        ids = ["A", "B", f"C{other % 5}", ""][: 2 + pick % 3]
        bench.document.set_parameters(split.id, {"variants": [{"id": name} for name in ids]}, "variants")


def _on_error(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(pick)
    if node is not None:
        bench.document.set_on_error(node.id, ("fail", "skip", "route")[other % 3])


def _duplicate(bench: Bench, pick: int, other: int) -> None:
    chosen = {node.id for node in (bench.node(pick), bench.node(other)) if node is not None}
    bench.selection.set(chosen)
    bench.editor.duplicate()


def _tidy(bench: Bench, _pick: int, _other: int) -> None:
    bench.editor.tidy()


def _template(bench: Bench, pick: int, _other: int) -> None:
    bench.document.set_template_value("subject", f"Subject {pick}")


def _several(bench: Bench, pick: int, other: int) -> None:
    nodes = [node.id for node in (bench.node(pick), bench.node(other), bench.node(pick + other)) if node is not None]
    bench.selection.set(nodes)
    deeds = [
        bench.editor.group,
        bench.editor.add_note,
        lambda: bench.editor.align("left"),
        lambda: bench.editor.distribute(across=True),
        bench.editor.tidy_selection,
    ]
    deeds[other % len(deeds)]()


def _mark(bench: Bench, pick: int, other: int) -> None:
    workflow = bench.document.workflow
    marks = [("note", i) for i in range(len(workflow.notes))] + [("group", i) for i in range(len(workflow.groups))]
    if not marks:
        return
    kind, index = marks[pick % len(marks)]
    bench.selection.set(marks=[(kind, index)])
    if other % 3 == 0:
        bench.editor.delete_selection()
    elif other % 3 == 1:
        bench.editor.duplicate()
    elif kind == "note":
        bench.document.set_note_text(index, "x" * (pick % 3))
    else:
        bench.document.set_group(index, title=f"Group {other}", colour="blue")


def _replace(bench: Bench, pick: int, other: int) -> None:
    node = bench.node(other)
    if node is not None:
        bench.editor.replace(node.id, sorted(TYPES)[pick % len(TYPES)])


def _insert(bench: Bench, pick: int, other: int) -> None:
    edge = bench.edge(other)
    if edge is not None:
        bench.editor.insert(sorted(TYPES)[pick % len(TYPES)], edge)


def _whole(bench: Bench, pick: int, other: int) -> None:
    document, node = bench.document, bench.node(pick)
    if other % 4 == 0:
        document.set_name(f"Name {other}")
    elif other % 4 == 1:
        document.set_settings({"topic": f"topic{other}"}, "topic")
    elif node is not None and other % 4 == 2:
        document.set_policy(node.id, {"timeout": f"PT{1 + other}M"}, "timeout")
    elif node is not None:
        document.set_note(node.id, f"Note {other}")


_GESTURES: dict[str, Callable[[Bench, int, int], None]] = {
    "add": _add,
    "remove": _remove,
    "connect": _connect,
    "disconnect": _disconnect,
    "move": _move,
    "nudge": _nudge,
    "rename": _rename,
    "toggle": _toggle,
    "set": _set,
    "on_error": _on_error,
    "duplicate": _duplicate,
    "tidy": _tidy,
    "template": _template,
    "several": _several,
    "mark": _mark,
    "replace": _replace,
    "insert": _insert,
    "whole": _whole,
}
SCRIPTS = st.lists(
    st.tuples(st.sampled_from(sorted(_GESTURES)), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=14
)


@given(script=SCRIPTS)
@settings(max_examples=40)
def test_undo_of_everything_is_the_workflow_as_it_was(script: list[tuple[str, int, int]]) -> None:
    bench = Bench()
    before = [bench.document.workflow]
    for step in script:
        bench.do(*step)
        if bench.document.workflow != before[-1]:
            before.append(bench.document.workflow)
    after = bench.document.workflow
    while bench.document.stack.canUndo():
        bench.document.undo()
        assert bench.document.workflow in before
    assert bench.document.workflow == cart_recovery.workflow()
    while bench.document.stack.canRedo():
        bench.document.redo()
    assert bench.document.workflow == after


@given(script=SCRIPTS)
@settings(max_examples=25)
def test_what_is_drawn_follows_every_edit(script: list[tuple[str, int, int]]) -> None:
    bench = Bench()
    for step in script:
        bench.do(*step)
    fresh = CanvasScene(TYPES, Selection())
    fresh.sync(bench.document.workflow)
    assert _drawn(bench.scene) == _drawn(fresh)
    assert len(bench.scene.items()) == len(fresh.items())


def _drawn(scene: CanvasScene) -> object:
    nodes = {n: (i.pos().toTuple(), i.face, i.rect().getRect()) for n, i in scene.nodes.items()}
    edges = {k: (e.line.x1(), e.line.y1(), e.line.x2(), e.line.y2(), e.label) for k, e in scene.edges.items()}
    return nodes, edges, scene.far.bounds().getRect(), scene.far._block_colour, scene.far._line_colour


@given(script=SCRIPTS)
@settings(max_examples=20)
def test_the_journal_ends_with_the_present_workflow(script: list[tuple[str, int, int]]) -> None:
    bench = Bench()
    for step in script:
        before, told = bench.document.workflow, len(bench.journal)
        bench.do(*step)
        changed = bench.document.workflow != before
        assert len(bench.journal) == told + changed, "one entry for each gesture that changed something"
    if bench.journal:
        assert bench.journal[-1][0] == bench.document.workflow
        bench.document.undo()
        assert bench.journal[-1][0] == bench.document.workflow
        assert bench.journal[-1][1].startswith("Undo: ")


def test_a_journal_that_fails_does_not_stop_the_edit(types: Catalogue) -> None:
    def full(_workflow: Workflow, _words: str, _session: str | None) -> None:
        raise UserFixable("JOURNAL-FULL", "The disk is full.")

    document = Document(cart_recovery.workflow(), types, full)
    document.set_label("mail_a", "First mail")
    assert document.workflow.node("mail_a").label == "First mail"


def test_typing_is_undone_field_by_field_and_nudges_together(types: Catalogue) -> None:
    document = Document(cart_recovery.workflow(), types)
    for text in ("S", "Su", "Sub"):
        document.set_label("mail_a", text)
    document.end_session()
    for text in ("Sub1", "Sub12"):
        document.set_label("mail_a", text)
    assert document.stack.count() == 2
    document.undo()
    assert document.workflow.node("mail_a").label == "Sub"


def test_edges_follow_a_renamed_variant_through_wrong_moments(types: Catalogue) -> None:
    document = Document(cart_recovery.workflow(), types)
    for name in ("", "b1", "b12"):
        document.set_parameters("subject", {"variants": [{"id": "A"}, {"id": name}]}, "variants")
    assert ("subject", "b12") in {edge.from_ for edge in document.workflow.edges}
    assert ("subject", "B") not in {edge.from_ for edge in document.workflow.edges}


def test_edges_of_a_removed_output_go_and_come_back(types: Catalogue) -> None:
    document = Document(cart_recovery.workflow(), types)
    document.set_parameters("subject", {"variants": [{"id": "A"}, {"id": "C"}, {"id": "D"}]}, "variants")
    assert {e.from_[1] for e in document.workflow.edges if e.from_[0] == "subject"} == {"A"}
    document.undo()
    assert {e.from_[1] for e in document.workflow.edges if e.from_[0] == "subject"} == {"A", "B"}


def test_pasting_elsewhere_brings_the_values_of_bound_settings_along() -> None:
    part = excerpts.excerpt(cart_recovery.workflow(), {"mail_a", "subject"})
    found = excerpts.paste(Workflow(name="Other"), part, (10, 20))
    pasted, ids = found.workflow, found.nodes
    assert [pasted.node(i).parameters.get("subject") for i in ids if pasted.node(i).type == "send.email"] == [
        "Still thinking?"
    ]
    assert len(pasted.edges) == 1


def test_what_is_pasted_has_its_notes_and_groups() -> None:
    whole = annotations.add_note(cart_recovery.workflow(), "Mind the tone", (5.0, 5.0))
    whole = annotations.add_group(annotations.add_note(whole, "Not this", (0.0, 0.0)), "Mails", ["mail_a", "mail_b"])
    part = excerpts.excerpt(whole, {"mail_a", "mail_b", "wait"}, [0])
    found = excerpts.paste(whole, part, (10.0, 20.0))
    assert [note.text for note in found.workflow.notes] == ["Mind the tone", "Not this", "Mind the tone"]
    assert (found.notes, found.workflow.notes[2].position) == ((2,), (15.0, 25.0))
    assert [group.nodes for group in found.workflow.groups] == [("mail_a", "mail_b"), found.nodes[:2]]
    assert not excerpts.excerpt(whole, {"mail_a"}).groups, "half a group is no group"


def test_a_workflow_does_not_grow_beyond_its_limit() -> None:
    full = Workflow(name="full", nodes=tuple(Node(id=f"n{i}", type="flow.exit") for i in range(MAX_NODES)))
    with pytest.raises(UserFixable, match=r"at most 5,000"):
        edits.add_nodes(full, [Node(id="more", type="flow.exit")])


@given(taken=st.sets(st.sampled_from(["email", "email-2", "email-3", "exit"])))
def test_a_new_id_is_free_and_valid(taken: set[str]) -> None:
    found = edits.fresh_id(taken, "send.email")
    assert found not in taken
    assert Node(id=found, type="send.email").id == found
