"""What a chart shows, as plain values. A screen makes these from analytics results; a chart never computes a metric.

Absent on purpose: Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from studio.ui.numbers import count

X: TypeAlias = float | datetime
"""A place on the horizontal axis: a number, or a moment (aware, shown as given)."""


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`people` is a count; `note` comes into the tooltip (“578 held back: no consent”).

    share: of the people at the step before, the fraction that is at this one too; None of nobody.
    """

    label: str
    people: int
    share: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    x: X
    y: float


@dataclass(frozen=True, slots=True)
class BandPoint:
    """An estimate with its interval: low ≤ mid ≤ high."""

    x: X
    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at `x`; drawn on the actual line with its words."""

    x: X
    title: str
    detail: str = ""
    colour: str = "state.failed"


@dataclass(frozen=True, slots=True)
class LineBandData:
    """What was measured, against what was predicted (with its interval)."""

    actual: Sequence[Point]
    predicted: Sequence[BandPoint] = ()
    markers: Sequence[Marker] = ()
    actual_label: str = "actual"
    predicted_label: str = "predicted"
    band_label: str = "90 % interval"


@dataclass(frozen=True, slots=True)
class BandData:
    """An estimate that narrows as data comes in, and the value it is compared with (None: with nothing, no signs).

    `span`: what of the vertical axis is shown; the band is cut off there. None: all of it.
    """

    points: Sequence[BandPoint]
    label: str = ""
    reference: float | None = 0.0
    reference_label: str = "no difference"
    colour: str = "state.done"
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Density:
    """One belief curve; `xs` rise, `ys` are densities (any scale)."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str = "accent"


@dataclass(frozen=True, slots=True)
class BarItem:
    """`text` is what stands at the right (default: the value as a count); `colour` a token."""

    label: str
    value: float
    text: str = ""
    colour: str = "accent"

    @property
    def words(self) -> str:
        return self.text or count(self.value)


@dataclass(frozen=True, slots=True)
class HeatmapData:
    """`values[r][c]` for row r and column c; None where there is no data.

    `column_labels` stand below and may be empty strings; `column_names` are what is read out (default: the labels).
    """

    row_labels: Sequence[str]
    column_labels: Sequence[str]
    values: Sequence[Sequence[float | None]]
    column_names: Sequence[str] = ()

    def column_name(self, number: int) -> str:
        return (self.column_names or self.column_labels)[number] or str(number)


MiniRole: TypeAlias = Literal["source", "pure", "wait", "send", "goal", "exit"]


@dataclass(frozen=True, slots=True)
class MiniNode:
    """A node where the workflow file has it; `label` is for the description."""

    id: str
    x: float
    y: float
    role: MiniRole = "pure"
    label: str = ""


@dataclass(frozen=True, slots=True)
class MiniGraphData:
    nodes: Sequence[MiniNode]
    edges: Sequence[tuple[str, str]]
