"""What happens when something in the window fails: it is logged whole, said in words, and the window stays.

`Faults.reported` carries a `Fault`; the shell shows it as a toast. A screen that can say it better (in place, with a
retry) catches its own errors and shows an `ErrorPanel` made from `explain`.
Absent on purpose: modal error boxes.
"""

from __future__ import annotations

import functools
import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import ParamSpec, TypeVar

from PySide6.QtCore import QObject, Signal

from studio.domain.errors import StudioError, Transient, UserFixable

log = logging.getLogger("studio.ui")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in words. `details` is for the developer: copied by a button, never shown by default."""

    happened: str
    where: str
    to_do: str
    code: str
    details: str


def explain(error: BaseException) -> Fault:
    """Words for any exception; ours carry their own."""
    details = "".join(traceback.format_exception(error))
    if not isinstance(error, StudioError):
        return Fault(
            "Something in the program went wrong.",
            type(error).__name__,
            "Nothing was lost. Try again; if it comes back, copy the details into a report.",
            "INTERNAL",
            details,
        )
    problems = error.problems if isinstance(error, UserFixable) else ()
    to_do = error.hint or ("Try again in a moment." if isinstance(error, Transient) else "")
    listed = " ".join(str(problem) for problem in problems[:5] if problem.message not in error.message)
    more = f" And {len(problems) - 5} more." if len(problems) > 5 else ""
    return Fault(error.message, error.where or "", f"{to_do} {listed}{more}".strip(), error.code, details)


class Faults(QObject):
    """Where errors of slots and of work in the background arrive. Safe to call from any thread."""

    reported = Signal(object)

    def report(self, error: BaseException) -> None:
        if isinstance(error, UserFixable):
            log.info("refused: %s", error)
        else:
            log.error("failed: %s", error, exc_info=error)
        self.reported.emit(explain(error))


@cache
def faults() -> Faults:
    return Faults()


def guarded(slot: Callable[P, R]) -> Callable[P, R | None]:
    """Decorator for slots and event handlers: an error is reported and the window goes on; the result is then None."""

    @functools.wraps(slot)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return slot(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the slot guard: an error must not end the window
            faults().report(error)
            return None

    return safe


def catch_the_rest() -> None:
    """Errors that leave an unguarded slot come here through `sys.excepthook`; Ctrl+C still ends the program."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, Exception):
            faults().report(error)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = hook
