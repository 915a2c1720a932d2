"""The templates screen in the states that a person brings it into, and the form of a schedule.

Absent on purpose: the screen as it is opened (`screen_shots`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from studio.domain.workflow import Node, Workflow
from studio.nodes import catalogue
from studio.ui.canvas.form import ParameterForm
from studio.ui.charts import MiniGraph
from studio.ui.screens.templates.screen import TemplatesPage
from studio.ui.shell import MainWindow
from studio.ui.widgets import STRETCH, column, panel, row
from tools.screen_shots import demo_workspace, real_window, settle


def gallery(then: Callable[[TemplatesPage], object]) -> Callable[[], QWidget]:
    """Makes the main window with the templates screen, brought into a state once it is laid out."""

    def make() -> QWidget:
        shown = real_window(demo_workspace())
        shown.go("templates")
        settle()
        QTimer.singleShot(0, shown, lambda: then(_page(shown)))
        return shown

    return make


def _page(window: MainWindow) -> TemplatesPage:
    page = window.findChild(TemplatesPage)
    assert page is not None, "the templates screen is in front"
    return page


def _hovered(page: TemplatesPage) -> None:
    page.cards.findChildren(MiniGraph)[0].show_moment(0.62)


def _compared(page: TemplatesPage) -> None:
    page.cards.compare("cart-recovery")
    page.cards.compare("win-back")


def _searched(page: TemplatesPage) -> None:
    page.cards.search.setText("birthday")
    QApplication.processEvents()
    page.cards.ensureWidgetVisible(page.cards.search)


def _messages(page: TemplatesPage) -> None:
    page.cards.previewed.emit("win-back")


def _edited(page: TemplatesPage) -> None:
    page.panes.show_part("Settings")
    page.settings.edit("offer_code")


def _corrected(page: TemplatesPage) -> None:
    page.panes.show_part("Your business")
    page.business.edit_fact("goal")


def _favourites(page: TemplatesPage) -> None:
    for template in ("birthday", "webinar"):
        page.cards.favoured.emit(template, True)
        settle()
    page.cards.show_shelf("favourite")
    QApplication.processEvents()
    page.cards.ensureWidgetVisible(page.cards.search)


def _lately(page: TemplatesPage) -> None:
    page.cards.show_shelf("recent")
    QApplication.processEvents()
    page.cards.ensureWidgetVisible(page.cards.search)


def _page_read(page: TemplatesPage) -> None:
    page.read_page(Path(__file__).parent.parent / "tests" / "data" / "pages" / "coffee-shop.html")
    settle()


def schedule_form() -> QWidget:
    """The form of a step that starts on the last working day of the month."""
    parameters = {
        "every": "month",
        "which": "last",
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "zone": "contact",
        "first_date": "2026-05-02",
        "last_date": "2026-05-01",
    }
    node = Node(id="start", type="trigger.schedule", parameters=parameters)
    form = ParameterForm()
    form.show_node(Workflow(name="", nodes=(node,)), node, catalogue()["trigger.schedule"].Parameters)
    around = QScrollArea()
    around.setWidgetResizable(True)
    around.setWidget(panel(column(form, margins=(16, 16, 16, 16))))
    around.setFixedWidth(360)  # as wide as it is beside the canvas
    return panel(row(around, STRETCH))


STATES: dict[str, Callable[[], QWidget]] = {
    "gallery-hovered": gallery(_hovered),
    "gallery-compared": gallery(_compared),
    "gallery-searched": gallery(_searched),
    "gallery-messages": gallery(_messages),
    "gallery-setting": gallery(_edited),
    "gallery-fact": gallery(_corrected),
    "gallery-schedule": schedule_form,
    "gallery-favourites": gallery(_favourites),
    "gallery-lately": gallery(_lately),
    "gallery-page": gallery(_page_read),
}
