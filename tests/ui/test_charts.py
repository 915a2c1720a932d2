"""Charts: what is drawn, said, read under the mouse and exported is the same data; nothing to show is said so."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from studio.ui import charts as c
from studio.ui import export, numbers
from studio.ui.charts.chart import _free_place
from studio.ui.charts.lines import _value_at
from studio.ui.charts.shapes import _quantiles
from studio.ui.theme import theme
from studio.ui.widgets import Table
from tests.ui.pointer import move_pointer

START = datetime(2026, 3, 2, tzinfo=UTC)
XS = [0.01 + n * 0.0005 for n in range(60)]


def _days(number: int) -> datetime:
    return START + timedelta(days=number)


ACTUAL = [c.Point(_days(n), 100.0 + 10 * n) for n in range(10)]
PREDICTED = [c.BandPoint(_days(n), 80.0 + 5 * n, 100.0 + 8 * n, 120.0 + 12 * n) for n in range(12)]
MAKERS: dict[str, Callable[[], c.Chart]] = {
    "funnel": lambda: c.Funnel("Funnel", [c.FunnelStep("Entered", 90), c.FunnelStep("Opened", 27, 0.3, "by people")]),
    "line": lambda: c.LineBand("Revenue", c.LineBandData(ACTUAL, PREDICTED, [c.Marker(_days(4), "Click rate fell")])),
    "band": lambda: c.BandOverTime("Lift", c.BandData([c.BandPoint(n, -0.4 / n, 0.2, 0.6) for n in range(1, 20)])),
    "densities": lambda: c.Densities(
        "Rates", [c.Density("A", XS, [math.exp(-(((x - 0.02) / 0.003) ** 2)) for x in XS], "text_muted")]
    ),
    "sparkline": lambda: c.Sparkline("Revenue", [3, 1, 4, 1, 5]),
    "bars": lambda: c.BarList("Credit", [c.BarItem("Email B", 0.41, "41 %"), c.BarItem("SMS", 0.18, "18 %")]),
    "heatmap": lambda: c.Heatmap("Opens", c.HeatmapData(["Mo", "Tu"], ["8:00", ""], [[1, 2], [None, 9]])),
    "mini": lambda: c.MiniGraph(
        "Steps",
        c.MiniGraphData([c.MiniNode("a", 0, 0, "source"), c.MiniNode("b", 220, 60, "goal", "Goal")], [("a", "b")]),
    ),
}  # fmt: skip
EMPTY: dict[str, Callable[[], c.Chart]] = {
    "funnel": lambda: c.Funnel("x"),
    "line": lambda: c.LineBand("x"),
    "band": lambda: c.BandOverTime("x"),
    "densities": lambda: c.Densities("x"),
    "sparkline": lambda: c.Sparkline("x"),
    "bars": lambda: c.BarList("x"),
    "heatmap": lambda: c.Heatmap("x"),
    "mini": lambda: c.MiniGraph("x"),
}
every_chart = pytest.mark.parametrize("name", MAKERS)


def shown(qtbot: QtBot, chart: c.Chart, width: int = 420, height: int = 240) -> c.Chart:
    qtbot.addWidget(chart)
    chart.resize(width, height)
    chart.show()
    return chart


@every_chart
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(420, 240), (140, 80), (1200, 60)])
def test_every_chart_draws_something_at_any_size(qtbot: QtBot, name: str, scheme: str, size: tuple[int, int]) -> None:
    theme().set_scheme(scheme)
    chart = shown(qtbot, MAKERS[name](), *size)
    image = chart.to_image(1.0)
    ground = theme().colour("surface")
    drawn = sum(
        image.pixelColor(x, y) != ground for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    )
    assert drawn > 8


@every_chart
def test_every_chart_speaks(qtbot: QtBot, name: str) -> None:
    chart = shown(qtbot, MAKERS[name]())
    assert chart.accessibleName() == chart.title
    assert chart.accessibleDescription() == chart.describe()
    assert any(letter.isalpha() for letter in chart.describe())


@every_chart
def test_the_keyboard_reads_every_point_in_turn(qtbot: QtBot, name: str) -> None:
    chart = shown(qtbot, MAKERS[name]())
    found = chart.readings(chart.area())
    read = []
    for _step in found:
        qtbot.keyClick(chart, Qt.Key.Key_Right)
        read.append(chart.active_reading())
    assert [reading.title for reading in read] == [reading.title for reading in found]
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.active_reading() == found[-1], "it stops at the last one"
    assert not chart.grab().isNull()
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.active_reading() is None


@every_chart
def test_the_mouse_reads_what_is_under_it(qtbot: QtBot, name: str) -> None:
    chart = shown(qtbot, MAKERS[name]())
    for reading in chart.readings(chart.area()):
        move_pointer(chart, reading.at.toPoint())
        assert chart.active_reading() is not None
        assert (chart.active_reading().at - reading.at).manhattanLength() < 30


@every_chart
def test_data_can_be_copied_exported_and_seen_as_a_table(
    qtbot: QtBot, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = shown(qtbot, MAKERS[name]())
    rows = chart.data_rows()
    actions = {action.text(): action for action in chart.menu().actions()}
    actions["Copy data"].trigger()
    assert QGuiApplication.clipboard().text().count("\n") == len(rows.values) + 1
    for words, suffix in (("Export CSV …", "csv"), ("Export PNG …", "png"), ("Export SVG …", "svg")):
        file = tmp_path / f"chart.{suffix}"
        monkeypatch.setattr(export, "ask_file", lambda *_arguments, file=file: file)
        actions[words].trigger()
        assert file.stat().st_size > 20
    picture = QImage(str(tmp_path / "chart.png"))
    assert picture.width() > 2 * chart.width()
    above = picture.copy(0, 0, picture.width(), picture.height() - 2 * chart.height() - 24)
    assert above != _plain(above.size()), "its title stands over it"
    dialog = chart.show_table()
    table = dialog.findChild(Table)
    assert len(table.rows()) == len(rows.values)
    assert [column.title for column in table.model().columns] == list(rows.header)
    dialog.close()


def _plain(size: QSize) -> QImage:
    plain = QImage(size, QImage.Format.Format_RGB32)
    plain.fill(theme().colour("surface"))
    return plain


@pytest.mark.parametrize("name", EMPTY)
def test_a_chart_without_data_says_so(qtbot: QtBot, name: str) -> None:
    chart = shown(qtbot, EMPTY[name]())
    assert chart.accessibleDescription() == chart.no_data
    assert not chart.grab().isNull()
    move_pointer(chart, chart.rect().center())
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.active_reading() is None
    assert not any(action.isEnabled() for action in chart.menu().actions())


def test_a_funnel_tells_the_share_of_the_step_before_and_survives_zero() -> None:
    funnel = c.Funnel("f", [c.FunnelStep("a", 200), c.FunnelStep("b", 50, 0.2), c.FunnelStep("c", 0, 0.0)])
    assert [row[2] for row in funnel.data_rows().values] == [None, 0.2, 0.0]
    reading = funnel.readings(QRectF(0, 0, 400, 200))[1]
    assert reading.title == "b: 50"
    assert reading.detail.replace(numbers.NBSP, " ") == "25.0 % of all · 20.0 % of those at the step before"
    funnel.set_data([c.FunnelStep("a", 0)])
    assert not funnel.grab().isNull()


def test_bars_are_as_long_as_their_share(qtbot: QtBot) -> None:
    chart = shown(qtbot, c.BarList("x", [c.BarItem("a", 1.0, "1"), c.BarItem("b", 0.5, "2")], whole=1.0), 400, 58)
    image = chart.grab().toImage()
    accent = theme().colour("accent")

    def length(y: int) -> int:
        return sum(image.pixelColor(x, y) == accent for x in range(image.width()))

    assert length(14) > 200
    assert length(43) / length(14) == pytest.approx(0.5, abs=0.02)


def test_the_lines_end_labels_name_the_last_values() -> None:
    chart = MAKERS["line"]()
    assert "from 100 to 190" in chart.describe()
    assert "ends at 188" in chart.describe()
    assert "Click rate fell" in chart.describe()
    rows = chart.data_rows().values
    assert len(rows) == 12
    assert rows[0] == [START.isoformat(), 100.0, 80.0, 100.0, 120.0]
    assert rows[11][1] is None


def test_a_marker_stands_on_the_line() -> None:
    points = [c.Point(0, 10.0), c.Point(10, 20.0)]
    assert _value_at(points, 2.5) == 12.5
    assert _value_at(points, -4) == 10.0
    assert _value_at(points, 99) == 20.0
    assert _value_at([c.Point(3, 7.0)], 3) == 7.0


def test_a_band_says_on_which_side_of_no_difference_it_lies() -> None:
    def said(low: float, high: float) -> str:
        return c.BandOverTime("x", c.BandData([c.BandPoint(0, low, (low + high) / 2, high)])).describe()

    assert "above no difference" in said(0.05, 0.5)
    assert "below no difference" in said(-0.5, -0.05)
    assert "around no difference" in said(-0.1, 0.4)


def test_quantiles_of_a_normal_curve_are_the_known_ones() -> None:
    xs = [n / 100 for n in range(-600, 601)]
    curve = c.Density("z", xs, [math.exp(-(x**2) / 2) for x in xs])
    low, mid, high = _quantiles(curve)
    assert (low, mid, high) == pytest.approx((-1.6449, 0, 1.6449), abs=1e-3)


def test_a_mini_graph_keeps_order_and_stays_inside() -> None:
    nodes = [c.MiniNode(str(n), n * 200.0, (n % 3) * 90.0) for n in range(30)]
    graph = c.MiniGraph("x", c.MiniGraphData(nodes, [("0", "nowhere")]))
    area = QRectF(0, 0, 208, 70)
    boxes = [graph._boxes(area)[node.id] for node in nodes]
    assert all(area.contains(box) for box in boxes)
    assert [box.x() for box in boxes] == sorted(box.x() for box in boxes)
    graph.resize(208, 70)
    assert not graph.grab().isNull()


def test_a_heat_map_names_its_peak_and_skips_holes() -> None:
    chart = MAKERS["heatmap"]()
    assert chart.describe() == "Most, 9, at Tu 1."
    assert [reading.title for reading in chart.readings(QRectF(0, 0, 200, 100))] == ["1", "2", "no data", "9"]


def test_a_box_goes_where_it_covers_least() -> None:
    area, size = QRectF(0, 0, 300, 200), QSizeF(100, 30)
    right_side = [QPointF(x, 112 + 15) for x in range(110, 300, 5)]
    box = _free_place(area, QPointF(100, 100), size, right_side)
    assert area.contains(box)
    assert not any(box.contains(point) for point in right_side)
    cornered = _free_place(area, QPointF(298, 198), size, [])
    assert area.contains(cornered)


def test_new_data_is_described_anew() -> None:
    chart = c.Sparkline("x", [1, 2])
    before = chart.accessibleDescription()
    chart.set_data([5, 9])
    assert chart.accessibleDescription() != before


def test_a_chart_is_saved_as_a_scalable_picture(qtbot: QtBot) -> None:
    chart = c.Funnel("How many people came how far", [c.FunnelStep("Entered", 120), c.FunnelStep("Sent", 80)])
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    picture = chart.to_svg().decode()
    assert picture.startswith("<?xml")
    assert "How many people came how far" in picture
    assert "Entered" in picture


def test_values_stand_in_a_heat_map_where_there_is_room(qtbot: QtBot) -> None:
    data = c.HeatmapData(["Jan"], ["1", "2"], [[0.1, 0.4]])
    for width, has_room in ((400, True), (60, False)):
        pictures = []
        for written in (True, False):
            chart = c.Heatmap("Shares", data, write=numbers.percent, written=written)
            qtbot.addWidget(chart)
            chart.resize(width, 120)
            pictures.append(chart.grab().toImage())
        assert (pictures[0] != pictures[1]) == has_room
