"""Experiments in every state, each a real run whose simulated people behave as the state needs: harm, no difference,
a wrong split, five variants with long and foreign names, shares that learn, a shipped change that has to go back.

Absent on purpose: verdicts put in by hand (`result_shots` has those for what only other figures would bring).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from unittest import mock

from pydantic import JsonValue
from PySide6.QtWidgets import QWidget

from studio.connectors import demo_shop
from studio.domain.template import Template
from studio.domain.workflow import Edge, Node, Workflow
from studio.store.learning import StoredExperiment
from studio.ui.shell import MainWindow
from studio.workspace.demo import demo_options, fill_demo
from studio.workspace.workspace import Workspace
from tools.screen_shots import empty_workspace, real_window, settle

SPLIT = "subject_test"
LONG = (
    "We kept your basket safe for you",
    "Ihr Warenkorb bei Bloom & Barley wartet auf Sie – mit allem, was Sie ausgesucht haben, und etwas mehr",
    "سلتك في انتظارك",
    "Ваша корзина сохранена",
    "カートの中身をお取り置きしています",
)


@dataclass(frozen=True, slots=True)
class State:
    """What becomes of the split of cart recovery. `truth`: by variant, how much more its people do; `shares`: what the
    plan promised, where that is not what was given.
    """

    truth: Mapping[str, float]
    subjects: Sequence[str] = ()
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    shares: Mapping[str, float] | None = None
    days: int = 18
    name: str = ""


STATES = {
    "harm": State({"B": 0.1}, days=14),
    "futile": State({"B": 1.0}, settings={"smallest_lift": 1.0}, days=14),
    "split": State({"B": 1.0}, shares={"A": 0.56, "B": 0.44}, days=9),
    "five": State({"B": 1.0, "C": 1.8, "D": 0.8, "E": 1.1}, LONG, days=16, name="استعادة السلة – Bloom & Barley"),
    "adaptive": State({"B": 1.0, "C": 1.8}, LONG[:3], {"allocation": "adaptive"}, days=14),
    "young": State({"B": 1.2}, days=2),
}


def trial(name: str, then: Callable[[MainWindow], object] | None = None) -> Callable[[], QWidget]:
    """Makes the main window with the experiment of a state in front."""
    return _shown(lambda: (trials(), _places()[name]), "experiments", then)


def run_of(name: str, then: Callable[[MainWindow], object] | None = None) -> Callable[[], QWidget]:
    """Makes the main window with the figures of a state's run in front."""
    return _shown(lambda: (trials(), _places()[name]), "analytics", then)


def taken_back(then: Callable[[MainWindow], object] | None = None) -> Callable[[], QWidget]:
    """Makes the main window with the test that watches a shipped change in front."""
    return _shown(lambda: (aftercare(), "r2"), "experiments", then)


def _shown(
    of: Callable[[], tuple[Workspace, str]], page_id: str, then: Callable[[MainWindow], object] | None
) -> Callable[[], QWidget]:
    def make() -> QWidget:
        workspace, run_id = of()
        shown = real_window(workspace)
        shown.resize(1440, 900)
        shown.show()
        shown.go(page_id, run_id)
        settle()
        if then is not None:
            then(shown)
            settle()
        return shown

    return make


def _places() -> dict[str, str]:
    return {name: f"r{number}" for number, name in enumerate(STATES, 1)}


@cache
def trials() -> Workspace:
    """A workspace with a run of every state."""
    workspace = empty_workspace("trials")
    fill_demo(workspace, 1)
    for state in STATES.values():
        _run(workspace, state)
    return workspace


@cache
def aftercare() -> Workspace:
    """A winner was shipped, and those who were kept on the old value do better."""
    workspace = empty_workspace("aftercare")
    fill_demo(workspace, 1)
    _run(workspace, State({"B": 2.0}, days=12))
    workspace.trials.ship("r1")
    _run(workspace, State({"B": 3.0}, days=16))
    return workspace


def _run(workspace: Workspace, state: State) -> None:
    story = workspace.templates
    made = story.create("cart-recovery", story.context())
    workflow = _changed(made.workflow, state)
    options = replace(demo_options(1), until=demo_shop.START + timedelta(days=state.days), step="PT12H")
    known, planned = story.find, workspace.trials.planned
    truth = {f"{SPLIT}={variant}": effect for variant, effect in state.truth.items()}

    def find(template_id: str) -> Template | None:
        found = known(template_id)
        return found if found is None else found.model_copy(update={"truth": truth})

    def promised(*asked: object) -> tuple[StoredExperiment, ...]:
        plans = planned(*asked)  # type: ignore[arg-type] - handed on as it came
        shares = dict(state.shares or {})
        return tuple(replace(p, spec={**p.spec, "weights": shares}) for p in plans) if shares else plans

    with mock.patch.object(story, "find", find), mock.patch.object(workspace.trials, "planned", promised):
        workspace.runs.wait(workspace.runs.start(workflow, options, workflow_id=made.workflow_id))


def _changed(workflow: Workflow, state: State) -> Workflow:
    """With the state's variants, each with a message of its own."""
    split = workflow.node(SPLIT)
    parameters: dict[str, JsonValue] = {**split.parameters, **state.settings}
    nodes, edges = list(workflow.nodes), list(workflow.edges)
    for number, subject in enumerate(state.subjects):
        variant = "ABCDE"[number]
        if number > 1:
            mail = workflow.node("mail_1b")
            nodes.append(mail.model_copy(update={"id": f"mail_1{variant.lower()}", "label": f"Reminder, {subject}"}))
            edges += [
                Edge.model_validate({"from": [SPLIT, variant], "to": [f"mail_1{variant.lower()}", "in"]}),
                Edge.model_validate({"from": [f"mail_1{variant.lower()}", "out"], "to": ["wait_1", "in"]}),
            ]
    if state.subjects:
        parameters["variants"] = [
            {"id": "ABCDE"[n], "label": f"Subject {'ABCDE'[n]}", "weight": 1.0, "value": subject}
            for n, subject in enumerate(state.subjects)
        ]
    split = Node.model_validate({**split.model_dump(by_alias=True), "parameters": parameters})
    nodes = [split if node.id == SPLIT else node for node in nodes]
    named = {"name": state.name} if state.name else {}
    return workflow.model_copy(update={"nodes": tuple(nodes), "edges": tuple(edges), **named})
