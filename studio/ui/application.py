"""Brings up Qt for the program: names, look, keyboard focus, the net under every slot.

Absent on purpose: the window and the workspace behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from studio import __version__
from studio.ui import faults
from studio.ui.focus import KeyboardFocus
from studio.ui.preferences import Preferences
from studio.ui.theme import theme


def prepare(arguments: Sequence[str] = ("studio",)) -> QApplication:
    """The one QApplication, ready to show windows. Call once; a second call answers the first one's application."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QApplication.setApplicationName("Flowlight Studio")
    QApplication.setApplicationVersion(__version__)
    QApplication.setOrganizationName("Flowlight")
    app = QApplication(list(arguments))
    theme().install(app)
    KeyboardFocus(app)
    faults.catch_the_rest()
    return app


def settings() -> QSettings:
    """Where the window's own preferences are kept, per person and computer."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Flowlight", "Studio")


def apply_preferences() -> Preferences:
    """Reads the person's preferences and puts the look into force."""
    preferences = Preferences(settings())
    preferences.apply()
    return preferences
