"""Templates in the order in which they suit a business, each with its reasons.

A score is a sum of parts, and every part is a reason in words: business type, known facts, likeness of the words, what
past runs brought, and a small bonus for what was not tried yet. Absent on purpose: a percentage called confidence. On
the labelled set the cards shown were less often right than their scores said, so there are three bands instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.domain.ports import Embedder
from studio.domain.template import Band, BusinessContext, PastOutcome, Reason, Recommendation, Template
from studio.gallery import reasons
from studio.gallery.archetypes import Archetype, archetypes, fact_fit
from studio.gallery.business_types import business_type, confirmed, likelihood
from studio.gallery.catalogue import Catalogue
from studio.gallery.context import type_confirmed
from studio.gallery.learning import NEUTRAL, Standing, standing
from studio.gallery.likeness import Likeness, compare
from studio.gallery.prediction import Economics, predict
from studio.gallery.promotion import Promoted

TYPE = 0.68
FACTS = 0.14
LIKENESS = 0.18
OUTCOMES = 0.5
MISSING_EVENTS = -0.08
_ROUNDING = 0.01
STRONG = 0.65
LIKELY = 0.45
NO_INDUSTRY = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """How the order comes about. `explore`: chance that the last place goes to a template further down."""

    version: str = "2026.11"
    bonus: float = 0.03
    explore: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The cards to show, best first, and how they came about.

    `engine`: what compared the words. `types`: share per business type. `scores`: score per archetype, all of them.
    `propensities`: for each card the probability that the policy put it there.
    """

    recommendations: tuple[Recommendation, ...]
    engine: str
    policy: Policy
    types: Mapping[str, float]
    scores: Mapping[str, float]
    propensities: tuple[float, ...]


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
    top: int | None = None,
) -> Ranking:
    """Ranks the catalogue for a business, one card per archetype. The same arguments give the same answer.

    `top` cards at most (all when None). O(archetypes); about 10 ms without an embedder, and a prediction per card.
    """
    policy = policy or Policy()
    experience = experience or Experience()
    likeness = compare(context.text, embedder)
    shares = type_shares(context, likeness.types)
    cards: list[tuple[Archetype, Template, tuple[Reason, ...]]] = []
    scores: dict[str, float] = {}
    for archetype in archetypes():
        parts = _fit(archetype, context, shares, likeness)
        scores[archetype.id] = _clipped(parts)
        options = [
            (template, (*parts, *_learned(template, context, experience, policy)))
            for template in catalogue.of_archetype(archetype.id)
        ]
        if options:
            best, why = max(options, key=lambda option: _clipped(option[1]))
            cards.append((archetype, best, why))
    cards.sort(key=lambda card: (-_clipped(card[2]), card[1].id))
    order, propensities = _explored(len(cards), top, policy, seed)
    chosen = [cards[position] for position in order]
    return Ranking(
        tuple(_card(template, why, context, experience, seed) for _, template, why in chosen),
        likeness.engine,
        policy,
        shares,
        scores,
        propensities,
    )


def type_shares(context: BusinessContext, meaning: Mapping[str, float] | None = None) -> dict[str, float]:
    """Share per business type: what the person confirmed, else the likelihood of the text.

    What the context already says of its first type is never undercut: a page's structured data is not in its text.
    `meaning`: relative likelihoods from a model, multiplied in.
    """
    sure = type_confirmed(context)
    if sure is not None:
        return confirmed(sure)
    shares = likelihood(context.text)
    industry = context.fact("industry")
    if industry is not None and context.types and shares[context.types[0]] < industry.confidence - _ROUNDING:
        first = context.types[0]
        rest = (1 - industry.confidence) / (1 - shares[first])
        shares = {kind: industry.confidence if kind == first else share * rest for kind, share in shares.items()}
    if not meaning:
        return shares
    joint = {kind: share * meaning[kind] for kind, share in shares.items()}
    total = sum(joint.values())
    return {kind: share / total for kind, share in joint.items()}


def band(score: float) -> Band:
    """Three bands; README.md says how often the cards of each were right on the labelled set."""
    return "strong" if score >= STRONG else "likely" if score >= LIKELY else "worth_a_look"


def _fit(
    archetype: Archetype, context: BusinessContext, shares: Mapping[str, float], likeness: Likeness
) -> tuple[Reason, ...]:
    parts = {kind: share * business_type(kind).fit.get(archetype.id, 0.0) for kind, share in shares.items()}
    total = TYPE * sum(parts.values())
    strongest = business_type(max(parts, key=lambda kind: parts[kind]))
    facts, loudest = fact_fit(archetype, context)
    found = [reasons.of_type(strongest, archetype, total, type_confirmed(context) is not None)]
    if loudest is not None:
        found.append(reasons.of_fact(loudest, FACTS * facts))
    close = likeness.archetypes[archetype.id]
    if close > 0:
        found.append(reasons.of_likeness(archetype, context, likeness.engine, LIKENESS * close))
    return tuple(found)


def _learned(
    template: Template, context: BusinessContext, experience: Experience, policy: Policy
) -> tuple[Reason, ...]:
    known = standing(experience.outcomes, template.id, industry_of(context))
    untried = standing((), template.id, NO_INDUSTRY)
    found: list[Reason] = []
    elsewhere = any(outcome.template == template.id for outcome in experience.outcomes)
    if elsewhere:
        currency = experience.economics.currency if experience.economics else "EUR"
        found.append(reasons.of_outcomes(known, currency, OUTCOMES * (known.mean - NEUTRAL)))
    found.append(reasons.of_novelty(known, _bonus(known, untried, policy)))
    for name, promoted in experience.promoted.get(template.id, {}).items():
        found.append(reasons.of_promotion(template.parameter(name), promoted))
    missing = [kind for kind in template.needs.events if kind not in (experience.event_kinds or template.needs.events)]
    if missing:
        found.append(reasons.of_missing(missing, MISSING_EVENTS))
    return tuple(found)


def industry_of(context: BusinessContext) -> str:
    """The business type that results are filed under: the first one, `unknown` when there is none."""
    return context.types[0] if context.types else NO_INDUSTRY


def _bonus(known: Standing, untried: Standing, policy: Policy) -> float:
    return policy.bonus * known.deviation / untried.deviation


def _explored(cards: int, top: int | None, policy: Policy, seed: int) -> tuple[list[int], tuple[float, ...]]:
    shown = cards if top is None else min(top, cards)
    order = list(range(shown))
    propensities = [1.0] * shown
    further = cards - shown
    if shown and further and policy.explore > 0:
        rng = np.random.default_rng([seed, 0xE7])
        if rng.random() < policy.explore:
            order[-1] = shown + int(rng.integers(further))
            propensities[-1] = policy.explore / further
        else:
            propensities[-1] = 1 - policy.explore
    return order, tuple(propensities)


def _card(
    template: Template, why: tuple[Reason, ...], context: BusinessContext, experience: Experience, seed: int
) -> Recommendation:
    score = _clipped(why)
    prediction = predict(template, context, outcomes=experience.outcomes, economics=experience.economics, seed=seed)
    ordered = tuple(sorted(why, key=lambda reason: -abs(reason.weight)))
    return Recommendation(template.id, template.archetype, score, band(score), ordered, prediction)


def _clipped(why: Sequence[Reason]) -> float:
    return float(min(1.0, max(0.0, sum(reason.weight for reason in why))))
