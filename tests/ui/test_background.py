"""Work off the Qt thread comes back on it; errors never close the window."""

from __future__ import annotations

import logging
import sys
import threading

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from studio.domain.errors import Problem, Transient, UserFixable
from studio.ui.background import (
    Progress,
    finish_writes,
    run_in_background,
    run_with_progress,
    under_way,
    write_in_background,
)
from studio.ui.faults import Fault, catch_the_rest, explain, faults, guarded


def test_the_result_arrives_on_the_qt_thread(qtbot: QtBot) -> None:
    threads: list[int] = []
    results: list[int] = []

    def work() -> int:
        threads.append(threading.get_ident())
        return 42

    def done(result: int) -> None:
        threads.append(threading.get_ident())
        results.append(result)

    task = run_in_background(work, done)
    with qtbot.waitSignal(task.finished):
        pass
    assert results == [42]
    assert threads[0] != threading.get_ident() == threads[1]


def test_an_error_goes_to_its_handler_else_to_the_faults(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise Transient("MAIL-BUSY", "The server is busy.")

    errors: list[Exception] = []
    with qtbot.waitSignal(run_in_background(fail, on_error=errors.append).finished):
        pass
    assert isinstance(errors[0], Transient)
    with caplog.at_level(logging.CRITICAL), qtbot.waitSignal(faults().reported) as told:
        run_in_background(fail)
    assert told.args[0].happened == "The server is busy."
    qtbot.wait(1)


def test_a_callback_that_fails_is_reported_not_raised(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    def done(_result: object) -> None:
        raise ValueError("broken callback")

    with caplog.at_level(logging.CRITICAL), qtbot.waitSignal(faults().reported) as told:
        task = run_in_background(lambda: None, done)
    assert "broken callback" in told.args[0].details
    assert task.progress is not None


def test_nothing_is_called_for_a_screen_that_is_gone(qtbot: QtBot) -> None:
    owner, called = QObject(), []
    gate = threading.Event()
    task = run_in_background(gate.wait, called.append, owner=owner)
    owner.deleteLater()
    del owner
    with qtbot.waitSignal(task.finished):
        gate.set()
    assert called == []


def test_progress_is_told_and_work_can_be_cancelled(qtbot: QtBot) -> None:
    told: list[tuple[float, str]] = []
    called: list[str] = []
    threads: set[int] = set()

    def work(progress: Progress) -> str:
        progress.report(0.5, "half")
        progress.report(None)
        while not progress.cancelled:
            threading.Event().wait(0.001)
        return "stopped"

    def tell(fraction: float, text: str) -> None:
        told.append((fraction, text))
        threads.add(threading.get_ident())

    task = run_with_progress(work, called.append, on_progress=tell)
    qtbot.waitUntil(lambda: len(told) == 2)
    with qtbot.waitSignal(task.finished):
        task.cancel()
    assert told == [(0.5, "half"), (-1.0, "")]
    assert threads == {threading.get_ident()}
    assert called == []


def test_a_guarded_slot_reports_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Fault] = []
    faults().reported.connect(heard.append)

    @guarded
    def slot(value: int) -> int:
        return 10 // value

    with caplog.at_level(logging.CRITICAL):
        assert slot(0) is None
    assert slot(5) == 2
    assert heard[-1].code == "INTERNAL"
    assert "ZeroDivisionError" in heard[-1].details
    faults().reported.disconnect(heard.append)


def test_what_leaves_a_slot_is_caught(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(logging.getLogger("studio.ui"), "disabled", True)
    catch_the_rest()
    with qtbot.waitSignal(faults().reported) as told:
        sys.excepthook(ValueError, ValueError("out of a slot"), None)
    assert "out of a slot" in told.args[0].details


def test_every_problem_is_told_with_its_place() -> None:
    problems = [Problem("ROW", f"Row {n} has no address.", field=f"row {n}") for n in range(7)]
    fault = explain(
        UserFixable("CSV", "The list has gaps.", where="people.csv", hint="Fill them in.", problems=problems)
    )
    assert (fault.happened, fault.where, fault.code) == ("The list has gaps.", "people.csv", "CSV")
    assert fault.to_do.startswith("Fill them in. row 0: Row 0 has no address.")
    assert fault.to_do.endswith("And 2 more.")


def test_what_is_written_keeps_its_order_and_is_seen_by_whatever_is_asked_for_later(qtbot: QtBot) -> None:
    written: list[int] = []
    may_write = threading.Event()
    first = write_in_background(lambda: (may_write.wait(5), written.append(1)))
    last = write_in_background(lambda: written.append(2))
    seen: list[list[int]] = []
    reading = run_in_background(lambda: list(written), seen.append)
    with qtbot.waitSignals([first.finished, last.finished, reading.finished]):
        may_write.set()
    assert seen == [[1, 2]]


def test_a_write_that_fails_keeps_none_of_those_behind_it_from_being_done(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise Transient("STORE-DISK-FULL", "The disk is full.")

    written: list[int] = []
    with caplog.at_level(logging.CRITICAL), qtbot.waitSignal(faults().reported):
        write_in_background(fail)
        write_in_background(lambda: written.append(1))
        finish_writes()
    assert written == [1]
    qtbot.waitUntil(lambda: not under_way())
