"""How a run's line reads: what was cut off is interrupted, not running, and a run begins on the day it is as of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studio.domain.ports import RunRow
from studio.ui.screens.runs.rows import RunLine, briefly, summary
from studio.ui.tokens import STATES
from studio.workspace.insights import RunBrief

AT = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(microseconds=1)


def line(state: str, *, is_running: bool) -> RunLine:
    run = RunRow(
        run_id="r1", workflow_id="w", version="v", name="Spring", mode="simulate", seed=1, clock="max", state=state,
        started_at=AT, at=AT,
    )  # fmt: skip
    return RunLine(run, RunBrief.__new__(RunBrief), is_running)


@pytest.mark.parametrize(
    ("state", "is_running", "words", "look"),
    [
        ("running", True, "running", "running"),
        ("running", False, "interrupted", "stopped"),
        ("queued", False, "interrupted", "stopped"),
        ("waiting", False, "waiting", "waiting"),
    ],
)
def test_only_what_runs_is_called_running(state: str, is_running: bool, words: str, look: str) -> None:
    found = line(state, is_running=is_running)
    assert (found.state.lower(), found.look) == (words, look)
    assert found.can_resume is not is_running


def test_the_first_line_counts_them_apart() -> None:
    lines = [line("running", is_running=True), line("running", is_running=False), line("waiting", is_running=False)]
    assert summary(lines) == "1 running, 1 interrupted, 1 waiting"


def test_a_run_as_of_a_midnight_began_on_that_day() -> None:
    assert briefly(AT) == "2 Mar 2026, 00:00"


def test_a_retry_is_offered_where_something_failed() -> None:
    done, waiting, failed = (line(state, is_running=False) for state in ("done", "waiting", "failed"))
    assert not done.can_retry
    assert not waiting.can_retry
    assert failed.can_retry, "its source is asked again"
    assert replace(done, failed=3).can_retry


def test_a_state_has_a_glyph_beside_colour_and_word() -> None:
    looks = [line(state, is_running=False).look for state in ("running", "waiting", "paused", "done", "failed")]
    assert len({STATES[look].icon for look in looks}) == 5
