"""The desktop: puts window, screens and workspace together, and lets what the engine does reach the screen.

Absent on purpose: what the screens show, and any use case.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QTimer

from studio.domain.clock import utc_now
from studio.domain.errors import StudioError
from studio.ui.ahead import Ahead, loosen, settle
from studio.ui.application import apply_preferences, prepare, settings
from studio.ui.background import finish_writes, run_in_background
from studio.ui.faults import faults, guarded
from studio.ui.live_start import LiveStart
from studio.ui.question import ask
from studio.ui.rescue import rescued, tell_without_window
from studio.ui.shell import Action, MainWindow, Page, PageSpec
from studio.ui.shell.command_palette import Found
from studio.ui.tokens import STATES
from studio.ui.tray import Tray
from studio.ui.workspaces import RecentWorkspaces, workspace_actions
from studio.workspace.folder import default_folder
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.domain.ports import RunRow
    from studio.ui.screens.canvas.screen import StudioCanvas
    from studio.workspace.health import Pulse
    from studio.workspace.runs import RunOptions

FRAME_MS = 50
"""How often the events of runs are fetched: what is newer than that nobody sees sooner or later."""
SWITCH_S = 0.001
REFRESH_MS = 500
REPORTS_MS = 60_000
"""How often it is asked whether a scheduled report is due."""
PULSE_MS = 5_000
DEMO_SEED = 7
SCREENS = {
    "home": ("Home", "house", "home.screen", "HomePage"),
    "templates": ("Templates", "layout-grid", "templates.screen", "TemplatesPage"),
    "canvas": ("Canvas", "workflow", "canvas.screen", "StudioCanvas"),
    "runs": ("Runs", "clock", "runs.screen", "RunsPage"),
    "analytics": ("Analytics", "chart-column", "analytics.screen", "AnalyticsPage"),
    "experiments": ("Experiments", "flask-conical", "experiments.screen", "ExperimentsPage"),
    "audience": ("Audience", "users", "audience.screen", "AudiencePage"),
    "health": ("Health", "activity", "health", "HealthPage"),
    "settings": ("Settings", "settings", "settings.screen", "SettingsPage"),
}
"""By id: title, icon, and the module and class of the screen."""


class Studio(QObject):
    """One open window on one workspace. It is the `Navigator` of every screen."""

    def __init__(self, workspace: Workspace, *, keep_size: bool = True) -> None:
        super().__init__()
        self.workspace = workspace
        self.mode = "simulate"
        self.clock: str | None = None
        self._running: set[str] = set()
        self._beginning: set[str] = set()
        self._successor: Studio | None = None
        kept = settings() if keep_size else None
        self.window = MainWindow(self._pages(), kept)
        self._offer_workspaces(RecentWorkspaces(kept))
        self.window.set_status("idle", "Looking …")
        self.window.mode_chosen.connect(self._choose_mode)
        self.window.add_search(self._find_steps)
        self.window.closing.connect(self.close)
        self._frame = QTimer(self, interval=FRAME_MS)
        self._frame.timeout.connect(guarded(self._drain))
        self._frame.start()
        self._refresh = QTimer(self, interval=REFRESH_MS)
        self._refresh.timeout.connect(guarded(self._refresh_shown))
        self._refresh.start()
        self._pulse = QTimer(self, interval=PULSE_MS)
        self._pulse.timeout.connect(guarded(self._feel_pulse))
        self._pulse.start()
        self._reports = QTimer(self, interval=REPORTS_MS)
        self._reports.timeout.connect(guarded(self._write_due))
        self._reports.start()
        self._live = LiveStart(workspace, self.window)
        self.is_closed = False
        self._is_unwell = False
        self.tray = Tray(
            self.window,
            workspace,
            has_live_runs=self._has_live_runs,
            watch=self.watch,
            on_change=self._feel_pulse,
        )
        self.window.go("home")
        self._feel_pulse()
        self.tray.report()

    def _has_live_runs(self) -> bool:
        runs = self.workspace.runs
        return any(runs.get(run_id).clock == "real" and runs.is_running(run_id) for run_id in self._running)

    def _write_due(self) -> None:
        run_in_background(self._due_report, self._report_written, owner=self.window)

    def _due_report(self) -> Path | None:
        return self.workspace.sharing.write_due()

    def _report_written(self, file: Path | None) -> None:
        if file is not None:
            self.notify(f"The scheduled report was written: {file.name}")

    def _pages(self) -> list[PageSpec]:
        return [
            PageSpec(
                id=page_id,
                title=title,
                icon=icon,
                build=partial(self._page, page_id),
                at_bottom=page_id in ("health", "settings"),
            )
            for page_id, (title, icon, _, _) in SCREENS.items()
        ]

    def _page(self, page_id: str) -> Page:
        """A screen is loaded when it is first opened: Home need not wait for nine."""
        _, _, module, name = SCREENS[page_id]
        return getattr(import_module(f"studio.ui.screens.{module}"), name)(self.workspace, self)

    def _offer_workspaces(self, recent: RecentWorkspaces) -> None:
        folder = self.workspace.folder
        recent.remember(folder)
        offered = workspace_actions(self.window, folder, recent, self.open_workspace)
        demo = Action(
            id="workspace.demo", title="Open the demo", run=self.open_demo, group="Workspace", icon="flask-conical"
        )
        self.window.commands.add(*offered, demo)
        self.window.set_workspace(self.workspace.name, [action.id for action in (*offered, demo)])

    def get_ready(self) -> Ahead:
        """Makes the other screens ready while the window rests."""
        settle()
        loads: list[Callable[[], object]] = [
            partial(import_module, f"studio.ui.screens.{module}") for _, _, module, _ in SCREENS.values()
        ]
        loads.append(self._read_forms)
        pages = self.window.pages
        steps = [partial(make, page_id) for page_id in SCREENS for make in (pages.prepare, pages.lay_out)]
        return Ahead(self.window, loads, steps)

    def _read_forms(self) -> None:
        """Finds all node types and what their forms ask for, which is kept."""
        from studio.ui.canvas.form_schema import fields_of

        for kind in self.workspace.workflows.catalogue.values():
            fields_of(kind.Parameters)

    def go(self, page_id: str, target: str = "") -> None:
        self.window.go(page_id, target)

    def open_workflow(self, workflow_id: str) -> None:
        self.window.go("canvas", f"workflow:{workflow_id}")

    def open_run(self, run_id: str) -> None:
        self.window.go("canvas", f"run:{run_id}")

    def run_workflow(self, workflow_id: str, *, to_node: str | None = None, from_node: str | None = None) -> None:
        """Checks and starts off the Qt thread; the canvas shows the run as soon as it stands in the store.

        It holds at the workflow's breakpoints. `to_node`, `from_node`: only this part of it.
        """

        def start() -> str:
            workflow = self.workspace.workflows.get(workflow_id)
            aids = self.workspace.debugging.aids(workflow, workflow_id, to_node=to_node, from_node=from_node)
            # What is pinned is not what people really are: nothing of it goes to them.
            options = replace(self.run_options(), aids=replace(aids, pins=()) if self.mode == "live" else aids)
            return self.workspace.runs.start(workflow, options, workflow_id=workflow_id, is_attended=True)

        def started(run_id: str) -> None:
            self._beginning.discard(workflow_id)
            self._started(run_id)

        def failed(error: Exception) -> None:
            self._beginning.discard(workflow_id)
            faults().report(error)

        def go() -> None:
            if workflow_id not in self._beginning:  # two clicks are one run
                self._beginning.add(workflow_id)
                run_in_background(start, started, failed, owner=self.window)

        if self.mode == "live":
            self._live.ask(workflow_id, self.run_options(), go)
        else:
            go()

    def run_options(self) -> RunOptions:
        """What a run started in this window is asked for: the mode chosen above, and the demo's own time in a demo."""
        from studio.workspace.demo import demo_options, is_demo
        from studio.workspace.runs import RunOptions

        if self.mode != "simulate":
            return RunOptions(mode=self.mode)  # type: ignore[arg-type] - one of the switch's three modes
        options = demo_options(DEMO_SEED) if is_demo(self.workspace) else RunOptions()
        return replace(options, clock=self.clock) if self.clock is not None else options

    def dry_run_options(self) -> RunOptions:
        """Those of a run; a dry run of the demo stands where its shop has something to look back on."""
        from studio.workspace.demo import demo_shop_end, is_demo

        options = self.run_options()
        return replace(options, as_of=demo_shop_end()) if is_demo(self.workspace) else options

    def set_clock(self, clock: str) -> None:
        """The speed of simulated runs started from now on; real mail takes real time."""
        self.clock = clock

    def open_demo(self) -> None:
        def make() -> Workspace:
            from studio.workspace.demo import demo_folder, fill_demo

            workspace = Workspace.open(demo_folder(None))
            fill_demo(workspace, DEMO_SEED)
            return workspace

        self.notify("Making the demo shop …")
        run_in_background(make, self._replace_workspace, owner=self.window)

    def open_workspace(self, folder: Path) -> None:
        """In a window that takes this one's place; a new or empty folder becomes a workspace."""
        run_in_background(lambda: Workspace.open(folder), self._replace_workspace, owner=self.window)

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        self.window.toast(text, undo=undo)

    def go_back(self, backup: str) -> None:
        """Asks, puts a backup in this workspace's place, and opens it in a window that takes this one's."""
        words = (
            "The workspace as it is now is set aside, not deleted. Runs that had something to send are held, "
            "for it may have gone out since."
        )
        ask(self.window, "Go back to this backup?", words, "Go back", lambda: self._put_back(backup))

    def close(self) -> None:
        """Lets runs finish the message they are at; they can be resumed."""
        if self.is_closed:
            return
        self._leave()
        self.workspace.close()
        loosen()
        # Another workspace may have taken its place: a closed window would keep its screens for ever.
        self.window.deleteLater()

    def _leave(self) -> None:
        self.is_closed = True
        self._frame.stop()
        self._refresh.stop()
        self._reports.stop()
        self._pulse.stop()
        finish_writes()

    def _put_back(self, backup: str) -> None:
        folder = self.workspace.folder
        self.window.setEnabled(False)
        self.notify("Going back …")
        self._leave()

        def work() -> tuple[Workspace, StudioError | None]:
            from studio.workspace.backups import go_back

            self.workspace.close()
            try:
                go_back(folder, backup, utc_now())
            except StudioError as error:
                return Workspace.open(folder), error
            return Workspace.open(folder), None

        run_in_background(work, self._gone_back, owner=self.window)

    def _gone_back(self, found: tuple[Workspace, StudioError | None]) -> None:
        workspace, error = found
        self._replace_workspace(workspace)
        self.window.deleteLater()
        if error is not None:
            faults().report(error)
        elif self._successor is not None:
            self._successor.notify("The workspace is as it was then")

    def watch(self, run_id: str) -> None:
        """A run is going on: its end is noticed."""
        self._running.add(run_id)

    def _started(self, run_id: str) -> None:
        self.watch(run_id)
        self.open_run(run_id)

    def _drain(self) -> None:
        if not self.workspace.at_work:
            return
        events = self.workspace.runs.drain()
        canvas = self.window.pages.built().get("canvas")
        if events and canvas is not None:
            cast("StudioCanvas", canvas).take(events)
        for run_id in [run_id for run_id in self._running if not self.workspace.runs.is_running(run_id)]:
            self._running.discard(run_id)
            run_in_background(lambda ended=run_id: self._end(ended), self._tell_end, owner=self.window)

    def _end(self, run_id: str) -> RunRow:
        self.workspace.runs.ended(run_id)
        return self.workspace.runs.get(run_id)

    def _tell_end(self, run: RunRow) -> None:
        word = STATES[run.state].word
        self.notify(f"{run.name}: {word}.")
        self.tray.tell_end(run.name, f"The run is {word}.", lambda: self.open_run(run.run_id))
        self._refresh_shown()
        self._feel_pulse()

    def _feel_pulse(self) -> None:
        run_in_background(self._felt, self._show_pulse, self._no_pulse, owner=self.window)

    def _felt(self) -> Pulse:
        """In the background even to the loading of what feels it."""
        return self.workspace.health.pulse()

    def _no_pulse(self, error: Exception) -> None:
        if self.is_closed:
            return
        self.window.set_status("failed", "The workspace cannot be read")
        if not self._is_unwell:  # said once is enough; it is looked at again, for a disk may come back
            self._is_unwell = True
            raise error

    def _show_pulse(self, pulse: Pulse) -> None:
        self._is_unwell = False
        if self.tray.is_stopped:
            self.window.set_status("failed", "Emergency stop: nothing goes out")
        else:
            self.window.set_status(pulse.state, pulse.words)

    def _refresh_shown(self) -> None:
        page = self.window.pages.page
        if self._running and page is not None and hasattr(page, "refresh"):
            page.refresh()

    def _find_steps(self, query: str) -> Sequence[Found]:
        """For the command palette: the steps of the workflow in front."""
        canvas = self.window.pages.built().get("canvas")
        is_in_front = canvas is not None and canvas is self.window.pages.page
        return cast("StudioCanvas", canvas).find_steps(query) if is_in_front else ()

    def _choose_mode(self, mode: str) -> None:
        self.mode = mode
        self.window.set_mode(mode)

    def _replace_workspace(self, workspace: Workspace) -> None:
        self._successor = Studio(workspace)
        self._successor.window.setGeometry(self.window.geometry())
        self._successor.window.show()
        keep(self._successor)
        self.window.close()
        if self in _open:
            self._successor.get_ready()


