"""What customers are worth: the cards say what the analyses count, and months still going on are left open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pytestqt.qtbot import QtBot

from studio.analytics.cohorts import cohorts
from studio.frames.events import AT
from studio.ui.screens.audience.customers import cohort_grid
from studio.ui.screens.audience.screen import AudiencePage
from studio.workspace.workspace import Workspace

from .conftest import Trail, settle, words

DAY = datetime(2026, 1, 10, tzinfo=UTC)


def test_the_audience_says_what_customers_are_worth(
    ran: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AudiencePage(ran, trail))
    page.entered()
    settle(qtbot)
    found = ran.analyses.customers()
    assert page.customers.isVisibleTo(page) == (found.customers > 0)
    if found.customers:
        assert f"{found.customers:,}" in words(page.customers)
        assert f"{100 * found.repeat_rate:.1f}" in words(page.customers)


def test_the_grid_tells_the_worth_of_each_so_far(
    ran: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    page = open_page(AudiencePage(ran, trail))
    settle(qtbot)
    card, counted = page.customers, ran.analyses.cohorts("month")
    card.figure.set_value("value_per_customer")
    card.figure.chosen.emit("value_per_customer")
    last = counted.filter(pl.col("complete"), pl.col("offset") > 0)["cohort"].max()
    own = counted.filter(pl.col("cohort") == last, pl.col("complete"), pl.col("offset") > 0)
    row = next(row for name, *row in card.chart.data_rows().values if name == f"{last:%b %Y}")
    assert [value for value in row if value is not None] == pytest.approx(own["value_per_customer"].to_list())
    assert card.chart.accessibleName().startswith("Worth of each so far")
    assert f"€ {ran.analyses.customers().value:,.0f}" in words(card)


def test_the_grid_leaves_open_what_is_not_over() -> None:
    orders = pl.DataFrame(
        {
            "contact_id": pl.Series([1, 1, 2, 2], dtype=pl.UInt32),
            "occurred_at": pl.Series([DAY, DAY + timedelta(days=31), DAY, DAY + timedelta(days=62)], dtype=AT),
            "value": [10.0, 5.0, 10.0, 5.0],
        }
    )
    grid = cohort_grid(cohorts(orders))
    assert grid.row_labels == ["Jan 2026"]
    assert grid.values[0][0] == pytest.approx(0.5)
    assert grid.values[0][1:] == [None] * 5, "March is not over, and later months have not begun"
