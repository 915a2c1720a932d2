"""How the window looks on this computer, where the workspace lies, and who sends from it.

Absent on purpose: settings of workflows; those lie with the workflow.
"""

from __future__ import annotations

import platform
from typing import cast

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QWidget

from studio import __version__
from studio.ui import widgets as w
from studio.ui.application import settings
from studio.ui.preferences import Preferences
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.settings.reports import ReportsCard
from studio.ui.screens.settings.sending import SendingCard
from studio.ui.shell import Page
from studio.ui.theme import SchemeChoice
from studio.workspace.workspace import Workspace

SCHEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}
SIZES = {"1.0": "100 %", "1.25": "125 %", "1.5": "150 %", "1.75": "175 %", "2.0": "200 %"}


class SettingsPage(Page):
    """Every change takes effect at once and is kept; only the sender is saved by its button."""

    help_topic = "settings"

    def __init__(self, workspace: Workspace, navigator: Navigator, preferences: Preferences | None = None) -> None:
        """`preferences`: where choices are kept; by default with the person's other preferences."""
        super().__init__("Settings")
        self._workspace, self._navigator = workspace, navigator
        self._preferences = preferences or Preferences(settings())
        self.scheme = w.Segmented(SCHEMES, self._preferences.scheme, name="Light or dark")
        self.text_size = w.Segmented(SIZES, _nearest_size(self._preferences.text_scale), name="Text size")
        self.motion = QCheckBox("Keep movement to a minimum")
        self.scheme.chosen.connect(self._set_scheme)
        self.text_size.chosen.connect(self._set_size)
        self.motion.toggled.connect(self._set_motion)
        body = w.ScrollColumn(margins=(40, 26, 40, 26), spacing=16, width_max=820)
        body.add(w.PageHeader("Settings", "Kept on this computer"))
        self.sending = SendingCard(workspace.sending, navigator)
        self.reports = ReportsCard(workspace.sharing)
        for card in (self._look(), self.sending, self.reports, self._place(), self._about()):
            body.add(card)
        body.add(w.STRETCH)
        self.setLayout(w.column(body, spacing=0))
        self.refresh()

    def entered(self, target: str = "") -> None:  # noqa: ARG002 - the page has one view
        self.refresh()

    def refresh(self) -> None:
        """Shows the choices now in force."""
        self.scheme.set_value(self._preferences.scheme)
        self.text_size.set_value(_nearest_size(self._preferences.text_scale))
        self.motion.setChecked(self._preferences.reduced_motion)
        self.sending.refresh()
        self.reports.refresh()

    def _look(self) -> w.Card:
        card = w.Card("Look")
        card.add(_line("Light or dark", self.scheme), w.Hairline(), _line("Text size", self.text_size), w.Hairline())
        card.add(self.motion)
        return card

    def _place(self) -> w.Card:
        folder = str(self._workspace.folder)
        card = w.Card("Workspace")
        where = w.Text(folder, "body", selectable=True)
        where.setAccessibleName(f"Workspace folder: {folder}")
        card.add(w.Text("Everything of this workspace lies in one folder on this computer.", "body", "muted"), where)
        card.add(
            w.flowing(
                w.SecondaryButton("Show folder", self._show_folder, icon="folder-open"),
                w.SecondaryButton("Copy path", lambda: self._copy(folder), icon="copy"),
            )
        )
        return card

    def _about(self) -> w.Card:
        card = w.Card("About")
        card.add(
            w.Text(f"Flowlight Studio {__version__}", "strong"),
            w.Text(f"Python {platform.python_version()} on {platform.system()}, licence Apache-2.0", "body", "muted"),
        )
        return card

    def _show_folder(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._workspace.folder))):
            self._navigator.notify("No file manager answered; copy the path instead")

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._navigator.notify("The folder's path was copied")

    def _set_scheme(self, choice: str) -> None:
        self._preferences.scheme = cast("SchemeChoice", choice)

    def _set_size(self, scale: str) -> None:
        self._preferences.text_scale = float(scale)

    def _set_motion(self, reduced: bool) -> None:
        self._preferences.reduced_motion = reduced


def _line(label: str, control: QWidget) -> QWidget:
    return w.panel(w.column(w.Text(label, "secondary", "secondary"), w.row(control, w.STRETCH), spacing=6))


def _nearest_size(scale: float) -> str:
    return min(SIZES, key=lambda size: abs(float(size) - scale))