_open: list[Studio] = []


def keep(studio: Studio) -> None:
    """Holds on to a window's studio for as long as the program runs; Qt does not own it."""
    _open.append(studio)


def open_windows() -> tuple[Studio, ...]:
    """The windows that are open, oldest first."""
    return tuple(studio for studio in _open if not studio.is_closed)


def main(argv: Sequence[str]) -> int:
    """Opens the window on the asked workspace; the exit code when it is closed."""
    logging.basicConfig(level=logging.WARNING)
    arguments = _parsed(argv)
    # The engine's thread hands the interpreter over five times as often as usual, so that the window waits less for it.
    sys.setswitchinterval(SWITCH_S)
    application = prepare(["studio"])
    apply_preferences()
    try:
        workspace = _opened(arguments)
    except StudioError as error:
        faults().report(error)
        logging.getLogger(__name__).error("%s", error)
        tell_without_window(error)
        return 2
    studio = Studio(workspace)
    keep(studio)
    studio.window.show()
    studio.get_ready()
    code = application.exec()
    for opened in _open:
        opened.close()
    return code


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="studio")
    parser.add_argument("command", nargs="?", choices=["demo"])
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--seed", type=int, default=DEMO_SEED)
    return parser.parse_args(list(argv))


def _opened(arguments: argparse.Namespace) -> Workspace:
    try:
        return _workspace(arguments)
    except StudioError as error:
        workspace = rescued(error, arguments.workspace or default_folder())
        if workspace is None:
            raise
        return workspace


def _workspace(arguments: argparse.Namespace) -> Workspace:
    if arguments.command != "demo":
        return Workspace.open(arguments.workspace or default_folder())
    from studio.workspace.demo import demo_folder, fill_demo

    workspace = Workspace.open(demo_folder(arguments.workspace))
    fill_demo(workspace, arguments.seed)
    return workspace
