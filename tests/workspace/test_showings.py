"""Every showing of templates is kept: once a day while the same cards stand in the same order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from studio.workspace.workspace import Workspace


class Morning:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_looking_again_is_one_showing_and_the_next_day_another(tmp_path: Path) -> None:
    clock = Morning()
    with Workspace.open(tmp_path / "w", clock=clock) as workspace:
        story, kept = workspace.templates, workspace._store.learning
        business = story.correct(story.read_context('{"facts": []}', where="here"), "name", "Harbour Physio")

        def showings() -> int:
            story.recommend(business, top=3, record=True)
            return len({card.slate for card in kept.impressions()})

        assert [showings(), showings()] == [1, 1]
        clock.at += timedelta(days=1)
        assert showings() == 2
        first = kept.impressions()[0]
        assert (first.position, first.propensity, bool(first.policy), bool(first.slate)) == (1, 1.0, True, True)
        story.create(first.template, business)
        taken = [card for card in kept.impressions() if card.chosen_at is not None]
        assert [(card.template, card.at.date()) for card in taken] == [(first.template, clock.at.date())]
