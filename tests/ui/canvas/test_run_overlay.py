"""A run over the graph: states, figures, progress and edges say what the fold says, painted at most once a frame."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QPixmap
from pytestqt.qtbot import QtBot

from studio.domain.run import RunView, StepProblem, StepView, fold
from studio.domain.validation import Catalogue
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.status import edge_status, failed_count, node_status, progress_of
from studio.ui.canvas.view import CanvasView, tip_of
from studio.ui.theme import theme
from tests.ui.canvas import cart_recovery


@pytest.fixture
def overlay(editor: CanvasEditor, types: Catalogue) -> RunOverlay:
    made = RunOverlay(editor.scene)
    roles = {n.id: types[n.type].declaration.role for n in editor.workflow.nodes}
    made.set_workflow(editor.workflow, roles)
    return made


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_each_node_tells_its_part_of_the_run(overlay: RunOverlay, editor: CanvasEditor) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    told = {
        n: (i.state, plain(i.status.left), plain(i.status.right)) for n, i in editor.scene.nodes.items() if i.status
    }
    assert told == {
        "carts": ("done", "12,480 out", "0.3 s"),
        "gate": ("done", "12,480 in", "0.2 s"),
        "subject": ("done", "11,902 in", "96 ms"),
        "mail_a": ("running", "4,318 / 5,951", "73 %"),
        "mail_b": ("failed", "5,912 / 5,951", "39 failed"),
        "wait": ("waiting", "5,204 waiting", "next in 1 d 20 h"),
        "goal": ("running", "312 reached", "—"),
        "reminder": ("idle", "—", "—"),
        "end": ("running", "578 ended", "—"),
    }
    assert editor.scene.nodes["mail_a"].status is not None
    assert editor.scene.nodes["mail_a"].status.progress == pytest.approx(4_318 / 5_951)


def test_each_edge_tells_how_many_went_along_it(overlay: RunOverlay, editor: CanvasEditor) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    told = {f"{k[0][0]}.{k[0][1]}→{k[1][0]}": (e.figure, e.status.state) for k, e in editor.scene.edges.items()}
    assert told == {
        "carts.out→gate": ("12,480", "done"),
        "gate.allowed→subject": ("11,902", "done"),
        "gate.blocked→end": ("578", "running"),
        "subject.A→mail_a": ("5,951", "running"),
        "subject.B→mail_b": ("5,951", "failed"),
        "mail_a.out→wait": ("4,318", "running"),
        "mail_b.out→wait": ("5,912", "failed"),
        "wait.ordered→goal": ("312", "running"),
        "wait.timeout→reminder": ("0", "idle"),
    }
    assert {e.key[0] for e in editor.scene.moving_edges()} >= {("subject", "A"), ("mail_a", "out")}


def test_nothing_moves_when_the_run_is_paused_or_over(overlay: RunOverlay, editor: CanvasEditor) -> None:
    for state in ("paused", "done", "stopped", "failed"):
        overlay.show(replace(cart_recovery.run_view(), state=state))
        overlay.flush()
        assert editor.scene.moving_edges() == []


def test_dashes_stand_still_when_motion_is_reduced(overlay: RunOverlay, editor: CanvasEditor, view: CanvasView) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    assert view.dashes.isActive()
    assert 1000 / view.dashes.interval() * 0.7 / 7 <= 2, "a dash period takes half a second or more"
    theme().set_reduced_motion(True)
    assert not view.dashes.isActive()
    theme().set_reduced_motion(False)
    assert view.dashes.isActive()
    overlay.show(None)
    assert not view.dashes.isActive()


def test_many_views_within_a_frame_are_painted_once(
    overlay: RunOverlay, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[RunView] = []
    overlay.shown.connect(painted.append)
    view = RunView("r1")
    for event in cart_recovery.run_events():
        view = fold(view, (event,))
        overlay.show(view)
    assert painted == []
    qtbot.waitUntil(lambda: bool(painted), timeout=1000)
    assert painted == [view]


def test_without_a_run_the_graph_is_as_before(overlay: RunOverlay, editor: CanvasEditor) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    overlay.show(None)
    assert {item.state for item in editor.scene.nodes.values()} == {"idle"}
    assert {edge.figure for edge in editor.scene.edges.values()} == {""}


def test_only_what_changed_is_touched(
    overlay: RunOverlay, editor: CanvasEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = cart_recovery.run_view()
    overlay.show(view)
    overlay.flush()
    touched: list[str] = []
    real = NodeItem.set_status
    monkeypatch.setattr(NodeItem, "set_status", lambda item, status: (touched.append(item.node_id), real(item, status)))
    goal = replace(view.steps["goal"], out={"reached": 313})
    overlay.show(replace(view, seq=view.seq + 1, steps={**view.steps, "goal": goal}))
    overlay.flush()
    assert touched == ["goal"]


def test_an_edit_during_a_run_keeps_the_figures(overlay: RunOverlay, editor: CanvasEditor, types: Catalogue) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    editor.rename("mail_a", "First mail")
    overlay.set_workflow(editor.workflow, {n.id: types[n.type].declaration.role for n in editor.workflow.nodes})
    item = editor.scene.nodes["mail_a"]
    assert item.face.title == "First mail"
    assert item.state == "running"


@pytest.mark.parametrize(
    ("step", "role", "left", "right"),
    [
        (StepView("n", "done", arrived=10, sending={"sent": 10, "planned": 0}), "send", "10 sent", "all sent"),
        (StepView("n", "done", arrived=9, sending={"sent": 6, "blocked": 3}), "send", "6 sent", "3 blocked"),
        (StepView("n", "running", sending={"sent": 6, "in_doubt": 2, "planned": 2}), "send", "6 / 10", "2 in doubt"),
        (StepView("n", "done", arrived=5, quarantined=2), "pure", "5 in", "2 set aside"),
        (
            StepView("n", "waiting", waiting=4, next_due="2026-03-02T10:00:00Z"),
            "wait",
            "4 waiting",
            "next in 1 h",
        ),
        (StepView("n", "waiting", waiting=4, next_due="2026-03-02T08:00:00Z"), "wait", "4 waiting", "due now"),
        (StepView("n", "done", arrived=4, out={"a": 3, "timeout": 1}), "wait", "4 went on", "—"),
        (StepView("n", "paused", waiting=512, sending={"sent": 198}), "send", "198 sent", "512 held"),
    ],
)
def test_figures_in_words(step: StepView, role: str, left: str, right: str) -> None:
    view = RunView("r", state="running", at=cart_recovery.START, steps={"n": step})
    status = node_status(view, "n", role)
    assert (plain(status.left), plain(status.right)) == (left, right)


@pytest.mark.parametrize(
    ("step", "role", "state"),
    [
        (StepView("n", "waiting", arrived=9), "pure", "passed"),
        (StepView("n", "waiting", out={"out": 9}), "source", "passed"),
        (StepView("n", "waiting", arrived=9, sending={"sent": 7, "failed": 2}), "send", "passed"),
        (StepView("n", "waiting", arrived=9, sending={"sent": 7, "planned": 2}), "send", "waiting"),
        (StepView("n", "waiting", arrived=9, waiting=1), "pure", "waiting"),
        (StepView("n", "waiting"), "source", "waiting"),
        (StepView("n", "waiting"), "exit", "queued"),
    ],
)
def test_amber_means_that_somebody_stands_there_now(step: StepView, role: str, state: str) -> None:
    view = RunView("r", state="running", at=cart_recovery.START, steps={"n": step})
    assert node_status(view, "n", role).state == state


def test_trouble_at_a_step_that_goes_on_shows_as_failed() -> None:
    trouble = StepProblem("X", "refused", "", 3, severity="error")
    view = RunView("r", state="running", steps={"n": StepView("n", "running", problems=(trouble,))})
    assert node_status(view, "n", "send").state == "failed"
    mild = replace(trouble, severity="warning")
    view = RunView("r", state="running", steps={"n": StepView("n", "running", problems=(mild,))})
    assert node_status(view, "n", "send").state == "running"


def test_an_edge_nobody_took_is_idle() -> None:
    view = RunView("r", state="running", steps={"wait": StepView("wait", "waiting", waiting=5)})
    edge = next(e for e in cart_recovery.workflow().edges if e.from_ == ("wait", "timeout"))
    assert edge_status(view, edge, {}).state == "idle"


def test_sums_over_the_run() -> None:
    view = cart_recovery.run_view()
    assert failed_count(view) == 39
    assert progress_of(view) == pytest.approx((5_912 + 8 + 4_318) / (5_951 * 2))
    assert progress_of(RunView("r")) is None


def test_the_tooltip_says_the_state_in_words(overlay: RunOverlay, editor: CanvasEditor) -> None:
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    assert plain(tip_of(editor.scene.nodes["mail_b"])).splitlines() == [
        "Email B: “Your basket”",
        "“Your basket is waiting”",
        "failed · 5,912 / 5,951 · 39 failed",
    ]


@pytest.mark.parametrize("zoom", [1.0, 0.65, 0.4, 0.15])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_level_of_detail_shows_the_failed_node_in_its_colour(
    overlay: RunOverlay, editor: CanvasEditor, view: CanvasView, zoom: float, scheme: str, qtbot: QtBot
) -> None:
    theme().set_scheme(scheme)
    overlay.show(cart_recovery.run_view())
    overlay.flush()
    view.set_zoom(zoom)
    view.centre_on(editor.scene.nodes["mail_b"].body.center())
    image = QPixmap(view.viewport().grab()).toImage()
    body = view.mapFromScene(editor.scene.nodes["mail_b"].body).boundingRect().adjusted(-3, -3, 3, 3)
    wanted = theme().colour("state.failed").rgb()
    found = sum(
        image.pixel(x, y) == wanted for x in range(body.left(), body.right()) for y in range(body.top(), body.bottom())
    )
    assert found > 20 * zoom


def test_far_away_no_item_is_painted_by_itself(
    view: CanvasView, editor: CanvasEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.set_zoom(0.15)
    view.viewport().grab()
    called: list[object] = []
    monkeypatch.setattr(editor.scene.drawing, "draw_picture", lambda *args, **_how: called.append(args))
    view.viewport().grab()
    assert called == []
    view.set_zoom(0.9)
    view.viewport().grab()
    assert called


def test_a_frame_paints_what_is_in_sight_only(
    view: CanvasView, editor: CanvasEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.set_zoom(1.0)
    view.centre_on(editor.scene.nodes["carts"].body.center() - editor.scene.nodes["goal"].body.center())
    called: list[object] = []
    monkeypatch.setattr(editor.scene.drawing, "draw_picture", lambda *args, **_how: called.append(args))
    view.viewport().grab()
    assert called == []
