"""Templates in the order in which they suit a business, each with its reasons.

A score is a sum of parts, and every part is a reason in words: business type, businesses alike, words, known facts,
what past runs brought. Without own results it is the expected gain of a card (1: a first choice). `confidence` is the
calibrated probability that a card suits, and the band follows from it. Absent on purpose: learning the weights
(`weights`), and a confidence for templates that own results have moved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from studio.domain.ports import Embedder
from studio.domain.template import BusinessContext, PastOutcome, Reason, Recommendation, Template
from studio.gallery import examples, reasons
from studio.gallery.archetypes import Archetype, archetypes, fact_fit
from studio.gallery.business_types import business_types, confirmed, likelihood
from studio.gallery.catalogue import Catalogue
from studio.gallery.context import hints_of, type_confirmed, with_types
from studio.gallery.learning import Standing, standing
from studio.gallery.lexical import Index
from studio.gallery.likeness import WORDS_ONLY, Likeness, among_type, compare, nearest
from studio.gallery.prediction import Economics, predict
from studio.gallery.promotion import Promoted
from studio.gallery.weights import Weights, band, calibration, learned

FACTS = 0.06
TOLD = 0.2
"""What a person said or corrected counts more than what was read."""
OUTCOMES = 1.25
"""What success above the usual counts, in expected gain. From `learning_simulation`: flat between 1 and 2."""
MISSING_EVENTS = -0.08
_ROUNDING = 0.01
_UNSEEN = 1e-4
"""Added to each type's share among the neighbours: no neighbour of a type is no proof against it."""
NO_INDUSTRY = "unknown"
SLATE = 3
"""Cards at the top, that people choose from."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the order comes about.

    `explore`: chance that the last of the cards at the top (`SLATE`) gives way to one further down. `bonus`: what a
    template loses, in score, as results make it well known.
    """

    version: str = "2026.12"
    bonus: float = 0.04
    explore: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The cards to show, best first, and how they came about.

    `engine`: what compared the words. `types`: share per business type. `scores`: score per archetype, all of them.
    `propensities`: for each card the probability that the policy put it there. `alternatives`: the other templates of
    archetypes that have several, ranked like the cards.
    """

    recommendations: tuple[Recommendation, ...]
    engine: str
    policy: Policy
    types: Mapping[str, float]
    scores: Mapping[str, float]
    propensities: tuple[float, ...]
    alternatives: tuple[Recommendation, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """One question as it is answered: the business, what is like it, and what all of it is worth."""

    context: BusinessContext
    shares: Mapping[str, float]
    likeness: Likeness
    type_gains: examples.Floats
    weights: Weights
    has_model: bool


@dataclass(frozen=True, slots=True)
class _Card:
    archetype: Archetype
    template: Template
    why: tuple[Reason, ...]
    is_moved: bool

    @property
    def total(self) -> float:
        """The score before it is held within 0 and 1, so that ends are ordered too."""
        return sum(reason.weight for reason in self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """What the workspace has learned and holds: results, promoted defaults per template, money, kinds of event seen.

    `event_kinds` None: not known, so that nothing is held against a template.
    """

    outcomes: Sequence[PastOutcome] = ()
    promoted: Mapping[str, Mapping[str, Promoted]] = field(default_factory=dict)
    economics: Economics | None = None
    event_kinds: Collection[str] | None = None


def rank(
    context: BusinessContext,
    catalogue: Catalogue,
    *,
    experience: Experience | None = None,
    embedder: Embedder | None = None,
    policy: Policy | None = None,
    seed: int = 0,
    exploration_seed: int | None = None,
    top: int | None = None,
) -> Ranking:
    """Ranks the catalogue for a business, one card per archetype. The same arguments give the same answer.

    `seed`: of predictions, and of exploration unless that has its own. `top` cards at most (all when None).
    O(archetypes); about 20 ms, with a model one embedding more, and a prediction per card.
    """
    policy = policy or Policy()
    experience = experience or Experience()
    view = _view(context, embedder)
    cards: list[_Card] = []
    others: list[_Card] = []
    scores: dict[str, float] = {}
    for number, archetype in enumerate(archetypes()):
        parts = _fit(number, archetype, view)
        scores[archetype.id] = _clipped(parts)
        options = _options(archetype, parts, catalogue, view, (experience, policy))
        cards += options[:1]
        others += options[1:]
    cards.sort(key=lambda card: (-card.total, card.template.id))
    others.sort(key=lambda card: (-card.total, card.template.id))
    order, propensities = _explored(len(cards), top, policy, seed if exploration_seed is None else exploration_seed)
    return Ranking(
        tuple(
            _recommended(_tried(cards[position], place != position, place), view, experience, seed)
            for place, position in enumerate(order)
        ),
        view.likeness.engine,
        policy,
        view.shares,
        scores,
        propensities,
        tuple(_recommended(card, view, experience, seed) for card in others) if top is None else (),
    )


def type_shares(context: BusinessContext, likeness: Likeness) -> dict[str, float]:
    """Share per business type: what the person confirmed, else the text's cues times the types of businesses alike.

    What the context already says of its first type is never undercut: a page's structured data is not in its text.
    """
    sure = type_confirmed(context)
    if sure is not None:
        return confirmed(sure)
    shares = likelihood(context.text, hints_of(context))
    if context.text.strip():
        alike = likeness.types() + _UNSEEN
        shares = _scaled({kind: share * near for (kind, share), near in zip(shares.items(), alike, strict=True)})
    industry = context.fact("industry")
    if industry is not None and context.types and shares[context.types[0]] < industry.confidence - _ROUNDING:
        first = context.types[0]
        rest = (1 - industry.confidence) / max(1 - shares[first], 1e-9)
        shares = {kind: industry.confidence if kind == first else share * rest for kind, share in shares.items()}
    return shares


def settled(context: BusinessContext, embedder: Embedder | None = None) -> BusinessContext:
    """The context with the three likeliest types by everything that can be compared, unless a person said which."""
    if type_confirmed(context) is not None or not context.text.strip():
        return context
    return with_types(context, type_shares(context, compare(context.text, embedder)))


def _scaled(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {kind: share / total for kind, share in shares.items()}


def _view(context: BusinessContext, embedder: Embedder | None) -> _View:
    likeness = compare(context.text, embedder)
    sure = type_confirmed(context)
    if sure is not None:
        likeness = among_type(likeness, [kind.id for kind in business_types()].index(sure))
    shares = type_shares(context, likeness)
    has_model = likeness.engine != WORDS_ONLY
    gains = np.array(list(shares.values())) @ examples.type_gains()
    return _View(context, shares, likeness, gains, learned().with_model if has_model else learned().by_words, has_model)


def _fit(number: int, archetype: Archetype, view: _View) -> tuple[Reason, ...]:
    worth, like, context = view.weights, view.likeness, view.context
    strongest = _strongest(number, view)
    is_known = type_confirmed(context) is not None or max(view.shares.values()) > _EVEN
    found = [
        reasons.of_type(
            strongest if is_known else None,
            float(examples.type_gains()[strongest, number]),
            worth.type * float(view.type_gains[number]) + worth.base,
            is_confirmed=type_confirmed(context) is not None,
        )
    ]
    if context.text.strip():
        alike = worth.meaning * like.meaning[number] + worth.neighbours * like.neighbours[number]
        spoken = worth.closeness * like.closeness[number] + worth.overlap * like.overlap[number]
        by_words = worth.words * like.words[number]
        told = context.fact("language")
        language = str(told.value) if told else None
        by_meaning = float(alike if view.has_model else by_words)
        found.append(reasons.of_neighbours(nearest(like, number), by_meaning, language))
        found.append(reasons.of_words(archetype, context, float(spoken + by_words if view.has_model else spoken)))
    facts, loudest = fact_fit(archetype, context)
    if loudest is not None:
        found.append(reasons.of_fact(loudest, (TOLD if loudest.confidence == 1.0 else FACTS) * facts))
    return tuple(found)


_TOLD = 0.3
"""Share from which on a business's likeliest type says which of an archetype's templates is meant."""
_EVEN = 0.1
"""With all types about equally likely nothing is known of the type."""


def _strongest(number: int, view: _View) -> int:
    return int(np.argmax(np.array(list(view.shares.values())) * examples.type_gains()[:, number]))


def _options(
    archetype: Archetype,
    parts: tuple[Reason, ...],
    catalogue: Catalogue,
    view: _View,
    learning: tuple[Experience, Policy],
) -> list[_Card]:
    """The archetype's templates, the best suited first: by results, then by goals, words and what they need."""
    templates = catalogue.of_archetype(archetype.id)
    if not templates:
        return []
    suits = _own_fit(archetype, templates, view, learning[0])
    cards: list[tuple[float, _Card]] = []
    for template, suit in zip(templates, suits, strict=True):
        more, is_moved = _learned(template, view.context, *learning)
        card = _Card(archetype, template, (*parts, *more), is_moved)
        cards.append((card.total + suit, card))
    cards.sort(key=lambda item: (-item[0], item[1].template.id))
    return [card for _, card in cards]


