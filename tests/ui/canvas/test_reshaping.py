"""Putting steps into edges and in the place of others, what is suggested, finding, history and comparing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from studio.domain.difference import differences
from studio.domain.habits import learn_habits
from studio.domain.workflow import Node
from studio.ui.canvas import edits
from studio.ui.canvas.comparison import Comparison, compared
from studio.ui.canvas.history_panel import State
from studio.ui.canvas.page import CanvasPage
from studio.ui.theme import theme
from tests.ui.canvas import cart_recovery
from tests.ui.pointer import move_pointer


def links(page: CanvasPage, node_id: str) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return {(e.from_, e.to) for e in page.workflow.edges if node_id in (e.from_[0], e.to[0])}


def test_a_step_is_inserted_into_the_edge_that_is_selected(page: CanvasPage, qtbot: QtBot) -> None:
    edge = (("carts", "out"), ("gate", "in"))
    page.selection.set(edges=[edge])
    page.view.setFocus()
    qtbot.keyClick(page.view, Qt.Key.Key_A)
    picker = page.stage.picker
    assert "Insert between Cart abandoned and Consent" in picker.title.text()
    qtbot.keyClicks(picker.search, "filter")
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    [new] = page.selection.nodes
    assert links(page, new) == {(("carts", "out"), (new, "in")), ((new, "pass"), ("gate", "in"))}
    assert edge not in {(e.from_, e.to) for e in page.workflow.edges}
    left = {n.id: n.position[0] for n in page.workflow.nodes}
    assert left["carts"] < left[new] < left["gate"], "what follows makes room"


def test_a_lone_step_is_dropped_onto_an_edge(page: CanvasPage, qtbot: QtBot) -> None:
    page.document.add_node(Node(id="pause", type="flow.delay", position=(0.0, 600.0), parameters={"duration": "P1D"}))
    page.view.fit()
    target = page.scene.edges[("subject", "A"), ("mail_a", "in")]
    start = page.view.mapFromScene(page.scene.nodes["pause"].body.center())
    end = page.view.mapFromScene(target.point(0.5))
    port = page.view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    move_pointer(port, start + QPoint(30, 0), Qt.MouseButton.LeftButton)
    move_pointer(port, end, Qt.MouseButton.LeftButton)
    assert target.selected, "the edge shows that it would take the step"
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)
    assert links(page, "pause") == {(("subject", "A"), ("pause", "in")), (("pause", "out"), ("mail_a", "in"))}


def test_a_replaced_step_keeps_its_edges_and_what_both_kinds_know(page: CanvasPage) -> None:
    before = links(page, "mail_a")
    page.editor.replace("mail_a", "flow.delay")
    node = page.workflow.node("mail_a")
    assert (node.type, node.label) == ("flow.delay", "Email A: “Still thinking?”")
    assert "subject" not in node.parameters and node.parameters["duration"] == "P1D"
    assert links(page, "mail_a") == before
    page.document.undo()
    assert page.workflow.node("mail_a").parameters["subject"] == {"$param": "subject"}


def test_outputs_go_by_name_then_by_place() -> None:
    workflow = cart_recovery.workflow()
    split = workflow.node("subject").model_copy(update={"type": "flow.branch"})
    after = edits.replace_node(workflow, split, ["in"], ["A", "B"], ["B", "vip", "else"])
    leaving = {(e.from_[1], e.to[0]) for e in after.edges if e.from_[0] == "subject"}
    assert leaving == {("B", "mail_b"), ("vip", "mail_a")}
    ended = edits.replace_node(workflow, split, ["in"], ["A", "B"], [])
    assert not [e for e in ended.edges if e.from_[0] == "subject"]
    started = edits.replace_node(workflow, split, [], ["A", "B"], ["A", "B"])
    assert not [e for e in started.edges if e.to[0] == "subject"]


def test_what_usually_follows_is_offered_first(page: CanvasPage) -> None:
    page.set_habits(learn_habits([cart_recovery.workflow()] * 3))
    page.prompts.add_at(page.scene.nodes["wait"].body.center(), ("wait", "timeout"))
    picker = page.stage.picker
    first = picker.list.item(0)
    assert first.text() == "Send email"
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == "Send email, usual here"
    assert "3 of 3" in first.toolTip()
    assert picker.list.count() > 5, "everything else can be picked too"


def test_finding_goes_from_hit_to_hit_and_leaves_the_keyboard_there(page: CanvasPage, qtbot: QtBot) -> None:
    page.document.add_note("Email tone: friendly", (0.0, 500.0))
    bar = page.stage.find_bar
    bar.open()
    qtbot.keyClicks(bar.search, "thinking still")
    assert (bar.told.text(), page.selection.single) == ("1 of 2", "subject")
    bar.search.setText("email")
    assert bar.told.text() == "1 of 4"
    for _ in range(3):
        qtbot.keyClick(bar.search, Qt.Key.Key_Return)
    assert page.selection.marks == {("note", 0)}
    qtbot.keyClick(bar.search, Qt.Key.Key_Return)
    assert page.selection.single == "mail_a", "from the last on to the first"
    bar.search.setText("no such thing")
    assert bar.told.text() == "nothing found"
    qtbot.keyClick(bar.search, Qt.Key.Key_Escape)
    assert not bar.isVisible()


def test_settings_are_found_too(page: CanvasPage) -> None:
    bar = page.stage.find_bar
    bar.open()
    bar.search.setText("value >= 30")
    assert page.selection.single == "carts"
    bar.close_bar()


def test_the_history_of_the_session_leads_back_and_forth(page: CanvasPage) -> None:
    told: list[str] = []
    page.set_workflow(page.workflow, page.document.catalogue, journal=lambda _w, words, _s: told.append(words))
    page.show_history()
    for number in range(3):
        page.document.set_label("goal", f"Goal {number}")
        page.document.end_session()
    assert [page.history_panel.session.item(i).text() for i in range(4)] == [
        "As it was opened",
        "Rename Goal: purchase",
        "Rename Goal 0",
        "Rename Goal 1",
    ]
    page.history_panel.session.setCurrentRow(1)
    assert page.workflow.node("goal").label == "Goal 0"
    assert told[-1] == "Undo to: Rename Goal: purchase"
    page.history_panel.session.setCurrentRow(3)
    assert page.workflow.node("goal").label == "Goal 2"


def test_comparing_marks_what_is_different_and_ends_with_the_next_edit(page: CanvasPage, qtbot: QtBot) -> None:
    past = page.workflow
    page.document.remove(["reminder"])
    page.document.set_label("mail_a", "New words")
    new = page.editor.add("flow.exit", after="goal", port="reached")
    assert new is not None
    found = differences(past, page.workflow)
    page.show_history()
    page.history_panel.set_states([State("e1", datetime(2026, 3, 1, tzinfo=UTC), "Launch", is_kept=True)])
    page.history_panel.show_differences("e1", [("mail_a", "Email A: changed")])
    page.scene.set_comparison(compared(past, found), {})
    marks = {n: item.mark.word for n, item in page.scene.nodes.items() if item.mark}
    assert marks == {"mail_a": "changed", new: "added"}
    assert [ghost.title for ghost in page.scene._ghosts] == ["reminder"]
    page.view.viewport().grab()
    with qtbot.waitSignal(page.history_panel.compare_wanted) as ended:
        page.document.set_label("mail_a", "Newer words")
    assert ended.args == [""]
    page.scene.set_comparison(Comparison(), {})
    assert not any(item.mark for item in page.scene.nodes.values())


@pytest.mark.parametrize("reduced", [False, True])
def test_a_tidy_layout_glides_unless_motion_is_to_be_reduced(page: CanvasPage, qtbot: QtBot, *, reduced: bool) -> None:
    theme().set_reduced_motion(reduced)
    page.editor.move({"goal": (4_000.0, 2_000.0)})
    page.editor.tidy()
    assert page.glide.is_under_way == (not reduced)
    if not reduced:
        qtbot.waitUntil(lambda: not page.glide.is_under_way, timeout=3_000)
    for node in page.workflow.nodes:
        place = page.scene.nodes[node.id].pos()
        assert (place.x(), place.y()) == node.position


def test_only_the_selected_steps_are_tidied(page: CanvasPage) -> None:
    before = page.workflow
    page.editor.move({"mail_a": (before.node("mail_a").position[0], 2_000.0)})
    page.selection.set(["subject", "mail_a", "mail_b"])
    page.editor.tidy_selection()
    moved = {n.id for n in before.nodes if page.workflow.node(n.id).position != n.position}
    assert moved <= {"subject", "mail_a", "mail_b"}
    assert page.workflow.node("mail_a").position[1] < 1_500
