"""While no step is chosen, the panel tells of the run and holds the settings of the whole workflow."""

from __future__ import annotations

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.status import totals_of
from tests.ui.canvas import cart_recovery


def line_of(page: CanvasPage, name: str) -> QLineEdit:
    (line,) = page.inspector.workflow.form.fields[name].editor.inputs()
    assert isinstance(line, QLineEdit)
    return line


def test_a_setting_of_the_workflow_is_one_command(page: CanvasPage) -> None:
    line = line_of(page, "goal")
    line.setFocus()
    QTest.keyClicks(line, "order")
    assert page.workflow.settings.goal == "order"
    assert page.document.stack.count() == 1
    page.document.undo()
    assert page.workflow.settings.goal is None
    assert line.text() == ""


def test_a_wrong_setting_stays_in_the_form_with_its_remedy(page: CanvasPage) -> None:
    form = page.inspector.workflow.form
    form.enter("zone", "Europe/Berlni")
    assert "Europe/Berlin" in form.errors()["zone",]
    assert page.workflow.settings.zone == "UTC"
    page.set_workflow(cart_recovery.workflow(), page.document.catalogue)
    assert not form.errors()


def test_the_workflow_is_renamed_and_never_nameless(page: CanvasPage) -> None:
    name = page.inspector.workflow.name
    name.selectAll()
    QTest.keyClicks(name, "Baskets")
    assert page.workflow.name == "Baskets"
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, " ")
    assert page.workflow.name == "Baskets"


def test_the_figures_of_a_run_are_the_sums_of_its_steps(page: CanvasPage) -> None:
    view = cart_recovery.run_view()
    totals = totals_of(view, page.roles_of(page.workflow))
    assert totals.entered == view.step("carts").left
    assert totals.sent == sum(step.sending.get("sent", 0) for step in view.steps.values())
    assert totals.failed == view.step("mail_b").failed > 0


def test_a_run_is_told_beside_the_settings_and_leads_to_what_failed(page: CanvasPage) -> None:
    glance = page.inspector.workflow.glance
    assert not glance.isVisibleTo(page)
    page.add_events(cart_recovery.run_events())
    page.overlay.flush()
    assert glance.isVisibleTo(page)
    glance.problems_wanted.emit()
    assert page.inspector.tabs.title.startswith("Problem")


def test_several_steps_are_told_and_handled_together(page: CanvasPage) -> None:
    several = page.inspector.workflow.several
    page.selection.set(["mail_a", "mail_b"])
    assert several.isVisibleTo(page)
    several.buttons["switch"].click()
    assert not any(page.workflow.node(node_id).enabled for node_id in ("mail_a", "mail_b"))
    several.buttons["remove"].click()
    assert {"mail_a", "mail_b"}.isdisjoint(node.id for node in page.workflow.nodes)
    assert not several.isVisibleTo(page)
