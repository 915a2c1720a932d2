"""The shell: lazy screens, one registry of actions, a palette that finds, messages that can be undone."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.errors import UserFixable
from studio.ui.faults import faults
from studio.ui.shell import Action, Crumb, Found, MainWindow, Page, PageSpec
from studio.ui.shell.command_palette import rank
from studio.ui.shell.fuzzy import match
from studio.ui.shell.mark import window_icon
from studio.ui.shell.top_bar import Breadcrumb
from studio.ui.theme import theme
from studio.ui.widgets import Chip, ErrorPanel, LinkButton, MenuChip, Pill, Text


class Screen(Page):
    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.log: list[str] = []
        self.trail: list[Crumb] = [Crumb(title)]

    def crumbs(self) -> list[Crumb]:
        return self.trail

    def note(self) -> str:
        return "v7 · run #128"

    def extras(self) -> list[QWidget]:
        return [Chip("Last 14 days")]

    def actions_here(self) -> list[Action]:
        return [Action(id=f"{self.title}.act", title=f"Act on {self.title}", run=lambda: self.log.append("acted"),
                       shortcut="Ctrl+E", group=self.title)]  # fmt: skip

    def entered(self, target: str = "") -> None:
        self.log.append(f"entered {target}".strip())

    def left(self) -> None:
        self.log.append("left")


IDS = ("home", "templates", "runs", "health")
BUILT: list[str] = []


def build(page_id: str) -> Page:
    BUILT.append(page_id)
    return Screen(page_id)


def specs() -> list[PageSpec]:
    return [
        PageSpec(id=i, title=i.capitalize(), icon="house", build=lambda i=i: build(i), at_bottom=i == "health")
        for i in IDS
    ]


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    BUILT.clear()
    made = MainWindow(specs())
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    made.go("home")
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_screens_are_built_when_first_opened_and_only_once(window: MainWindow) -> None:
    assert BUILT == ["home"]
    screen = window.go("templates", "win-back")
    window.go("home")
    window.go("templates")
    assert BUILT == ["home", "templates"]
    assert screen.log == ["entered win-back", "left", "entered"]
    assert window.rail.buttons["templates"].isChecked()
    with pytest.raises(KeyError):
        window.go("nowhere")


def test_rail_and_number_keys_open_screens(qtbot: QtBot, window: MainWindow) -> None:
    window.rail.buttons["runs"].click()
    assert window.pages.current_id == "runs"
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.pages.current_id == "templates"


def test_a_screen_that_fails_says_so_and_can_be_tried_again(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def fragile() -> Page:
        tries.append(1)
        if len(tries) == 1:
            raise UserFixable("STORE", "The store is locked.", hint="Close the other window.")
        return Screen("home")

    window = MainWindow([PageSpec(id="home", title="Home", icon="house", build=fragile)])
    qtbot.addWidget(window)
    with caplog.at_level(logging.CRITICAL):
        window.go("home")
    panel = window.pages.findChild(ErrorPanel)
    assert panel.happened.text() == "The store is locked."
    panel.buttons[0].click()
    assert isinstance(window.pages.page, Screen)


def test_back_and_forward(window: MainWindow) -> None:
    window.go("templates")
    window.go("runs")
    window.back()
    assert window.pages.current_id == "templates"
    window.back()
    assert window.pages.current_id == "home"
    window.back()
    assert window.pages.current_id == "home"
    window.forward()
    assert window.pages.current_id == "templates"
    window.go("health")
    window.forward()
    assert window.pages.current_id == "health", "a new way forgets the old one ahead"


def test_the_actions_of_a_screen_exist_while_it_is_in_front(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert window.pages.page.log[-1] == "acted"
    window.go("runs")
    ids = [action.id for action in window.commands.all()]
    assert "runs.act" in ids and "home.act" not in ids


def test_an_id_or_a_shortcut_is_given_once(window: MainWindow) -> None:
    with pytest.raises(ValueError, match=r"already .* help"):
        window.commands.add(Action(id="help", title="x", run=lambda: None))
    with pytest.raises(ValueError, match=r"Ctrl\+K"):
        window.commands.add(Action(id="y", title="x", run=lambda: None, shortcut="Ctrl+K"))


def test_an_action_that_looks_as_before_is_kept_and_does_what_is_wanted_now(window: MainWindow) -> None:
    done: list[str] = []
    registry = window.commands
    registry.replace_scope(
        "trial",
        [
            Action(id="trial.kept", title="Kept", run=lambda: done.append("old"), shortcut="Ctrl+Alt+9"),
            Action(id="trial.named", title="Before", run=lambda: None),
            Action(id="trial.gone", title="Gone", run=lambda: None),
        ],
    )
    before = {action.text(): action for action in window.actions()}
    registry.replace_scope(
        "trial",
        [
            Action(id="trial.named", title="After", run=lambda: None),
            Action(id="trial.kept", title="Kept", run=lambda: done.append("new"), shortcut="Ctrl+Alt+9"),
        ],
    )
    after = {action.text(): action for action in window.actions()}
    assert after["Kept"] is before["Kept"]
    assert "After" in after
    assert not {"Before", "Gone"} & after.keys()
    assert [action.id for action in registry.all() if action.id.startswith("trial")] == ["trial.named", "trial.kept"]
    after["Kept"].trigger()
    assert done == ["new"]
    registry.replace_scope("trial", [])


def test_a_disabled_action_does_not_run_and_is_grey_in_its_menu(window: MainWindow) -> None:
    ran: list[int] = []
    window.commands.add(Action(id="z", title="Run", run=lambda: ran.append(1), is_enabled=lambda: False, icon="play"))
    window.commands.run("z")
    menu = window.commands.menu(window, ["z", "", "help"])
    menu.aboutToShow.emit()
    assert ran == []
    assert [action.isEnabled() for action in menu.actions()] == [False, True, True]
    assert not menu.actions()[0].icon().isNull()


def test_the_state_of_a_run_stays_where_the_name_gets_shorter_for_it(look: None, qtbot: QtBot) -> None:
    before = QWidget()
    qtbot.addWidget(before)
    bar = Breadcrumb(before)
    qtbot.addWidget(bar)
    pill = Pill("running · 68 %", "state.running")
    name = "Cart recovery of the whole of last spring – Bloom & Barley"
    bar.set_place([Crumb("Workflows"), Crumb(name)], "w1 · run r1", [pill])
    bar.resize(300, 40)
    bar.show()
    assert pill.isVisible()
    assert bar.rect().contains(pill.geometry())
    assert not any(text.isVisible() for text in bar.findChildren(Text) if text.text() == "Workflows")


def test_the_crumbs_lead_back_and_give_way_when_it_gets_narrow(qtbot: QtBot, window: MainWindow) -> None:
    heard: list[str] = []
    window.resize(1440, 900)
    screen = window.pages.page
    screen.trail = [Crumb("Workflows", lambda: heard.append("up")), Crumb("Cart recovery")]
    screen.place_changed.emit()
    qtbot.wait(1)
    bar = window.top_bar.breadcrumb
    link = bar.findChild(LinkButton)
    link.click()
    assert heard == ["up"] and link.isVisible()
    assert any(chip.isVisible() for chip in bar.findChildren(Chip))
    bar.resize(120, 40)
    assert not link.isVisible()
    assert not any(chip.isVisible() for chip in bar.findChildren(Chip))
    assert any(text.text() == "Cart recovery" and text.isVisible() for text in bar.findChildren(Text))


def test_tab_goes_through_the_top_bar_as_it_is_read(qtbot: QtBot, window: MainWindow) -> None:
    screen = window.pages.page
    screen.trail = [Crumb("Workflows", lambda: None), Crumb("Cart recovery")]
    window.resize(1440, 900)
    screen.place_changed.emit()
    qtbot.wait(1)
    order = []
    window.top_bar.workspace.setFocus()
    for _step in range(5):
        order.append(QApplication.focusWidget())
        qtbot.keyClick(order[-1], Qt.Key.Key_Tab)
    bar = window.top_bar
    crumbs = [bar.breadcrumb.findChild(LinkButton), bar.breadcrumb.findChild(Chip)]
    assert order == [bar.workspace, *crumbs, bar.command, bar.mode.button("simulate")]


def test_mode_status_and_workspace_are_shown_and_told(qtbot: QtBot, window: MainWindow) -> None:
    heard: list[str] = []
    window.mode_chosen.connect(heard.append)
    window.set_mode("test")
    window.top_bar.mode.button("live").click()
    assert heard == ["live"]
    window.set_status("failed", "Mail server away")
    assert window.top_bar.status.text() == "Mail server away"
    qtbot.mouseClick(window.top_bar.status, Qt.MouseButton.LeftButton)
    assert window.pages.current_id == "health"
    window.set_workspace("Bloom & Barley", ["help"])
    assert window.top_bar.workspace.text() == "Bloom & Barley"
    assert "Bloom & Barley" in window.windowTitle()
    window.set_workspace("Other", ["help", "back"])
    assert [a.text() for a in window.top_bar.workspace.menu_of().actions()] == ["Help for what is in focus", "Back"]


def test_live_mode_marks_the_whole_bar(window: MainWindow) -> None:
    def line() -> str:
        return window.top_bar.grab().toImage().pixelColor(600, window.top_bar.height() - 1).name()

    assert line() == theme().colour("border").name()
    window.set_mode("live")
    assert line() == theme().colour("state.waiting").name()


def test_help_is_about_what_is_in_focus(qtbot: QtBot, window: MainWindow) -> None:
    screen = window.pages.page
    chip = Chip("x")
    chip.setParent(screen)
    chip.show()
    with qtbot.waitSignal(window.help_wanted) as told:
        window.ask_help()
    assert told.args == ["home"]
    chip.setProperty("helpTopic", "filters")
    chip.setFocus()
    with qtbot.waitSignal(window.help_wanted) as told:
        qtbot.keyClick(window, Qt.Key.Key_F1)
    assert told.args == ["filters"]


def test_the_window_remembers_its_size(qtbot: QtBot, tmp_path: Path) -> None:
    file = str(tmp_path / "window.ini")
    first = MainWindow(specs(), QSettings(file, QSettings.Format.IniFormat))
    qtbot.addWidget(first)
    first.resize(960, 640)
    first.show()
    with qtbot.waitSignal(first.closing):
        first.close()
    second = MainWindow(specs(), QSettings(file, QSettings.Format.IniFormat))
    qtbot.addWidget(second)
    assert (second.width(), second.height()) == (960, 640)
    fresh = MainWindow(specs())
    qtbot.addWidget(fresh)
    assert fresh.height() > 640


def open_palette(qtbot: QtBot, window: MainWindow, query: str) -> None:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.command_palette.field.hasFocus)
    qtbot.keyClicks(window.command_palette.field, query)


def test_the_palette_runs_what_was_meant(qtbot: QtBot, window: MainWindow) -> None:
    open_palette(qtbot, window, "templ")
    assert window.command_palette.titles()[0] == "Go to Templates"
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert window.pages.current_id == "templates"
    assert not window.command_palette.isVisible()


def test_the_palette_moves_round_and_closes_without_a_trace(qtbot: QtBot, window: MainWindow) -> None:
    window.top_bar.command.setFocus()
    open_palette(qtbot, window, "go to")
    first = window.command_palette.results.currentIndex().row()
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Up)
    assert window.command_palette.results.currentIndex().row() == len(window.command_palette.titles()) - 1
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Down)
    assert window.command_palette.results.currentIndex().row() == first
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Escape)
    assert not window.command_palette.isVisible()
    qtbot.waitUntil(window.top_bar.command.hasFocus)
    window.command_palette.open()
    qtbot.mouseClick(window.command_palette, Qt.MouseButton.LeftButton, pos=window.command_palette.rect().bottomLeft())
    assert not window.command_palette.isVisible()


def test_the_palette_searches_what_others_bring_and_survives_their_failure(
    qtbot: QtBot, window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[str] = []
    window.add_search(lambda _query: [Found(title="Win-back lapsed buyers", group="Templates",
                                            run=lambda: opened.append("win-back"), keywords="reactivate")])  # fmt: skip
    open_palette(qtbot, window, "reactiv")
    assert window.command_palette.titles() == ["Win-back lapsed buyers"]
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert opened == ["win-back"]

    def broken(_query: str) -> list[Found]:
        raise RuntimeError("index gone")

    window.add_search(broken)
    with caplog.at_level(logging.CRITICAL), qtbot.waitSignal(faults().reported):
        window.command_palette.open("go")
    assert "Go to Home" in window.command_palette.titles()


def test_the_palette_says_when_there_is_nothing(qtbot: QtBot, window: MainWindow) -> None:
    open_palette(qtbot, window, "zzqq")
    assert window.command_palette.titles() == []
    assert not window.command_palette.results.isVisible()
    qtbot.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert window.command_palette.isVisible()


def test_hits_in_titles_come_before_hits_around_them() -> None:
    def found(title: str, group: str = "") -> Found:
        return Found(title=title, group=group, run=lambda: None)

    ranked = rank("run", [found("Templates", "Running"), found("Brunch menu"), found("Run workflow")])
    assert [item.found.title for item in ranked] == ["Run workflow", "Brunch menu", "Templates"]


@pytest.mark.parametrize(
    ("query", "text", "positions"),
    [
        ("gtt", "Go to Templates", (0, 3, 6)),
        ("abs", "A/B subject", (0, 2, 4)),
        ("RUN", "run", (0, 1, 2)),
        ("wb", "Win-back", (0, 4)),
        ("", "anything", ()),
    ],
)
def test_letters_are_found_at_the_starts_of_words(query: str, text: str, positions: tuple[int, ...]) -> None:
    found = match(query, text)
    assert found is not None
    assert found.positions == positions


@given(st.text(max_size=12), st.text(max_size=30))
def test_a_match_is_the_query_in_order_and_no_match_means_it_is_not_there(query: str, text: str) -> None:
    wanted = [letter for letter in query.casefold() if not letter.isspace()]
    found = match(query, text)
    letters = iter(text.casefold())
    there = all(letter in letters for letter in wanted)
    if len(text.casefold()) == len(text):
        assert (found is not None) == there
    if found is not None and wanted:
        assert list(found.positions) == sorted(set(found.positions))
        assert len(found.positions) == len(wanted)


def test_a_message_can_be_undone_and_goes_away(qtbot: QtBot, window: MainWindow) -> None:
    undone: list[int] = []
    toast = window.toast("Template removed", undo=lambda: undone.append(1))
    assert window.toasts.isVisible()
    assert window.centralWidget().rect().contains(window.toasts.geometry())
    toast.button.click()
    assert undone == [1]
    qtbot.waitUntil(lambda: not window.toasts.isVisible())


def test_only_the_last_few_messages_are_shown(window: MainWindow) -> None:
    for number in range(6):
        window.toast(f"Message {number}")
    assert [toast.accessibleName() for toast in window.toasts.toasts()] == ["Message 3", "Message 4", "Message 5"]


def test_a_message_goes_by_itself_but_waits_for_the_mouse(qtbot: QtBot, window: MainWindow) -> None:
    toast = window.toast("Saved")
    assert 0 < toast.remaining_ms <= 5_500
    toast.enterEvent(None)
    assert toast.remaining_ms < 0
    toast.leaveEvent(None)
    assert toast.remaining_ms > 0
    toast.close_it()
    qtbot.waitUntil(lambda: not window.toasts.isVisible())


def test_an_error_anywhere_becomes_a_message_with_details_to_copy(
    window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        faults().report(RuntimeError("boom"))
    toast = window.toasts.toasts()[-1]
    assert "went wrong" in toast.accessibleName()
    toast.button.click()
    assert "boom" in QGuiApplication.clipboard().text()


def test_counts_on_the_rail_are_spoken(window: MainWindow) -> None:
    window.rail.set_count("runs", 2)
    assert window.rail.buttons["runs"].accessibleName() == "Runs, 2 need you"
    window.rail.set_count("runs", 0)
    assert window.rail.buttons["runs"].accessibleName() == "Runs"


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_window_fits_its_least_size(qtbot: QtBot, window: MainWindow, scale: float) -> None:
    theme().set_text_scale(scale)
    window.resize(window.minimumSize() if scale == 1.0 else window.minimumSize() * 1.5)
    qtbot.wait(1)
    for widget in (window.top_bar.mode, window.top_bar.status, window.top_bar.command, *window.rail.buttons.values()):
        right = widget.mapTo(window, widget.rect().topRight()).x()
        assert right < window.width()
        assert widget.width() >= widget.minimumSizeHint().width()


def test_the_mark_is_drawn_for_every_size() -> None:
    assert {size.width() for size in window_icon().availableSizes()} >= {16, 32, 256}


def test_filters_without_room_are_in_one_menu_that_says_what_is_on(qtbot: QtBot) -> None:
    line = Breadcrumb(QWidget())
    qtbot.addWidget(line)
    who = MenuChip({"": "Everybody", "7": "Entered in the last 7 days"}, "7", name="Who")
    variant = MenuChip({"": "All variants", "A": "Variant A"}, "", name="Variant")
    picked: list[str] = []
    variant.chosen.connect(picked.append)
    line.set_place([Crumb("Analytics"), Crumb("Cart recovery")], extras=[who, variant])
    line.resize(1200, 40)
    line.show()
    more = next(button for button in line.findChildren(QPushButton) if "Filters" in button.text())
    assert not more.isVisible()
    line.resize(230, 40)
    assert more.isVisible()
    assert not who.isVisible()
    assert (more.text(), more.accessibleName()) == ("Filters: 1 on", "Filters: Entered in the last 7 days")
    menu = more.findChild(QMenu)
    menu.aboutToShow.emit()
    offered = {action.text(): action.menu() for action in menu.actions()}
    assert list(offered) == ["Who: Entered in the last 7 days", "Variant: All variants"]
    offered["Variant: All variants"].actions()[1].trigger()
    assert picked == ["A"]
