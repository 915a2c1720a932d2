"""Layouts that reflow: nothing overlaps, nothing leaves its place, narrow windows stack."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QSizePolicy, QWidget
from pytestqt.qtbot import QtBot

from studio.ui import widgets as w
from studio.ui.theme import theme
from studio.ui.widgets.reflow import _ShareLayout


class Block(QWidget):
    def __init__(self, width: int, height: int, least: int = 10) -> None:
        super().__init__()
        self._hint, self._least = QSize(width, height), least
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return self._hint

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, 10)


def overlaps(places: list[QRect]) -> bool:
    return any(a.intersects(b) for i, a in enumerate(places) for b in places[i + 1 :])


@given(st.lists(st.tuples(st.integers(10, 150), st.integers(10, 60)), min_size=1, max_size=12), st.integers(150, 700))
def test_flow_keeps_order_and_stays_inside(sizes: list[tuple[int, int]], width: int) -> None:
    holder = w.flowing(*(Block(*size) for size in sizes))
    height = holder.heightForWidth(width)
    holder.resize(width, height)
    holder.layout().setGeometry(QRect(0, 0, width, height))
    places = [holder.layout().itemAt(index).geometry() for index in range(len(sizes))]
    assert not overlaps(places)
    assert all(QRect(0, 0, width, height).contains(place) for place in places)
    assert all(b.left() > a.right() or b.top() > a.bottom() for a, b in pairwise(places)), "as words are read"


@given(st.integers(1, 9), st.integers(200, 1600), st.sampled_from([1.0, 1.5, 2.0]))
def test_grid_columns_are_equally_wide_and_fill_the_width(number: int, width: int, scale: float) -> None:
    theme().text_scale = scale
    try:
        holder, grid = QWidget(), w.GridFlow(230)
        for index in range(number):
            grid.addWidget(Block(100, 40 + 10 * index))
        holder.setLayout(grid)
        height = holder.heightForWidth(width)
        grid.setGeometry(QRect(0, 0, width, height))
        places = [grid.itemAt(index).geometry() for index in range(number)]
        columns = grid.columns_at(width)
    finally:
        theme().text_scale = 1.0
    assert not overlaps(places)
    assert columns == 1 or places[0].width() >= 230 * scale - 1
    assert max(place.width() for place in places) - min(place.width() for place in places) <= 1
    assert max(place.right() for place in places) + 1 == width or number < columns
    for start in range(0, number, columns):
        assert len({place.height() for place in places[start : start + columns]}) == 1
    assert max(place.bottom() for place in places) + 1 == height


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(10, 200)), min_size=1, max_size=4), st.integers(220, 1500))
def test_side_by_side_gives_everybody_at_least_what_he_needs(parts: list[tuple[int, int]], width: int) -> None:
    side_by_side = w.SideBySide(*((Block(200, 50, least), share) for share, least in parts), least=100)
    layout = side_by_side.layout()
    assert isinstance(layout, _ShareLayout)
    height = side_by_side.heightForWidth(width)
    layout.setGeometry(QRect(0, 0, width, height))
    places = [layout.itemAt(index).geometry() for index in range(len(parts))]
    assert not overlaps(places)
    for place, (_share, least) in zip(places, parts, strict=True):
        assert place.width() >= least
        assert place.right() < width
    for line in {place.y() for place in places}:
        assert max(place.right() for place in places if place.y() == line) == width - 1


def test_one_line_fills_the_height_and_shares_hold(qtbot: QtBot) -> None:
    first, second = Block(100, 50), Block(100, 50)
    side_by_side = w.SideBySide((first, 3), (second, 1), least=100)
    qtbot.addWidget(side_by_side)
    side_by_side.resize(816, 300)
    side_by_side.show()
    qtbot.wait(1)
    assert (first.width(), second.width()) == (600, 200)
    assert first.height() == second.height() == 300


def test_header_actions_go_below_when_words_get_narrow(qtbot: QtBot) -> None:
    button = w.PrimaryButton("Ship B to the template")
    header = w.PageHeader(
        "B wins: “Your coffee is waiting” brings 25 % more orders", "Safe to read at any time", button
    )
    qtbot.addWidget(header)
    header.show()
    for width, below in ((900, False), (380, True)):
        header.resize(width, header.heightForWidth(width))
        qtbot.wait(1)
        assert (button.mapTo(header, button.rect().topLeft()).y() >= header.note.geometry().bottom()) is below
        assert button.mapTo(header, button.rect().topRight()).x() <= width


def test_panes_show_one_part_at_a_time_when_narrow(qtbot: QtBot) -> None:
    left, right, middle = w.SidePanel("left", 270), w.SidePanel("right", 320), w.ScrollColumn()
    panes = w.Panes(("Templates", middle), left=("Business", left), right=("Settings", right))
    qtbot.addWidget(panes)
    panes.resize(1300, 600)
    panes.show()
    qtbot.wait(1)
    assert not panes.is_narrow
    assert (left.width(), right.width(), middle.width()) == (270, 320, 710)
    panes.resize(700, 600)
    qtbot.wait(1)
    assert panes.is_narrow
    assert (left.isVisible(), middle.isVisible(), right.isVisible()) == (False, True, False)
    panes.show_part("Settings")
    qtbot.wait(1)
    assert right.isVisible() and right.width() == 700
    panes.resize(1300, 600)
    qtbot.wait(1)
    assert left.isVisible() and middle.isVisible() and right.width() == 320


def test_a_scroll_column_keeps_its_parts_together_at_the_top(qtbot: QtBot) -> None:
    column = w.ScrollColumn()
    first, second = w.Text("one"), w.Text("two")
    column.add(first)
    column.add(second)
    qtbot.addWidget(column)
    column.resize(400, 900)
    column.show()
    qtbot.wait(1)
    assert second.y() - first.geometry().bottom() < 20


def test_clear_takes_everything_out(qtbot: QtBot) -> None:
    holder = QWidget()
    holder.setLayout(w.column(w.Text("a"), w.row(w.Text("b"), w.STRETCH), 10))
    qtbot.addWidget(holder)
    w.clear(holder.layout())
    assert holder.layout().count() == 0
