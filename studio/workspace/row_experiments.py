"""An experiment that ran elsewhere, analysed from a file of raw rows. Absent on purpose: keeping anything of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from studio.analytics.samples import Columns, Sample, arms_of, default_percentile
from studio.domain.errors import UserFixable
from studio.experiments.analyze import analyze
from studio.experiments.moments import Arm
from studio.experiments.result import Analysis
from studio.experiments.segments import Segmentation, Stratified, by_segment, stratified
from studio.experiments.spec import ExperimentSpec, Metric, Mode, Variant

_READERS: Mapping[str, Callable[[Path], pl.LazyFrame]] = {
    ".csv": lambda path: pl.scan_csv(path, infer_schema_length=10_000),
    ".gz": lambda path: pl.scan_csv(path, infer_schema_length=10_000),
    ".parquet": pl.scan_parquet,
    ".jsonl": pl.scan_ndjson,
    ".ndjson": pl.scan_ndjson,
}
SEGMENTS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the rows. `weights` by variant, else equal; `planned_total` None: as many as there are."""

    columns: Columns
    metric: Metric
    control: str
    planned_total: int | None = None
    alpha: float = 0.05
    mode: Mode = "anytime"
    weights: Mapping[str, float] | None = None
    cap: float | None = None
    percentile: float | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsReport:
    """`segments` and `stratified` by treatment, where a column to divide by was named."""

    spec: ExperimentSpec
    sample: Sample
    analysis: Analysis
    segments: Mapping[str, Segmentation]
    stratified: Mapping[str, Stratified | None]


def analyze_rows(path: Path, question: Question) -> RowsReport:
    """Reads the file once, or twice with a column to divide by; memory stays bounded for rows that are one unit each.

    Raises:
        UserFixable: FILE-MISSING, FILE-KIND, FILE-UNREADABLE; EXPERIMENT-ROWS for columns and variants that do not fit.
    """
    rows = _rows(path)
    try:
        sample = _sample(rows, question)
        variants = _variants(sample, question)
        total = question.planned_total or max(1, sum(variant.arm.n for variant in variants))
        spec = ExperimentSpec(
            metric=question.metric,
            control=question.control,
            variants=variants,
            planned_total=total,
            alpha=question.alpha,
            mode=question.mode,
        )
        parts = _parts(rows, question, spec, sample) if question.segment else {}
    except pl.exceptions.PolarsError as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The rows cannot be read: {error}", where=str(path), hint="Mend the file."
        ) from None
    share = max(1, spec.planned_total * 2 // len(spec.variants))
    return RowsReport(
        spec=spec,
        sample=sample,
        analysis=analyze(spec),
        segments={name: by_segment(arms, planned_total=share, alpha=spec.level) for name, arms in parts.items()},
        stratified={name: stratified(arms, planned_total=share, alpha=spec.level) for name, arms in parts.items()},
    )


def _rows(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise UserFixable("FILE-MISSING", "There is no such file.", where=str(path), hint="Check the name.")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        hint = f"Give one of {', '.join(_READERS)}."
        raise UserFixable("FILE-KIND", f"Files of kind “{path.suffix}” are not read.", where=str(path), hint=hint)
    return reader(path)


def _sample(rows: pl.LazyFrame, question: Question) -> Sample:
    percentile = question.percentile if question.percentile is not None else default_percentile(question.metric)
    return arms_of(rows, question.columns, question.metric, cap=question.cap, percentile=percentile)


def _variants(sample: Sample, question: Question) -> tuple[Variant, ...]:
    found = list(sample.arms)
    weights = question.weights or dict.fromkeys(found, 1.0)
    missing = [name for name in (question.control, *weights) if name not in found]
    if missing or set(found) - set(weights) or len(found) < 2:
        raise UserFixable(
            "EXPERIMENT-ROWS",
            f"The rows hold these variants: {', '.join(found) or 'none'}.",
            where=question.columns.variant,
            hint="Two or more are needed; the control and every weight must be among them, and each needs a weight.",
        )
    ordered = [question.control, *(name for name in found if name != question.control)]
    return tuple(Variant(name, sample.arms[name], weights[name]) for name in ordered)


def _parts(
    rows: pl.LazyFrame, question: Question, spec: ExperimentSpec, sample: Sample
) -> dict[str, dict[str, tuple[Arm, Arm]]]:
    """Treatment → value of the column → control and treatment."""
    column = question.segment
    if column not in rows.collect_schema():
        raise UserFixable("EXPERIMENT-ROWS", f"There is no column “{column}”.", hint="Name one of the file's columns.")
    text = pl.col(column).cast(pl.String)
    names = rows.select(text.value_counts(sort=True)).head(SEGMENTS_MAX).collect().to_series().struct.field(column)
    parts = {
        str(name): arms_of(rows.filter(text == name), question.columns, question.metric, cap=sample.cap).arms
        for name in names.drop_nulls()
    }
    return {
        treatment.id: {
            name: (arms[spec.control], arms[treatment.id])
            for name, arms in parts.items()
            if spec.control in arms and treatment.id in arms
        }
        for treatment in spec.treatments
    }
