"""What a run that takes its time says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.domain.run import RunView, StepView
from studio.workspace.runs import headline

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_run_that_only_waits_says_for_how_many_and_until_when() -> None:
    steps = {
        "mail": StepView("mail", "waiting", sending={"sent": 3}),
        "later": StepView("later", "waiting", waiting=2, next_due="2026-03-04T08:00:00Z"),
        "soon": StepView("soon", "waiting", waiting=1, next_due="2026-03-03T08:00:00Z"),
    }
    said = headline(RunView("r1", at=AT, steps=steps))
    assert said == "r1: 2026-03-02 08:00, 3 sent, 3 waiting, the next until 2026-03-03 08:00"


def test_a_run_that_works_says_where() -> None:
    steps = {"mail": StepView("mail", "running", sending={"sent": 1_200}, waiting=5, next_due="2026-03-03T08:00:00Z")}
    assert headline(RunView("r1", at=AT, steps=steps)) == "r1: 2026-03-02 08:00, 1,200 sent, busy at mail"
