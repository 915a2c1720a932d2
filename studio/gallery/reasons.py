"""Parts of a score in a marketer's words, each naming the fact or the result it rests on.

Absent on purpose: the weights; whoever scores gives them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from studio.domain.template import BusinessContext, Fact, PastOutcome, Reason, TemplateParameter
from studio.gallery import wording
from studio.gallery.archetypes import Archetype
from studio.gallery.business_types import business_types
from studio.gallery.examples import Example
from studio.gallery.figures import language_fact
from studio.gallery.learning import Standing
from studio.gallery.lexical import words
from studio.gallery.promotion import Promoted

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_QUOTE_END = re.compile(r"[.]?(”?)[.]?$")
_MUCH_ALIKE = 0.15
_ALIKE_AT_ALL = 0.05
"""Shares among 490 examples from which on one is named as being alike."""
_TELLING = 5
"""Letters from which on a shared word is worth naming."""
_COMMON = frozenset(
    (
        *("their", "about", "after", "first", "people", "those", "until", "again", "business", "businesses", "company"),
        *("companies", "shops", "stores", "sites", "services", "service", "welcome", "contact", "customers", "clients"),
        *("brings", "bring", "joins", "makes", "maker", "makers", "theme", "offer", "offers", "products", "product"),
        *(
            "local",
            "online",
            "stops",
            "shows",
            "visit",
            "visits",
            "before",
            "every",
            "other",
            "things",
            "three",
            "which",
        ),
    )
)
"""Words that any two businesses share."""


def of_type(kind: int | None, gain: float, weight: float, *, is_confirmed: bool) -> Reason:
    """What the business type says; None while nothing points to one. `gain`: mean gain of the archetype there."""
    if kind is None:
        return Reason("Suits many kinds of business; tell us about yours to see what suits it.", None, weight)
    how = "A first choice for" if gain >= 0.6 else "A good choice for" if gain >= 0.3 else "Sometimes used by"
    which = "your" if is_confirmed else "this"
    title = business_types()[kind].title["en"]
    return Reason(f"{how} {which} kind of business: {title[0].lower()}{title[1:]}.", "industry", weight)


def of_neighbours(found: tuple[Example, float] | None, weight: float, language: str | None = None) -> Reason:
    """What businesses alike do, with the one most alike in its words where they are in the reader's language.

    `found`: the example and its share among the neighbours, which says how alike it is.
    """
    if found is None:
        return Reason("Few businesses like yours use it.", None, weight)
    example, share = found
    if share < _ALIKE_AT_ALL:
        return Reason("Suits businesses that have something in common with yours.", None, weight)
    like = "much like yours" if share >= _MUCH_ALIKE else "a little like yours"
    if language is not None and _language(example.text) not in (None, language):
        return Reason(f"Suits a business {like}.", None, weight)
    return Reason(f"Suits a business {like}: “{_cut(example.text)}”.", None, weight)


def of_words(archetype: Archetype, context: BusinessContext, weight: float) -> Reason:
    """Words in common."""
    shared = _shared(archetype, context)
    if shared:
        return Reason(f"Words in common: {', '.join(shared)}.", None, weight)
    said = (
        "Its description uses other words than yours." if weight < 0 else "What it does is close to what you describe."
    )
    return Reason(said, None, weight)


def serves(goals: Sequence[str], goal: Fact) -> bool:
    """Whether one of the goals is the one a fact states."""
    return isinstance(goal.value, str) and wording.goal_id(goal.value) in goals


def of_fact(fact: Fact, weight: float) -> Reason:
    """What the loudest known fact says."""
    if fact.name == "goal":
        return Reason(f"Your goal: {fact.value}.", fact.name, weight)
    about = wording.trait_words(fact.name) or fact.name.replace("_", " ")
    quoted = _QUOTE_END.sub("\\1", fact.evidence)
    said = ", you said so" if fact.confidence == 1.0 else f": {quoted}"
    if not fact.value:
        return Reason(f"Speaks against it: your business hardly {about}{said}.", fact.name, weight)
    if weight < 0:
        return Reason(f"Speaks against it: your business {about}{said}.", fact.name, weight)
    return Reason(f"Your business {about}{said}.", fact.name, weight)


def _shared(archetype: Archetype, context: BusinessContext) -> list[str]:
    spoken = _spoken(context.text)
    shared: dict[str, str] = {}
    for word, stem in _telling(archetype.text):
        if stem in spoken:
            shared.setdefault(stem, word)
    return list(shared.values())[:4]


@lru_cache(maxsize=8)
def _spoken(text: str) -> frozenset[str]:
    return frozenset(words(text))


@lru_cache(maxsize=64)
def _telling(text: str) -> tuple[tuple[str, str], ...]:
    """Words worth naming, with what they are compared by."""
    raw = (word.strip(".,;:()") for word in text.lower().split())
    return tuple((word, "".join(words(word))) for word in raw if len(word) >= _TELLING and word not in _COMMON)


@lru_cache(maxsize=64)
def _language(text: str) -> str | None:
    told = language_fact(text)
    return None if told is None else str(told.value)


def _cut(text: str) -> str:
    """The first sentence, at most twelve words of it, without a full stop."""
    listed = text.split(". ", maxsplit=1)[0].split()
    return " ".join(listed[:12]).rstrip(".,;:") + (" …" if len(listed) > 12 else "")


def of_outcomes(known: Standing, currency: str, weight: float) -> Reason:
    """What past runs brought: here if there are any, else in other industries."""
    if not known.runs:
        how = "kept its promise" if known.mean > known.usual else "fell short of its promise"
        return Reason(f"It {how} in another kind of business in this workspace.", None, weight)
    runs = f"{len(known.runs)} run{'s' if len(known.runs) > 1 else ''} here"
    revenue = _revenue(known.runs)
    earned = f"Earned {_money(revenue, currency)} in {runs}" if revenue is not None else f"Used in {runs}"
    measured = [outcome for outcome in known.runs if outcome.incremental is not None]
    if not measured:
        return Reason(f"{earned}; without a holdout nobody knows how much of it came by itself.", None, weight)
    if all((outcome.incremental_low or 0.0) <= 0 <= (outcome.incremental_high or 0.0) for outcome in measured):
        return Reason(f"{earned}, but no more than people left alone brought by themselves.", None, weight)
    people = sum(outcome.trials for outcome in measured)
    more = 1_000 * sum((outcome.incremental or 0.0) * outcome.trials for outcome in measured) / max(people, 1)
    how = f"{abs(more):.0f} {'more' if more > 0 else 'fewer'} orders per 1,000 people than among those left alone"
    return Reason(f"{earned}: {how}.", None, weight)


def of_novelty(known: Standing, weight: float) -> Reason:
    """The small bonus for what is not well known yet."""
    if known.runs:
        return Reason("Few runs here so far: worth another look.", None, weight)
    return Reason("Not tried here yet.", None, weight)


def of_exploration() -> Reason:
    """A card that stands where it stands to be tried."""
    return Reason("Shown up here now and then, to learn whether it suits you.", None, 0.0)


def of_promotion(parameter: TemplateParameter, promoted: Promoted) -> Reason:
    """A default that won its test."""
    title = parameter.title["en"]
    return Reason(f"{title} is set to what won your test: “{promoted.value}”. {promoted.evidence}", None, 0.0)


def of_missing(kinds: Sequence[str], weight: float) -> Reason:
    """Events that the template needs and the workspace has none of."""
    return Reason(f"Your data has no {' or '.join(kinds)} events yet, and this needs them.", None, weight)


def _revenue(runs: Sequence[PastOutcome]) -> float | None:
    """The runs' revenue, from `revenue` or from `revenue_per_recipient`; None when one of them does not say."""
    total = 0.0
    for outcome in runs:
        if "revenue" in outcome.actual:
            total += outcome.actual["revenue"]
        elif "revenue_per_recipient" in outcome.actual:
            total += outcome.actual["revenue_per_recipient"] * outcome.trials
        else:
            return None
    return total


def _money(amount: float, currency: str) -> str:
    return f"{_SIGNS[currency]}{amount:,.0f}" if currency in _SIGNS else f"{amount:,.0f} {currency}"
