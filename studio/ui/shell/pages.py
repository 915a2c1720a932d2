"""Screens: what the shell needs to know of one, and the stack that builds each when it is first opened.

Absent on purpose: what is on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.ui.faults import explain, faults
from studio.ui.shell.actions import Action
from studio.ui.shell.top_bar import Crumb
from studio.ui.widgets.messages import ErrorPanel


class Page(QWidget):
    """A screen. Emit `place_changed` when crumbs, note, extras or actions of it have changed."""

    place_changed = Signal()
    help_topic = ""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def crumbs(self) -> Sequence[Crumb]:
        """The way to what is shown."""
        return [Crumb(self.title)]

    def note(self) -> str:
        """Grey words behind the crumbs (“v7 · run #128”)."""
        return ""

    def extras(self) -> Sequence[QWidget]:
        """New small widgets for the top bar, behind the crumbs; the bar owns them."""
        return ()

    def actions_here(self) -> Sequence[Action]:
        """Actions that exist while this screen is in front."""
        return ()

    def entered(self, target: str = "") -> None:
        """The screen came to the front. `target` names what to show on it, empty: whatever it showed last."""

    def left(self) -> None:
        """Another screen came to the front: stop timers and live updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec:
    """`build` is called once, when the screen is first opened."""

    id: str
    title: str
    icon: str
    build: Callable[[], Page]
    at_bottom: bool = False


class PageStack(QStackedWidget):
    """Builds lazily. A screen that cannot be built says so in its place and offers to try again."""

    def __init__(self, specs: Sequence[PageSpec]) -> None:
        super().__init__()
        self.specs = {spec.id: spec for spec in specs}
        self._built: dict[str, Page] = {}
        self.current_id = ""

    def open(self, page_id: str, target: str = "") -> Page:
        """Brings a screen to the front. Raises KeyError for one there is not."""
        page = self._built.get(page_id) or self._build(self.specs[page_id])
        before = self._built.get(self.current_id)
        if before is not None and before is not page:
            before.left()
        self.current_id = page_id
        self.setCurrentWidget(page)
        page.entered(target)
        return page

    def prepare(self, page_id: str) -> None:
        """Builds a screen that will be opened sooner or later; nothing when it is there."""
        if page_id in self._built:
            return
        try:
            page = self.specs[page_id].build()
        except Exception:  # noqa: BLE001 - it is told when somebody opens the screen
            return
        self._built[page_id] = page
        page.resize(self.size())
        self.addWidget(page)

    def lay_out(self, page_id: str) -> None:
        """Has Qt lay out and paint, unseen, what it does when a screen comes into sight for the first time."""
        page = self._built.get(page_id)
        if page is not None and page.isHidden():
            page.grab()

    @property
    def page(self) -> Page | None:
        return self._built.get(self.current_id)

    def built(self) -> dict[str, Page]:
        """The screens opened so far."""
        return dict(self._built)

    def _build(self, spec: PageSpec) -> Page:
        try:
            page = spec.build()
        except Exception as error:  # noqa: BLE001 - a broken screen must not take the others with it
            faults().report(error)
            page = _FailedPage(spec.title, error, lambda: self._again(spec))
        self._built[spec.id] = page
        self.addWidget(page)
        return page

    def _again(self, spec: PageSpec) -> None:
        failed = self._built.pop(spec.id)
        self.open(spec.id)
        self.removeWidget(failed)
        failed.deleteLater()


class _FailedPage(Page):
    def __init__(self, title: str, error: Exception, retry: Callable[[], object]) -> None:
        super().__init__(title)
        box = QVBoxLayout(self)
        box.setContentsMargins(40, 30, 40, 30)
        box.addWidget(ErrorPanel.for_error(explain(error), [("Try again", retry)]))
        box.addStretch(1)
