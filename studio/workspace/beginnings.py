"""Made-up beginnings for a simulated run whose workflow waits for events that this workspace has never had.

So that a template can be tried before there is any data. Only where the log does not know the kind at all: a workspace
with carts is simulated with its carts, also when that gives nobody. Absent on purpose: test and live runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from studio.connectors.simulated_entries import Beginning, made_up_entries
from studio.domain.node import EventTrigger
from studio.domain.ports import RunRow
from studio.domain.template import Template
from studio.domain.validation import Catalogue, make_node
from studio.domain.workflow import Workflow
from studio.store.store import Store

PEOPLE_MAX = 2_000
SOURCE = "made up for a simulation"
_BY_MESSAGES = "trigger.message_activity"


def make_up(store: Store, nodes: Catalogue, run: RunRow, workflow: Workflow, template: Template | None) -> int:
    """Adds made-up events of the run for every kind it waits for and that is unknown here; how many."""
    people = store.contacts.at(run.started_at).ids(-1, PEOPLE_MAX)
    frames = [
        made_up_entries(beginning, people, run.started_at, run_id=run.run_id, seed=run.seed)
        for beginning in _beginnings(store, nodes, workflow, template)
        if people.len()
    ]
    events = [frame for frame in frames if frame.height]
    if not events:
        return 0
    return store.import_events([pl.concat(events)], SOURCE).accepted


def _beginnings(store: Store, nodes: Catalogue, workflow: Workflow, template: Template | None) -> Iterator[Beginning]:
    known = set(store.projections.rollup([""])["kind"].unique())
    for node in workflow.nodes:
        if not node.enabled or node.type == _BY_MESSAGES:
            continue
        made = make_node(nodes, workflow, node)
        if not isinstance(made, EventTrigger):
            continue
        form = workflow.bound(node).get("form")
        for kind in sorted(set(made.event_kinds()) - known):
            yield Beginning(
                kind=kind,
                key=str(form) if form else None,
                sample=template.sample if template else {},
                currency=workflow.settings.currency,
            )
