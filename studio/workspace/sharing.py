"""The story of sharing: a run's report as a file, now and by a schedule.

Absent on purpose: counting (analytics) and sending it to anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import JsonValue

from studio.analytics import report as made
from studio.analytics import report_messages as messages
from studio.analytics.report import Report, Section
from studio.analytics.report_files import as_html, as_pdf
from studio.domain.clock import Clock, iso, parse_iso
from studio.domain.duration import format_duration, parse_duration
from studio.domain.errors import UserFixable
from studio.store.store import Store
from studio.workspace.analyses import AnalysesStory, Details
from studio.workspace.insights import InsightsStory, RunInsight
from studio.workspace.trials import TrialsStory

Form: TypeAlias = Literal["html", "pdf"]
FORMS: tuple[Form, ...] = ("html", "pdf")
SHORTEST = timedelta(hours=1)
_SETTING = "reports.schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The newest run's report, written into `folder` every so often; `last_at` is when it was last."""

    every: timedelta
    form: Form
    folder: Path
    last_at: datetime | None = None


class SharingStory:
    """Reports of one workspace."""

    def __init__(
        self, store: Store, clock: Clock, insights: InsightsStory, analyses: AnalysesStory, trials: TrialsStory
    ) -> None:
        self._store = store
        self._clock = clock
        self._insights = insights
        self._analyses = analyses
        self._trials = trials

    def report(self, run_id: str) -> Report:
        """The report of a run as it stands."""
        insight, details = self._insights.of_run(run_id), self._analyses.details(run_id)
        run, returned = insight.run, insight.returned
        mode = {"simulate": "simulated", "test": "test mode", "live": "live"}[run.mode]
        about = f"{run.name}, run {run_id}, {run.state}, {mode}; {insight.events:,} events up to {run.at:%d %B %Y}"
        return Report(
            name=run.name,
            finding=insight.finding,
            about=about,
            made_at=self._clock.now(),
            figures=made.figures(insight.kpis, returned.currency),
            sections=self._sections(insight, details),
        )

    def _sections(self, insight: RunInsight, details: Details) -> tuple[Section, ...]:
        returned, labels = insight.returned, insight.design.labels
        currency, sends = returned.currency, {node: labels[node] for node in insight.design.sends}
        trials = self._trials.of_run(insight.run.run_id)
        advice = self._analyses.suggestions(insight, details, trials[0].result if trials else None)
        return (
            made.revenue_section(insight.revenue, insight.treated, returned, insight.predicted),
            made.funnel_section(insight.funnel),
            made.advice_section(advice, currency),
            made.caused_section(returned),
            *(made.experiment_section(trial.result) for trial in trials),
            messages.steps_section(insight.steps, sends, details.attribution.credit, currency),
            messages.links_section(details.links, labels),
            messages.credit_section(details.attribution, currency),
            made.exits_section(details.exits),
            messages.timing_section(details.opens),
            made.pace_section(details.pace),
            made.cohorts_section(details.cohorts, currency),
            made.alerts_section(details.alerts),
        )

    def write(self, run_id: str, target: Path) -> Path:
        """Writes the report; the form follows from the file's name (`.html`, `.pdf`).

        Raises:
            UserFixable: REPORT-FORM, REPORT-PDF, REPORT-WRITE.
        """
        form = target.suffix.lower().removeprefix(".")
        if form not in FORMS:
            hint = "Name the file .html or .pdf."
            raise UserFixable(
                "REPORT-FORM", f"A report cannot be a “{target.suffix}” file.", where=str(target), hint=hint
            )
        report = self.report(run_id)
        content = as_pdf(report) if form == "pdf" else as_html(report).encode("utf-8")
        partial = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            hint = "Choose another folder, or close the file."
            raise UserFixable(
                "REPORT-WRITE", f"The report cannot be written: {error}.", where=str(target), hint=hint
            ) from error
        return target

    def schedule(self, every: timedelta | None, form: Form = "pdf", folder: Path | None = None) -> Schedule | None:
        """Sets the schedule; None takes it away. Raises UserFixable (REPORT-OFTEN) for less than an hour."""
        if every is None:
            self._store.library.set_setting(_SETTING, None)
            return None
        if every < SHORTEST:
            raise UserFixable("REPORT-OFTEN", "A report every few minutes helps nobody.", hint="Use PT1H or longer.")
        known = self.scheduled()
        last_at = known.last_at if known is not None else None
        plan = Schedule(every, form, folder or self._store.folder / "files" / "reports", last_at)
        self._store.library.set_setting(_SETTING, _as_json(plan))
        return plan

    def scheduled(self) -> Schedule | None:
        """The schedule, None without one."""
        kept = self._store.library.setting(_SETTING)
        return _from_json(kept) if isinstance(kept, Mapping) else None

    def write_due(self) -> Path | None:
        """Writes the newest run's report when its time has come; the file, None when nothing was due."""
        plan, now = self.scheduled(), self._clock.now()
        runs = self._store.runs.list_runs(limit=1)
        if plan is None or not runs or (plan.last_at is not None and now < plan.last_at + plan.every):
            return None
        file = self.write(runs[0].run_id, plan.folder / f"report-{runs[0].run_id}-{now:%Y%m%dT%H%M}.{plan.form}")
        kept = Schedule(plan.every, plan.form, plan.folder, now)
        self._store.library.set_setting(_SETTING, _as_json(kept))
        return file


def _as_json(plan: Schedule) -> JsonValue:
    return {
        "every": format_duration(plan.every),
        "form": plan.form,
        "folder": str(plan.folder),
        "last_at": iso(plan.last_at) if plan.last_at else None,
    }


def _from_json(kept: Mapping[str, JsonValue]) -> Schedule:
    last = kept.get("last_at")
    form: Form = "html" if kept["form"] == "html" else "pdf"
    return Schedule(
        parse_duration(str(kept["every"])), form, Path(str(kept["folder"])), parse_iso(str(last)) if last else None
    )
