"""The page as the program uses it: workflows and runs go in, wishes come out; a screen reader finds its way."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow
from studio.gallery.catalogue import catalogue as templates
from studio.ui import background
from studio.ui.canvas import edits, excerpts, look
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.pointer import NODE_TYPE_MIME
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.view import CanvasView
from studio.ui.theme import theme
from tests.ui.canvas import cart_recovery


def test_a_workflow_without_places_is_laid_out_and_in_sight(page: CanvasPage, qtbot: QtBot) -> None:
    assert len({node.position for node in page.workflow.nodes}) == len(page.workflow.nodes)
    assert not page.document.stack.count(), "opening is not an edit"
    qtbot.waitUntil(lambda: page.view.seen().contains(page.scene.nodes["carts"].body), timeout=2000)


def test_places_of_a_file_are_kept(page: CanvasPage, types: Catalogue) -> None:
    workflow = cart_recovery.workflow()
    placed = workflow.model_copy(
        update={
            "nodes": tuple(n.model_copy(update={"position": (i * 300.0, 7.0)}) for i, n in enumerate(workflow.nodes))
        }
    )
    page.set_workflow(placed, types)
    assert page.workflow == placed


def test_edits_are_told_with_their_words_and_journalled(page: CanvasPage, types: Catalogue, qtbot: QtBot) -> None:
    journal: list[tuple[Workflow, str]] = []
    page.set_workflow(cart_recovery.workflow(), types, journal=lambda w, words, _: journal.append((w, words)))
    with qtbot.waitSignal(page.workflow_changed) as told:
        page.editor.rename("mail_a", "First")
    assert told.args == [page.workflow, "Rename Email A: “Still thinking?”"]
    page.run_bar.undo.click()
    assert [words for _w, words in journal] == [
        "Rename Email A: “Still thinking?”",
        "Undo: Rename Email A: “Still thinking?”",
    ]
    assert journal[-1][0] == page.workflow


def test_another_workflow_forgets_run_selection_and_undo(page: CanvasPage, types: Catalogue) -> None:
    page.add_events(cart_recovery.run_events())
    page.choose("mail_b")
    page.editor.rename("mail_b", "x")
    page.set_workflow(Workflow(name="Empty"), types)
    assert page.selection.nodes == frozenset()
    assert not page.document.stack.canUndo()
    assert page.overlay.view is None
    assert not page.timeline.isVisibleTo(page)
    assert page.stage.empty.isVisibleTo(page)
    assert not page.run_bar.run.isEnabled()


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        (None, {"run", "tidy"}),
        ("running", {"pause", "stop", "retry", "tidy"}),
        ("waiting", {"pause", "stop", "retry", "tidy"}),
        ("paused", {"pause", "stop", "retry", "tidy"}),
        ("done", {"run", "retry", "tidy"}),
        ("failed", {"run", "retry", "tidy"}),
        ("stopped", {"run", "retry", "tidy"}),
    ],
)
def test_the_run_bar_offers_what_makes_sense(page: CanvasPage, state: str | None, enabled: set[str]) -> None:
    page.show_run(None if state is None else replace(cart_recovery.run_view(), state=state))
    page.overlay.flush()
    bar = page.run_bar
    named = {
        "run": bar.run,
        "pause": bar.pause,
        "stop": bar.stop,
        "retry": bar.retry,
        "undo": bar.undo,
        "tidy": bar.tidy,
    }
    assert {name for name, button in named.items() if button.isEnabled()} == enabled
    assert bar.pause.text() == ("Continue" if state == "paused" else "Pause")
    assert bar.retry.text() == ("Retry failed (39)" if state else "Retry failed")
    assert bar.run.text() == ("Run again" if state in ("done", "failed", "stopped") else "Run")


def test_every_button_says_its_wish(page: CanvasPage, qtbot: QtBot) -> None:
    bar = page.run_bar
    with qtbot.waitSignal(page.run_requested):
        bar.run.click()
    page.show_run(cart_recovery.run_view())
    page.overlay.flush()
    for button, signal in (
        (bar.pause, page.pause_requested),
        (bar.stop, page.stop_requested),
        (bar.retry, page.retry_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()
    page.show_run(replace(cart_recovery.run_view(), state="paused"))
    page.overlay.flush()
    with qtbot.waitSignal(page.continue_requested):
        bar.pause.click()
    with qtbot.waitSignal(page.clock_changed) as told:
        next(a for a in bar.clock_button.menu_of().actions() if "1,440" in a.text()).trigger()
    assert told.args == ["1440"]
    assert bar.clock_button.text() == "Clock × 1,440"


def test_the_top_bar_learns_state_and_progress(page: CanvasPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.place_changed):
        page.show_run(cart_recovery.run_view())
        page.overlay.flush()
    (pill,) = page.extras()
    assert pill.text().replace("\u00a0", " ") == "running · 86 %"
    qtbot.addWidget(pill)
    assert [crumb.text for crumb in page.crumbs()] == ["Workflows", "Cart recovery"]


def test_the_command_palette_can_do_what_the_page_can(page: CanvasPage) -> None:
    actions = {action.id: action for action in page.actions_here()}
    count = len(page.workflow.nodes)
    actions["canvas.add.flow.exit"].run()
    assert len(page.workflow.nodes) == count + 1
    actions["canvas.undo"].run()
    assert len(page.workflow.nodes) == count
    actions["canvas.redo"].run()
    assert len(page.workflow.nodes) == count + 1
    found = {found.title: found for found in page.find_steps("")}
    found["Wait for an order"].run()
    assert page.selection.single == "wait"
    assert set(actions) >= {f"canvas.add.{type_id}" for type_id in page.document.catalogue}


def test_the_palette_shows_every_type_and_finds_by_name(page: CanvasPage, types: Catalogue, qtbot: QtBot) -> None:
    page.stage.tools.outline.setChecked(True)
    tree = page.palette_panel.tree

    def leaves() -> list[str]:
        groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
        return [
            group.child(i).data(0, Qt.ItemDataRole.UserRole)
            for group in groups
            for i in range(group.childCount())
            if not group.child(i).isHidden()
        ]

    assert sorted(leaves()) == sorted(types)
    page.palette_panel.search.setText("holdout")
    assert leaves() == ["exp.holdout"]
    page.palette_panel.search.setText("zzz")
    assert leaves() == []
    assert page.palette_panel.nothing.isVisibleTo(page.palette_panel)
    page.palette_panel.search.clear()
    first = tree.topLevelItem(0).child(0)
    assert tree.mimeData([first]).data(NODE_TYPE_MIME).data().decode() == leaves()[0]
    count = len(page.workflow.nodes)
    tree.itemActivated.emit(first, 0)
    assert len(page.workflow.nodes) == count + 1


def test_a_pulled_edge_let_go_over_nothing_adds_and_connects(page: CanvasPage) -> None:
    place = page.scene.nodes["reminder"].body.bottomRight()
    page.view.add_wanted.emit(place, ("reminder", "out"))
    QTest.keyClicks(page.stage.picker.search, "exit")
    QTest.keyClick(page.stage.picker.search, Qt.Key.Key_Return)
    new = page.selection.single
    assert any(e.from_ == ("reminder", "out") and e.to == (new, "in") for e in page.workflow.edges)
    assert page.document.stack.count() == 1


def test_the_menu_of_a_past_run_offers_nothing_that_changes(page: CanvasPage, types: Catalogue) -> None:
    page.set_workflow(cart_recovery.workflow(), types, read_only=True)
    assert not page.run_bar.tidy.isEnabled()
    page.selection.set(["mail_a"])
    changing = {entry.words for entry in page.menus.entries() if entry.words and entry.changes}
    assert changing == {
        "Add a step after it …",
        "Connect to …",
        "Replace with …",
        "Rename",
        "Cut",
        "Duplicate",
        "Group",
        "Switch on or off",
        "Remove",
    }
    page.keys.add_wanted.emit("mail_a")
    assert not page.stage.picker.isVisible()
    assert not page.inspector.settings.name.isEnabled() or page.inspector.node_id is None


def test_a_screen_reader_hears_the_nodes_in_reading_order(page: CanvasPage) -> None:
    page.add_events(cart_recovery.run_events())
    page.overlay.flush()
    view = QAccessible.queryAccessibleInterface(page.view)
    assert view.role() == QAccessible.Role.List
    assert view.childCount() == len(page.workflow.nodes)
    children = [view.child(i) for i in range(view.childCount())]
    names = [child.text(QAccessible.Text.Name).replace("\u00a0", " ") for child in children]
    order = reading_order(page.workflow)
    assert names[order.index("mail_a")] == "Email A: “Still thinking?”, running, 4,318 / 5,951, 73 %, 1 input, 1 output"
    assert names[order.index("mail_b")] == "Email B: “Your basket”, failed, 5,912 / 5,951, 39 failed, 1 input, 1 output"
    assert {child.role() for child in children} == {QAccessible.Role.ListItem}
    assert view.indexOfChild(children[3]) == 3
    page.choose(order[2])
    assert children[2].state().selected
    assert not children[3].state().selected
    place = page.view.mapToGlobal(page.view.mapFromScene(page.scene.nodes[order[2]].body.center()))
    assert children[2].rect().contains(place)
    assert view.childAt(place.x(), place.y()).text(QAccessible.Text.Name) == children[2].text(QAccessible.Text.Name)
    page.editor.toggle_enabled()
    assert ", switched off, " in children[2].text(QAccessible.Text.Name)
    page.editor.delete_selection()
    assert view.childCount() == len(order) - 1


def test_text_at_200_percent_makes_the_graph_larger_not_overlapping(page: CanvasPage) -> None:
    theme().set_text_scale(2.0)
    page.view.zoom_full()
    assert page.view.zoom == 2.0
    assert page.stage.tools._zoom.text().replace("\u00a0", " ") == "100 %"
    bodies = [item.body for item in page.scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(bodies) for b in bodies[i + 1 :])


def test_the_minimap_leads_to_where_it_is_clicked(page: CanvasPage) -> None:
    page.view.set_zoom(1.5)
    page.stage.minimap.grab()
    QTest.mouseClick(page.stage.minimap, Qt.MouseButton.LeftButton, pos=page.stage.minimap.rect().topLeft())
    far_left = page.view.seen().center()
    QTest.mouseClick(page.stage.minimap, Qt.MouseButton.LeftButton, pos=page.stage.minimap.rect().bottomRight())
    assert page.view.seen().center().x() > far_left.x()
    assert page.view.seen().center().y() > far_left.y()


def test_a_large_workflow_is_checked_and_laid_out_in_the_background(
    page: CanvasPage, types: Catalogue, qtbot: QtBot
) -> None:
    workflow = cart_recovery.workflow()
    part = workflow
    for _ in range(40):
        workflow = excerpts.paste(workflow, part, (0, 0)).workflow
    page.set_workflow(workflow, types)
    page.document.remove([], [page.workflow.edges[0]])
    qtbot.waitUntil(lambda: page.scene.nodes["gate"].state == "warning", timeout=20_000)
    page.editor.move({"gate": (5_000.0, 5_000.0)})
    page.editor.tidy()
    qtbot.waitUntil(lambda: page.document.stack.count() == 3, timeout=20_000)
    places = [node.position for node in page.workflow.nodes]
    assert len(set(places)) == len(places)
    page.checks.check_now()
    qtbot.waitUntil(lambda: not background.under_way(), timeout=20_000)


def test_pills_of_one_steps_edges_do_not_lie_on_each_other(page: CanvasPage, types: Catalogue) -> None:
    template = templates().get("cart-recovery")
    page.set_workflow(template.workflow, types)
    for source in {key[0][0] for key in page.scene.edges}:
        pills = [e.pill for key, e in page.scene.edges.items() if key[0][0] == source and not e.pill.isEmpty()]
        for one, other in itertools.combinations(pills, 2):
            assert not one.adjusted(0, 2, 0, -2).intersects(other), source


def test_a_workflow_too_large_opens_without_empty_paper_above_its_first_step(view: CanvasView) -> None:
    """The first step stands at the top of the graph: in the middle of the view, half of that would be empty."""
    editor = view.editor
    first = _from_left(editor.scene)[0]
    moves = {item.node_id: (place * 300.0, place * 300.0) for place, item in enumerate(_from_left(editor.scene))}
    editor.document.replace(edits.move_nodes(editor.document.workflow, moves))
    view.show_start()
    _left, top, _right, _bottom = view.insets
    on_screen = view.mapFromScene(first.body.topLeft()).y()
    assert top <= on_screen < top + 2 * look.MARGIN * view.zoom + 4


def _from_left(scene: CanvasScene) -> list[NodeItem]:
    return sorted(scene.nodes.values(), key=lambda item: item.x())
