"""The window around the screens. `from studio.ui.shell import MainWindow, Page, PageSpec, Action, Crumb`.

Absent on purpose: the screens.
"""

from studio.ui.shell.actions import Action, ActionRegistry
from studio.ui.shell.command_palette import Found
from studio.ui.shell.pages import Page, PageSpec
from studio.ui.shell.top_bar import Crumb
from studio.ui.shell.window import MainWindow

__all__ = ["Action", "ActionRegistry", "Crumb", "Found", "MainWindow", "Page", "PageSpec"]
