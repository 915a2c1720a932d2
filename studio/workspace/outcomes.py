"""What a finished run teaches: its outcome, kept for ranking and prediction.

Absent on purpose: what is made of it (gallery).
"""

from __future__ import annotations

from studio.domain.template import PastOutcome
from studio.domain.workflow import parse_workflow
from studio.gallery.ranking import industry_of
from studio.store.store import Store
from studio.workspace.insights import InsightsStory, RunInsight
from studio.workspace.templates import TemplatesStory


def record_outcome(store: Store, insights: InsightsStory, templates: TemplatesStory, run_id: str) -> PastOutcome | None:
    """Keeps the run's outcome, a later one in place of an earlier; None for a run of no template or with nobody."""
    workflow = parse_workflow(store.runs.document(store.runs.get(run_id).version))
    if workflow.template is None:
        return None
    insight = insights.of_run(run_id)
    if not insight.returned.people:
        return None
    outcome = outcome_of(insight, industry_of(templates.context()))
    store.learning.save_outcome(outcome, store.clock.now())
    return outcome


def outcome_of(insight: RunInsight, industry: str) -> PastOutcome:
    """The outcome in the terms learning takes: people, converted people, the increment where there is a holdout."""
    returned, buying = insight.returned, insight.returned.buying
    assert insight.workflow.template is not None
    interval = buying.anytime_ci if buying else None
    actual = {
        "revenue_per_recipient": returned.revenue / returned.people,
        "conversion_rate": returned.buyers / returned.people,
    }
    if returned.roi is not None:
        actual["roi"] = returned.roi
    return PastOutcome(
        template=insight.workflow.template.id,
        industry=industry,
        run_id=insight.run.run_id,
        trials=returned.people,
        successes=returned.buyers,
        incremental=buying.effect if buying else None,
        incremental_low=interval[0] if interval else None,
        incremental_high=interval[1] if interval else None,
        predicted=insight.predicted,
        actual=actual,
    )
