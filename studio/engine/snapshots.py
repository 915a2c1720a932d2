"""A run's view as bytes: kept at the end of each leg, so that looking at a long run reads only what came after.

The events stay the truth: a snapshot of another make of view is passed over, and without any the view is folded from
the first event. Absent on purpose: views of earlier instants, which the window folds from the events it shows.
"""

from __future__ import annotations

import zlib
from dataclasses import fields
from functools import cache

from pydantic import TypeAdapter, ValidationError

from studio.domain.ids import stable_id
from studio.domain.run import RunView, StepProblem, StepView

_MAKE = stable_id(
    *(f"{kind.__name__}.{field.name}" for kind in (RunView, StepView, StepProblem) for field in fields(kind))
)
KEPT = f"view.{_MAKE[:12]}"
"""The name it is kept under: what a view consists of is part of it."""


def to_bytes(view: RunView) -> bytes:
    """The view, compressed; some kilobytes."""
    return zlib.compress(_views().dump_json(view))


def from_bytes(data: bytes) -> RunView | None:
    """The view again; None for bytes that are none."""
    try:
        return _views().validate_json(zlib.decompress(data))
    except (zlib.error, ValidationError):
        return None


@cache
def _views() -> TypeAdapter[RunView]:
    return TypeAdapter(RunView)
