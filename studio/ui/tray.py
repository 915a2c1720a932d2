"""Runs that go on while nobody looks: what fell due is reported, the tray keeps the program, one action stops it all.

Absent on purpose: deciding what is due or held (`workspace.unattended`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from studio.ui import icons
from studio.ui.background import run_in_background
from studio.ui.faults import guarded
from studio.ui.shell import Action, MainWindow
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.workspace.unattended import TakenUp

STOP = "Emergency stop: let nothing go out"
RELEASE = "Take the emergency stop back"


class Tray(QObject):
    """The tray icon and the emergency stop of one window. `has_live_runs` says whether closing would leave people."""

    def __init__(
        self,
        window: MainWindow,
        workspace: Workspace,
        *,
        has_live_runs: Callable[[], bool],
        watch: Callable[[str], None],
        on_change: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workspace = workspace
        self._has_live_runs = has_live_runs
        self._watch = watch
        self._on_change = on_change
        self._is_quitting = False
        self._shows: Callable[[], object] | None = None
        """What the message on the desktop is about."""
        window.commands.add(
            Action(
                id="emergency.stop",
                title=STOP,
                run=self.stop,
                group="Runs",
                icon="octagon-x",
                keywords="halt pause everything sending",
                is_enabled=lambda: not self.is_stopped,
            ),
            Action(
                id="emergency.release",
                title=RELEASE,
                run=self.release,
                group="Runs",
                icon="play",
                keywords="resume continue",
                is_enabled=lambda: self.is_stopped,
            ),
        )
        self.icon = self._made() if QSystemTrayIcon.isSystemTrayAvailable() else None
        window.stays = self._stays

    @property
    def is_stopped(self) -> bool:
        """Whether everything outward is held."""
        return bool(self._workspace.unattended.stop_words)

    def report(self) -> None:
        """Lets what fell due while the program was closed happen, and says so."""
        run_in_background(self._taken_up, self._told, owner=self._window)

    def _taken_up(self) -> TakenUp:
        """In the background even to the loading of the engine."""
        return self._workspace.unattended.take_up()

    def tell_end(self, name: str, words: str, show: Callable[[], object]) -> None:
        """A run has ended: said on the desktop when the window is not the one in front; a click there opens it."""
        if self.icon is not None and not self._window.isActiveWindow():
            self._shows = show
            self.icon.showMessage(name, words)

    def _open_told(self) -> None:
        self._show()
        show, self._shows = self._shows, None
        if show is not None:
            show()

    def stop(self) -> None:
        """Nothing goes out any more, from now on, until it is taken back."""
        self._workspace.unattended.stop_everything()
        self._window.toast(
            "Everything that goes out is held. Messages that a server was just taking are finished.",
            button="Take back",
            on_button=self.release,
            tone="bad",
        )
        self._on_change()

    def release(self) -> None:
        """What was held goes on."""

        def told(taken: TakenUp) -> None:
            self._told(taken)
            self._window.toast("The emergency stop is taken back.")
            self._on_change()

        run_in_background(self._workspace.unattended.release, told, owner=self._window)

    def _told(self, taken: TakenUp) -> None:
        for missed in taken.asked:
            due = f"{missed.due_at:%d %b, %H:%M} UTC"
            self._window.toast(
                f"{missed.name}: {missed.people:,} people were due at “{missed.label}” on {due}. "
                "That is long ago, so the run waits for you.",
                button="Go on",
                on_button=lambda run_id=missed.run_id: self._workspace.runs.go_on(run_id),
            )
        for run_id in taken.started:
            self._watch(run_id)
        if taken.started:
            count = len(taken.started)
            self._window.toast(
                f"{count} run{'' if count == 1 else 's'} went on where {'it' if count == 1 else 'they'} stood."
            )

    def _made(self) -> QSystemTrayIcon:
        menu = QMenu(self._window)
        for title, run in (
            ("Open Flowlight Studio", self._show),
            (STOP, self.stop),
            (RELEASE, self.release),
            ("Quit", self._quit),
        ):
            menu.addAction(title).triggered.connect(guarded(lambda _=False, act=run: act()))
        menu.aboutToShow.connect(guarded(lambda: self._enable(menu)))
        tray = QSystemTrayIcon(icons.icon("workflow", "accent", 32), self)
        tray.setToolTip("Flowlight Studio")
        tray.setContextMenu(menu)
        tray.activated.connect(guarded(self._clicked))
        tray.messageClicked.connect(guarded(self._open_told))
        tray.show()
        return tray

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._show()

    def _enable(self, menu: QMenu) -> None:
        _, stop, release, _ = menu.actions()
        stop.setVisible(not self.is_stopped)
        release.setVisible(self.is_stopped)

    def _show(self) -> None:
        self._window.showNormal()
        self._window.raise_()
        self._window.activateWindow()

    def _quit(self) -> None:
        self._is_quitting = True
        self._window.close()

    def _stays(self) -> bool:
        """Whether closing the window only hides it: something goes on in real time, and the tray can bring it back."""
        if self.icon is None or self._is_quitting or not self._has_live_runs():
            return False
        self.icon.showMessage("Flowlight Studio", "Runs go on here. The icon opens the window again, or ends it all.")
        return True
