"""Writing back what a run decided by itself: a step `exp.decide` that was asked to ships the winner of its test.

The rule of the experiments screen has the last word (`TrialsStory.ship`): what it does not find proven is not shipped.
A winner is shipped once; who took it back meant it. Absent on purpose: deciding (`nodes/exp/decide.py`).
"""

from __future__ import annotations

import logging

from studio.domain.errors import UserFixable
from studio.domain.workflow import parse_workflow
from studio.engine.memory import NOTE
from studio.nodes.exp.decide import Decide, DecideParameters, verdict_of
from studio.store.store import Store
from studio.workspace.trials import Shipped, TrialsStory

log = logging.getLogger(__name__)


def ship_decided(store: Store, trials: TrialsStory, run_id: str) -> list[Shipped]:
    """Ships what the run's steps have decided and were asked to write back: nothing of a simulation, nothing twice."""
    run = store.runs.get(run_id)
    if run.mode == "simulate":
        return []
    workflow = parse_workflow(store.runs.document(run.version))
    shipped: list[Shipped] = []
    for node in workflow.nodes:
        if node.type != Decide.declaration.id or not node.enabled:
            continue
        parameters = DecideParameters.model_validate(workflow.bound(node))
        verdict = verdict_of(store.runs.kept(run_id, NOTE + node.id).get(NOTE + node.id, b"").decode())
        is_new = verdict is not None and verdict.variant != parameters.variants[0].id
        if parameters.promote and is_new and not _was_shipped(store, run_id, parameters.test):
            try:
                shipped.append(trials.ship(run_id, parameters.test))
            except UserFixable as error:
                log.info("the winner of %s in %s was not written back: %s", parameters.test, run_id, error)
    return shipped


def _was_shipped(store: Store, run_id: str, test: str) -> bool:
    return any(row.experiment_id == f"{run_id}/{test}" for row in store.learning.promotions())
