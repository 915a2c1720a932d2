"""Answers what forms ask while somebody types, from the people, events and templates of the workspace.

Absent on purpose: the forms (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from studio.domain.expression import Scope
from studio.nodes.message_rendering import Texts
from studio.ui.background import run_in_background
from studio.ui.canvas.form_aid import Advised, Draft, Look, Trial
from studio.ui.numbers import count, percent
from studio.workspace.drafts import MessageLook, RuleTrial, SamplePerson
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront


class FormAnswers:
    """Every answer is worked out off the Qt thread."""

    def __init__(self, page: CanvasInFront, workspace: Workspace) -> None:
        self._page = page
        self._drafts = workspace.drafts
        page.aid.answers = self

    def learn(self) -> None:
        """Tells the forms which names there are, with what the workflow in front makes."""
        workflow = self._page.workflow
        run_in_background(lambda: self._drafts.vocabulary(workflow), self._page.aid.set_vocabulary, owner=self._page)

    def try_rule(self, text: str, scope: Scope, then: Callable[[Trial], object], owner: QObject) -> None:
        run_in_background(
            lambda: self._drafts.try_rule(text, scope), lambda trial: then(_said(trial, scope)), owner=owner
        )

    def try_text(self, text: str, then: Callable[[Trial], object], owner: QObject) -> None:
        def show(found: tuple[str, str]) -> None:
            read, problem = found
            then(Trial(said=f"Anna reads: {' '.join(read.split())}" if not problem else "", problem=problem))

        run_in_background(lambda: self._drafts.try_text(text), show, owner=owner)

    def fill(
        self,
        texts: Sequence[str],
        person: int | None,
        then: Callable[[Sequence[str], str], object],
        owner: QObject,
    ) -> None:
        def show(found: list[tuple[str, str]]) -> None:
            problem = next((why for _made, why in found if why), "")
            then([] if problem else [made for made, _why in found], problem)

        run_in_background(lambda: [self._drafts.try_text(text, person) for text in texts], show, owner=owner)

    def look(self, draft: Draft, person: int | None, then: Callable[[Look], object], owner: QObject) -> None:
        texts = Texts(draft.subject, draft.preheader, draft.body, draft.text)
        run_in_background(lambda: self._drafts.look(texts, person), lambda look: then(_seen(look)), owner=owner)

    def people(self, then: Callable[[Sequence[tuple[int | None, str]]], object], owner: QObject) -> None:
        def show(people: tuple[SamplePerson, ...]) -> None:
            then([(person.contact_id, person.title) for person in people])

        run_in_background(self._drafts.sample_people, show, owner=owner)


def _said(trial: RuleTrial, scope: Scope) -> Trial:
    if trial.problem:
        return Trial(problem=trial.problem)
    whom = "people" if scope == "contact" else "latest events"
    share = f" ({percent(trial.holds / trial.of)})" if trial.of else ""
    said = f"Holds for {count(trial.holds)} of the first {count(trial.of)} {whom}{share}."
    if scope == "event":
        said = f"Holds for {count(trial.holds)} of the {count(trial.of)} {whom}{share}."
    shown = [f"{'✓' if holds else '✗'} {who}" for who, holds in trial.examples]
    return Trial(said=f"{said}\n{'   '.join(shown)}" if shown else said, remarks=trial.remarks)


def _seen(look: MessageLook) -> Look:
    return Look(
        subject=look.subject,
        preheader=look.preheader,
        html=look.html,
        dark_html=look.dark_html,
        text=look.text,
        advice=[Advised(one.level, one.message, one.hint, one.line) for one in look.advice],
        problem=look.problem,
    )