def _own_fit(archetype: Archetype, templates: Sequence[Template], view: _View, experience: Experience) -> list[float]:
    """How templates of one archetype differ in fit: a tie-breaker that does not enter the score.

    The one that is most what the archetype says comes first, unless the kind of business, its words, its goal or its
    data speak for another.
    """
    if len(templates) == 1:
        return [0.0]
    context = view.context
    said = Index.of([f"{one.name['en']} {one.description['en']} {one.typical_for}" for one in templates])
    for_whom = Index.of([one.typical_for for one in templates])
    typical, asked = _shares(said.scores(archetype.text)), _shares(said.scores(context.text))
    kind = max(business_types(), key=lambda one: view.shares[one.id])
    meant = _shares(for_whom.scores(f"{kind.title['en']} {kind.about}"))
    is_told = view.shares[kind.id] > _TOLD
    goal = context.fact("goal")
    return [
        0.08 * is_typical
        + 0.04 * is_asked
        + (0.08 * is_meant if is_told else 0.0)
        + (0.05 if goal is not None and reasons.serves(template.goals, goal) else 0.0)
        - 0.05 * len(_missing(template, experience))
        - 0.01 * len(template.needs.events)
        for template, is_typical, is_asked, is_meant in zip(templates, typical, asked, meant, strict=True)
    ]


