"""Home says what is so, and everything on it leads somewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from studio.domain.errors import UserFixable
from studio.ui.screens.home.screen import HomePage
from studio.ui.screens.home.state import greeting, headline, read_home
from studio.workspace.workspace import Workspace
from tests.ui.screens.conftest import Trail, button, settle, words


def morning() -> datetime:
    return datetime(2026, 3, 12, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "said"), [(4, "evening"), (5, "morning"), (11, "morning"), (12, "afternoon"), (18, "evening")]
)
def test_greets_by_the_hour(hour: int, said: str) -> None:
    assert greeting(datetime(2026, 3, 12, hour, tzinfo=UTC)) == f"Good {said}."


def test_an_empty_workspace_says_how_to_start(workspace: Workspace, trail: Trail, open_page) -> None:
    page = open_page(HomePage(workspace, trail, morning))
    assert page.header.title.text().endswith("Three ways to start.")
    assert "0 workflows · 0 contacts" in words(page)
    assert "Nothing has run yet" in words(page)
    button(page, "Open the demo").click()
    button(page, "Enter address").click()
    assert trail.calls == [("demo",), ("go", "templates", "address")]


def test_the_best_template_is_one_click_from_the_canvas(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(HomePage(shop, trail, morning))
    button(page, "Use template Cart recovery").click()
    settle(qtbot)
    (made,) = shop.workflows.list()
    assert made.template == "cart-recovery"
    assert trail.calls == [("workflow", made.id)]


def test_a_winner_waits_and_the_rest_does_not_run(ran: Workspace, trail: Trail, open_page) -> None:
    page = open_page(HomePage(ran, trail, morning))
    state = read_home(ran)
    assert headline(state) == "One thing needs you, nothing else runs."
    assert page.header.title.text().endswith(headline(state))
    assert "B wins and is ready to ship" in words(page)
    run_id = ran.runs.newest()
    next(b for b in [button(page, f"Review: {state.needs[0].title}")]).click()
    button(page, f"Open {state.runs[0].name}").click()
    assert trail.calls == [("go", "experiments", run_id), ("run", run_id)]


def test_figures_are_those_of_the_run(ran: Workspace, trail: Trail, open_page) -> None:
    page = open_page(HomePage(ran, trail, morning))
    insight = ran.insights.of_run(ran.runs.newest())
    assert f"€ {insight.returned.revenue:,.0f}" in words(page)
    assert f"{insight.returned.orders:,}" in words(page)
    assert "Win back lapsed customers" in words(page)
    assert "Cart recovery\n" not in words(page)


def test_shipping_takes_the_need_away(ran: Workspace) -> None:
    assert len(read_home(ran).needs) == 1
    ran.trials.ship(ran.runs.newest())
    assert read_home(ran).needs == ()


def test_unchanged_runs_are_not_computed_again(ran: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_home(ran)

    def fail(_run_id: str) -> None:
        raise UserFixable("TEST", "asked again")

    monkeypatch.setattr(ran.insights, "of_run", fail)
    assert read_home(ran, first.insights).newest == first.newest
    assert read_home(ran).newest is None


def test_a_workflow_file_goes_to_the_canvas_and_a_list_to_the_import(
    ran: Workspace, trail: Trail, open_page, qtbot, tmp_path: Path
) -> None:
    page = open_page(HomePage(ran, trail, morning))
    file = tmp_path / "mine.workflow.json"
    file.write_text(ran.workflows.get(ran.workflows.list()[0].id).to_json(), encoding="utf-8")
    page.open_file(file)
    settle(qtbot)
    page.open_file(tmp_path / "people.csv")
    newest = ran.workflows.list()[0].id
    assert trail.calls == [("workflow", newest), ("go", "audience", str(tmp_path / "people.csv"))]


def test_the_keyboard_stays_where_it_was_when_the_screen_is_made_anew(
    workspace: Workspace, trail: Trail, open_page, qtbot
) -> None:
    page = open_page(HomePage(workspace, trail, morning))
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    before = button(page, "Describe my business")
    before.setFocus()
    page.refresh()
    settle(qtbot)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is button(page, "Describe my business"))
    assert QApplication.focusWidget() is not before


def test_a_workflow_that_never_ran_is_ready_to_be_opened(ran: Workspace, trail: Trail, open_page) -> None:
    made = ran.templates.create("win-back", ran.templates.context())
    page = open_page(HomePage(ran, trail, morning))
    assert [line.workflow_id for line in read_home(ran).ready] == [made.workflow_id]
    button(page, f"Open {read_home(ran).ready[0].name}").click()
    assert trail.calls == [("workflow", made.workflow_id)]
