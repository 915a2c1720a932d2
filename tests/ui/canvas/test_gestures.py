"""The pointer on the canvas: every gesture is one command, and Escape leaves no trace."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.pointer import NODE_TYPE_MIME
from studio.ui.canvas.view import CanvasView
from studio.ui.faults import faults
from tests.ui.pointer import move_pointer

# Newer Qt wants places between pixels in these events and cannot make them so in Qt 6.11, which Python 3.11 has.
pytestmark = pytest.mark.filterwarnings("ignore:.*QDrag:DeprecationWarning")
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def on_screen(view: CanvasView, place: QPointF) -> QPoint:
    return view.mapFromScene(place)


def middle(view: CanvasView, node_id: str) -> QPoint:
    return on_screen(view, view.editor.scene.nodes[node_id].body.center())


def drag(view: CanvasView, start: QPoint, end: QPoint, *, release: bool = True) -> None:
    port = view.viewport()
    QTest.mousePress(port, LEFT, NONE, start)
    for part in (0.3, 0.7, 1.0):
        move_pointer(port, start + (end - start) * part, LEFT)
    if release:
        QTest.mouseRelease(port, LEFT, NONE, end)


def test_dragging_a_node_moves_it_by_one_command(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    start = middle(view, "mail_a")
    drag(view, start, start + QPoint(60, -80))
    moved = editor.workflow.node("mail_a").position
    assert moved[0] > before.node("mail_a").position[0]
    assert moved[1] < before.node("mail_a").position[1]
    assert [n.position for n in editor.workflow.nodes if n.id != "mail_a"] == [
        n.position for n in before.nodes if n.id != "mail_a"
    ]
    assert editor.document.stack.count() == 1
    editor.document.undo()
    assert editor.workflow == before


def test_dragging_one_of_several_selected_nodes_moves_them_all(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    editor.selection.set(["mail_a", "mail_b"])
    start = middle(view, "mail_b")
    drag(view, start, start + QPoint(40, 40))
    shifts = {
        tuple(b - a for a, b in zip(before.node(n).position, editor.workflow.node(n).position, strict=True))
        for n in ("mail_a", "mail_b")
    }
    assert len(shifts) == 1
    assert editor.document.stack.count() == 1
    editor.document.undo()
    assert editor.workflow == before


def test_escape_puts_a_dragged_node_back(view: CanvasView, editor: CanvasEditor) -> None:
    place = editor.scene.nodes["mail_a"].pos()
    start = middle(view, "mail_a")
    drag(view, start, start + QPoint(90, 90), release=False)
    assert editor.scene.nodes["mail_a"].pos() != place
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert editor.scene.nodes["mail_a"].pos() == place
    assert not editor.document.stack.count()


def test_a_click_without_moving_selects_and_changes_nothing(view: CanvasView, editor: CanvasEditor) -> None:
    QTest.mouseClick(view.viewport(), LEFT, NONE, middle(view, "wait"))
    assert editor.selection.single == "wait"
    QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, middle(view, "goal"))
    assert editor.selection.nodes == {"wait", "goal"}
    assert not editor.document.stack.count()


def test_an_edge_is_pulled_from_an_output_to_a_node(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    output = on_screen(view, editor.scene.nodes["reminder"].output_point("out"))
    drag(view, output, middle(view, "goal"))
    new = [edge for edge in editor.workflow.edges if edge not in before.edges]
    assert [(edge.from_, edge.to) for edge in new] == [(("reminder", "out"), ("goal", "in"))]
    editor.document.undo()
    assert editor.workflow == before


def test_while_an_edge_is_pulled_only_possible_targets_are_marked(view: CanvasView, editor: CanvasEditor) -> None:
    output = on_screen(view, editor.scene.nodes["wait"].output_point("timeout"))
    drag(view, output, output + QPoint(30, 60), release=False)
    marked = {node_id for node_id, item in editor.scene.nodes.items() if item.is_target}
    # Never back to what leads here, never to a start, never to where there is an edge already.
    assert marked == {"goal", "end"}
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not any(item.is_target for item in editor.scene.nodes.values())
    assert not editor.document.stack.count()


def test_an_edge_that_would_lead_back_is_not_made(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    drag(view, on_screen(view, editor.scene.nodes["wait"].output_point("timeout")), middle(view, "mail_a"))
    assert editor.workflow == before


def test_an_edge_let_go_over_nothing_asks_what_to_add(view: CanvasView, editor: CanvasEditor, qtbot: QtBot) -> None:
    output = on_screen(view, editor.scene.nodes["reminder"].output_point("out"))
    with qtbot.waitSignal(view.add_wanted) as asked:
        drag(view, output, output + QPoint(40, 160))
    assert asked.args is not None
    assert asked.args[1] == ("reminder", "out")


def test_a_rubber_band_selects_what_it_touches(view: CanvasView, editor: CanvasEditor) -> None:
    above = editor.scene.nodes["mail_a"].body.topLeft() + QPointF(-20, -60)
    below = editor.scene.nodes["mail_b"].body.bottomRight() + QPointF(-40, 40)
    drag(view, on_screen(view, above), on_screen(view, below))
    assert editor.selection.nodes == {"mail_a", "mail_b"}
    assert len(editor.scene.items()) == len(editor.scene.nodes) + len(editor.scene.edges)


def test_clicking_an_edge_selects_it_and_delete_removes_it(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    edge = editor.scene.edges[("subject", "A"), ("mail_a", "in")]
    QTest.mouseClick(view.viewport(), LEFT, NONE, on_screen(view, edge.point(0.7)))
    assert editor.selection.edges == {edge.key}
    editor.delete_selection()
    assert edge.key not in editor.scene.edges
    editor.document.undo()
    assert editor.workflow == before


def _drop(view: CanvasView, type_id: str, place: QPoint) -> None:
    data = QMimeData()
    data.setData(NODE_TYPE_MIME, type_id.encode())
    copy, button = Qt.DropAction.CopyAction, LEFT
    view.dragEnterEvent(QDragEnterEvent(place, copy, data, button, NONE))
    view.dragMoveEvent(QDragMoveEvent(place, copy, data, button, NONE))
    view.dropEvent(QDropEvent(QPointF(place), copy, data, button, NONE))


def test_a_type_dropped_from_the_palette_becomes_a_node_there(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    place = QPoint(300, 560)
    _drop(view, "flow.delay", place)
    new = next(node for node in editor.workflow.nodes if node not in before.nodes)
    assert new.type == "flow.delay"
    assert editor.scene.nodes[new.id].body.contains(view.mapToScene(place))
    assert editor.selection.single == new.id
    editor.document.undo()
    assert editor.workflow == before


def test_something_else_cannot_be_dropped(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    data = QMimeData()
    data.setText("hello")
    entering = QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, data, LEFT, NONE)
    view.dragEnterEvent(entering)
    assert not entering.isAccepted()
    assert editor.workflow == before


def _wheel(view: CanvasView, place: QPoint, turned: int) -> None:
    event = QWheelEvent(
        QPointF(place),
        QPointF(view.viewport().mapToGlobal(place)),
        QPoint(),
        QPoint(0, turned),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    view.wheelEvent(event)


def test_the_wheel_zooms_about_the_pointer(view: CanvasView) -> None:
    place = QPoint(500, 300)
    held = view.mapToScene(place)
    before = view.zoom
    _wheel(view, place, 240)
    assert view.zoom == pytest.approx(before * 1.15**2)
    assert (view.mapToScene(place) - held).manhattanLength() < 2 / view.zoom
    _wheel(view, place, -24_000)
    assert view.zoom == pytest.approx(0.05)


def test_space_or_the_middle_button_pans(view: CanvasView, editor: CanvasEditor) -> None:
    before = view.seen().center()
    port = view.viewport()
    QTest.mousePress(port, Qt.MouseButton.MiddleButton, NONE, QPoint(400, 300))
    move_pointer(port, QPoint(300, 300), Qt.MouseButton.MiddleButton)
    QTest.mouseRelease(port, Qt.MouseButton.MiddleButton, NONE, QPoint(300, 300))
    assert view.seen().center().x() == pytest.approx(before.x() + 100 / view.zoom, abs=2 / view.zoom)
    QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, middle(view, "mail_a"), middle(view, "mail_a") + QPoint(100, 0))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.seen().center().x() == pytest.approx(before.x(), abs=4 / view.zoom)
    assert not editor.document.stack.count()


def test_fit_shows_everything_inside_the_insets(view: CanvasView, editor: CanvasEditor) -> None:
    view.insets = (20, 80, 20, 60)
    view.set_zoom(2.0)
    view.fit()
    shown = view.mapFromScene(editor.scene.far.bounds()).boundingRect()
    assert shown.left() >= 20
    assert shown.top() >= 80
    assert shown.right() <= view.viewport().width() - 20
    assert shown.bottom() <= view.viewport().height() - 60


def test_a_past_run_is_looked_at_but_not_changed(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    editor.read_only = True
    start = middle(view, "mail_a")
    drag(view, start, start + QPoint(60, 60))
    drag(view, on_screen(view, editor.scene.nodes["reminder"].output_point("out")), middle(view, "goal"))
    _drop(view, "flow.exit", QPoint(300, 560))
    editor.delete_selection()
    editor.tidy()
    editor.toggle_enabled()
    assert editor.add("flow.exit") is None
    assert editor.workflow == before
    QTest.mouseClick(view.viewport(), LEFT, NONE, start)
    assert editor.selection.single == "mail_a"


def test_adding_after_a_node_connects_to_its_first_free_output(editor: CanvasEditor) -> None:
    new = editor.add("flow.exit", after="gate")
    assert any(e.from_ == ("gate", "deferred") and e.to == (new, "in") for e in editor.workflow.edges)


def test_adding_after_a_node_with_one_used_output_puts_it_in_between(editor: CanvasEditor) -> None:
    before = editor.workflow
    new = editor.add("flow.delay", after="mail_a")
    pairs = {(e.from_[0], e.to[0]) for e in editor.workflow.edges}
    assert {("mail_a", new), (new, "wait")} <= pairs
    assert ("mail_a", "wait") not in pairs
    bodies = [item.body for item in editor.scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(bodies) for b in bodies[i + 1 :])
    assert editor.document.stack.count() == 1
    editor.document.undo()
    assert editor.workflow == before


def test_copy_and_paste_go_through_the_clipboard_as_text(editor: CanvasEditor) -> None:
    editor.selection.set(["mail_a", "wait"])
    editor.copy()
    editor.paste()
    assert len(editor.workflow.nodes) == 11
    pasted = editor.selection.nodes
    assert len(pasted) == 2
    assert not pasted & {"mail_a", "wait"}
    assert any(e.from_[0] in pasted and e.to[0] in pasted for e in editor.workflow.edges)


def test_a_note_that_is_cut_is_on_the_clipboard(editor: CanvasEditor) -> None:
    editor.document.add_note("Mind the tone", (0.0, 400.0))
    editor.selection.set(marks=[("note", 0)])
    editor.cut()
    assert not editor.workflow.notes
    editor.paste()
    assert [note.text for note in editor.workflow.notes] == ["Mind the tone"]
    assert editor.selection.marks == {("note", 0)}


@pytest.mark.parametrize("rubbish", ["", "Dear Sir", "[1, 2]", "{", '{"name": "W"}', '{"format": "studio.workflow/1"}'])
def test_what_is_no_workflow_is_not_pasted_in_silence(editor: CanvasEditor, qtbot: QtBot, rubbish: str) -> None:
    before = editor.workflow
    QGuiApplication.clipboard().setText(rubbish)
    with qtbot.waitSignal(faults().reported):
        editor.paste()
    assert editor.workflow == before


def test_undo_in_the_middle_of_a_drag_ends_it(view: CanvasView, editor: CanvasEditor) -> None:
    before = editor.workflow
    new = editor.add("flow.delay", after="mail_a")
    start = middle(view, str(new))
    drag(view, start, start + QPoint(60, 60), release=False)
    editor.document.undo()
    move_pointer(view.viewport(), start + QPoint(90, 90), LEFT)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(90, 90))
    assert editor.workflow == before
    assert {n: item.pos().toTuple() for n, item in editor.scene.nodes.items()} == {
        node.id: node.position for node in before.nodes
    }


def test_undo_while_an_edge_is_pulled_out_draws_none_from_a_step_that_is_gone(
    view: CanvasView, editor: CanvasEditor
) -> None:
    before = editor.workflow
    new = str(editor.add("flow.delay", after="mail_a"))
    view.ensure_seen((new,))
    drag(view, on_screen(view, editor.scene.nodes[new].output_point("out")), middle(view, "end"), release=False)
    editor.document.undo()
    QTest.mouseRelease(view.viewport(), LEFT, NONE, middle(view, "end"))
    assert editor.workflow == before