def _shares(scores: Sequence[float]) -> list[float]:
    top = max(scores, default=0.0) or 1.0
    return [score / top for score in scores]


def _learned(
    template: Template, context: BusinessContext, experience: Experience, policy: Policy
) -> tuple[tuple[Reason, ...], bool]:
    """What results add, and whether they move the score away from what was calibrated."""
    known = standing(experience.outcomes, template.id, industry_of(context))
    untried = standing((), template.id, NO_INDUSTRY)
    found: list[Reason] = []
    elsewhere = any(outcome.template == template.id for outcome in experience.outcomes)
    if elsewhere:
        currency = experience.economics.currency if experience.economics else "EUR"
        found.append(reasons.of_outcomes(known, currency, OUTCOMES * (known.mean - known.usual)))
    found.append(reasons.of_novelty(known, _bonus(known, untried, policy)))
    for name, promoted in experience.promoted.get(template.id, {}).items():
        found.append(reasons.of_promotion(template.parameter(name), promoted))
    missing = _missing(template, experience)
    if missing:
        found.append(reasons.of_missing(missing, MISSING_EVENTS))
    return tuple(found), elsewhere


def _missing(template: Template, experience: Experience) -> list[str]:
    return [kind for kind in template.needs.events if kind not in (experience.event_kinds or template.needs.events)]


def industry_of(context: BusinessContext) -> str:
    """The business type that results are filed under: the first one, `unknown` when there is none."""
    return context.types[0] if context.types else NO_INDUSTRY


def _bonus(known: Standing, untried: Standing, policy: Policy) -> float:
    """What is not tried yet keeps its whole chance (0); what is well known loses the bonus of the unknown."""
    return policy.bonus * (known.deviation / untried.deviation - 1)


def _explored(cards: int, top: int | None, policy: Policy, seed: int) -> tuple[list[int], tuple[float, ...]]:
    """Places in the order shown. Of the cards at the top, the last may give way to one further down."""
    shown = cards if top is None else min(top, cards)
    order = list(range(cards))
    propensities = [1.0] * shown
    place = min(SLATE, shown) - 1
    further = cards - place - 1
    if shown and further > 0 and policy.explore > 0:
        rng = np.random.default_rng([seed, 0xE7])
        propensities[place] = 1 - policy.explore
        if rng.random() < policy.explore:
            other = place + 1 + int(rng.integers(further))
            order[place], order[other] = order[other], order[place]
            propensities[place] = policy.explore / further
    return order[:shown], tuple(propensities)


def _tried(card: _Card, is_moved_up: bool, place: int) -> _Card:
    """The card with a word about it when it stands at the top only to be tried."""
    if not is_moved_up or place >= SLATE:
        return card
    return replace(card, why=(*card.why, reasons.of_exploration()))


def _recommended(card: _Card, view: _View, experience: Experience, seed: int) -> Recommendation:
    is_confirmed = type_confirmed(view.context) is not None
    sure = calibration(has_model=view.has_model, is_confirmed=is_confirmed).probability(_clipped(card.why))
    ordered = tuple(sorted(card.why, key=lambda reason: -abs(reason.weight)))
    return Recommendation(
        card.template.id,
        card.archetype.id,
        _clipped(card.why),
        band(sure),
        ordered,
        predict(card.template, view.context, outcomes=experience.outcomes, economics=experience.economics, seed=seed),
        None if card.is_moved or not view.context.text.strip() else round(sure, 3),
    )


def _clipped(why: Sequence[Reason]) -> float:
    return float(min(1.0, max(0.0, sum(reason.weight for reason in why))))
