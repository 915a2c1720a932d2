"""The story of finding templates again: favourites, those used lately, and the kinds of business each suits.

Absent on purpose: ranking (`templates`).
"""

from __future__ import annotations

from studio.domain.errors import UserFixable
from studio.domain.template import Template
from studio.gallery import examples
from studio.gallery.archetypes import archetypes
from studio.gallery.business_types import business_types
from studio.gallery.catalogue import Catalogue
from studio.store.store import Store
from studio.workspace.workflows import WorkflowsStory

_FAVOURITES = "favourite_templates"
_SUITS = 0.3
"""Mean gain of an archetype in a kind of business from which on it suits there."""


class ShelfStory:
    """Favourites and recent templates of one workspace."""

    def __init__(self, store: Store, catalogue: Catalogue, workflows: WorkflowsStory) -> None:
        self._store = store
        self._catalogue = catalogue
        self._workflows = workflows

    def favourites(self) -> tuple[str, ...]:
        """Ids of favourite templates that there are, in the order in which they were chosen."""
        kept = self._store.library.setting(_FAVOURITES)
        known = {template.id for template in self._catalogue.list()}
        return tuple(str(name) for name in kept if name in known) if isinstance(kept, list) else ()

    def set_favourite(self, template_id: str, *, is_favourite: bool) -> None:
        """Makes a template a favourite, or one no longer. UserFixable TEMPLATE-UNKNOWN for one there is not."""
        self._catalogue.get(template_id)
        others = [name for name in self.favourites() if name != template_id]
        self._store.library.set_setting(_FAVOURITES, [*others, template_id] if is_favourite else others)

    def recent(self) -> tuple[str, ...]:
        """Ids of templates that workflows here were made from, the last one first."""
        found: dict[str, None] = {}
        for stored in self._workflows.list():
            try:
                made = self._workflows.get(stored.id).template
            except UserFixable:
                continue  # a workflow of a newer version; it says so where it is opened
            if made is not None:
                found.setdefault(made.id)
        return tuple(found)

    def kinds(self) -> dict[str, str]:
        """Kinds of business, id → title."""
        return {kind.id: kind.title["en"] for kind in business_types()}

    def suited_kinds(self, template: Template) -> frozenset[str]:
        """Ids of the kinds of business that usually do what the template does."""
        place = {kind.id: number for number, kind in enumerate(archetypes())}
        gains = examples.type_gains()[:, place[template.archetype]]
        return frozenset(kind.id for kind, gain in zip(business_types(), gains, strict=True) if gain >= _SUITS)
