"""A run's changes are painted in a few rectangles, and the screen then shows what a whole repaint would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRect
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QApplication

from studio.domain.run import RunView
from studio.ui.canvas import annotations
from studio.ui.canvas.marks import Mark, Marks
from studio.ui.canvas.minimap import Minimap
from studio.ui.canvas.paper import tile_over
from studio.ui.canvas.parts import Parts, joined
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


@pytest.mark.parametrize("zoom", [1.0, 0.75, 0.4, 0.2])
def test_after_changes_in_parts_the_screen_is_what_a_whole_repaint_shows(
    view: CanvasView, zoom: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, overlay = dressed(view)
    view.set_zoom(zoom)
    settle(view)
    painted: list[list[QRect]] = []
    paint_parts = CanvasView._paint_parts
    monkeypatch.setattr(CanvasView, "_paint_parts", lambda of, parts: (painted.append(parts), paint_parts(of, parts)))
    for number, state in enumerate(("failed", "running", "running", "waiting", "waiting", "done", "done")):
        changed = {n: replace(run.steps[n], state=state, arrived=number) for n in ("mail_a", "wait")}
        run = replace(run, steps={**run.steps, **changed})
        overlay.show(run, list(changed))
        overlay.flush()
        QApplication.processEvents()
        assert painted, "not painted in parts"
        assert differing(view) <= dashes(view)
        painted.clear()
        view._step_dashes()
        QApplication.processEvents()
        assert differing(view) <= dashes(view)


def test_moved_after_a_frame_in_parts_it_leaves_nothing_behind(view: CanvasView) -> None:
    run, overlay = dressed(view)
    for state, zoom in (("failed", 0.8), ("done", 0.9), ("failed", 0.8)):
        # A zoom, a scroll and a run's change in one frame, then what Qt alone paints.
        view.set_zoom(zoom)
        view.pan_by(QPointF(30, -20))
        run = replace(run, steps={n: replace(step, state=state) for n, step in run.steps.items()})
        overlay.show(run, list(run.steps))
        overlay.flush()
        settle(view)
        overlay.show(replace(run, at=None), ["gate"])
        overlay.flush()
        QApplication.processEvents()
        view.editor.scene.preview_move({"gate": view.editor.scene.nodes["gate"].pos() + QPointF(170, 130)})
        view.editor.selection.set(["carts"] if state == "failed" else ["gate"])
        settle(view, frames=2)
        assert differing(view) <= dashes(view)


def test_pictures_lie_pixel_by_pixel_on_a_screen_with_two_pixels_to_one(view: CanvasView) -> None:
    view.dashes.timeout.disconnect()
    view.resize(600, 350)
    view.editor.scene.drawing.set_zoom(view.zoom, 2.0)
    frames = [on_fine_screen(view) for _ in range(4)]
    view.editor.scene.drawing.forget()
    by_themselves = frames[0].convertToFormat(QImage.Format.Format_Grayscale8)
    of_pictures = frames[-1].convertToFormat(QImage.Format.Format_Grayscale8)
    one, other = (np.frombuffer(f.constBits(), np.uint8).astype(int) for f in (by_themselves, of_pictures))
    assert (abs(one - other) > 60).mean() < 0.008


def test_the_overview_is_drawn_anew_for_another_state_and_not_for_a_figure(view: CanvasView) -> None:
    run, overlay = dressed(view)
    overview = Minimap(view)
    overview.grab()
    for change, is_drawn in (({"arrived": 77}, False), ({"state": "failed"}, True)):
        run = replace(run, steps={**run.steps, "gate": replace(run.steps["gate"], **change)})
        overlay.show(run, ["gate"])
        overlay.flush()
        assert overview._timer.isActive() is is_drawn
    overview._timer.stop()
    overview.deleteLater()


def dressed(view: CanvasView) -> tuple[RunView, RunOverlay]:
    """A graph with all that can stand on it, and a run; the dashes stand still."""
    editor = view.editor
    view.dashes.timeout.disconnect()
    noted = annotations.add_note(editor.workflow, "Look here", (200.0, 40.0))
    editor.scene.sync(annotations.add_group(noted, "Send", ("gate", "mail_a"), "green"))
    editor.scene.set_marks(
        "way", Marks({"wait": Mark("here", "accent"), "gate": Mark("was", "state.failed", dashed=True)})
    )
    editor.selection.set(["mail_a", "goal"])
    view.show_keyboard_focus()
    overlay = RunOverlay(editor.scene)
    overlay.set_workflow(editor.workflow, {})
    run = cart_recovery.run_view()
    overlay.show(run)
    overlay.flush()
    return run, overlay


def settle(view: CanvasView, frames: int = 8) -> None:
    """Until every picture has been made."""
    for _ in range(frames):
        view.viewport().update()
        QApplication.processEvents()


def differing(view: CanvasView) -> int:
    """How many pixels of the screen are not what a whole repaint shows."""
    shown, whole = view.screen().grabWindow(view.winId()).toImage(), view.grab().toImage()
    one, other = (pixels(picture.convertToFormat(QImage.Format.Format_RGB32)) for picture in (shown, whole))
    return int((one != other).sum())


def dashes(view: CanvasView) -> int:
    """How many may differ: Qt leaves out the dashes beyond a clip and sets in a fraction of one elsewhere."""
    return 60 * len(view.editor.scene.moving_edges())


def pixels(picture: QImage) -> np.ndarray:
    return np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.width())


def on_fine_screen(view: CanvasView) -> QImage:
    image = QImage(view.viewport().size() * 2, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(2.0)
    view.viewport().render(image)
    return image
