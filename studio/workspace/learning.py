"""The story of learning: what recommendations were shown and taken, and whether today's order is better.

Absent on purpose: estimating (gallery) and keeping (store).
"""

from __future__ import annotations

from itertools import groupby

from studio.gallery.offpolicy import Showing, ShownCard, Verdict, judge
from studio.store.store import Store
from studio.workspace.templates import TemplatesStory


class LearningStory:
    """What one workspace has learned about recommending."""

    def __init__(self, store: Store, templates: TemplatesStory) -> None:
        self._store = store
        self._templates = templates

    def showings(self) -> list[Showing]:
        """Every showing of recommendations, the first one first."""
        rows = self._store.learning.impressions()
        found: list[Showing] = []
        for _, group in groupby(rows, key=lambda row: row.slate):
            cards = list(group)
            shown = tuple(
                ShownCard(card.template, card.position, card.propensity, card.chosen_at is not None) for card in cards
            )
            found.append(Showing(cards[0].at, cards[0].policy, shown))
        return found

    def verdict(self) -> Verdict:
        """Whether today's order for this workspace's business would be taken more often than what was shown."""
        ranked = self._templates.recommend(self._templates.context())
        return judge(self.showings(), [one.template for one in ranked.recommendations])
