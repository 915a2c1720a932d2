"""After a batch of messages: who goes on, who tries again, who stays in doubt, put into one draft.

Absent on purpose: sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from studio.domain.node import Answered
from studio.engine.attempts import Failure
from studio.engine.book import Dispatched
from studio.engine.draft import Draft
from studio.engine.plan import Step
from studio.engine.stage import Stage
from studio.engine.tally import Trouble
from studio.engine.waiting import last_due, split_by_due
from studio.frames.events import AT

BLOCKED_PORT = "blocked"
AGAIN = "is_again"
"""Column: a message that goes once more by a person's wish; its instance went on when it was first called sent."""
_RETRY_AT = "retry_at"


async def settle(
    draft: Draft, stage: Stage, step: Step, batch: pl.DataFrame, gone: pl.Series, result: Dispatched, attempt_no: int
) -> None:
    """Puts what became of a batch into `draft` and lets instances go on in `stage`, which is not run yet.

    Who may not be written to goes on through `blocked` where the step has that port, and like everybody else where it
    has not: a later step may concern them. Who has left the run (`gone`) goes nowhere.
    """
    stage.tally(step.id).attempt = attempt_no
    moved = gone | batch.get_column(AGAIN).fill_null(value=False) if AGAIN in batch.columns else gone
    stays = set(moved.not_().arg_true())
    blocked_port = BLOCKED_PORT if BLOCKED_PORT in step.ports else step.main_port
    sent = sorted(row for row in result.sent if row in stays)
    if isinstance(step.node, Answered):
        answers = [result.answers.get(row) for row in sent] if draft.run.mode == "live" else None
        await stage.answered(step, batch[sent], answers)
    elif step.main_port is not None:
        stage.leave(step, step.main_port, batch[sent])
    if blocked_port is not None:
        stage.leave(step, blocked_port, _rows(batch, (row for row in result.blocked if row in stays)))
    failures = [item for item in result.failed if item[0] in stays]
    stage.fail(step, "send", _failures(batch, failures), of=batch.height)
    for is_attempt in (True, False):
        later = [(row, due_at) for row, due_at, counts in result.later if counts is is_attempt]
        if later:
            rows = _rows(batch, (row for row, _ in later))
            rows = rows.with_columns(pl.Series(_RETRY_AT, [due_at for _, due_at in later], dtype=AT))
            for piece in split_by_due(rows, draft.sizes.due_step, draft.sizes.send, column=_RETRY_AT):
                # The last moment of the piece: nobody is tried before his own time.
                due_at = last_due(piece, _RETRY_AT)
                draft.add(step.id, "send", piece.drop(_RETRY_AT), due_at=due_at, attempt=attempt_no + is_attempt)
    if result.doubtful:
        _doubt(draft, stage, step, _rows(batch, result.doubtful))
    draft.count(step.id, **result.counts)


def untouched(batch: pl.DataFrame, result: Dispatched) -> pl.DataFrame:
    """The rows of which the result says nothing: they are still to be sent."""
    told = {*result.sent, *result.blocked, *result.doubtful}
    told |= {row for row, *_ in (*result.failed, *result.later)}
    return _rows(batch, (row for row in range(batch.height) if row not in told))


def _doubt(draft: Draft, stage: Stage, step: Step, rows: pl.DataFrame) -> None:
    draft.add(step.id, "doubt", rows)
    people = rows.get_column("contact_id")
    stage.troubles.append(
        Trouble(
            step.id,
            "MAIL-IN-DOUBT",
            "The connection broke at the last moment, so nobody knows whether these messages arrived.",
            "Look them up at the mail server, then mark them as sent or send them again.",
            count=people.len(),
            sample=tuple(people.head(10)),
            severity="warning",
            action="resolve",
        )
    )


def _failures(batch: pl.DataFrame, failed: Sequence[tuple[int, str, str]]) -> list[Failure]:
    groups: dict[tuple[str, str], list[int]] = {}
    for row, code, message in failed:
        groups.setdefault((code, message), []).append(row)
    return [Failure(_rows(batch, rows), code, message, "") for (code, message), rows in groups.items()]


def _rows(batch: pl.DataFrame, rows: Iterable[int]) -> pl.DataFrame:
    return batch[sorted(rows)]
