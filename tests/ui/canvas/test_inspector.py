"""The panel beside the canvas: settings by commands, problems with buttons, data on demand, help from declarations."""

from __future__ import annotations

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.status import failed_count
from studio.ui.widgets import Paragraph
from tests.ui.canvas import cart_recovery


def words(widget: QWidget) -> str:
    QApplication.processEvents()
    shown = [p.accessibleName() for p in widget.findChildren(Paragraph) if p.isVisibleTo(widget)]
    shown += [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return " | ".join(shown)


def table_of(widget: QWidget) -> QTableView:
    """The one in use; what was shown before may still wait for its deletion, hidden."""
    (table,) = (table for table in widget.findChildren(QTableView) if not table.isHidden())
    return table


def button_of(widget: QWidget, text: str) -> QPushButton:
    buttons = [b for b in widget.findChildren(QPushButton) if b.text() == text and b.isVisibleTo(widget)]
    return buttons[0]


def run(page: CanvasPage) -> None:
    page.add_events(cart_recovery.run_events())
    page.overlay.flush()


def test_choosing_a_failed_step_shows_what_happened_to_whom_and_what_to_do(page: CanvasPage, qtbot: QtBot) -> None:
    run(page)
    with qtbot.waitSignal(page.contacts_wanted) as wanted:
        page.choose("mail_b")
    assert wanted.args == ["mail_b", "MAIL-REFUSED"]
    assert page.inspector.tabs.title == "Problem"
    said = words(page.inspector.problem)
    assert "39\u00a0messages did not go out" in said
    assert "everybody else went on" in said
    assert "450 4.2.1 mailbox busy" in said
    assert "Try the 31 again" in said
    page.choose("subject")
    assert page.inspector.tabs.title == "Settings"


def test_the_button_of_a_problem_asks_for_its_action(page: CanvasPage, qtbot: QtBot) -> None:
    run(page)
    page.choose("mail_b")
    QApplication.processEvents()
    button = button_of(page.inspector.problem, "Retry now")
    with qtbot.waitSignal(page.action_requested) as asked:
        button.click()
    assert asked.args == ["mail_b", "retry"]


def test_affected_contacts_are_shown_when_they_are_handed_in(page: CanvasPage) -> None:
    run(page)
    page.choose("mail_b")
    people = [AffectedContact("m.ortega@…", "450 4.2.1", "retrying", "caution")]
    page.set_contacts("mail_b", "MAIL-REFUSED", people)
    assert table_of(page.inspector.problem).model().rowCount() == 1
    page.choose("mail_a")
    page.choose("mail_b")
    QApplication.processEvents()
    assert table_of(page.inspector.problem).model().rowCount() == 1


def test_a_wrong_setting_is_a_problem_of_its_step_and_leads_to_the_field(page: CanvasPage, qtbot: QtBot) -> None:
    page.document.set_parameters("reminder", {"body": "m1.en.mjml"})
    page.checks.check_now()
    assert page.scene.nodes["reminder"].state == "warning"
    page.choose("reminder")
    page.inspector.open_tab("Problem")
    QApplication.processEvents()
    assert page.inspector.tabs.tabText(2) == "Problem"
    button_of(page.inspector.problem, "Go to the setting").click()
    assert page.inspector.tabs.title == "Settings"
    page.document.undo()
    page.checks.check_now()
    assert page.scene.nodes["reminder"].state == "idle"


def test_without_a_chosen_step_all_problems_are_listed(page: CanvasPage, qtbot: QtBot) -> None:
    run(page)
    page.selection.clear()
    page.inspector.open_tab("Problem")
    assert "Email B: “Your basket”" in words(page.inspector.overview)
    QApplication.processEvents()
    button_of(page.inspector.overview, "Show the step").click()
    assert page.selection.single == "mail_b"


def test_typing_a_setting_is_one_command_and_undo_shows_it(page: CanvasPage) -> None:
    before = page.workflow
    page.choose("end")
    editor = page.inspector.settings.form.fields["reason"].editor
    line = editor.inputs()[0]
    line.setFocus()
    line.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(line, "no consent")
    assert page.workflow.node("end").parameters == {"reason": "no consent"}
    assert page.scene.nodes["end"].face.summary == "no consent"
    assert page.document.stack.count() == 1
    page.view.setFocus()
    page.document.undo()
    assert page.workflow == before
    assert editor.value() == "finished"


def test_a_templates_value_changes_wherever_it_is_used(page: CanvasPage) -> None:
    page.choose("mail_a")
    field = page.inspector.settings.form.fields["subject"]
    assert field.bound == "subject"
    field.editor.set_value("New words")
    field.editor.edited.emit()
    assert page.workflow.template is not None
    assert page.workflow.template.parameters["subject"] == "New words"
    assert page.workflow.node("mail_a").parameters["subject"] == {"$param": "subject"}
    assert "New words" in page.scene.nodes["mail_a"].face.summary
    page.document.undo()
    assert "Still thinking?" in page.scene.nodes["mail_a"].face.summary


def test_switch_error_rule_and_note_are_commands(page: CanvasPage) -> None:
    before = page.workflow
    page.choose("mail_b")
    settings = page.inspector.settings
    settings.enabled.click()
    settings.on_error.setCurrentIndex(settings.on_error.findData("route"))
    settings.on_error.activated.emit(settings.on_error.currentIndex())
    settings.note.setPlainText("ask Ana")
    node = page.workflow.node("mail_b")
    assert (node.enabled, node.on_error, node.note) == (False, "route", "ask Ana")
    assert "error" in page.scene.nodes["mail_b"].face.ports.output_names
    for _ in range(3):
        page.document.undo()
    assert page.workflow == before
    assert settings.note.toPlainText() == ""


def test_data_is_asked_for_once_and_shown(page: CanvasPage, qtbot: QtBot) -> None:
    run(page)
    page.choose("gate")
    with qtbot.waitSignal(page.sample_requested) as asked:
        page.inspector.open_tab("Data")
    assert asked.args == ["gate", "allowed"]
    page.set_samples("gate", "allowed", ["contact", "value"], [{"contact": "ana", "value": 3.5}, {"contact": "bo"}])
    QApplication.processEvents()
    model = table_of(page.inspector.data).model()
    shown = [[model.index(r, c).data() for c in range(2)] for r in range(2)]
    assert shown == [["ana", "3.5"], ["bo", "empty"]]
    page.choose("subject")
    with qtbot.assertNotEmitted(page.sample_requested):
        page.choose("gate")
    page.set_samples("gate", "allowed", ["contact"], [])
    assert "Nobody came this way" in words(page.inspector.data)


def test_help_tells_what_the_type_declares(page: CanvasPage) -> None:
    page.choose("wait")
    page.inspector.open_tab("Help")
    said = words(page.inspector.help)
    about = page.document.catalogue["flow.wait_for"].declaration
    for part in (
        about.summary,
        "holds people until a time or an event",
        "ordered, time is up",
        "At the longest · needed",
    ):
        assert part in said


def test_help_without_a_step_tells_the_keys(page: CanvasPage) -> None:
    page.inspector.open_tab("Help")
    assert "add a step after this one" in words(page.inspector.help)


def test_an_unknown_step_is_shown_and_explained(page: CanvasPage, types) -> None:
    workflow = cart_recovery.workflow()
    strange = workflow.node("end").model_copy(update={"type": "send.pigeon"})
    nodes = tuple(strange if node.id == "end" else node for node in workflow.nodes)
    page.set_workflow(workflow.model_copy(update={"nodes": nodes}), types)
    page.choose("end")
    assert page.scene.nodes["end"].face.summary == "unknown type send.pigeon"
    assert "no such step" in words(page.inspector.settings)
    page.inspector.open_tab("Help")
    assert "no such step" in words(page.inspector.help)


def test_when_a_step_is_tried_again_is_a_setting_like_any_other(page: CanvasPage) -> None:
    page.choose("mail_b")
    policy = page.inspector.settings.policy
    policy.enter("tries", 2)
    policy.enter("retry_on", ["timeout", "busy"])
    policy.enter("timeout", "PT30S")
    policy.enter("condition", 'country == "DE"')
    node = page.document.workflow.node("mail_b")
    assert (node.retry.max, node.retry.retry_on, node.timeout) == (2, ("timeout", "busy"), "PT30S")
    assert node.condition == 'country == "DE"'
    page.document.undo()
    assert page.document.workflow.node("mail_b").condition is None


def test_a_policy_that_is_being_typed_and_wrong_stays_in_the_form(page: CanvasPage) -> None:
    page.choose("mail_b")
    policy = page.inspector.settings.policy
    before = page.document.workflow.node("mail_b")
    policy.enter("condition", "foo(")
    assert "no function “foo”" in policy.fields["condition"].error
    assert page.document.workflow.node("mail_b") == before
    assert policy.text_of("condition") == "foo("


def test_where_a_workflow_starts_nobody_is_asked_for_a_condition(page: CanvasPage) -> None:
    source = next(n.id for n in page.document.workflow.nodes if n.type.startswith("trigger"))
    page.choose(source)
    assert "condition" not in page.inspector.settings.policy.fields


def test_whom_a_step_set_aside_is_put_right_from_the_problem(page: CanvasPage) -> None:
    run = cart_recovery.Script()
    run.say(None, "run.started", mode="simulate", seed=1, clock="max", name="W")
    run.ran("mail_a", 3, {"out": 2}, 5, quarantined=1)
    run.say(
        "mail_a",
        "step.problem",
        code="MAIL-RENDER",
        message="The plain text cannot be written.",
        hint="",
        count=1,
        sample=[1],
        action="retry",
        severity="warning",
    )
    page.add_events(run.events)
    page.overlay.flush()
    page.choose("mail_a")
    page.inspector.show_run(page.watch.live)
    assert failed_count(page.watch.live) == 1, "set aside is there to be tried again"
    QApplication.processEvents()
    button_of(page.inspector.problem, "Correct them").click()
    assert page.timeline.tabs.currentWidget() is page.debug.data
