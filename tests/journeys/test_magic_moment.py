"""The whole loop through the real window: Home, template, canvas, run, analytics, experiment, winner written back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from studio.connectors import demo_shop
from studio.domain.run import RunView, fold
from studio.ui import app, background
from studio.ui.application import prepare
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.workspace import Workspace

PATIENCE_MS = 120_000


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Studio]:
    """A window on an own, empty workspace; demos are three quarters of their size, in a folder of the test's."""
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "own"))
    smaller = partial(demo_shop.make_demo_shop, customers=9_000, carts_per_day=540)
    monkeypatch.setattr(demo_shop, "make_demo_shop", smaller)
    monkeypatch.setattr("studio.workspace.demo.STEP", "P1D")
    prepare()
    opened = app.Studio(Workspace.open(tmp_path / "own"), keep_size=False)
    opened.window.resize(1440, 900)
    opened.window.show()
    yield opened
    for window in (*app.open_windows(), opened):
        window.close()


def button(widget: QWidget, text: str) -> QAbstractButton | None:
    shown = [b for b in widget.findChildren(QAbstractButton) if b.isVisible()]
    exact = [b for b in shown if b.text().strip() == text]
    return next(iter(exact or [b for b in shown if b.text().startswith(text + " ")]), None)


def press(qtbot: QtBot, widget: QWidget, text: str) -> None:
    qtbot.waitUntil(lambda: (b := button(widget, text)) is not None and b.isEnabled(), timeout=PATIENCE_MS)
    qtbot.mouseClick(button(widget, text), Qt.MouseButton.LeftButton)


def test_from_home_to_the_promoted_winner_in_three_clicks_and_one(qtbot: QtBot, studio: app.Studio) -> None:
    press(qtbot, studio.window, "Open the demo")
    qtbot.waitUntil(lambda: bool(app.open_windows()), timeout=PATIENCE_MS)
    demo = app.open_windows()[-1]
    assert demo.workspace.people.count() == 9_000

    press(qtbot, demo.window, "Use template")
    if demo.window.pages.current_id == "templates":
        press(qtbot, demo.window, "Create workflow")
    qtbot.waitUntil(lambda: demo.window.pages.current_id == "canvas", timeout=PATIENCE_MS)
    canvas = demo.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    qtbot.waitUntil(lambda: bool(canvas.workflow_id), timeout=PATIENCE_MS)
    assert canvas.workflow.template.id == "cart-recovery"

    before = cart_recovery_score(demo.workspace)
    press(qtbot, demo.window, "Run")
    qtbot.waitUntil(lambda: bool(canvas.run_id), timeout=PATIENCE_MS)
    runs = demo.workspace.runs
    qtbot.waitUntil(lambda: not runs.is_running(canvas.run_id), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool(demo.workspace.templates.outcomes()), timeout=PATIENCE_MS)
    report = runs.report(canvas.run_id)
    assert report.status == "done"
    assert report.contacts == 540 * demo_shop.CART_DAYS

    assert cart_recovery_score(demo.workspace) > before, "a good result ranks the template higher"
    demo.go("analytics", canvas.run_id)
    insight = demo.workspace.insights.of_run(canvas.run_id)
    assert insight.returned.increment is not None
    assert not insight.returned.increment.indistinguishable

    demo.go("experiments", canvas.run_id)
    press(qtbot, demo.window, "Ship B")
    qtbot.waitUntil(lambda: bool(demo.workspace.templates.promotions()), timeout=PATIENCE_MS)
    promotion = demo.workspace.templates.promotions()[-1]
    assert (promotion.template, promotion.parameter) == ("cart-recovery", "subject")
    filled = {p.name: p for p in demo.workspace.templates.fill("cart-recovery", demo.workspace.templates.context())}
    assert filled["subject"].value == promotion.to_value

    live = canvas.watch.live
    demo.go("home")
    demo.open_run(canvas.run_id)
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    again = fold(RunView(canvas.run_id), runs.events(canvas.run_id))
    assert canvas.watch.live == live == again


def cart_recovery_score(workspace: Workspace) -> float:
    ranked = workspace.templates.recommend(workspace.templates.context()).recommendations
    return next(r.score for r in ranked if r.template == "cart-recovery")
