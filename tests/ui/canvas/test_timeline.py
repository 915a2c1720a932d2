"""Going back in time: bars, the mark, steps and play show the run as it was, and the present comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.domain.run import RunView, fold
from studio.ui.canvas.gantt import Gantt
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.time_window import TimeWindow
from studio.ui.canvas.words import log_line
from studio.ui.widgets import EmptyState
from tests.ui.canvas import cart_recovery

EVENTS = cart_recovery.run_events()
ROLES = {"wait": "wait", "goal": "goal", "mail_a": "send", "mail_b": "send"}


@given(seq=st.integers(0, len(EVENTS) + 3), cuts=st.lists(st.integers(0, len(EVENTS)), max_size=4))
def test_any_instant_is_the_fold_up_to_it_however_events_came(seq: int, cuts: list[int]) -> None:
    history = RunHistory("r1")
    last = 0
    for cut in (*sorted(cuts), len(EVENTS)):
        history.add(EVENTS[last:cut])
        history.add(EVENTS[: cut // 2])  # told twice: no matter
        last = cut
    expected = fold(RunView("r1"), [event for event in EVENTS if event.seq <= seq])
    assert history.view_at(seq) == expected


def test_looking_back_over_many_events_folds_few(monkeypatch: pytest.MonkeyPatch) -> None:
    run = cart_recovery.Script()
    run.say(None, "run.started", mode="simulate", seed=1, clock="max")
    for number in range(5_000):
        run.later(seconds=1)
        run.say("wait", "step.waiting", waiting=number, next_due=None)
    history = RunHistory("r1")
    history.add(run.events)
    from studio.ui.canvas import history as module

    folded: list[int] = []
    monkeypatch.setattr(module, "fold", lambda view, events: (folded.append(len(list(events))), fold(view, events))[1])
    assert history.view_at(3_333).steps["wait"].waiting == 3_331
    assert sum(folded) <= 256


def test_a_step_stands_on_the_timeline_in_the_states_it_had() -> None:
    history = RunHistory("r1", ROLES)
    history.add(EVENTS)
    assert [span.state for span in history.spans["carts"]] == ["done"]
    assert [span.state for span in history.spans["mail_b"]] == ["running", "failed"]
    running, failed = history.spans["mail_b"]
    assert running.end == failed.start
    assert failed.start - running.start == timedelta(hours=3)
    assert failed.end is None
    assert [span.state for span in history.spans["wait"]] == ["waiting"]


def test_instants_go_forth_and_back_over_the_same_moments() -> None:
    history = RunHistory("r1")
    history.add(EVENTS)
    forward, seq = [], history.seq_at(EVENTS[0].at)
    while True:
        forward.append(seq)
        if (after := history.next_instant(seq)) == seq:
            break
        seq = after
    assert forward[-1] == len(EVENTS)
    assert len({history.moment_of(s) for s in forward}) == len(forward) == len({event.at for event in EVENTS})
    backward = [forward[-1]]
    while (before := history.previous_instant(backward[-1])) != backward[-1] and before > forward[0]:
        backward.append(before)
    assert backward == list(reversed(forward[1:]))


def test_the_log_tells_a_run_in_sentences() -> None:
    names = {"mail_b": "Email B", "wait": "Wait"}
    lines = [line for event in EVENTS if (line := log_line(event, names))]
    told = {(line.who, line.text.replace("\u00a0", " ")) for line in lines}
    assert ("Run", "started in simulate mode, 1440 times real time, seed 7") in told
    assert ("Email B", "5,912 sent, 8 failed, 31 to try again") in told
    assert ("Wait", "5,204 contacts waiting, the next until 4 Mar 2026, 11:30:00") in told
    problem = next(line for line in lines if "mailbox busy" in line.text)
    assert problem.tone == "bad"


def test_the_log_calls_variants_by_their_labels() -> None:
    run = cart_recovery.Script()
    run.say("split", "step.ran", out={"A": 6, "B": 5}, **{"in": 11})
    (event,) = run.events
    line = log_line(event, {"split": "Subject"}, {"split": {"A": "Short subject"}})
    assert line is not None
    assert "6 through “Short subject”, 5 through “B”" in line.text


@pytest.fixture
def watched(page: CanvasPage) -> CanvasPage:
    page.add_events(EVENTS)
    page.overlay.flush()
    page.timeline._course.now()  # it follows a few times a second, and a test is faster than that
    return page


def state(page: CanvasPage, node_id: str) -> str:
    page.overlay.flush()
    return page.scene.nodes[node_id].state


def test_dragging_the_mark_shows_that_instant(watched: CanvasPage, qtbot: QtBot) -> None:
    gantt = watched.timeline.gantt
    port = gantt.viewport()
    assert state(watched, "mail_b") == "failed"
    left, width = gantt._track()
    # Two and a half of six and a half hours: both mails are on their way, nobody was refused yet.
    with qtbot.waitSignal(watched.instant_changed) as told:
        QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=QPoint(round(left + width * 2.5 / 6.5), 60))
    assert told.args is not None
    assert state(watched, "mail_b") == "running"
    assert state(watched, "goal") == "idle"
    assert watched.timeline.live.isVisibleTo(watched)
    expected = fold(RunView("r1"), EVENTS[: told.args[0]])
    assert watched.overlay.view == expected
    watched.timeline.live.click()
    assert state(watched, "mail_b") == "failed"
    assert watched.timeline.seq is None


def test_new_events_do_not_disturb_who_looks_back(watched: CanvasPage) -> None:
    watched.timeline.step(-1)
    looked_at = watched.overlay.view
    more = cart_recovery.Script()
    more.events = list(EVENTS)
    more.at = EVENTS[-1].at
    more.later(minutes=10)
    more.say("mail_a", "step.state", state="done")
    watched.add_events(more.events)
    watched.overlay.flush()
    assert watched.overlay.view == looked_at
    watched.timeline.go_live()
    assert state(watched, "mail_a") == "done"


def test_steps_and_keys_go_from_moment_to_moment(watched: CanvasPage) -> None:
    moments = sorted({event.at for event in EVENTS})
    watched.timeline.back.click()
    assert watched.overlay.view is not None
    assert watched.overlay.view.at == moments[-2]
    QTest.keyClick(watched.timeline.gantt, Qt.Key.Key_Left)
    assert watched.overlay.view.at == moments[-3]
    QTest.keyClick(watched.timeline.gantt, Qt.Key.Key_Home)
    assert watched.overlay.view.at == moments[0]
    watched.timeline.forward.click()
    assert watched.overlay.view.at == moments[1]


def test_play_runs_through_to_the_end(watched: CanvasPage, qtbot: QtBot) -> None:
    seen: list[int] = []
    watched.instant_changed.connect(seen.append)
    watched.timeline.play.click()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == len(EVENTS), timeout=5000)
    assert seen == sorted(set(seen))
    assert seen[0] == 1


def test_bars_lie_where_their_spans_are(watched: CanvasPage) -> None:
    gantt = watched.timeline.gantt
    left, width = gantt._track()
    bars = {(node_id, at_state): rect for node_id, at_state, rect in gantt.bars()}
    assert bars["carts", "done"].left() == pytest.approx(left)
    assert bars["carts", "done"].width() >= 5
    assert bars["mail_b", "failed"].right() == pytest.approx(left + width, abs=1)
    assert bars["mail_b", "running"].right() == pytest.approx(bars["mail_b", "failed"].left(), abs=1)
    lines = [rect.top() for _n, _s, rect in gantt.bars()]
    assert lines == sorted(lines)


def test_a_click_at_a_name_chooses_the_step(watched: CanvasPage) -> None:
    gantt = watched.timeline.gantt
    row = next(i for i, (node_id, _name) in enumerate(gantt._rows) if node_id == "subject")
    y = gantt._axis_height() + row * gantt._row_height() + 8
    QTest.mouseClick(gantt.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, y))
    assert watched.selection.single == "subject"


def test_a_line_of_the_log_leads_to_its_instant(watched: CanvasPage, qtbot: QtBot) -> None:
    watched.timeline.tabs.show_page(watched.timeline.log)
    qtbot.waitUntil(lambda: bool(watched.timeline.log.rows()))
    line = next(line for line in watched.timeline.log.rows() if "mailbox busy" in line.text)
    watched.timeline.log.row_opened.emit(line)
    assert watched.timeline.seq == line.seq
    assert watched.overlay.view is not None
    assert watched.overlay.view.seq == line.seq


def test_another_run_begins_anew(watched: CanvasPage, qtbot: QtBot) -> None:
    other = cart_recovery.Script("r2")
    other.say(None, "run.started", mode="simulate", seed=1, clock="max")
    watched.add_events(other.events)
    watched.overlay.flush()
    assert {item.state for item in watched.scene.nodes.values()} == {"idle"}
    watched.timeline.tabs.show_page(watched.timeline.log)
    qtbot.waitUntil(lambda: len(watched.timeline.log.rows()) == 1)


def test_the_log_stands_as_it_did_at_the_instant(watched: CanvasPage) -> None:
    timeline = watched.timeline
    timeline.tabs.show_page(timeline.log)
    whole = timeline.log.rows()
    at = EVENTS[len(EVENTS) // 2]
    timeline.show_instant(at.at)
    seen = timeline.log.rows()
    assert seen == [line for line in whole if line.at <= at.at]
    assert 0 < len(seen) < len(whole)
    timeline.go_live()
    assert timeline.log.rows() == whole


def test_the_timeline_zooms_to_a_part_of_the_run_and_back(watched: CanvasPage, qtbot: QtBot) -> None:
    gantt, start, end = watched.timeline.gantt, EVENTS[0].at, EVENTS[-1].at
    assert gantt.seen() == (start, end)
    assert not gantt.whole.isEnabled()
    for _ in range(4):
        gantt.closer.click()
    begin, close = gantt.seen()
    assert (close - begin) * 5 < end - start
    assert all(rect.left() >= 0 and rect.right() <= gantt.viewport().width() for _n, _s, rect in gantt.bars())
    qtbot.waitUntil(gantt.horizontalScrollBar().isVisible)
    gantt.horizontalScrollBar().setValue(0)
    assert gantt.seen()[0] == start
    gantt.horizontalScrollBar().setValue(gantt.horizontalScrollBar().maximum())
    assert abs(gantt.seen()[1] - end) < (end - start) / 500
    QTest.keyClick(gantt, Qt.Key.Key_Home)
    assert gantt.seen()[0] == start, "where the mark goes, what is in sight goes along"
    QTest.keyClick(gantt, Qt.Key.Key_0)
    assert gantt.seen() == (start, end)


def test_a_double_click_on_a_bar_shows_just_that(watched: CanvasPage) -> None:
    gantt = watched.timeline.gantt
    rect = next(rect for node_id, state, rect in gantt.bars() if (node_id, state) == ("mail_b", "running"))
    running = watched.watch.history.spans["mail_b"][0]
    QTest.mouseDClick(gantt.viewport(), Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    begin, end = gantt.seen()
    assert begin <= running.start < running.end <= end
    assert end - begin < (running.end - running.start) * 1.2


def test_a_run_that_goes_on_leaves_the_part_in_sight_alone(watched: CanvasPage) -> None:
    gantt = watched.timeline.gantt
    watched.timeline.go_live()
    gantt.zoom_by(8, EVENTS[0].at)
    seen = gantt.seen()
    more = cart_recovery.Script()
    more.events, more.at = list(EVENTS), EVENTS[-1].at
    more.later(hours=9)
    more.say("wait", "step.waiting", waiting=1, next_due=None)
    watched.add_events(more.events[-1:])
    watched.timeline._show()
    assert gantt.seen() == seen


BEGIN = EVENTS[0].at
SHARES = st.floats(0, 1)
WINDOWS = st.lists(st.tuples(st.sampled_from(["zoom", "move", "show", "grow"]), st.floats(0.1, 30), SHARES), max_size=8)


@given(acts=WINDOWS, share=SHARES)
def test_a_window_never_leaves_the_run_and_zooms_about_its_point(
    acts: list[tuple[str, float, float]], share: float
) -> None:
    window = TimeWindow(BEGIN, BEGIN + timedelta(hours=5))
    for act, number, at in acts:
        if act == "zoom":
            point = window.moment_at(at)
            near = window.zoomed(number, point)
            if window.start < near.seen[0] and near.seen[1] < window.end:
                assert abs(near.share_of(point) - window.share_of(point)) < 1e-3
            window = near
        elif act == "move":
            window = window.moved(number * (at - 0.5))
        elif act == "show":
            window = window.showing(window.start + (window.end - window.start) * at)
        else:
            window = window.of_run(window.start, window.end + timedelta(minutes=number))
        begin, end = window.seen
        assert window.start <= begin < end <= window.end
    assert begin <= window.moment_at(share) <= end if acts else window.is_whole


def test_a_step_that_is_chosen_shows_its_trouble_at_once(page: CanvasPage) -> None:
    page.add_events(EVENTS[: len(EVENTS) // 2])
    page.overlay.flush()
    page.add_events(EVENTS[len(EVENTS) // 2 :])
    page.overlay.flush()
    page.choose("mail_b")
    assert page.inspector.tabs.title == "Problem"
    # What was there before is hidden at once and deleted a turn later.
    assert all(empty.isHidden() for empty in page.inspector.problem.findChildren(EmptyState))


def test_names_and_rows_are_kept_as_a_picture_that_is_never_out_of_date(qtbot: QtBot, look: None) -> None:
    def shown(chosen: str, scrolled: int, width: int) -> tuple[Gantt, QImage]:
        gantt = Gantt()
        qtbot.addWidget(gantt)
        gantt.resize(width, 140)
        gantt.set_rows(rows)
        gantt.set_chosen(chosen)
        gantt.show()
        gantt.verticalScrollBar().setValue(scrolled)
        return gantt, picture(gantt)

    def picture(gantt: Gantt) -> QImage:
        QApplication.processEvents()  # its scroll bar takes its place
        return gantt.viewport().grab().toImage()

    rows = [(f"n{number}", f"Step number {number}") for number in range(12)]
    gantt, _first = shown("n1", 0, 700)
    gantt.set_chosen("n3")
    assert picture(gantt) == shown("n3", 0, 700)[1]
    gantt.verticalScrollBar().setValue(40)
    assert picture(gantt) == shown("n3", 40, 700)[1]
    gantt.resize(600, 140)
    assert picture(gantt) == shown("n3", 40, 600)[1]
    rows = [*rows[1:], ("n0", "Another")]
    gantt.set_rows(rows)
    assert picture(gantt) == shown("n3", 40, 600)[1]
