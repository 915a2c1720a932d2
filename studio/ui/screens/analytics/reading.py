"""What the screen of one run shows after its figures: read apart, because it costs several times as much.

Absent on purpose: Qt; the pane says when to read, and on which thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from studio.analytics.suggestions import Suggestion
from studio.domain.errors import UserFixable
from studio.domain.run import RunView, fold
from studio.domain.template import Recommendation
from studio.workspace.analyses import Details
from studio.workspace.insights import RunInsight
from studio.workspace.trials import Trial
from studio.workspace.workspace import Workspace

SUGGESTIONS = 2
Suggested: TypeAlias = tuple[tuple[str, Recommendation], ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """Everything beyond the figures of `of`."""

    of: RunInsight
    view: RunView
    details: Details
    trial: Trial | None
    suggestions: Suggested
    advice: tuple[Suggestion, ...]

    def is_about(self, insight: RunInsight) -> bool:
        """Whether it is of the same run and the same filters, if of an earlier moment."""
        return _asked(self.of) == _asked(insight)


def _asked(insight: RunInsight) -> tuple[object, ...]:
    narrowing, at = insight.narrowing, insight.run.at
    return (
        insight.run.run_id,
        narrowing.variant,
        at - narrowing.entered_since if narrowing.entered_since is not None else None,
    )


class RestReader:
    """Remembers what it read; one thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._details: tuple[object, Details | None] = (None, None)
        self._suggested: tuple[str, Suggested] = ("", ())
        self._view = RunView("")

    def read(self, insight: RunInsight) -> Rest:
        """Reads disk, O(events of the run) where something has happened since the last time."""
        details, trial = self._details_of(insight), self._trial(insight)
        advice = tuple(self._workspace.analyses.suggestions(insight, details))
        return Rest(insight, self._view_of(insight.run.run_id), details, trial, self._suggestions(insight), advice)

    def _details_of(self, insight: RunInsight) -> Details:
        """Counted again only when something has happened: they cost more than the figures."""
        key = (insight.run.run_id, insight.events, insight.run.at, insight.narrowing)
        known, details = self._details
        if known != key or details is None:
            details = self._workspace.analyses.details(insight.run.run_id, insight.narrowing)
            self._details = (key, details)
        return details

    def _view_of(self, run_id: str) -> RunView:
        """The run as it stands; only events since the last look are read."""
        before = self._view if self._view.run_id == run_id else RunView(run_id)
        self._view = fold(before, self._workspace.runs.events(run_id, before.seq))
        return self._view

    def _trial(self, insight: RunInsight) -> Trial | None:
        if not insight.design.splits:
            return None
        try:
            return self._workspace.trials.of(insight.run.run_id)
        except UserFixable as error:
            # A run made before its experiment was planned has none; that is no reason to show no figures.
            if error.code != "TRIAL-NONE":
                raise
            return None

    def _suggestions(self, insight: RunInsight) -> Suggested:
        """Templates worth trying after this one; asked once per run, since ranking them costs more than counting."""
        key = f"{insight.run.run_id} {insight.run.state}"
        if self._suggested[0] != key:
            own = insight.workflow.template.id if insight.workflow.template else None
            context = self._workspace.templates.context()
            ranked = self._workspace.templates.recommend(context).recommendations if context.facts else ()
            cards = [card for card in ranked if card.template != own][:SUGGESTIONS]
            named = tuple((self._workspace.templates.get(card.template).name["en"], card) for card in cards)
            self._suggested = (key, named)
        return self._suggested[1]
