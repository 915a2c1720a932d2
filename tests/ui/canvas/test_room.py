"""Where there is little room: steps stay clear of what floats over the canvas, and in sight when a panel opens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QRectF
from pytestqt.qtbot import QtBot

from studio.domain.run import StepView
from studio.ui.canvas.minimap import shape_for
from studio.ui.canvas.page import CanvasPage
from tests.ui.canvas import cart_recovery


@pytest.fixture
def small(page: CanvasPage, qtbot: QtBot) -> CanvasPage:
    """As high as a window of 700 points leaves it, and narrow."""
    page.show_run(cart_recovery.run_view())
    page.overlay.flush()
    page.resize(900, 600)
    qtbot.waitUntil(lambda: page.room.down.height() == 600)
    page.room.divide(900, 600)
    qtbot.waitUntil(lambda: page.room.down.sizes()[1] > 0)
    return page


def _on_stage(page: CanvasPage, node_id: str) -> QRect:
    area = page.view.mapFromScene(page.scene.nodes[node_id].body).boundingRect()
    return area.translated(page.view.pos())


def _hold(page: CanvasPage, node_id: str) -> None:
    run = cart_recovery.run_view()
    steps = {**run.steps, node_id: StepView(node_id, "paused", waiting=512)}
    page.show_run(replace(run, state="paused", steps=steps, message="More than 200 people would get this message."))
    page.overlay.flush()


@pytest.mark.parametrize("node_id", ["mail_a", "goal"])
def test_the_step_a_run_holds_at_is_seen_beside_the_banner(small: CanvasPage, node_id: str, qtbot: QtBot) -> None:
    before = small.room.down.sizes()
    _hold(small, node_id)
    stage, banner = small.stage, small.debug.banner

    def seen() -> bool:
        step = _on_stage(small, node_id)
        covers = (banner.geometry(), stage.run_bar.geometry(), stage.tools.geometry())
        return stage.rect().contains(step) and not any(cover.intersects(step) for cover in covers)

    qtbot.waitUntil(seen)

    small.show_run(replace(cart_recovery.run_view(), state="running"))
    small.overlay.flush()
    assert small.room.down.sizes() == before


def test_a_narrow_banner_has_its_buttons_in_one_line(small: CanvasPage) -> None:
    _hold(small, "mail_a")
    banner = small.debug.banner
    buttons = (banner.go_on, banner.next_step, banner.next_chunk, banner.data)
    assert len({button.geometry().center().y() for button in buttons}) == 1
    assert banner.effects.isHidden()


def test_a_narrow_run_bar_leaves_out_what_cannot_be_used(page: CanvasPage) -> None:
    bar = page.run_bar
    one_line = bar.run.sizeHint().height()
    assert not bar.stop.isHidden()
    assert bar.give_room(bar.layout().sizeHint().width()) == one_line

    assert bar.give_room(380) == one_line
    shown = {button.text() for button in bar.buttons() if not button.isHidden()}
    assert shown == {"Run", "Tidy layout", "Clock: fastest"}


def test_a_table_that_opens_below_leaves_steps_in_sight(small: CanvasPage, qtbot: QtBot) -> None:
    small.view.show_start()
    small.view.set_zoom(1.6)
    small.view.centre_on(small.scene.nodes["gate"].body.center())
    small.debug.open(small.debug.compare)
    _left, top, _right, bottom = small.view.insets

    def gate_is_seen() -> bool:
        room = small.stage.rect().adjusted(0, round(top), 0, -round(bottom))
        return room.contains(_on_stage(small, "gate").center())

    qtbot.waitUntil(gate_is_seen)


def test_the_overview_of_a_long_graph_is_low_and_wide() -> None:
    square, long = shape_for(QRectF(0, 0, 900, 800)), shape_for(QRectF(0, 0, 4000, 500))
    assert long.height() < square.height()
    assert long.width() > square.width()
    assert shape_for(QRectF(0, 0, 90_000, 1)).height() >= 40


def test_a_window_made_smaller_keeps_the_chosen_step_in_sight(page: CanvasPage, qtbot: QtBot) -> None:
    page.choose("reminder")
    page.resize(760, 520)
    qtbot.waitUntil(lambda: page.view.viewport().rect().contains(_on_stage(page, "reminder")))
