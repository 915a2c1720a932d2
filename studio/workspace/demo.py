"""The demo: a made-up coffee shop, and the whole loop on it, from what it is to a winner written back.

Absent on purpose: anything the program cannot do on a real workspace; only the shop and its people are made up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from studio.analytics.funnel import Funnel
from studio.analytics.returns import Return
from studio.connectors import demo_shop
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, Prediction, Recommendation
from studio.experiments.result import Decision
from studio.workspace.folder import default_folder
from studio.workspace.reports import RunReport
from studio.workspace.runs import RunOptions
from studio.workspace.trials import Shipped
from studio.workspace.workspace import Workspace

DEMO_SOURCE = "demo shop"
STEP = "PT12H"
"""The demo's clock looks every twelve hours, so that a month passes in seconds; waits end at the next look."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the loop brought, step by step."""

    context: BusinessContext
    recommendations: tuple[Recommendation, ...]
    workflow_id: str
    workflow_name: str
    run: RunReport
    funnel: Funnel
    returned: Return
    predicted_roi: Prediction | None
    finding: str
    decision: Decision
    promoted: Shipped | None
    next_recommendations: tuple[Recommendation, ...]
    days: int

    def as_json(self) -> dict[str, object]:
        """The contract's document."""
        roi = self.predicted_roi
        incremental = self.returned.incremental_roi
        return {
            "context": {"facts": self.context.facts},
            "recommendations": self.recommendations,
            "workflow": {"id": self.workflow_id, "name": self.workflow_name},
            "run": {
                "id": self.run.run_id,
                "status": self.run.status,
                "contacts": self.run.contacts,
                "duration_s": round(self.run.duration_s, 3),
            },
            "funnel": {step.kind: step.people for step in self.funnel.steps},
            "roi": {
                "predicted": {"mean": roi.mean, "low": roi.low, "high": roi.high} if roi else None,
                "actual": self.returned.roi,
                "incremental": incremental[0] if incremental else None,
            },
            "experiment": {"decision": self.decision.verdict, "winner": self.decision.variant},
            "promoted": {
                "template": self.promoted.template,
                "parameter": self.promoted.parameter,
                "from": self.promoted.from_value,
                "to": self.promoted.to_value,
                "undo_id": self.promoted.undo_id,
            }
            if self.promoted
            else None,
            "next_recommendations": self.next_recommendations,
            "events": self.run.events,
        }


def demo_folder(asked: Path | None) -> Path:
    """Where a fresh demo goes: the asked folder, which must be empty, or the next free one beside the own workspace."""
    if asked is not None:
        if asked.exists() and (not asked.is_dir() or any(asked.iterdir())):
            raise UserFixable(
                "DEMO-NOT-EMPTY",
                "This workspace exists and is not empty; a demo would mix with it.",
                where=str(asked),
                hint="Name an empty or a new folder.",
            )
        return asked
    parent = default_folder().parent
    number = 1
    while (parent / f"demo-{number}").exists():
        number += 1
    return parent / f"demo-{number}"


def fill_demo(workspace: Workspace, seed: int) -> None:
    """Puts the made-up shop into an empty workspace: people, consents, what they bought, and the carts ahead."""
    shop = demo_shop.make_demo_shop(seed)
    workspace.people.add_made_up(shop.contacts, shop.consents, shop.events)
    context = workspace.templates.understand_text(demo_shop.DESCRIPTION)
    workspace.templates.remember(context)


def is_demo(workspace: Workspace) -> bool:
    """Whether this workspace holds the made-up shop, whose time is its own."""
    return DEMO_SOURCE in workspace.people.sources()


def demo_shop_end() -> datetime:
    """When the made-up shop's last cart has been left: a dry run then looks back on a month of them."""
    return demo_shop.START + timedelta(days=demo_shop.CART_DAYS)


def demo_options(seed: int, clock: str = "max") -> RunOptions:
    """How the demo's workflow is run: simulated, from the shop's first day to the end of the last cart."""
    return RunOptions(mode="simulate", seed=seed, as_of=demo_shop.START, clock=clock, step=STEP)


def run_demo(workspace: Workspace, seed: int, progress: Callable[[str], None]) -> DemoReport:
    """The whole loop. The same seed gives the same report but for how long it took."""
    progress("Making the demo shop …")
    fill_demo(workspace, seed)
    context = workspace.templates.context()
    ranked = workspace.templates.recommend(context, record=True)
    chosen = ranked.recommendations[0].template
    progress(f"Best suited: {chosen}. Creating the workflow …")
    made = workspace.templates.create(chosen, context)
    assert made.workflow_id is not None
    run_id = workspace.runs.start(made.workflow, demo_options(seed), workflow_id=made.workflow_id)
    workspace.runs.wait(run_id, progress=progress)
    insight = workspace.insights.of_run(run_id)
    trial = workspace.trials.of(run_id)
    decision = trial.result.analysis.decision
    promoted = workspace.trials.ship(run_id) if decision.verdict == "ship" else None
    return DemoReport(
        context=context,
        recommendations=ranked.recommendations,
        workflow_id=made.workflow_id,
        workflow_name=made.workflow.name,
        run=workspace.runs.report(run_id),
        funnel=insight.funnel,
        returned=insight.returned,
        predicted_roi=insight.predicted.get("roi"),
        finding=insight.finding,
        decision=decision,
        promoted=promoted,
        next_recommendations=workspace.templates.recommend(context, record=True).recommendations,
        days=(workspace.runs.get(run_id).at - demo_shop.START).days,
    )
