"""What changes too often to be read is shown a few times a second, and never left out at the end."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.paced import Paced
from studio.ui.widgets import LiveText, StatePill, column, panel


def test_the_first_call_works_at_once_and_the_last_one_is_not_lost(qtbot: QtBot) -> None:
    owner, seen, now = QObject(), [], [0]
    paced = Paced(owner, lambda: seen.append(now[0]), every_ms=20)
    for number in range(1, 50):
        now[0] = number
        paced.ask()
    assert seen == [1]
    qtbot.waitUntil(lambda: seen == [1, 49])
    qtbot.wait(50)
    assert seen == [1, 49]


def test_what_must_not_wait_does_not_and_is_not_done_twice(qtbot: QtBot) -> None:
    owner, seen = QObject(), []
    paced = Paced(owner, lambda: seen.append(1), every_ms=20)
    paced.ask()
    paced.ask()
    paced.now()
    assert len(seen) == 2
    qtbot.wait(50)
    assert len(seen) == 2


class Counted(QObject):
    """How often what stands around is asked to lay itself out."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_figures_that_change_ask_nobody_for_another_place(qtbot: QtBot) -> None:
    figure, pill = LiveText("100"), StatePill("running", "Running · 10 %")
    holder = panel(column(figure, pill))
    qtbot.addWidget(holder)
    holder.show()
    QApplication.processEvents()
    counted = Counted()
    holder.installEventFilter(counted)
    for share in range(11, 99):
        figure.setText(str(100 + share))
        pill.set_state("running", f"Running · {share} %")
        QApplication.processEvents()
    assert counted.count == 0
    pill.set_state("done")
    QApplication.processEvents()
    assert counted.count > 0


def test_a_figure_that_grows_and_shrinks_keeps_its_room(qtbot: QtBot) -> None:
    figure = LiveText("1")
    holder = panel(column(figure))
    qtbot.addWidget(holder)
    holder.show()
    narrow = figure.width()
    figure.setText("1,234,567")
    qtbot.waitUntil(lambda: figure.width() > narrow)
    wide = figure.width()
    figure.setText("9")
    assert figure.width() == figure.minimumWidth() == figure.maximumWidth() == wide
    assert figure.text() == "9"
