"""A run's changes are painted in a few rectangles, and the screen then shows what a whole repaint would."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QApplication

from studio.ui.canvas.parts import Parts, joined, tile_over
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.view import CanvasView
from tests.ui.canvas import cart_recovery

ROOM = QRect(0, 0, 1600, 900)
rects = st.builds(QRect, st.integers(0, 1500), st.integers(0, 850), st.integers(1, 300), st.integers(1, 200))


def region(parts: list[QRect]) -> QRegion:
    whole = QRegion()
    for part in parts:
        whole += part
    return whole


@given(st.lists(rects, max_size=40))
def test_what_is_joined_covers_everything_in_no_more_rectangles(wanted: list[QRect]) -> None:
    found = joined(wanted, ROOM)
    assert region(wanted).intersected(ROOM).subtracted(region(found)).isEmpty()
    assert len(found) <= max(1, min(len(wanted), 32))


def test_far_apart_rectangles_stay_apart_and_near_ones_become_one() -> None:
    near, far = [QRect(10, 10, 100, 80), QRect(100, 60, 90, 90)], QRect(1200, 700, 50, 50)
    assert sorted(rect.getRect() for rect in joined([*near, far], ROOM)) == [(10, 10, 180, 140), (1200, 700, 50, 50)]


def test_most_of_the_room_is_painted_as_a_whole() -> None:
    assert joined([QRect(0, 0, 1000, 800), QRect(1100, 0, 500, 800)], ROOM) == [ROOM]


def test_a_frame_that_somebody_else_wants_too_is_painted_as_qt_has_it() -> None:
    parts = Parts()
    asked = [QRect(0, 0, 50, 50), QRect(400, 400, 50, 50)]
    assert parts.ask(asked, ROOM) == asked
    assert parts.take(region([*asked, QRect(800, 0, 10, 10)])) == []
    parts.ask(asked, ROOM)
    assert parts.take(region(asked)) == asked
    assert parts.take(region(asked)) == [], "they are for one frame"


def test_tiles_lie_as_a_brush_lays_them(installed: QApplication) -> None:
    tile = QPixmap(7, 7)
    tile.fill(QColor("white"))
    painter = QPainter(tile)
    painter.fillRect(1, 2, 3, 1, QColor("red"))
    painter.end()
    ours, brushed = QPixmap(60, 40), QPixmap(60, 40)
    for picture in (ours, brushed):
        picture.fill(QColor("blue"))
    area, origin = QRect(3, 5, 50, 30), QPoint(-11, 16)
    painter = QPainter(ours)
    tile_over(painter, area, tile, origin)
    painter.end()
    painter = QPainter(brushed)
    painter.setBrushOrigin(origin)
    painter.fillRect(area, QBrush(tile))
    painter.end()
    assert ours.toImage() == brushed.toImage()


def test_after_changes_in_parts_the_screen_is_what_a_whole_repaint_shows(view: CanvasView) -> None:
    overlay = RunOverlay(view.editor.scene)
    overlay.set_workflow(view.editor.workflow, {})
    view.dashes.timeout.disconnect()
    run = cart_recovery.run_view()
    overlay.show(run)
    overlay.flush()
    for _ in range(8):  # until every picture has been made
        view.viewport().update()
        QApplication.processEvents()
    for state in ("failed", "done", "waiting"):
        changed = {n: replace(run.steps[n], state=state, arrived=len(state)) for n in ("mail_a", "gate", "wait")}
        run = replace(run, steps={**run.steps, **changed})
        overlay.show(run, list(changed))
        overlay.flush()
        QApplication.processEvents()
        shown = view.screen().grabWindow(view.winId()).toImage()
        whole = view.grab().toImage()
        assert shown.convertToFormat(whole.format()) == whole
