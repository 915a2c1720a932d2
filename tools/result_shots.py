"""The analytics and experiments screens in every state they can be in, over a fortnight of two workflows.

States that only other figures would bring are shown with the verdict replaced. Absent on purpose: figures made up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from PySide6.QtWidgets import QApplication, QWidget

from studio.connectors import demo_shop
from studio.experiments.result import Decision, Verdict
from studio.ui import widgets as w
from studio.ui.screens.analytics.screen import AnalyticsPage
from studio.ui.screens.experiments.screen import ExperimentsPage
from studio.ui.shell import MainWindow
from studio.workspace.demo import demo_options, fill_demo
from studio.workspace.trials import Trial
from studio.workspace.workspace import Workspace
from tools.screen_shots import empty_workspace, real_window, settle

RUN_DAYS = 24


@cache
def fortnight() -> Workspace:
    """The demo shop after some weeks of two workflows."""
    workspace = empty_workspace("results")
    fill_demo(workspace, 1)
    story = workspace.templates
    ranked = [card.template for card in story.recommend(story.context()).recommendations]
    options = replace(demo_options(1), until=demo_shop.START + timedelta(days=RUN_DAYS), step="PT12H")
    for template in dict.fromkeys(("cart-recovery", *ranked[:2])):
        made = story.create(template, story.context())
        workspace.runs.wait(workspace.runs.start(made.workflow, options, workflow_id=made.workflow_id))
    return workspace


def results(
    page_id: str, target: str = "", then: Callable[[MainWindow], object] | None = None
) -> Callable[[], QWidget]:
    """Makes the main window with a screen in front and everything on it read; `then` brings it into a state."""

    def make() -> QWidget:
        shown = real_window(fortnight())
        shown.resize(1440, 900)
        shown.show()
        shown.go(page_id, target)
        settle()
        if then is not None:
            then(shown)
            settle()
        return shown

    return make


def lower(share: float) -> Callable[[MainWindow], None]:
    """Scrolls the screen down."""

    def scroll(window: MainWindow) -> None:
        for _round in range(4):
            QApplication.processEvents()
        page = window.pages.page
        assert page is not None
        for area in page.findChildren(w.ScrollColumn):
            if area.isVisible():
                area.verticalScrollBar().setValue(round(share * area.verticalScrollBar().maximum()))

    return scroll


def asked(question: str) -> Callable[[MainWindow], None]:
    """Asks a question in words."""

    def ask(window: MainWindow) -> None:
        page = window.pages.page
        assert isinstance(page, AnalyticsPage)
        page.run.ask()
        page.run.asking.line.setText(question)
        page.run.asking.ask()

    return ask


def judged(verdict: Verdict, variant: str | None, reason: str) -> Callable[[MainWindow], None]:
    """The experiment with another verdict."""

    def show(window: MainWindow) -> None:
        page = window.pages.page
        assert isinstance(page, ExperimentsPage)
        trial = page.trial
        assert trial is not None
        page.show_trials((_with(trial, Decision(verdict=verdict, variant=variant, reasons=(reason,))),))

    return show


def shipped(window: MainWindow) -> None:
    """The experiment whose winner stands in the template."""
    page = window.pages.page
    assert isinstance(page, ExperimentsPage)
    trial = page.trial
    assert trial is not None
    page.show_trials((replace(trial, shipped="B"),))


def planning(window: MainWindow) -> None:
    """The planner, open."""
    page = window.pages.page
    assert isinstance(page, ExperimentsPage)
    page.open_planner()


def _with(trial: Trial, decision: Decision) -> Trial:
    analysis = replace(trial.result.analysis, decision=decision)
    return replace(trial, result=replace(trial.result, analysis=analysis))
