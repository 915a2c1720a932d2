"""Sticky notes and groups: made, written, moved, coloured, removed, undone; by mouse and by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from studio.domain.errors import UserFixable
from studio.domain.workflow import Workflow, parse_workflow
from studio.ui.canvas import annotations
from studio.ui.canvas.page import CanvasPage
from tests.ui.pointer import move_pointer


def test_a_step_is_in_one_group_at_most_and_an_emptied_group_goes() -> None:
    nodes = [{"id": name, "type": "flow.exit"} for name in ("a", "b", "c")]
    workflow = Workflow.model_validate({"name": "x", "nodes": nodes})
    one = annotations.add_group(workflow, "One", ["a", "b"])
    two = annotations.add_group(one, "Two", ["b", "c"])
    assert [(g.title, g.nodes) for g in two.groups] == [("One", ("a",)), ("Two", ("b", "c"))]
    three = annotations.add_group(two, "Three", ["a"])
    assert [g.title for g in three.groups] == ["Two", "Three"]
    assert parse_workflow(three.to_json()) == three


def test_there_is_an_end_to_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "NOTES_MAX", 1)
    workflow = annotations.add_note(Workflow(name="x"), "a", (0, 0))
    with pytest.raises(UserFixable, match="at most 1 notes"):
        annotations.add_note(workflow, "b", (0, 0))


def test_a_note_is_written_where_it_stands(page: CanvasPage, qtbot: QtBot) -> None:
    page.view.setFocus()
    page.selection.clear()
    qtbot.keyClick(page.view, Qt.Key.Key_N)
    editor = page.inline.editor
    assert isinstance(editor, QPlainTextEdit)
    qtbot.keyClicks(editor, "Ask Lena first")
    qtbot.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert [note.text for note in page.workflow.notes] == ["Ask Lena first"]
    assert page.scene.notes[0].note.text == "Ask Lena first"
    qtbot.keyClick(page.view, Qt.Key.Key_Return)
    assert isinstance(page.inline.editor, QPlainTextEdit), "Enter writes into the note again"
    qtbot.keyClick(page.inline.editor, Qt.Key.Key_Escape)
    assert page.workflow.notes[0].text == "Ask Lena first"
    page.document.undo()
    page.document.undo()
    assert page.workflow.notes == () and page.scene.notes == []


def test_a_note_with_nothing_on_it_goes(page: CanvasPage, qtbot: QtBot) -> None:
    page.menus.add_note()
    assert page.inline.editor is not None
    page.inline.editor.clear()
    page.inline.close(take=True)
    assert page.workflow.notes == ()


def test_a_group_follows_its_steps_and_moves_them(page: CanvasPage, qtbot: QtBot) -> None:
    page.selection.set(["mail_a", "mail_b"])
    page.view.setFocus()
    qtbot.keyClick(page.view, Qt.Key.Key_G)
    assert isinstance(page.inline.editor, QLineEdit)
    qtbot.keyClicks(page.inline.editor, "Subject test")
    qtbot.keyClick(page.inline.editor, Qt.Key.Key_Return)
    [group] = page.workflow.groups
    assert (group.title, set(group.nodes)) == ("Subject test", {"mail_a", "mail_b"})
    item = page.scene.groups[0]
    assert all(item.body.contains(page.scene.nodes[n].body) for n in group.nodes)
    assert not item.body.contains(page.scene.nodes["wait"].body)

    page.view.fit()
    before = page.workflow
    start = page.view.mapFromScene(item.title_bar.center() + QPointF(40, 0))
    drag(qtbot, page, start, start + QPoint(0, 60))
    moved = {n.id for n in page.workflow.nodes if n.position != before.node(n.id).position}
    assert moved == {"mail_a", "mail_b"}
    assert all(item.body.contains(page.scene.nodes[n].body) for n in group.nodes)

    page.document.set_group(0, colour="purple")
    assert page.scene.groups[0].colour == "state.paused"
    page.selection.set(marks=[("group", 0)])
    qtbot.keyClick(page.view, Qt.Key.Key_Delete)
    assert page.workflow.groups == ()
    assert len(page.workflow.nodes) == len(before.nodes), "ungrouping keeps the steps"


def test_a_note_is_dragged_and_pulled_larger(page: CanvasPage, qtbot: QtBot) -> None:
    page.document.add_note("Mind the tone", (0.0, 300.0))
    page.view.fit()
    item = page.scene.notes[0]
    middle = page.view.mapFromScene(item.body.center())
    drag(qtbot, page, middle, middle + QPoint(60, 30))
    assert page.workflow.notes[0].position != (0.0, 300.0)
    assert page.document.stack.undoText() == "Move a note"
    corner = page.view.mapFromScene(item.body.bottomRight() - QPointF(4, 4))
    drag(qtbot, page, corner, corner + QPoint(50, 40))
    assert page.workflow.notes[0].size[0] > 200 and page.workflow.notes[0].size[1] > 120
    page.document.undo()
    assert page.workflow.notes[0].size == annotations.NOTE_SIZE


def test_what_is_around_the_steps_is_copied_nowhere_and_moved_by_keys(page: CanvasPage, qtbot: QtBot) -> None:
    page.document.add_note("x", (0.0, 300.0))
    page.selection.set(marks=[("note", 0)])
    page.view.setFocus()
    qtbot.keyClick(page.view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert page.workflow.notes[0].position == (20.0, 300.0)


def test_the_menu_of_a_group_colours_it(page: CanvasPage) -> None:
    page.selection.set(["goal"])
    page.menus.group()
    page.inline.close(take=True)
    colour = next(entry for entry in page.menus.entries() if entry.words == "Colour")
    next(entry for entry in colour.more if entry.words == "Green").run()
    assert page.workflow.groups[0].colour == "green"


def drag(qtbot: QtBot, page: CanvasPage, start: QPoint, end: QPoint) -> None:
    port = page.view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    move_pointer(port, start + (end - start) / 2, Qt.MouseButton.LeftButton)
    move_pointer(port, end, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)
