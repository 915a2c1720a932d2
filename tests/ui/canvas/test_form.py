"""The form of every node type: what is shown is what is in the file, what is typed is what the model gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, JsonValue
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from studio.domain.duration import format_duration, parse_duration
from studio.domain.node import NodeType, Parameters
from studio.domain.validation import Catalogue, make_node
from studio.domain.workflow import Node, TemplateRef, Workflow
from studio.nodes import catalogue
from studio.ui.canvas.form import ParameterForm, _with_references, _with_template
from studio.ui.canvas.form_editors import DurationEditor, LineEditor, make_plain_editor
from studio.ui.canvas.form_errors import errors_of
from studio.ui.canvas.form_list import ListEditor
from studio.ui.canvas.form_schema import FieldSpec, fields_of
from studio.ui.canvas.specimen import specimen

EVERY_TYPE = pytest.mark.parametrize("node_class", list(catalogue().values()), ids=list(catalogue()))
RICH: Mapping[str, Mapping[str, JsonValue]] = {
    "exp.split": {
        "variants": [{"id": "A", "weight": 2.0, "value": "x"}, {"id": "B", "label": "Bee", "value": 3}],
        "parameter": "subject",
        "unit": "key",
    },
    "flow.branch": {"conditions": [{"id": "big", "rule": 'has("order")'}, {"id": "rest", "rule": "true"}]},
    "flow.wait_for": {
        "branches": [{"id": "bought", "event": "order", "match_key": True}],
        "timeout": "PT23H",
        "already": "from_now",
    },
    "flow.delay": {"duration": "PT90M", "until": "09:30", "jitter": "PT10M"},
    "exp.holdout": {"share": 0.07},
    "trigger.manual": {"limit": 250, "sample": 0.125},
    "send.email": {"subject": "Hi\nyou", "body": "m1.en.mjml", "track": False, "purpose": "transactional"},
}


def form_for(
    type_id: str, parameters: Mapping[str, JsonValue], template: TemplateRef | None = None
) -> tuple[ParameterForm, Workflow, Node]:
    node = Node(id="n", type=type_id, parameters=parameters)
    workflow = Workflow(name="w", template=template, nodes=(node,))
    form = ParameterForm()
    form.show_node(workflow, node, catalogue()[type_id].Parameters)
    return form, workflow, node


@EVERY_TYPE
def test_what_the_form_shows_is_what_the_file_says(node_class: type[NodeType], qtbot: QtBot) -> None:
    type_id = node_class.declaration.id
    given_parameters = RICH.get(type_id, specimen(node_class.Parameters))
    form, _workflow, _node = form_for(type_id, given_parameters)
    qtbot.addWidget(form)
    assert form.values() == given_parameters
    assert form.errors() == {}
    shown = {name: field.editor.value() for name, field in form.fields.items()}
    wanted = node_class.Parameters.model_validate(given_parameters)
    assert node_class.Parameters.model_validate({k: v for k, v in shown.items() if v is not None}) == wanted


@EVERY_TYPE
def test_every_setting_has_a_name_and_a_help_text(node_class: type[NodeType], qtbot: QtBot) -> None:
    form, _workflow, _node = form_for(node_class.declaration.id, {})
    qtbot.addWidget(form)
    assert [field.field.name for field in form.fields.values()] == list(node_class.Parameters.model_fields)
    for field in form.fields.values():
        assert field.field.title
        assert field.field.help
        for control in field.editor.inputs()[:1]:
            assert control.accessibleName() == field.field.title


@EVERY_TYPE
def test_entering_everything_anew_gives_the_same_settings(node_class: type[NodeType], qtbot: QtBot) -> None:
    """Typed into an empty form field by field, settings come out as in a file written by hand."""
    type_id = node_class.declaration.id
    wanted = RICH.get(type_id, specimen(node_class.Parameters))
    full, _w, _n = form_for(type_id, wanted)
    empty, workflow, node = form_for(type_id, {})
    qtbot.addWidget(full)
    qtbot.addWidget(empty)
    for name in wanted:
        empty.fields[name].editor.set_value(full.fields[name].editor.value())
        empty.fields[name].editor.edited.emit()
    made = node.model_copy(update={"parameters": empty.values()})
    expected = node.model_copy(update={"parameters": dict(wanted)})
    ours = make_node(catalogue(), workflow, made)
    assert ours.outputs() == make_node(catalogue(), workflow, expected).outputs()
    model = node_class.Parameters
    assert model.model_validate(empty.values()) == model.model_validate(wanted)


def test_a_message_stands_under_the_field_while_it_is_wrong(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("exp.holdout", {"share": 0.1})
    qtbot.addWidget(form)
    line = form.fields["share"].editor.findChild(QLineEdit)
    assert line is not None
    assert line.text() == "10"
    line.selectAll()
    QTest.keyClicks(line, "150")
    assert form.fields["share"].error == "This has to be less than 100 %."
    assert line.property("invalid") is True
    line.selectAll()
    QTest.keyClicks(line, "abc")
    assert form.fields["share"].error == "This has to be a number."
    assert form.values()["share"] == "abc"
    line.selectAll()
    QTest.keyClicks(line, "15 %")
    assert form.fields["share"].error == ""
    assert form.values()["share"] == 0.15
    assert line.property("invalid") is False


def test_a_needed_setting_says_so_and_a_rule_says_what_is_wrong_with_it(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("audience.filter", {})
    qtbot.addWidget(form)
    assert form.fields["rule"].error == "This is needed."
    text = form.fields["rule"].editor.findChild(QPlainTextEdit)
    assert text is not None
    text.setPlainText("contry ==")
    assert form.fields["rule"].error not in ("", "This is needed.")


def test_errors_of_a_list_stand_in_the_entry_they_concern(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("exp.split", {"variants": [{"id": "A"}, {"id": "no good"}]})
    qtbot.addWidget(form)
    editor = form.fields["variants"].editor
    assert isinstance(editor, ListEditor)
    assert editor.cards[0].fields["id"].error == ""
    assert editor.cards[1].fields["id"].error.startswith("Begin with a letter")
    form_b, _workflow, _node = form_for("exp.split", {"variants": [{"id": "A"}, {"id": "A"}]})
    qtbot.addWidget(form_b)
    assert "there twice" in form_b.fields["variants"].error


def test_entries_are_added_removed_and_reordered(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("exp.split", {"variants": [{"id": "A"}, {"id": "B"}]})
    qtbot.addWidget(form)
    seen: list[object] = []
    form.changed.connect(lambda parameters, _title: seen.append(parameters["variants"]))
    editor = form.fields["variants"].editor
    assert isinstance(editor, ListEditor)
    editor.add_button.click()
    assert [entry["id"] for entry in seen[-1]] == ["A", "B", "C"]
    form.show_node(*_with("exp.split", form.values()))
    editor._swap(2)
    editor._remove(0)
    assert [entry["id"] for entry in seen[-1]] == ["C", "B"]


def _with(type_id: str, parameters: Mapping[str, JsonValue]) -> tuple[Workflow, Node, type[BaseModel]]:
    node = Node(id="n", type=type_id, parameters=parameters)
    return Workflow(name="w", nodes=(node,)), node, catalogue()[type_id].Parameters


def test_a_bound_setting_shows_and_changes_the_templates_value(qtbot: QtBot) -> None:
    template = TemplateRef(id="t", parameters={"subject": "From the template"})
    form, _workflow, _node = form_for("send.email", {"subject": {"$param": "subject"}, "body": "m1.mjml"}, template)
    qtbot.addWidget(form)
    field = form.fields["subject"]
    assert field.bound == "subject"
    assert field.editor.value() == "From the template"
    text = field.editor.findChild(QPlainTextEdit)
    assert text is not None
    with qtbot.assertNotEmitted(form.changed), qtbot.waitSignal(form.template_changed) as told:
        text.setPlainText("Better")
    assert told.args == ["subject", "Better"]
    assert form.values()["subject"] == {"$param": "subject"}
    with qtbot.waitSignal(form.changed) as changed:
        field.unbind.emit("subject")
    assert changed.args is not None
    assert changed.args[0]["subject"] == "Better"


def test_what_equals_the_default_is_not_written_into_the_file(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("exp.holdout", {"share": 0.3, "unit": "key"})
    qtbot.addWidget(form)
    form.fields["unit"].editor.set_value("contact")
    form.fields["unit"].editor.edited.emit()
    assert form.values() == {"share": 0.3}


def test_the_cursor_stays_while_typing(qtbot: QtBot) -> None:
    form, _workflow, _node = form_for("flow.exit", {"reason": "done"})
    qtbot.addWidget(form)
    form.show()
    qtbot.waitExposed(form)
    line = form.fields["reason"].editor.findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    line.setCursorPosition(2)
    QTest.keyClicks(line, "xy")
    form.show_node(*_with("flow.exit", form.values()))
    assert line.text() == "doxyne"
    assert line.cursorPosition() == 4


DURATION = next(f for f in fields_of(catalogue()["flow.wait_for"].Parameters) if f.kind == "duration")


@given(seconds=st.integers(0, 8_000_000))
def test_any_duration_survives_its_editor(seconds: int) -> None:
    text = format_duration(timedelta(seconds=seconds))
    editor = DurationEditor(DURATION)
    editor.set_value(text)
    assert parse_duration(str(editor.value())) == timedelta(seconds=seconds)
    editor.deleteLater()


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("PT1H", "1", "hours"),
        ("P7D", "7", "days"),
        ("P2W", "2", "weeks"),
        ("PT90M", "90", "minutes"),
        ("PT0S", "0", "days"),
    ],
)
def test_durations_are_shown_in_the_largest_unit_that_fits(text: str, number: str, unit: str, qtbot: QtBot) -> None:
    editor = DurationEditor(DURATION)
    qtbot.addWidget(editor)
    editor.set_value(text)
    assert (editor.line.text(), editor.unit.currentText()) == (number, unit)


@given(share=st.integers(1, 9_999))
def test_any_rate_survives_its_editor(share: int) -> None:
    editor = LineEditor(FieldSpec(name="r", title="R", kind="rate"))
    editor.set_value(share / 10_000)
    assert editor.value() == share / 10_000
    editor.deleteLater()


@pytest.mark.parametrize("value", ["text", 3, 2.5, True, None])
def test_a_setting_of_any_kind_keeps_its_kind(value: JsonValue, qtbot: QtBot) -> None:
    editor = make_plain_editor(FieldSpec(name="v", title="V", kind="any", nullable=True))
    qtbot.addWidget(editor)
    editor.set_value(value)
    assert editor.value() == value
    assert type(editor.value()) is type(value)


class Sample(Parameters):
    """Settings of every kind there is, as a further node type might have them."""

    name: str = Field(max_length=5, title="Name", description="Help.")
    count: int = Field(default=3, ge=1, le=10, title="Count", json_schema_extra={"unit": "people"})
    chance: float = Field(default=0.5, gt=0, lt=1, title="Chance", json_schema_extra={"widget": "rate"})
    flag: bool = Field(default=False, title="Flag")


@pytest.mark.parametrize(
    ("values", "path", "words"),
    [
        ({}, ("name",), "This is needed."),
        ({"name": "too long"}, ("name",), "This may have at most 5 characters."),
        ({"name": "x", "count": 0}, ("count",), "This has to be at least 1."),
        ({"name": "x", "count": 11}, ("count",), "This has to be at most 10."),
        ({"name": "x", "count": "many"}, ("count",), "This has to be a whole number."),
        ({"name": "x", "chance": 1.0}, ("chance",), "This has to be less than 100 %."),
        ({"name": "x", "cuont": 2}, ("cuont",), "This step has no such setting. Did you mean “count”?"),
    ],
)
def test_messages_are_for_people(values: dict[str, JsonValue], path: tuple[str, ...], words: str) -> None:
    assert errors_of(Sample, values) == {path: words}


def test_a_past_run_shows_settings_that_cannot_be_changed(qtbot: QtBot, types: Catalogue) -> None:
    form = ParameterForm()
    qtbot.addWidget(form)
    workflow, node, model = _with("flow.exit", {"reason": "done"})
    form.show_node(workflow, node, model, read_only=True)
    assert not form.fields["reason"].editor.isEnabled()
    form.show_node(workflow, node, model)
    assert form.fields["reason"].editor.isEnabled()
    assert form.focus_field("reason")
    assert not form.focus_field("nothing")


def test_a_reference_to_the_template_inside_a_list_is_read_and_kept() -> None:
    reference = {"$param": "subject"}
    before = [{"id": "A", "value": reference}, {"id": "B", "value": "Hello"}]
    shown = _with_template(before, {"subject": "Still thinking?"})
    assert shown[0]["value"] == "Still thinking?"
    moved = [{"id": "B", "value": "Hi"}, shown[0]]
    kept = _with_references(moved, before, {"subject": "Still thinking?"})
    assert kept == [{"id": "B", "value": "Hi"}, {"id": "A", "value": reference}]
    rewritten = [{"id": "A", "value": "Come back"}]
    assert _with_references(rewritten, before, {"subject": "Still thinking?"}) == rewritten
