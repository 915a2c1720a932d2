"""How commands speak: one JSON document on stdout with `--json`, otherwise text a person reads; progress on stderr.

Absent on purpose: deciding what to say.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from studio.domain.clock import iso
from studio.domain.errors import Problem, StudioError, UserFixable


class Output:
    """Where a command's answer goes."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def document(self, value: object, text: str | None = None) -> None:
        """The answer: `value` as JSON, or `text` for a person (the JSON, indented, where there is no better text)."""
        if self.as_json:
            print(json.dumps(plain(value), ensure_ascii=False))
        else:
            print(text if text is not None else json.dumps(plain(value), ensure_ascii=False, indent=2))

    def line(self, value: object) -> None:
        """One line of a stream of JSON lines."""
        print(json.dumps(plain(value), ensure_ascii=False), flush=True)

    def progress(self, text: str) -> None:
        """A word on stderr."""
        print(text, file=sys.stderr, flush=True)

    def error(self, error: StudioError) -> None:
        """What happened, where and what to do; every problem found."""
        problems = error.problems if isinstance(error, UserFixable) else ()
        if self.as_json:
            about: dict[str, object] = {
                "code": error.code,
                "message": error.message,
                "where": error.where,
                "hint": error.hint,
            }
            if problems:
                about["problems"] = [problem_json(problem) for problem in problems]
            print(json.dumps({"error": about}, ensure_ascii=False))
            return
        print(str(error), file=sys.stderr)
        for problem in problems:
            if str(problem) not in str(error):
                print(f"  - {problem}", file=sys.stderr)


def problem_json(problem: Problem) -> dict[str, object]:
    """The contract's form of one problem."""
    return {
        "node": problem.node,
        "field": problem.field,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def plain(value: object) -> object:
    """JSON values: dataclasses and models by field, times ISO 8601 UTC, durations ISO 8601, no NaN."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):  # a pydantic model, known without loading pydantic
        return dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():g}S"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return value


def table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    """Columns of text, numbers to the right; an empty table says so."""
    if not rows:
        return "(none)"
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(heads))]
    lines = [_line(heads, widths, right), *(_line(row, widths, right) for row in cells)]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
    return "  ".join(parts).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, datetime):
        return iso(value)
    return str(value)
