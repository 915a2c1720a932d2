"""Two runs compared: what differs with its likely causes, and step by step."""

from __future__ import annotations

from studio.analytics.comparison import Comparison, Difference
from studio.analytics.side_by_side import StepFigures, StepPair
from studio.ui.canvas.page import CanvasPage

MORE = StepFigures(came=12, went_on=12, waiting=0, sent=11, failed=1)
FEWER = StepFigures(came=10, went_on=10, waiting=0, sent=10, failed=0)


def test_the_figures_of_both_runs_stand_side_by_side_and_lead_to_their_step(page: CanvasPage) -> None:
    panel = page.debug.compare
    changed = Difference(kind="parameter", node="mail_b", what="subject", a="x", b="y", score=0.4, words="Other words.")
    pairs = (StepPair("mail_a", None, FEWER), StepPair("mail_b", MORE, FEWER))
    panel.show_comparison(
        Comparison(run_a="r1", run_b="r2", finding="They differ.", differences=(changed,), steps=pairs)
    )
    assert panel.table.isVisibleTo(panel)
    panel.view.set_value("steps")
    panel.view.chosen.emit("steps")
    assert panel.steps.isVisibleTo(panel)
    model = panel.steps.model()
    shown = [[model.index(row, column).data() for column in range(model.columnCount())] for row in range(2)]
    assert shown[1][1:] == ["12", "10", "0", "0", "11", "10", "1", "0"]
    assert shown[0][1] in ("", "—")
    panel.steps.row_chosen.emit(pairs[1])
    assert page.selection.single == "mail_b"
    panel.clear()
    assert not panel.view.isVisibleTo(panel)


def test_a_low_panel_keeps_what_stands_above_its_table_whole(page: CanvasPage) -> None:
    panel = page.debug.compare
    panel.set_runs({"r2": "r2 · 2 Mar 2026, 00:00 · Simulate · waiting"})
    panel.show_comparison(
        Comparison(run_a="r1", run_b="r2", finding="They differ in many ways. " * 8, differences=(), steps=())
    )
    panel.setParent(None)
    try:
        panel.resize(420, 210)
        panel.show()
        for part in (panel.finding, panel.view, panel.chip):
            assert part is not None
            assert panel.rect().contains(part.rect().translated(part.mapTo(panel, part.rect().topLeft())))
        below = panel.table.parentWidget()
        assert below is not None
        assert panel.view.mapTo(panel, panel.view.rect().bottomLeft()).y() < below.y()
    finally:
        page.timeline.tabs.insertTab(4, panel, "Compare runs")
        panel.clear()
