"""What the templates screen shows, read from the workspace in one go.

Absent on purpose: Qt. It is called on a worker thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.domain.node import Role
from studio.domain.template import BusinessContext, FilledParameter, PastOutcome, Recommendation, Template
from studio.domain.workflow import Workflow
from studio.ui import numbers
from studio.ui.charts import MiniGraphData, MiniNode
from studio.workspace.previews import MessagePreview
from studio.workspace.templates import TypeChoice
from studio.workspace.workspace import Workspace

SLATE = 3
"""Cards at the top."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One template as its card shows it. `recommendation` None: it is not ranked.

    `kinds`: ids of the kinds of business it usually suits.
    """

    template: Template
    recommendation: Recommendation | None
    outcomes: tuple[PastOutcome, ...]
    graph: MiniGraphData
    kinds: frozenset[str]
    is_favourite: bool = False
    is_recent: bool = False
    is_own: bool = False

    @property
    def title(self) -> str:
        return self.template.name["en"]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The business, and every template, the best suited first.

    `kinds`: kinds of business, id → title. `unknown`: facts that matter and are not known. `record`: in words, whether
    predictions held and ranking got better here.
    """

    context: BusinessContext
    types: tuple[TypeChoice, ...]
    offers: tuple[Offer, ...]
    currency: str
    kinds: Mapping[str, str]
    unknown: tuple[str, ...]
    record: str

    @property
    def business(self) -> str:
        name = self.context.fact("name")
        return str(name.value) if name else ""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the business, so that an order means something."""
        return bool(self.context.facts)

    def offer(self, template_id: str) -> Offer | None:
        return next((offer for offer in self.offers if offer.template.id == template_id), None)


@dataclass(frozen=True, slots=True)
class Filled:
    """A template filled in for the business; `workflow` is not in the library."""

    template: Template
    overrides: Mapping[str, str]
    parameters: tuple[FilledParameter, ...]
    workflow: Workflow
    messages: tuple[MessagePreview, ...]


def read_gallery(workspace: Workspace, context: BusinessContext | None = None) -> Gallery:
    """Reads and ranks, and records what is shown for a business that is known. A `context` given is new and is kept."""
    story = workspace.templates
    if context is not None:
        story.remember(context)
    known = context if context is not None else story.context()
    answer = story.recommend(known, record=bool(known.facts), explore=True)
    # Several templates of one kind: only the best of them is a card of the ranking, the others are ranked like it.
    ranked = {item.template: item for item in (*answer.recommendations, *answer.alternatives)}
    tops = [item.template for item in answer.recommendations[:SLATE]]
    place = {name: number for number, name in enumerate(tops)}
    outcomes = story.outcomes()
    favourites, recent = set(workspace.shelf.favourites()), set(workspace.shelf.recent())
    own = {template.id for template in workspace.own_templates.list()}
    offers = [
        Offer(
            template,
            ranked.get(template.id) if known.facts else None,
            tuple(outcome for outcome in outcomes if outcome.template == template.id),
            mini_graph(workspace, template.workflow),
            workspace.shelf.suited_kinds(template),
            template.id in favourites,
            template.id in recent,
            template.id in own,
        )
        for template in story.list()
    ]
    offers.sort(key=lambda offer: (place.get(offer.template.id, len(place)), -_score(offer), offer.title))
    currency = known.fact("currency")
    return Gallery(
        known,
        story.types(known),
        tuple(offers),
        str(currency.value) if currency else "EUR",
        workspace.shelf.kinds(),
        story.unknown(known) if known.facts else (),
        _record(workspace) if outcomes else "",
    )


def _score(offer: Offer) -> float:
    return offer.recommendation.score if offer.recommendation is not None else 0.0


def _record(workspace: Workspace) -> str:
    """How well predictions and ranking did here."""
    parts = [
        f"Predictions: {numbers.count(one.covered)} of {numbers.plural(one.promises, 'finished run')} ended inside the "
        f"{numbers.percent(one.level)} interval that was promised."
        for one in workspace.analyses.record().metrics
        if one.metric == "conversion_rate"
    ]
    verdict = workspace.learning.verdict()
    if verdict.showings:
        parts.append(f"Ranking: {verdict.in_words()}")
    return " ".join(parts)


def fill_in(workspace: Workspace, template_id: str, context: BusinessContext, overrides: Mapping[str, str]) -> Filled:
    """Fills a template in. Raises UserFixable when a value that was typed does not fit."""
    story = workspace.templates
    made = story.instantiate(template_id, context, overrides)
    template = story.get(template_id)
    return Filled(template, dict(overrides), made.parameters, made.workflow, story.messages(made.workflow))


def mini_graph(workspace: Workspace, workflow: Workflow) -> MiniGraphData:
    """The workflow's own nodes where its file has them."""
    nodes = [
        MiniNode(node.id, node.position[0], node.position[1], _role(workspace, node.type), node.label or node.id)
        for node in workflow.nodes
    ]
    return MiniGraphData(nodes, [(edge.from_[0], edge.to[0]) for edge in workflow.edges])


def _role(workspace: Workspace, node_type: str) -> Role:
    kind = workspace.workflows.catalogue.get(node_type)
    return kind.declaration.role if kind is not None else "pure"
