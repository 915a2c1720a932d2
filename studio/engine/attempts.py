"""Calling a node with a batch, and finding the rows it cannot handle when the call fails.

One bad row must not cost its neighbours anything: a failing batch is halved until the rows that fail stand alone. Where
all fail, a few dozen samples say so at once. Absent on purpose: what is then done with them (`engine/stage.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import polars as pl

from studio.domain.errors import Corrupt, StudioError, Transient
from studio.domain.node import NodeContext
from studio.frames.few import ByRow, EntersByRow, Few, FewOutcome

Result = TypeVar("Result")
Call = Callable[[pl.DataFrame], Awaitable[Result]]

_PROBES = 32
_PROBE_FROM_ROWS = 256

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Rows that could not be handled, and why in words. `error`: what was raised; None: the step said it itself."""

    rows: pl.DataFrame
    code: str
    message: str
    hint: str
    error: Exception | None = None


@dataclass(slots=True)
class Attempted(Generic[Result]):
    """What came of a call: results of the parts that worked, rows that fail, rows to try again later."""

    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    later: list[tuple[pl.DataFrame, Transient]] = field(default_factory=list)

    @property
    def failed_rows(self) -> int:
        return sum(failure.rows.height for failure in self.failures)


async def attempt(batch: pl.DataFrame, call: Call[Result], timeout_s: float | None = None) -> Attempted[Result]:
    """Calls with the whole batch and, when that fails, with ever smaller parts of it.

    A `Transient` failure is never halved: it is about the moment, not about a row. O(failing rows · log batch) calls.
    Raises Corrupt at once.
    """
    attempted: Attempted[Result] = Attempted()
    answer = await _try(batch, call, timeout_s)
    if not isinstance(answer, Exception):
        attempted.results.append(answer)
        return attempted
    if isinstance(answer, Transient):
        attempted.later.append((batch, answer))
        return attempted
    log.info("a batch of %d rows failed, looking for the rows", batch.height, exc_info=answer)
    if await _all_samples_fail(batch, call, timeout_s):
        attempted.failures.append(_failure(batch, answer))
        return attempted
    parts = _halves(batch, answer, attempted)
    while parts:
        part = parts.pop()
        answer = await _try(part, call, timeout_s)
        if not isinstance(answer, Exception):
            attempted.results.append(answer)
        elif isinstance(answer, Transient):
            attempted.later.append((part, answer))
        else:
            parts += _halves(part, answer, attempted)
    return attempted


def attempt_few(node: ByRow, few: Few, context: NodeContext) -> FewOutcome | None:
    """Asks a node row by row; None where it has to be asked by columns, where every failure has its words."""
    try:
        outcome = node.run_few(few, context)
        if outcome is not None:
            ids = [row["instance_id"] for part in outcome.out.values() for row in part.rows]
            assert sorted(ids) == sorted(few.column("instance_id")), "the step lost people, or let them out twice"
    except Exception:
        log.info("%d rows failed row by row, trying them by columns", few.height, exc_info=True)
        return None
    return outcome


def enter_few(trigger: EntersByRow, events: Few, context: NodeContext) -> Few | None:
    """Shows a trigger events row by row; None where it has to be shown them by columns."""
    try:
        return trigger.enter_few(events, context)
    except Exception:
        log.info("%d events failed row by row, trying them by columns", events.height, exc_info=True)
        return None


def reason_of(error: Exception) -> tuple[str, str, str]:
    """(code, message, hint) of any error, in words for people."""
    if isinstance(error, StudioError):
        return error.code, error.message, error.hint or ""
    text = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    return "STEP-ERROR", f"The step failed with an error of its own ({said}).", "The log has the details."


async def _try(batch: pl.DataFrame, call: Call[Result], timeout_s: float | None) -> Result | Exception:
    try:
        async with asyncio.timeout(timeout_s):
            return await call(batch)
    except Corrupt:
        raise
    except TimeoutError:
        # Halves of it would only hang as well, one after the other.
        return Transient(
            "STEP-TIMEOUT", "The step took longer than it may.", hint="Raise its time limit.", why="timeout"
        )
    except Exception as error:  # noqa: BLE001 - a node may be anybody's; one bad row or node must not end the run
        return error


async def _all_samples_fail(batch: pl.DataFrame, call: Call[Result], timeout_s: float | None) -> bool:
    if batch.height < _PROBE_FROM_ROWS:
        return False
    stride = batch.height // _PROBES
    for at in range(_PROBES):
        if not isinstance(await _try(batch.slice(at * stride, 1), call, timeout_s), Exception):
            return False
    return True


def _halves(batch: pl.DataFrame, error: Exception, attempted: Attempted[Result]) -> list[pl.DataFrame]:
    if batch.height <= 1:
        attempted.failures.append(_failure(batch, error))
        return []
    middle = batch.height // 2
    return [batch.slice(middle), batch.slice(0, middle)]


def _failure(rows: pl.DataFrame, error: Exception) -> Failure:
    return Failure(rows, *reason_of(error), error)
