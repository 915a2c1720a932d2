"""The way of most people lies on one line, and long edges run between steps instead of behind them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap

from studio.ui.canvas.edges import points_between
from studio.ui.canvas.lanes import Run, lanes
from studio.ui.canvas.layout import tidy
from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.spine import spine_of

BODIES = [(0.0, 0.0, 140.0, 100.0), (240.0, 0.0, 380.0, 100.0), (480.0, 0.0, 620.0, 100.0)]


def test_the_spine_is_the_longest_way() -> None:
    assert spine_of(range(5), [(0, 1), (0, 2), (2, 3), (3, 4), (1, 4)]) == [0, 2, 3, 4]


def test_the_spine_leads_between_branches_that_meet_again() -> None:
    assert spine_of(range(5), [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]) == [0, 1, 4]


def test_a_test_s_variants_lie_above_and_below_the_line() -> None:
    sizes = dict.fromkeys("sxabwe", (140.0, 100.0))
    links = [("s", "x"), ("x", "a"), ("x", "b"), ("a", "w"), ("b", "w"), ("w", "e"), ("x", "e")]
    places = tidy(sizes, links)
    assert places["s"][1] == places["x"][1] == places["w"][1] == places["e"][1]
    assert places["a"][1] < places["x"][1] < places["b"][1]
    assert places["x"][1] - places["a"][1] == places["b"][1] - places["x"][1]


def test_an_edge_with_nothing_in_its_way_goes_straight() -> None:
    assert lanes({"e": Run((140, 50), (240, 50), 1, (0, 1))}, BODIES, points_between) == {}
    assert lanes({"e": Run((140, 50), (480, 250), 2, (0, 2))}, [BODIES[0], BODIES[2]], points_between) == {}


def test_edges_to_one_step_share_their_lane_and_others_keep_clear() -> None:
    four = [*BODIES, (720.0, 0.0, 860.0, 100.0)]
    runs = {
        "near": Run((380, 50), (720, 50), "last", (1, 3)),
        "far": Run((140, 50), (720, 50), "last", (0, 3)),
        "other": Run((140, 50), (720, 70), "another", (0, 3)),
    }
    found = lanes(runs, four, points_between)
    assert found["near"] == found["far"] != found["other"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=25, unique=True),
    st.data(),
)
def test_no_lane_runs_through_a_step(cells: list[tuple[int, int]], data: st.DataObject) -> None:
    bodies = [(240.0 * x, 150.0 * y, 240.0 * x + 140, 150.0 * y + 100) for x, y in cells]
    ends = data.draw(st.lists(st.tuples(*[st.integers(0, len(cells) - 1)] * 2), max_size=8, unique=True))
    runs = {
        (a, b): Run((bodies[a][2], bodies[a][1] + 50), (bodies[b][0], bodies[b][1] + 50), b, (a, b))
        for a, b in ends
        if cells[a][0] < cells[b][0]
    }
    for (a, b), height in lanes(runs, bodies, points_between).items():
        for place, (left, top, right, bottom) in enumerate(bodies):
            if place not in (a, b) and right > bodies[a][2] and left < bodies[b][0]:
                assert not top <= height <= bottom


def test_a_long_edge_gives_way_to_a_step_that_is_put_under_it(page: CanvasPage) -> None:
    page.editor.tidy()
    page.glide.stop()
    for edge in page.scene.edges.values():
        for node in page.scene.nodes.values():
            if node not in (edge.source, edge.target):
                inside = node.body.adjusted(2, 2, -2, -2)
                assert not any(inside.contains(edge.point(step / 60)) for step in range(61)), edge.key


def test_far_away_an_edge_goes_round_the_steps_too(page: CanvasPage) -> None:
    page.editor.tidy()
    page.glide.stop()
    long, short = list(page.scene.edges.values())[:2]
    long.lane, short.lane = long.line.p1().y() + 300, None
    long.follow()
    start, first, second, end = long.way
    assert first.y() == second.y() == long.lane
    assert start.x() < first.x() <= second.x() < end.x()
    assert short.way == [short.line.p1(), short.line.p2()]

    drawn = page.scene.far
    drawn.place_edge(long)
    pixmap = QPixmap(200, 200)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.translate(100 - (start.x() + end.x()) / 2, 100 - first.y())
    drawn.paint(painter)
    painter.end()
    assert pixmap.toImage().pixelColor(100, 100).alpha() > 0
