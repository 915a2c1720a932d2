"""The story of templates: what the business is, which templates suit it, filling one in, winners written back.

Absent on purpose: ranking and filling in themselves (gallery).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from pydantic import JsonValue

from studio.domain.clock import Clock, iso
from studio.domain.errors import UserFixable
from studio.domain.ids import stable_id
from studio.domain.ports import Embedder
from studio.domain.rendering import Rendered, RenderTask
from studio.domain.template import (
    BusinessContext,
    Fact,
    FilledParameter,
    PastOutcome,
    Prediction,
    Recommendation,
    Template,
)
from studio.domain.workflow import Workflow
from studio.gallery import context as reading
from studio.gallery.business_types import business_type
from studio.gallery.catalogue import Catalogue
from studio.gallery.customise import fill, instantiate
from studio.gallery.learning import Shown, context_hash, impression
from studio.gallery.orders import economics_of
from studio.gallery.prediction import Economics, predict
from studio.gallery.promotion import Promoted
from studio.gallery.ranking import Experience, Policy, Ranking, rank, settled
from studio.store.learning import Impression, Promotion
from studio.store.scanning import EventFilter
from studio.store.store import Store

if TYPE_CHECKING:
    from studio.workspace.previews import MessagePreview

ORDER_KIND = "order"
EXPLORED = 0.1
"""Share of days on which the third card is one from further down."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Cards in order; `engine` says what compared the words."""

    recommendations: tuple[Recommendation, ...]
    engine: str
    policy: str
    alternatives: tuple[Recommendation, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A workflow made from a template, with why each parameter has its value."""

    workflow: Workflow
    parameters: tuple[FilledParameter, ...]
    workflow_id: str | None = None


@dataclass(frozen=True, slots=True)
class TypeChoice:
    """A kind of business that this one may be."""

    id: str
    title: str
    is_confirmed: bool


class TemplatesStory:
    """Templates of one workspace."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        keep: Callable[[Workflow], str],
        clock: Clock,
        render: Callable[[RenderTask], Rendered],
        embedder: Embedder | None = None,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._keep = keep
        self._clock = clock
        self._render = render
        self._embedder = embedder

    def list(self) -> tuple[Template, ...]:
        """The whole catalogue."""
        return self._catalogue.list()

    def get(self, template_id: str) -> Template:
        """One template; UserFixable TEMPLATE-UNKNOWN with the nearest one."""
        return self._catalogue.get(template_id)

    def find(self, template_id: str) -> Template | None:
        """One template; None when it is gone, such as an own one that was removed."""
        entry = self._catalogue.entries.get(template_id)
        return entry.template if entry else None

    def texts(self, template_id: str) -> Mapping[str, str]:
        """A template's message files by name."""
        return self._catalogue.entry(template_id).texts

    def understand_text(self, text: str) -> BusinessContext:
        """Facts out of a person's own words."""
        return settled(reading.read_text(text), self._embedder)

    def understand_page(self, path: Path) -> BusinessContext:
        """Facts out of a saved page."""
        from studio.connectors.page import read_html  # noqa: PLC0415 - words need no network library

        page = read_html(path)
        return settled(reading.read_html(page.html), self._embedder)

    def understand_url(self, url: str, *, allow_private: bool = False) -> BusinessContext:
        """Fetches one page to this computer and reads it here; from the local network only with `allow_private`."""
        from studio.connectors.page import fetch_page  # noqa: PLC0415 - words need no network library

        page = asyncio.run(fetch_page(url, allow_private=allow_private))
        return settled(reading.read_html(page.html, page.url), self._embedder)

    def read_context(self, text: str, *, where: str) -> BusinessContext:
        """A context as `studio recommend --json` prints it: `{"facts": […]}`, or that under `context`."""
        try:
            document = json.loads(text)
            data = document.get("context", document)
            facts = tuple(Fact(**fact) for fact in data["facts"])
            types = tuple(str(kind) for kind in data.get("types", document.get("types", ())))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise UserFixable(
                "CONTEXT-FILE",
                f"This is not a business context: {error}.",
                where=where,
                hint='It needs {"facts": [{"name", "value", "confidence", "evidence"}]}, as `studio recommend` prints.',
            ) from None
        return BusinessContext(facts, str(data.get("text", "")), types)

    def confirm_type(self, context: BusinessContext, kind: str) -> BusinessContext:
        """The context with its business type settled by a person."""
        return reading.confirm_type(context, kind)

    def types(self, context: BusinessContext) -> tuple[TypeChoice, ...]:
        """The likeliest kinds of business, for a person to confirm one."""
        confirmed = reading.type_confirmed(context)
        return tuple(TypeChoice(kind, business_type(kind).title["en"], kind == confirmed) for kind in context.types)

    def correct(self, context: BusinessContext, fact: str, value: JsonValue) -> BusinessContext:
        """The context with one fact set by a person; None removes it."""
        return reading.correct(context, fact, value)

    def unknown(self, context: BusinessContext) -> tuple[str, ...]:
        """Facts that matter and are not known."""
        return reading.unknown(context)

    def remember(self, context: BusinessContext) -> None:
        """Keeps the context as that of this workspace."""
        self._store.library.save_business(context)

    def context(self) -> BusinessContext:
        """The workspace's business; an empty one when nothing was said yet."""
        return self._store.library.business() or BusinessContext()

    def recommend(
        self, context: BusinessContext, top: int | None = None, *, record: bool = False, explore: bool = False
    ) -> Ranked:
        """Ranked cards; `record` keeps the showing, so that later one can tell whether ranking got better: once a day
        while the same cards stand in the same order.

        `explore`: now and then the third card is one from further down; for one business the same all day.
        """
        policy = Policy(explore=EXPLORED) if explore else Policy()
        today = stable_id(context_hash(context), f"{self._clock.now():%Y-%m-%d}")
        ranking = rank(
            context,
            self._catalogue,
            experience=self._experience(),
            embedder=self._embedder,
            policy=policy,
            seed=0,
            exploration_seed=int(today[:8], 16),
            top=top,
        )
        if record:
            self._record(ranking, context)
        return Ranked(ranking.recommendations, ranking.engine, policy.version, ranking.alternatives)

    def fill(
        self,
        template_id: str,
        context: BusinessContext,
        overrides: Mapping[str, str] | None = None,
        *,
        language: str | None = None,
    ) -> tuple[FilledParameter, ...]:
        """Every parameter with value, confidence and evidence."""
        entry = self._catalogue.entry(template_id)
        promoted = self._promoted().get(template_id, {})
        context = self._with_currency(context)
        return fill(entry, context, promoted=promoted, overrides=overrides or {}, language=language)

    def instantiate(
        self,
        template_id: str,
        context: BusinessContext,
        overrides: Mapping[str, str] | None = None,
        *,
        language: str | None = None,
    ) -> Made:
        """A workflow with its parameters filled in, not yet in the library."""
        from studio.workspace.aftercare import with_old_value  # noqa: PLC0415 - ranking needs no statistics of tests

        entry = self._catalogue.entry(template_id)
        filled = self.fill(template_id, context, overrides, language=language)
        workflow = instantiate(entry, filled, self._with_currency(context), language=language)
        workflow = with_old_value(workflow, self.promotions(template_id))
        return Made(workflow, tuple(filled))

    def create(
        self,
        template_id: str,
        context: BusinessContext,
        overrides: Mapping[str, str] | None = None,
        *,
        language: str | None = None,
    ) -> Made:
        """One click: a workflow in the library, ready to run."""
        made = self.instantiate(template_id, context, overrides, language=language)
        self._taken(template_id, context)
        return Made(made.workflow, made.parameters, self._keep(made.workflow))

    def messages(self, workflow: Workflow) -> tuple[MessagePreview, ...]:
        """The workflow's messages, filled in for a made-up person."""
        from studio.workspace.previews import message_previews  # noqa: PLC0415 - ranking needs no message nodes

        return message_previews(workflow, self._render)

    def outcomes(self) -> tuple[PastOutcome, ...]:
        """How templates did here, in finished runs."""
        return tuple(self._store.learning.outcomes())

    def predict(self, workflow: Workflow, until: datetime, people: int | None = None) -> Mapping[str, Prediction]:
        """What a workflow's template promises for a run that starts at `until`; empty for one of no template."""
        if workflow.template is None:
            return {}
        economics = self._economics(until)
        cost = (workflow.settings.cost_per_message or {}).get("amount")
        economics = replace(
            economics or Economics(currency=workflow.settings.currency),
            cost_per_message=float(cost) if isinstance(cost, (int, float)) else None,
            people=people,
        )
        return predict(
            self.get(workflow.template.id),
            self.context(),
            outcomes=self._store.learning.outcomes(),
            economics=economics,
        )

    def promotions(self, template_id: str | None = None) -> tuple[Promotion, ...]:
        """Every winner written back, undone ones too, oldest first."""
        return tuple(self._store.learning.promotions(template_id))

    def _taken(self, template_id: str, context: BusinessContext) -> None:
        """Marks the template in the last showing for this business."""
        shown = self._store.learning.last_showing(context_hash(context))
        if shown:
            self._store.learning.choose(shown[0].slate, template_id, self._clock.now())

    def _record(self, ranking: Ranking, context: BusinessContext) -> None:
        now = self._clock.now()
        shown = impression(
            ranking.recommendations,
            context,
            at=now,
            policy=ranking.policy.version,
            engine=ranking.engine,
            propensities=ranking.propensities,
        )
        before = self._store.learning.last_showing(shown.context_hash)
        is_of_today = bool(before) and (before[0].at.date(), before[0].policy) == (now.date(), shown.policy)
        if is_of_today and _order(before) == _order(shown.slate):
            return  # the same cards in the same order on the same day are one showing, however often one looks
        slate = stable_id(iso(now), shown.context_hash, *(card.template for card in shown.slate))
        self._store.learning.add_impressions(
            [
                Impression(
                    slate=slate,
                    template=card.template,
                    position=card.position,
                    score=card.score,
                    propensity=card.propensity,
                    policy=shown.policy,
                    context_hash=shown.context_hash,
                    at=now,
                )
                for card in shown.slate
            ]
        )

    def _experience(self) -> Experience:
        outside = self._store.projections.sums(["kind"], [""])
        return Experience(
            outcomes=self._store.learning.outcomes(),
            promoted=self._promoted(),
            economics=self._economics(self._clock.now()),
            event_kinds=set(outside["kind"]) or None,
        )

    def _promoted(self) -> dict[str, dict[str, Promoted]]:
        promoted: dict[str, dict[str, Promoted]] = {}
        for row in self.promotions():
            if row.undone_at is None:
                evidence = f"Won its test here in run {row.run_id}, on {row.at:%d %B %Y}."
                promoted.setdefault(row.template, {})[row.parameter] = Promoted(row.to_value, evidence)
        return promoted

    def _with_currency(self, context: BusinessContext) -> BusinessContext:
        """The context with the currency that past orders are in, where nobody has named one."""
        if context.fact("currency") is not None:
            return context
        known = self._store.projections.sums(["currency"], [""], [ORDER_KIND]).filter(pl.col("currency") != "")
        if known.is_empty():
            return context
        currency, count, _value = known.sort("count", "currency", descending=[True, False]).row(0)
        return replace(
            context, facts=(*context.facts, Fact("currency", currency, 0.95, f"{count:,} past orders are in it."))
        )

    def _economics(self, until: datetime) -> Economics | None:
        orders = EventFilter(kinds=(ORDER_KIND,), run_id="", until=until)
        return economics_of(self._store.projections.scan(("value", "currency"), orders))


def _order(cards: Sequence[Impression] | Sequence[Shown]) -> list[tuple[int, str]]:
    return sorted((card.position, card.template) for card in cards)
