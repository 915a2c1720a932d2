"""What is kept beside runs: workflows, the business, promotions with their way back, experiments, outcomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, Fact, PastOutcome, Prediction
from studio.domain.workflow import Node, TemplateRef, Workflow, parse_workflow
from studio.store import Store
from studio.store.learning import Impression, StoredExperiment
from tests.store.conftest import NOON, StandingClock
from tests.store.test_events import minutes
from tests.store.test_runs import a_run, first_checkpoint

WINBACK = Workflow(name="Win-back", template=TemplateRef(id="winback"), nodes=(Node(id="start", type="trigger.list"),))


def test_workflows_are_saved_listed_and_renamed(store: Store, clock: StandingClock) -> None:
    assert store.library.next_workflow_id() == "w1"
    saved = store.library.save_workflow("w1", WINBACK.to_json())
    assert (saved.name, saved.template, saved.created_at) == ("Win-back", "winback", NOON)
    clock.at = minutes(5)
    store.library.save_workflow("w2", Workflow(name="Welcome").to_json())
    clock.at = minutes(9)
    come_back = WINBACK.model_copy(update={"name": "Come back"})
    renamed = store.library.save_workflow("w1", come_back.to_json())
    assert parse_workflow(renamed.document) == come_back
    assert (renamed.created_at, renamed.updated_at) == (NOON, minutes(9))
    assert [workflow.id for workflow in store.library.workflows()] == ["w1", "w2"]
    assert store.library.workflow("w1") == renamed
    assert store.library.next_workflow_id() == "w3"


def test_what_is_no_workflow_is_not_saved(store: Store) -> None:
    with pytest.raises(UserFixable, match="not a workflow file"):
        store.library.save_workflow("w1", '{"nodes": 3}')
    assert store.library.workflows() == []
    with pytest.raises(UserFixable, match="no workflow w1"):
        store.library.workflow("w1")


def test_a_version_stays_as_it_was_frozen(store: Store) -> None:
    store.library.keep_version("abc", "first")
    store.library.keep_version("abc", "second")
    assert store.runs.document("abc") == "first"


def test_the_business_is_remembered_as_last_said(store: Store) -> None:
    assert store.library.business() is None
    first = BusinessContext(
        (Fact("industry", "shop", 0.8, "title"), Fact("products", ["a", 1], 1.0, "")), "We sell", ("s",)
    )
    store.library.save_business(first)
    assert store.library.business() == first
    second = replace(first, facts=())
    store.library.save_business(second)
    assert store.library.business() == second


def test_settings_hold_any_value(store: Store) -> None:
    assert store.library.setting("theme") is None
    store.library.set_setting("theme", {"dark": True, "size": 1.5})
    assert store.library.setting("theme") == {"dark": True, "size": 1.5}
    store.library.set_setting("theme", False)
    assert store.library.setting("theme") is False
    store.library.set_setting("theme", None)
    assert store.library.setting("theme") is None


def test_a_promotion_can_be_taken_back(store: Store) -> None:
    learning = store.learning
    first = learning.promote(
        template="winback", parameter="subject", from_value="A", to_value="B", at=NOON, run_id="r1"
    )
    second = learning.promote(template="winback", parameter="subject", from_value="B", to_value="C", at=minutes(1))
    learning.promote(template="winback", parameter="wait", from_value="P1D", to_value=None, at=minutes(2))
    assert learning.undo_promotion(second.id, minutes(3)).undone_at == minutes(3)
    assert learning.promotions("winback")[0] == first
    with pytest.raises(UserFixable, match="already"):
        learning.undo_promotion(second.id, minutes(4))
    with pytest.raises(UserFixable, match="no promotion 99"):
        learning.undo_promotion(99, minutes(4))
    learning.undo_promotion(first.id, minutes(5))
    assert [found.undone_at for found in learning.promotions()] == [minutes(5), minutes(3), None]


def test_an_experiment_keeps_the_plan_it_began_with(store: Store) -> None:
    store.runs.start(a_run(), "{}", first_checkpoint())
    experiment = StoredExperiment(
        id="e1",
        run_id="r1",
        node_id="split",
        spec={"metric": "proportion", "weights": [0.5, 0.5]},
        planned_total=40_000,
        alpha=0.05,
        started_at=NOON,
    )
    store.learning.start_experiment(experiment)
    store.learning.start_experiment(replace(experiment, planned_total=1))
    assert store.learning.experiments("r1") == store.learning.experiments() == [experiment]
    store.learning.decide("e1", {"verdict": "ship", "variant": "B"}, minutes(9))
    [decided] = store.learning.experiments("r1")
    assert (decided.decision, decided.decided_at) == ({"verdict": "ship", "variant": "B"}, minutes(9))
    with pytest.raises(UserFixable, match="no experiment"):
        store.learning.decide("e9", {}, NOON)


def test_an_outcome_is_measured_anew(store: Store) -> None:
    outcome = PastOutcome(
        template="winback",
        industry="shop",
        run_id="r1",
        trials=100,
        successes=9,
        incremental=0.01,
        predicted={"order": Prediction(0.1, 0.05, 0.2, "benchmark")},
        actual={"order": 0.09},
    )
    store.learning.save_outcome(replace(outcome, successes=1), NOON)
    store.learning.save_outcome(replace(outcome, run_id="r0", template="welcome"), minutes(1))
    store.learning.save_outcome(outcome, minutes(2))
    assert store.learning.outcomes("winback") == [outcome]
    assert [found.run_id for found in store.learning.outcomes()] == ["r0", "r1"]


def test_what_was_shown_and_chosen_is_kept(store: Store) -> None:
    def shown(slate: str, template: str, position: int) -> Impression:
        return Impression(
            slate=slate,
            template=template,
            position=position,
            score=0.5,
            propensity=0.25,
            policy="p1",
            context_hash="c",
            at=NOON,
        )

    slate = [shown("s1", "winback", 1), shown("s1", "welcome", 2)]
    store.learning.add_impressions(slate)
    store.learning.add_impressions([shown("s1", "cart", 1), shown("s2", "cart", 1)])
    store.learning.choose("s1", "welcome", minutes(1))
    store.learning.choose("s1", "welcome", minutes(2))
    assert store.learning.impressions("s1") == [slate[0], replace(slate[1], chosen_at=minutes(1))]
    assert len(store.learning.impressions()) == 3
