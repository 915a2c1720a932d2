"""The cards below the figures say what the analyses say, filters stay, and alerts lead to their instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pytestqt.qtbot import QtBot

from studio.analytics.alerts import Alert
from studio.analytics.narrowed import Narrowing
from studio.analytics.suggestions import Suggestion
from studio.analytics.timing import Heat
from studio.domain.run import RunView
from studio.ui import export
from studio.ui.screens.analytics.details import best_time
from studio.ui.screens.analytics.screen import AnalyticsPage
from studio.ui.screens.next_steps import next_steps
from studio.ui.screens.run_figures import revenue_chart
from studio.workspace.workspace import Workspace

from .conftest import Trail, settle

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_cards_show_the_analyses(seen: Workspace, trail: Trail, open_page: Callable) -> None:
    page = open_page(AnalyticsPage(seen, trail))
    details = seen.analyses.details("r1")
    heat = page.run.heat.chart.data_rows()
    assert [row[0] for row in heat.values] == ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    assert sum(sum(row[1:]) for row in heat.values) == details.opens.total
    for model in ("shapley", "last"):
        page.run.credit.model.chosen.emit(page.run.credit.model.set_value(model) or model)
        want = details.attribution.credit.filter(pl.col("model") == model).select("channel", "share").rows()
        shown = page.run.credit.chart.data_rows().values
        assert [row[0] for row in shown] == [channel for channel, _ in want]
        assert [row[1] for row in shown] == pytest.approx([share for _, share in want])
    shown = page.run.exits.chart.data_rows().values
    assert [(row[0], int(row[1])) for row in shown] == [(e.title, e.people) for e in details.exits if e.people][:8]


def test_a_filter_stays_while_the_run_is_read_again(
    ran: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AnalyticsPage(ran, trail))
    page._narrow("B")
    settle(qtbot)
    wanted = ran.insights.of_run("r1", Narrowing("B"))
    assert page.run.funnel.chart.data_rows().values[1][1] == wanted.funnel.people("sent")
    page.entered()
    settle(qtbot)
    assert page.run.results.insight.narrowing == Narrowing("B")
    assert [chip.text() for chip in page.extras()][-1] == "Variant B"


def test_an_alert_is_marked_and_leads_to_its_instant(seen: Workspace) -> None:
    insight = seen.insights.of_run("r1")
    at = insight.revenue["hour"][3]
    alert = Alert("clicked", "Clicks fell 38%", at, at, "spike", 1, 5, 3, 8, -6.0, -0.38, "Offer: Link 2 answers 404.")
    [marker] = revenue_chart(insight, [alert]).markers
    assert (marker.x, marker.title) == (at, "Clicks fell 38%")
    [step] = [s for s in next_steps(insight, RunView("r1"), None, (), [alert]) if s.title == alert.title]
    assert step.target == f"r1@{at:%Y-%m-%dT%H:%M:%SZ}"
    assert next_steps(insight, RunView("r1"), None, (), [replace(alert, cause=None)])[0].why


def test_the_best_time_is_said_in_words() -> None:
    counts = np.zeros((7, 24), dtype=np.int64)
    counts[2, 19:22] = 30
    counts[0, 3] = 10
    said = best_time(Heat(counts, 0, "UTC")).replace("\u00a0", " ")
    assert said == "90 % open between 19:00 and 22:00"
    assert best_time(Heat(np.zeros((7, 24), dtype=np.int64), 0, "UTC")) == ""


def test_the_report_is_shared_as_a_page(
    ran: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(AnalyticsPage(ran, trail))
    monkeypatch.setattr(export, "ask_file", lambda *_: tmp_path / "mine")
    page.run._share("html")
    settle(qtbot)
    assert ran.insights.of_run("r1").funnel.steps[0].title in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert trail.said == ["Saved mine.html"]


def test_a_question_is_answered_as_number_chart_and_query(
    seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AnalyticsPage(seen, trail))
    page.run.ask()
    page.run.asking.line.setText("messages sent by step")
    page.run.asking.ask()
    settle(qtbot)
    answer = seen.analyses.ask("messages sent by step", "r1")
    assert page.run.asking.number.text() == f"{answer.number:,.0f}"
    assert page.run.asking.said.text().startswith("Understood as: messages sent by step. Most: ")
    assert [tuple(row) for row in page.run.asking.bars.data_rows().values] == list(answer.rows)
    page.run.asking.line.setText("messages by moon")
    page.run.asking.ask()
    settle(qtbot)
    assert "means nothing here" in page.run.asking.said.text()
    assert page.run.asking.number.isHidden()


def test_advice_says_what_it_is_worth(seen: Workspace) -> None:
    insight = seen.insights.of_run("r1")
    one = Suggestion("holdout", "Hold out half", "Each brings more.", "Open run", "run", "r1", 1742.0, 1322.0, 2161.0)
    [step] = next_steps(insight, RunView("r1"), None, (), (), [one, replace(one, code="limit.x")])
    assert step.why.replace("\u00a0", " ") == "About € 1,742 (1.3k to 2.2k). Each brings more."
    assert (step.page, step.target) == ("run", "r1")
