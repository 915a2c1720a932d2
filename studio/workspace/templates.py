"""The story of templates: what the business is, which templates suit it, filling one in, winners written back.

Absent on purpose: ranking and filling in themselves (gallery).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from studio.connectors.page import fetch_page, read_html
from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.domain.ports import Embedder
from studio.domain.template import BusinessContext, Fact, FilledParameter, Recommendation, Template
from studio.domain.workflow import Workflow
from studio.gallery import context as reading
from studio.gallery.catalogue import Catalogue
from studio.gallery.customise import fill, instantiate
from studio.gallery.learning import impression
from studio.gallery.prediction import Economics
from studio.gallery.promotion import Promoted
from studio.gallery.ranking import Experience, Policy, rank
from studio.store.store import Store
from studio.workspace.workflows import WorkflowsStory

CONTEXT_SETTING = "business"
ORDER_KIND = "order"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Cards in order; `engine` says what compared the words."""

    recommendations: tuple[Recommendation, ...]
    engine: str
    policy: str


@dataclass(frozen=True, slots=True)
class Made:
    """A workflow made from a template, with why each parameter has its value."""

    workflow: Workflow
    parameters: tuple[FilledParameter, ...]
    workflow_id: str | None = None


class TemplatesStory:
    """Templates of one workspace."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        workflows: WorkflowsStory,
        clock: Clock,
        embedder: Embedder | None = None,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._workflows = workflows
        self._clock = clock
        self._embedder = embedder

    def list(self) -> tuple[Template, ...]:
        """The whole catalogue."""
        return self._catalogue.list()

    def get(self, template_id: str) -> Template:
        """One template; UserFixable TEMPLATE-UNKNOWN with the nearest one."""
        return self._catalogue.get(template_id)

    def texts(self, template_id: str) -> Mapping[str, str]:
        """A template's message files by name."""
        return self._catalogue.entry(template_id).texts

    def understand_text(self, text: str) -> BusinessContext:
        """Facts out of a person's own words."""
        return reading.read_text(text)

    def understand_page(self, path: Path) -> BusinessContext:
        """Facts out of a saved page."""
        page = read_html(path)
        return reading.read_html(page.html)

    def understand_url(self, url: str) -> BusinessContext:
        """Fetches one page to this computer and reads it here."""
        page = asyncio.run(fetch_page(url))
        return reading.read_html(page.html, page.url)

    def read_context(self, text: str, *, where: str) -> BusinessContext:
        """A context as `studio recommend --json` prints it: `{"facts": […]}`, or that under `context`."""
        try:
            data = json.loads(text)
            data = data.get("context", data)
            facts = tuple(Fact(**fact) for fact in data["facts"])
            types = tuple(str(kind) for kind in data.get("types", ()))
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

    def correct(self, context: BusinessContext, fact: str, value: object) -> BusinessContext:
        """The context with one fact set by a person; None removes it."""
        return reading.correct(context, fact, value)

    def remember(self, context: BusinessContext) -> None:
        """Keeps the context as that of this workspace."""
        self._store.library.set(CONTEXT_SETTING, asdict(context))

    def context(self) -> BusinessContext:
        """The workspace's business; an empty one when nothing was said yet."""
        data = self._store.library.get(CONTEXT_SETTING)
        if not isinstance(data, Mapping):
            return BusinessContext()
        facts = tuple(Fact(**fact) for fact in data["facts"])
        return BusinessContext(facts, str(data["text"]), tuple(data["types"]))

    def recommend(self, context: BusinessContext, top: int | None = None, *, record: bool = False) -> Ranked:
        """Ranked cards; `record` keeps the showing, so that later one can tell whether ranking got better."""
        policy = Policy()
        ranking = rank(
            context, self._catalogue, experience=self._experience(), embedder=self._embedder, policy=policy, top=top
        )
        if record:
            self._store.library.add_impression(
                impression(
                    ranking.recommendations,
                    context,
                    at=self._clock.now(),
                    policy=policy.version,
                    engine=ranking.engine,
                    propensities=ranking.propensities,
                )
            )
        return Ranked(ranking.recommendations, ranking.engine, policy.version)

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
        entry = self._catalogue.entry(template_id)
        filled = self.fill(template_id, context, overrides, language=language)
        workflow = instantiate(entry, filled, context, language=language)
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
        return Made(made.workflow, made.parameters, self._workflows.add(made.workflow))

    def _experience(self) -> Experience:
        return Experience(
            outcomes=self._store.library.outcomes(),
            promoted=self._promoted(),
            economics=self._economics(),
            event_kinds=self._store.projections.event_kinds() or None,
        )

    def _promoted(self) -> dict[str, dict[str, Promoted]]:
        promoted: dict[str, dict[str, Promoted]] = {}
        for row in self._store.library.promotions(active=True):
            promoted.setdefault(row.template, {})[row.parameter] = Promoted(row.to_value, row.evidence)
        return promoted

    def _economics(self) -> Economics | None:
        """What past orders say about money; None before the first."""
        orders = self._store.projections.event_values(ORDER_KIND, until=self._clock.now())
        if not orders.count:
            return None
        return Economics(
            currency=orders.currency or "EUR", order_value=orders.mean, order_sd=orders.sd, orders=orders.count
        )
