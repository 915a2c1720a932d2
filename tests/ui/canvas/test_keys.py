"""The canvas without a mouse: nodes are reached, added, connected, moved, renamed, run and removed by keys."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.page import CanvasPage
from tests.ui.canvas import cart_recovery

K = Qt.Key
CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
NONE = Qt.KeyboardModifier.NoModifier


def press(page: CanvasPage, key: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(page.view, key, modifier)


def test_tab_walks_along_the_workflow_and_leaves_at_its_end(page: CanvasPage) -> None:
    page.view.setFocus()
    order = reading_order(page.workflow)
    met = []
    for _ in order:
        press(page, K.Key_Tab)
        met.append(page.selection.current)
    assert met == order
    press(page, K.Key_Backtab, SHIFT)
    assert page.selection.current == order[-2]
    press(page, K.Key_Tab)
    press(page, K.Key_Tab)
    assert QApplication.focusWidget() is not page.view


def test_the_node_reached_by_key_is_ringed_and_in_sight(page: CanvasPage) -> None:
    page.view.setFocus()
    page.view.set_zoom(1.6)
    for _ in range(6):
        press(page, K.Key_Tab)
        item = page.scene.nodes[page.selection.current or ""]
        assert item.current
        assert page.scene.drawing.show_focus
        assert page.view.seen().contains(item.body.center())


def test_arrows_go_to_neighbours_and_control_arrows_along_edges(page: CanvasPage) -> None:
    page.choose("subject")
    press(page, K.Key_Right, CTRL)
    assert page.selection.single == "mail_a"
    press(page, K.Key_Down)
    assert page.selection.single == "mail_b"
    press(page, K.Key_Left, CTRL)
    assert page.selection.single == "subject"
    press(page, K.Key_Right, SHIFT)
    assert len(page.selection.nodes) == 2


def test_alt_arrows_move_even_where_the_window_has_a_shortcut(page: CanvasPage, qtbot: QtBot) -> None:
    back = QShortcut("Alt+Left", page)
    page.view.setFocus()
    page.choose("mail_a")
    x, y = page.workflow.node("mail_a").position
    with qtbot.assertNotEmitted(back.activated):
        for key in (K.Key_Left, K.Key_Left, K.Key_Up):
            press(page, key, ALT)
    assert page.workflow.node("mail_a").position == (x - 40, y - 20)
    assert page.document.stack.count() == 1
    page.document.undo()
    assert page.workflow.node("mail_a").position == (x, y)


def test_a_adds_a_step_found_by_typing(page: CanvasPage) -> None:
    page.choose("reminder")
    press(page, K.Key_A)
    picker = page.stage.picker
    assert picker.isVisible()
    QTest.keyClicks(picker.search, "goal")
    QTest.keyClick(picker.search, K.Key_Return)
    assert not picker.isVisible()
    new = page.selection.single
    assert new is not None
    assert page.workflow.node(new).type == "flow.goal"
    assert any(e.from_ == ("reminder", "out") and e.to[0] == new for e in page.workflow.edges)


def test_after_a_step_only_steps_with_an_input_are_offered(page: CanvasPage) -> None:
    page.choose("reminder")
    press(page, K.Key_A)
    titles = [page.stage.picker.list.item(i).text() for i in range(page.stage.picker.list.count())]
    assert "Send email" in titles
    assert "Import contacts" not in titles
    QTest.keyClick(page.stage.picker.search, K.Key_Escape)
    assert not page.stage.picker.isVisible()


def test_c_connects_to_a_target_found_by_typing(page: CanvasPage) -> None:
    page.choose("reminder")
    press(page, K.Key_C)
    QTest.keyClicks(page.stage.picker.search, "purch")
    QTest.keyClick(page.stage.picker.search, K.Key_Return)
    assert any(e.from_ == ("reminder", "out") and e.to == ("goal", "in") for e in page.workflow.edges)


def test_delete_removes_and_the_keyboard_goes_on_to_a_neighbour(page: CanvasPage) -> None:
    before = page.workflow
    page.choose("mail_a")
    press(page, K.Key_Delete)
    assert "mail_a" not in page.scene.nodes
    assert page.selection.current == "subject"
    page.document.undo()
    assert page.workflow == before


def test_enter_and_f2_lead_into_the_inspector(page: CanvasPage) -> None:
    page.choose("mail_b")
    press(page, K.Key_F2)
    QTest.keyClicks(page.inspector.settings.name, "Second mail")
    assert page.workflow.node("mail_b").label == "Second mail"
    page.view.setFocus()
    press(page, K.Key_Return)
    assert page.inspector.tabs.title == "Settings"
    assert page.inspector.settings.form.isAncestorOf(QApplication.focusWidget())


def test_e_switches_a_step_off_and_on(page: CanvasPage) -> None:
    page.choose("reminder")
    press(page, K.Key_E)
    assert not page.workflow.node("reminder").enabled
    assert not page.scene.nodes["reminder"].face.enabled
    press(page, K.Key_E)
    assert page.workflow.node("reminder").enabled


def test_f5_asks_for_a_run(page: CanvasPage, qtbot: QtBot) -> None:
    page.view.setFocus()
    with qtbot.waitSignal(page.run_requested):
        press(page, K.Key_F5)


def test_zoom_keys(page: CanvasPage) -> None:
    page.view.setFocus()
    press(page, K.Key_0, SHIFT)
    assert page.view.zoom == 1.0
    press(page, K.Key_1, SHIFT)
    assert page.view.zoom < 1.0
    before = page.view.zoom
    press(page, K.Key_Plus)
    assert page.view.zoom > before


def test_control_keys_copy_cut_paste_duplicate_and_select_all(page: CanvasPage) -> None:
    count = len(page.workflow.nodes)
    page.choose("wait")
    press(page, K.Key_C, CTRL)
    press(page, K.Key_V, CTRL)
    press(page, K.Key_D, CTRL)
    assert len(page.workflow.nodes) == count + 2
    press(page, K.Key_A, CTRL)
    assert len(page.selection.nodes) == count + 2
    press(page, K.Key_X, CTRL)
    assert not page.workflow.nodes
    assert page.stage.empty.isVisibleTo(page)
    page.document.undo()
    assert len(page.workflow.nodes) == count + 2


def test_the_outline_mirrors_the_graph_and_edits_it(page: CanvasPage, qtbot: QtBot) -> None:
    page.show_outline()
    outline = page.outline
    tops = [outline.topLevelItem(i) for i in range(outline.topLevelItemCount())]
    assert [item.text(0) for item in tops] == [page.scene.nodes[n].face.title for n in reading_order(page.workflow)]
    split = next(item for item in tops if item.text(0) == "A/B test: subject")
    words = [split.child(i).text(0) for i in range(split.childCount())]
    assert "to Email A: “Still thinking?”, through “A”" in words
    assert "from Consent & suppression, through “allowed”" in words
    # Said outright: the keys that the test before held down would add to the selection.
    outline.setCurrentItem(split, 0, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    assert page.selection.single == "subject"
    with qtbot.waitSignal(page.keys.add_wanted):
        QTest.keyClick(outline, K.Key_A)
    page.stage.picker.close_picker()
    split.setText(0, "Subject test")
    assert page.workflow.node("subject").label == "Subject test"
    QTest.keyClick(outline, K.Key_Delete)
    assert "subject" not in page.scene.nodes
    outline.refresh()
    assert "Subject test" not in [outline.topLevelItem(i).text(0) for i in range(outline.topLevelItemCount())]


def test_an_edge_in_the_outline_leads_to_its_other_end(page: CanvasPage) -> None:
    page.show_outline()
    first = page.outline.topLevelItem(0)
    first.setExpanded(True)
    page.outline.setCurrentItem(first.child(0))
    assert len(page.selection.edges) == 1
    QTest.keyClick(page.outline, K.Key_Return)
    assert page.selection.single == "gate"


def test_the_outline_knows_groups_and_notes_and_the_same_keys(page: CanvasPage, qtbot: QtBot) -> None:
    page.show_outline()
    outline = page.outline
    for name in ("Email A: “Still thinking?”", "Email B: “Your basket”"):
        line = next(i for i in map(outline.topLevelItem, range(outline.topLevelItemCount())) if i.text(0) == name)
        line.setSelected(True)
    assert page.selection.nodes == {"mail_a", "mail_b"}
    QTest.keyClick(outline, K.Key_G)
    page.inline.close(take=True)
    page.document.add_note("Mind the tone", (0.0, 400.0))
    outline.refresh()
    tail = [outline.topLevelItem(outline.topLevelItemCount() - n) for n in (2, 1)]
    assert [(item.text(0), item.text(1)) for item in tail] == [("Group", "group"), ("Mind the tone", "note")]
    assert "with Email A" in tail[0].data(0, Qt.ItemDataRole.AccessibleTextRole)
    outline.clearSelection()
    outline.setCurrentItem(tail[1])
    assert page.selection.marks == {("note", 0)}
    QTest.keyClick(outline, K.Key_Return)
    assert page.inline.editor is not None
    page.inline.close(take=False)
    QTest.keyClick(outline, K.Key_Delete)
    assert page.workflow.notes == ()


def test_a_step_is_put_into_an_edge_from_the_outline(page: CanvasPage) -> None:
    page.show_outline()
    first = page.outline.topLevelItem(0)
    first.setExpanded(True)
    page.outline.setCurrentItem(first.child(0))
    QTest.keyClick(page.outline, K.Key_A)
    assert page.stage.picker.title.text().startswith("Insert between Cart abandoned")
    page.stage.picker.close_picker()


def test_escape_leads_from_a_panel_to_the_canvas_and_f6_round_the_parts(page: CanvasPage, qtbot: QtBot) -> None:
    page.drawer.hide()
    page.choose("gate")
    page.inspector.settings.focus_name()
    field = page.focusWidget()
    assert page.inspector.isAncestorOf(field)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert page.focusWidget() is page.view
    page.add_events(cart_recovery.run_events())
    page.overlay.flush()
    qtbot.waitUntil(lambda: page.timeline.gantt.isVisible() and page.timeline.height() > 0)
    seen = []
    for _ in range(3):
        page.panes.go(1)
        seen.append(page.focusWidget())
    assert page.timeline.isAncestorOf(seen[0])
    assert seen[1] is field, "where the keyboard was there last"
    assert seen[2] is page.view
    page.panes.go(-1)
    assert page.focusWidget() is field
