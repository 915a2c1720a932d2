"""Overview, run and step of the analytics screen: ways between them, filters that stay, advice that is carried out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from studio.ui import charts as c
from studio.ui import widgets as w
from studio.ui.screens.analytics.run import RunPane
from studio.ui.screens.analytics.screen import AnalyticsPage
from studio.ui.screens.data_menu import DataButton
from studio.ui.screens.next_steps import NextStep
from studio.workspace.overviews import Filters
from studio.workspace.workspace import Workspace

from .conftest import Trail, settle
from .test_results import UndoTrail


def test_all_workflows_are_the_use_case_and_a_row_leads_to_its_run(
    seen: Workspace, trail: Trail, open_page: Callable
) -> None:
    page = open_page(AnalyticsPage(seen, trail), "all")
    seen = seen.overviews.overview()
    assert page.overview.header.title.text().replace("\u00a0", " ") == seen.finding
    assert [(r.name, r.sent, r.orders) for r in page.overview.workflows.table.rows()] == [
        (r.name, r.sent, r.orders) for r in seen.workflows
    ]
    assert sum(row[1] for row in page.overview.days_card.chart.data_rows().values) == pytest.approx(
        seen.total("revenue")
    )
    page.overview.workflows.table.row_opened.emit(seen.workflows[0])
    assert trail.calls == [("go", "analytics", seen.workflows[0].run_id)]
    assert [crumb.text for crumb in page.crumbs()] == ["Analytics", "All workflows"]


def test_a_step_shows_its_own_figures_and_leads_back(
    seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AnalyticsPage(seen, trail), "r1/mail_2")
    found = seen.overviews.step("r1", "mail_2")
    assert page.step.header.title.text().startswith(f"{found.label}: {found.people('opened'):,} of")
    assert [row[1] for row in page.step.came.chart.data_rows().values] == [
        found.people(kind) for kind in ("sent", "delivered", "opened", "clicked")
    ]
    page.crumbs()[1].on_click()
    assert trail.calls == [("go", "analytics", "r1")]
    page.entered("r1/wait_1")
    settle(qtbot)
    assert page.step.label == seen.analyses.design("r1").labels["wait_1"]
    assert not page.step.figures.isVisible()


def test_a_span_stays_from_screen_to_screen_and_until_the_next_time(
    ran: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AnalyticsPage(ran, trail), "all")
    page._filter(days=7)
    settle(qtbot)
    assert page.overview.seen.since is not None
    assert page.run.days == page.step.days == 7
    assert ran.overviews.filters() == Filters(None, 7)
    again = AnalyticsPage(ran, trail)
    qtbot.addWidget(again)
    assert again.overview.days == 7


def test_every_chart_and_table_says_what_can_be_had_of_it(seen: Workspace, trail: Trail, qtbot: QtBot) -> None:
    page = AnalyticsPage(seen, trail)
    qtbot.addWidget(page)
    named = [button.accessibleName() for button in page.findChildren(DataButton)]
    unnamed = {page.run.caused.table, page.run.asking.bars, page.run.asking.lines}
    for part in (*page.findChildren(c.Chart), *page.findChildren(w.Table)):
        assert part in unnamed or any(name.startswith(f"{part.accessibleName()}: ") for name in named), part
    menu = page.run.funnel.chart.menu()
    assert [a.text() for a in menu.actions()] == [
        "Show as table", "Copy data", "Export CSV …", "Export PNG …", "Export SVG …",
    ]  # fmt: skip


def test_advice_changes_the_workflow_and_can_be_taken_back(ran: Workspace, qtbot: QtBot) -> None:
    trail = UndoTrail()
    pane = RunPane(ran, trail, lambda _step: None)
    qtbot.addWidget(pane)
    pane.run_id = "r1"
    before = ran.workflows.get("w1")
    pane._go(NextStep("Hold out half as many people", "", "accent", "Do it", "apply", "holdout"))
    settle(qtbot)
    share = ran.workflows.get("w1").bound(ran.workflows.get("w1").node("holdout"))["share"]
    assert share == before.bound(before.node("holdout"))["share"] / 2
    assert trail.calls == [("workflow", "w1")]
    trail.undos[-1]()
    settle(qtbot)
    assert ran.workflows.get("w1") == before
