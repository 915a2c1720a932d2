"""What an A/B test step says is what its experiment is asked, and survives the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from studio.domain.ports import RunRow
from studio.domain.workflow import parse_workflow
from studio.experiments.planner import plan
from studio.store.learning import StoredExperiment
from studio.workspace.trial_plan import FALLBACK_BASELINE, as_plan, as_spec, plan_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
RUN = RunRow(run_id="r1", workflow_id="w", version="v", name="W", mode="simulate", seed=1, clock="max",
             state="running", started_at=AT, at=AT)  # fmt: skip


def planned(**parameters):
    node = {"id": "ab", "type": "exp.split", "parameters": {"variants": [{"id": "A"}, {"id": "B"}], **parameters}}
    file = {"format": "studio.workflow/1", "name": "W", "nodes": [node], "edges": []}
    workflow = parse_workflow(json.dumps(file))
    found = plan_of(RUN, workflow, workflow.nodes[0])
    kept = StoredExperiment(id="r1/ab", run_id="r1", node_id="ab", spec=as_spec(found), planned_total=1, alpha=0.05,
                            started_at=AT)  # fmt: skip
    assert as_plan(kept) == found
    return found


def test_a_step_that_says_nothing_is_read_at_any_time_for_a_week_at_least() -> None:
    found = planned()
    assert (found.mode, found.minimum_run) == ("anytime", timedelta(days=7))
    assert found.planned_total == plan(baseline=FALLBACK_BASELINE, mde_relative=0.2).n_total


def test_a_step_may_ask_for_exact_evidence_other_days_and_another_lift() -> None:
    found = planned(evidence="strict", minimum_days=14, smallest_lift=0.5)
    assert (found.mode, found.minimum_run) == ("strict", timedelta(days=14))
    assert found.mde == pytest.approx(0.5 * FALLBACK_BASELINE)
    assert found.planned_total == plan(baseline=FALLBACK_BASELINE, mde_relative=0.5).n_total
    assert planned(evidence="strict", allocation="adaptive").mode == "anytime"
    assert planned(smallest_lift=5.0).mde == pytest.approx(5 * FALLBACK_BASELINE)
