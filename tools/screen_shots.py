"""Real screens over a real demo workspace, brought into the state to photograph.

Absent on purpose: the wiring of the program; what a screen asks of the window leads nowhere here.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QWidget

from studio.connectors import demo_shop
from studio.ui import background
from studio.ui.screens.analytics.screen import AnalyticsPage
from studio.ui.screens.audience.screen import AudiencePage
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.ui.screens.experiments.screen import ExperimentsPage
from studio.ui.screens.health import HealthPage
from studio.ui.screens.home.screen import HomePage
from studio.ui.screens.runs.screen import RunsPage
from studio.ui.screens.settings.screen import SettingsPage
from studio.ui.screens.templates.screen import TemplatesPage
from studio.ui.shell import MainWindow, Page, PageSpec
from studio.workspace.demo import demo_options, demo_shop_end, fill_demo
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

RUN_DAYS = 4
MORNING = datetime(2026, 3, 6, 8, tzinfo=UTC)


class Nowhere:
    """A navigator that goes nowhere."""

    def go(self, page_id: str, target: str = "") -> None: ...
    def open_workflow(self, workflow_id: str) -> None: ...
    def open_run(self, run_id: str) -> None: ...
    def run_workflow(self, workflow_id: str) -> None: ...
    def open_demo(self) -> None: ...
    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None: ...
    def watch(self, run_id: str) -> None: ...
    def set_clock(self, clock: str) -> None: ...
    def run_options(self) -> RunOptions:
        return demo_options(1)

    def dry_run_options(self) -> RunOptions:
        return replace(demo_options(1), as_of=demo_shop_end())


@cache
def demo_workspace() -> Workspace:
    """The demo shop with a few days of its best suited workflow; closed when the program ends."""
    workspace = empty_workspace("demo")
    fill_demo(workspace, 1)
    story = workspace.templates
    made = story.create(story.recommend(story.context()).recommendations[0].template, story.context())
    options = replace(demo_options(1), until=demo_shop.START + timedelta(days=RUN_DAYS), step="PT12H")
    workspace.runs.wait(workspace.runs.start(made.workflow, options, workflow_id=made.workflow_id))
    return workspace


@cache
def empty_workspace(name: str = "empty") -> Workspace:
    """A workspace in which nothing was ever done."""
    folder = tempfile.TemporaryDirectory(prefix="studio-shots-")
    workspace = Workspace.open(Path(folder.name) / name)
    atexit.register(folder.cleanup)
    atexit.register(workspace.close)
    return workspace


def window(page_id: str, *, empty: bool = False) -> Callable[[], QWidget]:
    """Makes the main window with the screen in front, everything on it read."""

    def make() -> QWidget:
        workspace = empty_workspace() if empty else demo_workspace()
        shown = real_window(workspace, "My workspace" if empty else "Bloom & Barley")
        shown.go(page_id)
        settle()
        return shown

    return make


def real_window(workspace: Workspace, name: str = "Bloom & Barley") -> MainWindow:
    """The main window with all screens over a workspace."""
    shown = MainWindow(pages(workspace))
    shown.set_workspace(name)
    shown.set_status("done", "All systems fine")
    return shown


def settle() -> None:
    """Lets everything that is being fetched arrive."""
    while background.under_way():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def pages(workspace: Workspace) -> Sequence[PageSpec]:
    """The program's screens on a workspace."""

    def spec(page_id: str, title: str, icon: str, build: Callable[[], Page], *, at_bottom: bool = False) -> PageSpec:
        return PageSpec(id=page_id, title=title, icon=icon, build=build, at_bottom=at_bottom)

    return [
        spec("home", "Home", "house", lambda: HomePage(workspace, Nowhere(), lambda: MORNING)),
        spec("templates", "Templates", "layout-grid", lambda: TemplatesPage(workspace, Nowhere())),
        spec("canvas", "Canvas", "workflow", lambda: StudioCanvas(workspace, Nowhere())),
        spec("runs", "Runs", "history", lambda: RunsPage(workspace, Nowhere())),
        spec("analytics", "Analytics", "chart-column", lambda: AnalyticsPage(workspace, Nowhere())),
        spec("experiments", "Experiments", "flask-conical", lambda: ExperimentsPage(workspace, Nowhere())),
        spec("audience", "Audience", "users", lambda: AudiencePage(workspace, Nowhere())),
        spec("health", "Health", "activity", lambda: HealthPage(workspace, Nowhere()), at_bottom=True),
        spec("settings", "Settings", "settings", lambda: SettingsPage(workspace, Nowhere()), at_bottom=True),
    ]
