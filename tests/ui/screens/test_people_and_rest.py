"""Audience, health and settings over a real workspace."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from studio.ui.preferences import Preferences
from studio.ui.screens.audience.column_guess import guess_columns, guess_kind
from studio.ui.screens.audience.screen import AudiencePage
from studio.ui.screens.health import HealthPage
from studio.ui.screens.settings.reports import ReportsCard
from studio.ui.screens.settings.screen import SettingsPage
from studio.ui.theme import theme
from studio.workspace.workspace import Workspace
from tests.ui.screens.conftest import Trail, button, settle, words

PEOPLE = (
    "Customer ID;E-Mail;Full name\n1;ann@example.com;Ann\n2;broken;Bob\n3;cy@example.com;Cy\n;x@example.com;Nobody\n"
)


@pytest.fixture
def people_file(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    return file


def test_nobody_yet_offers_the_import(workspace: Workspace, trail: Trail, open_page) -> None:
    page = open_page(AudiencePage(workspace, trail))
    assert page.header.title.text() == "Nobody is here yet."
    assert button(page, "Import a list").isEnabled()


def test_a_list_comes_in_with_consent_and_says_what_was_left_out(
    workspace: Workspace, trail: Trail, open_page, qtbot, people_file: Path
) -> None:
    page = open_page(AudiencePage(workspace, trail), str(people_file))
    assert {name: box.currentData() for name, box in page.importing.fields.items() if box.currentData()} == {
        "key": "Customer ID",
        "email": "E-Mail",
        "name": "Full name",
    }
    page.importing.agreed.setChecked(True)
    page.importing.proof.setText("newsletter form")
    button(page, "Import").click()
    settle(qtbot)
    assert "2 of 4 rows taken in, 2 left out." in words(page)
    assert workspace.people.count() == 2
    assert page.header.title.text().replace("\u00a0", " ") == "2 people in this workspace."
    assert [row.name for row in page.table.rows()] == ["Ann", "Cy"]


def test_a_missing_column_is_asked_for_in_words(
    workspace: Workspace, trail: Trail, open_page, people_file: Path
) -> None:
    page = open_page(AudiencePage(workspace, trail), str(people_file))
    page.importing.fields["key"].setCurrentIndex(0)
    button(page, "Import").click()
    assert "Choose the column that holds: customer number or other key." in words(page)
    assert workspace.people.count() == 0


def test_events_come_in_for_people_who_are_known(
    workspace: Workspace, trail: Trail, open_page, qtbot, people_file: Path, tmp_path: Path
) -> None:
    page = open_page(AudiencePage(workspace, trail), str(people_file))
    button(page, "Import").click()
    settle(qtbot)
    events = tmp_path / "orders.csv"
    events.write_text("customer_id,event,date,total,currency\n1,order,2026-03-01,20,EUR\n9,order,2026-03-01,5,EUR\n")
    page.open_file(events)
    settle(qtbot)
    assert page.importing.kind.value == "events"
    button(page, "Import").click()
    settle(qtbot)
    assert "1 of 2 rows taken in, 1 left out." in words(page)


def test_an_unreadable_file_says_so_and_can_be_tried_again(
    workspace: Workspace, trail: Trail, open_page, tmp_path: Path
) -> None:
    page = open_page(AudiencePage(workspace, trail), str(tmp_path / "none.csv"))
    assert button(page.importing, "Try again").isEnabled()


def test_searching_narrows_the_table(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(AudiencePage(shop, trail))
    assert page.header.title.text().replace("\u00a0", " ") == "12,480 people in this workspace."
    page.search.setText("bb-00002")
    qtbot.waitUntil(lambda: [row.key for row in page.table.rows()] == ["bb-00002"], timeout=10_000)
    settle(qtbot)


def test_columns_are_guessed_by_name() -> None:
    assert guess_columns("contacts", ["E-mail address", "Locale"]) == {
        "email": "E-mail address",
        "key": "E-mail address",
        "language": "Locale",
    }
    assert guess_kind(["customer", "email", "name"]) == "contacts"
    assert guess_kind(["user_id", "type", "created_at"]) == "events"


def test_health_says_what_is_worth_doing_and_a_backup_mends_it(
    workspace: Workspace, trail: Trail, open_page, qtbot
) -> None:
    page = open_page(HealthPage(workspace, trail))
    assert "would make it safer" in page.header.title.text()
    button(page, "Back up now").click()
    settle(qtbot)
    assert page.header.title.text() == "Everything is in order."
    assert trail.said


def test_a_regular_report_is_set_in_the_window(workspace: Workspace, qtbot: QtBot) -> None:
    card = ReportsCard(workspace.sharing)
    qtbot.addWidget(card)
    card.refresh()
    settle(qtbot)
    assert "No report" in card.told.text()
    card.form.set_value("html")
    card.often.set_value("7")
    card.often.chosen.emit("7")
    settle(qtbot)
    plan = workspace.sharing.scheduled()
    assert plan is not None
    assert (plan.every, plan.form) == (timedelta(days=7), "html")
    again = ReportsCard(workspace.sharing)
    qtbot.addWidget(again)
    again.refresh()
    settle(qtbot)
    assert (again.often.value, again.form.value, again.where.text()) == ("7", "html", str(plan.folder))
    card.often.set_value("0")
    card.often.chosen.emit("0")
    settle(qtbot)
    assert workspace.sharing.scheduled() is None


def test_settings_take_effect_and_are_kept(workspace: Workspace, trail: Trail, open_page, tmp_path: Path) -> None:
    kept = QSettings(str(tmp_path / "look.ini"), QSettings.Format.IniFormat)
    page = open_page(SettingsPage(workspace, trail, Preferences(kept)))
    page.scheme.chosen.emit("dark")
    page.text_size.chosen.emit("1.5")
    page.motion.setChecked(True)
    assert (theme().scheme_choice, theme().text_scale, theme().reduced_motion) == ("dark", 1.5, True)
    again = Preferences(kept)
    assert (again.scheme, again.text_scale, again.reduced_motion) == ("dark", 1.5, True)
    assert str(workspace.folder) in words(page)
