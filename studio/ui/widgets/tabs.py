"""Underlined tabs, as in the inspector and the panel below the canvas.

Absent on purpose: closable and movable tabs.
"""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget, QWidget


class Tabs(QTabWidget):
    """Pages by name. `currentChanged` as in Qt."""

    def __init__(self, name: str, pages: dict[str, QWidget] | None = None) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.setAccessibleName(name)
        self.tabBar().setAccessibleName(name)
        self.tabBar().setExpanding(False)
        self.setUsesScrollButtons(True)
        for title, page in (pages or {}).items():
            self.addTab(page, title.replace("&", "&&"))

    def set_title(self, page: QWidget, title: str) -> None:
        """Another name for a page."""
        place, text = self.indexOf(page), title.replace("&", "&&")
        if self.tabText(place) != text:  # Qt lays everything around out anew even for the same text
            self.setTabText(place, text)

    def show_page(self, page: QWidget) -> None:
        self.setCurrentWidget(page)

    @property
    def title(self) -> str:
        """The name of the page in front."""
        return self.tabText(self.currentIndex()).replace("&&", "&")
