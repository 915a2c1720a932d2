"""The parts of screens: they show exactly their words, wrap instead of clipping, answer keys, and name themselves."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QProgressBar, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.errors import UserFixable
from studio.ui import widgets as w
from studio.ui.background import Progress
from studio.ui.faults import faults
from studio.ui.focus import set_mark
from studio.ui.theme import theme
from studio.ui.tokens import STATES

LONG = "39 messages were refused by the mail server because their mailboxes are busy or do not exist any more"


def shown(qtbot: QtBot, widget: QWidget, width: int = 0, height: int = 0) -> QWidget:
    qtbot.addWidget(widget)
    hint = widget.sizeHint()
    widget.resize(width or hint.width(), height or hint.height())
    widget.show()
    qtbot.wait(1)
    return widget


def needed_height(label: QLabel) -> int:
    flags = Qt.TextFlag.TextWordWrap
    return QFontMetrics(label.font()).boundingRect(0, 0, label.width(), 10_000, flags, label.text()).height()


def test_text_shows_markup_as_it_is_and_keeps_words() -> None:
    text = w.Text("<b>Bloom</b> & Barley")
    assert text.text() == "<b>Bloom</b> & Barley"
    assert text.textFormat() == Qt.TextFormat.PlainText


def test_paragraph_escapes_all_but_its_own_bold() -> None:
    paragraph = w.Paragraph()
    paragraph.set_parts([("answered ", False), ("<450> A/B", True)])
    assert "<b>&lt;450&gt; A\u2060/\u2060B</b>" in QLabel.text(paragraph)
    assert paragraph.text() == paragraph.accessibleName() == "answered <450> A/B"


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_long_words_wrap_and_are_never_clipped(qtbot: QtBot, scale: float) -> None:
    theme().set_text_scale(scale)
    card = w.Card("A title that is much too long for the narrow place it has been given here")
    row = w.ItemRow(LONG, LONG, w.SecondaryButton("Fix"), mark=w.Badge.for_state("failed"))
    card.add(row, w.Paragraph(LONG), w.Stat("Complaints", "0.02 %", note=LONG), w.StatePill("warning"))
    facts = w.FactList(correctable=True)
    facts.add("Audience", LONG, 0.64, "found on the page")
    column = w.ScrollColumn()
    column.add(card)
    column.add(facts)
    shown(qtbot, column, round(420 * scale), 900)
    for label in column.findChildren(w.Text):
        if label.isVisible() and label.wordWrap() and not isinstance(label, w.Paragraph):
            assert label.height() >= needed_height(label), label.text()
        elif label.isVisible():
            assert label.width() >= min(label.sizeHint().width(), 420 * scale) or label.wordWrap()
    assert column.horizontalScrollBar().maximum() == 0


def test_an_eliding_label_shortens_and_tells_the_whole_in_its_tooltip(qtbot: QtBot) -> None:
    label = shown(qtbot, w.ElidingLabel(LONG), 120)
    assert label.shown_text().endswith("…") and label.toolTip() == LONG
    label.resize(2000, 20)
    assert label.shown_text() == LONG and label.toolTip() == ""


def test_buttons_show_an_ampersand_and_survive_a_failing_click(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise UserFixable("X-1", "No workflow is open.", hint="Open one first.")

    button = w.PrimaryButton("Bloom & Barley", fail)
    qtbot.addWidget(button)
    assert button.text() == "Bloom & Barley"
    assert QPushButton.text(button) == "Bloom && Barley"
    with qtbot.waitSignal(faults().reported) as told:
        button.click()
    assert told.args[0].to_do == "Open one first."


def test_segments_move_by_arrow_and_announce_only_what_the_person_does(qtbot: QtBot) -> None:
    segmented = w.Segmented({"simulate": "Simulate", "test": "Test", "live": "Live"}, name="Mode")
    shown(qtbot, segmented)
    heard: list[str] = []
    segmented.chosen.connect(heard.append)
    segmented.set_value("test")
    assert (segmented.value, heard) == ("test", [])
    segmented.button("live").click()
    segmented.button("live").click()
    assert (segmented.value, heard) == ("live", ["live"])
    segmented.set_enabled_choice("test", False, "Set up a mail server first.")
    assert not segmented.button("test").isEnabled()
    with pytest.raises(KeyError):
        segmented.set_value("turbo")


def test_a_menu_chip_shows_what_is_chosen(qtbot: QtBot) -> None:
    chip = w.MenuChip({"all": "All industries", "food": "Food & drink"}, name="Industry")
    qtbot.addWidget(chip)
    assert chip.accessibleName() == "Industry: All industries"
    with qtbot.waitSignal(chip.chosen) as told:
        chip.menu_of().actions()[1].trigger()
    assert told.args == ["food"] and chip.text() == "Food & drink"


def test_a_clickable_card_is_one_target_for_mouse_and_keys(qtbot: QtBot) -> None:
    card = w.Card("Win-back", clickable=True)
    shown(qtbot, card, 200, 120)
    heard: list[int] = []
    card.clicked.connect(lambda: heard.append(1))
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    qtbot.keyClick(card, Qt.Key.Key_Return)
    qtbot.keyClick(card, Qt.Key.Key_Space)
    qtbot.keyClick(card, Qt.Key.Key_A)
    assert len(heard) == 3


def test_every_state_is_told_in_colour_glyph_and_word() -> None:
    for state, look in STATES.items():
        badge, pill = w.Badge.for_state(state), w.StatePill(state)
        assert badge.accessibleName() == badge.toolTip() == pill.text() == look.word


def test_bars_are_progress_bars_to_screen_readers(qtbot: QtBot) -> None:
    bar = w.ProgressLine(0.25)
    qtbot.addWidget(bar)
    assert isinstance(bar, QProgressBar)
    assert (bar.minimum(), bar.maximum(), bar.value()) == (0, 1000, 250)
    bar.set_value(7)
    assert bar.value() == 1000
    bar.set_value(None)
    assert bar.maximum() == 0


def test_unknown_progress_moves_only_while_seen_and_when_motion_is_wanted(qtbot: QtBot) -> None:
    bar = w.ProgressLine(None)
    shown(qtbot, bar, 200, 6)
    assert bar.is_moving
    bar.hide()
    assert not bar.is_moving
    theme().set_reduced_motion(True)
    bar.show()
    assert not bar.is_moving


def test_confidence_is_told_in_words_and_colour() -> None:
    assert w.confidence_colour(0.8) == "state.done" and w.confidence_colour(0.79) == "state.waiting"
    assert w.confidence_tone(0.95) == "good" and w.confidence_tone(0.5) == "caution"


def test_a_fact_can_be_corrected(qtbot: QtBot) -> None:
    facts = w.FactList(correctable=True)
    qtbot.addWidget(facts)
    facts.add("Industry", "Food & drink", 0.94, key="industry")
    with qtbot.waitSignal(facts.correct) as told:
        facts.findChild(w.IconButton).click()
    assert told.args == ["industry"]
    facts.clear()
    facts.add("Tone", "Warm")
    assert [text.text() for text in facts.findChildren(w.Text) if not text.isHidden()] == ["Tone", "Warm"]


def test_a_field_shows_its_error_in_place_of_its_help(qtbot: QtBot) -> None:
    field = w.Field("Discount", QLineEdit("110 %"), "Between 0 and 80 %")
    qtbot.addWidget(field)
    assert field.control.accessibleName() == "Discount" and field.error == ""
    field.set_error("A discount lies between 0 and 80 %.")
    assert field.error == field.control.accessibleDescription() == "A discount lies between 0 and 80 %."
    assert field.control.property("invalid") is True
    field.set_error("")
    assert field.error == "" and field.control.accessibleDescription() == "Between 0 and 80 %"


def test_an_empty_state_leads_on(qtbot: QtBot) -> None:
    heard: list[str] = []
    empty = w.EmptyState("No runs yet", "Choose a template first.", "Choose a template", lambda: heard.append("go"))
    shown(qtbot, empty, 600, 400)
    empty.button.click()
    assert heard == ["go"]
    texts = [text.text() for text in empty.findChildren(w.Text)]
    assert texts == ["No runs yet", "Choose a template first."]


def test_an_error_panel_says_what_where_and_what_to_do(qtbot: QtBot) -> None:
    error = UserFixable("CSV-1", "The list cannot be read.", where="people.csv, row 12", hint="Save it as UTF-8.")
    heard: list[str] = []
    panel = w.ErrorPanel.for_error(error, [("Choose another file", lambda: heard.append("other"))])
    shown(qtbot, panel, 400, 200)
    texts = [text.text() for text in panel.findChildren(w.Text)]
    assert texts == ["The list cannot be read.", "people.csv, row 12", "Save it as UTF-8."]
    panel.buttons[0].click()
    assert heard == ["other"]
    panel.findChild(w.LinkButton).click()
    assert "UserFixable" in QGuiApplication.clipboard().text()
    assert not any("Traceback" in text for text in texts)


def test_a_pane_shows_content_error_with_retry_and_content_again(qtbot: QtBot) -> None:
    answers = iter([UserFixable("DB", "The store is busy.", hint="Try again."), 42])
    content, got = w.Text("nothing yet"), []

    def fetch(_progress: Progress) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    pane = w.Pane(content)
    shown(qtbot, pane, 400, 300)
    pane.load(fetch, got.append)
    qtbot.waitUntil(lambda: pane.findChild(w.ErrorPanel) is not None)
    assert pane.currentWidget() is not content
    pane.findChild(w.ErrorPanel).buttons[0].click()
    qtbot.waitUntil(lambda: got == [42])
    assert pane.currentWidget() is content


def test_a_pane_says_what_it_does_when_it_takes_long_and_can_be_cancelled(qtbot: QtBot) -> None:
    gate, got = threading.Event(), []

    def fetch(progress: Progress) -> str:
        progress.report(0.4, "Reading 69,659 orders …")
        gate.wait(10)
        return "late"

    pane = w.Pane(w.Text("old"))
    shown(qtbot, pane, 400, 300)
    pane.load(fetch, got.append, doing="Reading …")
    qtbot.waitUntil(lambda: pane.findChild(w.Working) is not None)
    working = pane.findChild(w.Working)
    assert working.findChild(w.Text).text() == "Reading 69,659 orders …"
    assert working.findChild(QProgressBar).value() == 400
    working.findChild(w.SecondaryButton).click()
    assert pane.currentWidget() is pane.content
    gate.set()
    qtbot.waitUntil(lambda: not pane.is_loading)
    qtbot.wait(20)
    assert got == []


def test_a_second_load_drops_the_first_ones_result(qtbot: QtBot) -> None:
    gate, got = threading.Event(), []
    pane = w.Pane(w.Text(""))
    shown(qtbot, pane, 300, 200)
    pane.load(lambda _progress: gate.wait(10) and "first", got.append)
    pane.load(lambda _progress: "second", got.append)
    qtbot.waitUntil(lambda: got == ["second"])
    gate.set()
    qtbot.wait(30)
    assert got == ["second"]


def test_a_choice_list_keeps_the_choice_and_tells_the_persons_moves(qtbot: QtBot) -> None:
    choices = w.ChoiceList("Experiments")
    shown(qtbot, choices, 260, 400)
    heard: list[str] = []
    choices.chosen.connect(heard.append)
    choices.set_choices([w.Choice("a", "Cart mail subject"), w.Choice("b", LONG, "running", "needs 2,140 more")], "a")
    assert (choices.value, heard) == ("a", [])
    qtbot.keyClick(choices, Qt.Key.Key_Down)
    assert (choices.value, heard) == ("b", ["b"])
    choices.set_choices([w.Choice("b", "Again"), w.Choice("c", "New")])
    assert (choices.value, heard) == ("b", ["b"])
    choices.set_choices([])
    assert choices.value is None


def test_choice_rows_grow_with_their_words(qtbot: QtBot) -> None:
    choices = w.ChoiceList("Experiments")
    shown(qtbot, choices, 260, 400)
    choices.set_choices([w.Choice("a", "Short", "x"), w.Choice("b", LONG, "x")])
    qtbot.wait(1)
    short, long = (choices.visualRect(choices.model().index(row, 0)).height() for row in (0, 1))
    assert long > short + 30


def test_keyboard_focus_is_marked_and_can_be_unmarked(qtbot: QtBot) -> None:
    button = w.SecondaryButton("Go")
    shown(qtbot, button)
    plain = button.grab().toImage()
    set_mark(button, on=True)
    assert button.grab().toImage() != plain
    set_mark(button, on=False)
    assert button.grab().toImage() == plain


def test_focus_by_tab_is_marked_by_mouse_is_not(qtbot: QtBot) -> None:
    holder = QWidget()
    first, second = w.SecondaryButton("One"), w.SecondaryButton("Two")
    holder.setLayout(w.row(first, second))
    shown(qtbot, holder)
    holder.activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    qtbot.keyClick(holder.windowHandle(), Qt.Key.Key_Tab)
    qtbot.waitUntil(second.hasFocus)
    assert second.property("keyFocus") is True
    qtbot.mouseClick(holder.windowHandle(), Qt.MouseButton.LeftButton, pos=first.geometry().center())
    assert not second.property("keyFocus") and not first.property("keyFocus")


def test_rings_say_their_band() -> None:
    assert w.Ring.for_band("likely").accessibleName() == "likely fit"
    with pytest.raises(KeyError):
        w.Ring.for_band("certain")
    assert w.Ring(0.96, "96").sizeHint() == QSize(46, 46)


def test_a_stat_is_read_as_one_sentence() -> None:
    stat = w.Stat("Revenue", "€ 18,420", "+ 12 %", note="predicted € 16,900")
    assert stat.accessibleName() == "Revenue, € 18,420, + 12 %, predicted € 16,900"
    stat.set_figures("€ 9")
    assert stat.accessibleName() == "Revenue, € 9"


def test_a_short_label_needs_no_more_than_itself(qtbot: QtBot) -> None:
    label = w.ElidingLabel("Help", "strong")
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() <= label.sizeHint().width()


def test_a_sentence_that_begins_with_a_foreign_name_keeps_its_own_direction(qtbot: QtBot) -> None:
    for words, led in (("سلتك: € 12 of orders", True), ("سلتك", False), ("Basket سلتك", False)):
        label = w.Text(words)
        qtbot.addWidget(label)
        assert label.text() == words
        assert QLabel.text(label).startswith("\u200e") == led
