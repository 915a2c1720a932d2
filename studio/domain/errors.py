"""The error tree, cut by what the catcher does, not by where the error comes from.

Absent on purpose: one class per failure. Everything that is not one of these four is a bug and stays a builtin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Passing: TypeAlias = Literal["timeout", "busy", "unreachable"]
"""Why something may work later: no answer in time, asked to come back, or nobody there (or the line broke)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input, said so that its owner can mend it.

    `node` and `field` name the place (`field` is a path such as `parameters.wait` or `row 12, email`).
    """

    code: str
    message: str
    hint: str = ""
    node: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = " · ".join(part for part in (self.node, self.field) if part)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} {self.hint}".strip()


class StudioError(Exception):
    """What happened (`message`), where, and what to do (`hint`). `code` is stable and documented."""

    def __init__(self, code: str, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}{' ' + self.hint if self.hint else ''}"


class UserFixable(StudioError):
    """The person can mend it: show it. Carries every problem found, not only the first."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.problems = tuple(problems)


class Transient(StudioError):
    """It may work later: retry by policy. `retry_after_s` is the other side's wish, in seconds; `why`: what kind of
    failure it is, by which a step's policy may tell which ones it covers.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
        why: Passing = "busy",
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.retry_after_s = retry_after_s
        self.why: Passing = why


class Rejected(StudioError):
    """The other side said no for good: do not retry."""


class Corrupt(StudioError):
    """Stored data contradicts itself: stop and protect it."""
