"""The business context: what the program understood of a business, from words or from a saved page.

Every fact has a confidence and the words it rests on; what is not known has no fact. Absent on purpose: fetching pages
(a connector's), and guessing what nobody said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import JsonValue

from studio.domain.template import BusinessContext, Fact
from studio.gallery import cues, figures, wording
from studio.gallery.business_types import business_type, business_types, likelihood
from studio.gallery.page import Page, read_page
from studio.gallery.page_owner import Found, domain_name

TYPES_SHOWN = 3
_SURE_OF_TYPE = 0.3
_SAME = 1e-9
_SINGLE = ("currency", "market", "language", "discount", "order_value")
"""Facts of which a business has one: two different ones contradict each other."""
_NEARLY = 0.7
_CONTRADICTED = 0.45
"""Confidence of a contradicted fact: low enough that a setting filled from it is asked about."""
_TELLING = 6_000
"""Characters of a page from which facts are read in words: further down stand articles and comments."""
_GUESSED = {"goal": 0.6, "tone": 0.55, "channels": 0.8, "sells": 0.7, "audience": 0.6, "website": 0.9, "name": 0.99}
"""On a page, less sure facts of these names come from chance meetings of words, or are somebody else's; unknown is
better."""
_TYPE_HINT = 3.0
"""What a schema.org type on the page counts for, in the units of `business_types.likelihood`."""
MATTERING = ("name", "industry", "sells", "audience", "tone", "market", "language", "currency", "goal", "website")
"""Facts that templates are chosen and filled in by; one that is not known is shown as unknown."""
_ORDER = (
    *("name", "industry", "sells", "audience", "tone", "market", "language", "currency", "website", "channels", "goal"),
    *("price", "order_value", "discount", "brand_colour", "sells_online", "has_cart", "subscription", "local"),
)


def read_text(text: str) -> BusinessContext:
    """Understands a description in a person's own words (English or German best). Empty text gives no facts."""
    text = " ".join(text.split())[: cues.MAX_TEXT]
    return _context(_facts(text, None), text, {})


def read_html(html: str, url: str | None = None) -> BusinessContext:
    """Understands a page as it lies on disk. `url` tells website, name and country; a saved page may say it itself."""
    page = read_page(html, url)
    address = page.address if url is None else Found(url, "the address you gave", 0.98)
    text = " ".join(f"{page.title}. {page.description} {page.text}".split())[: cues.MAX_TEXT]
    facts = [*_page_facts(page), *(fact for fact in _facts(text[:_TELLING], address) if not _is_guess(fact))]
    kinds = set(page.schema_types)
    hints = {kind.id: _TYPE_HINT for kind in business_types() if kinds & set(kind.schema)}
    return _context(facts, text, hints)


def correct(context: BusinessContext, name: str, value: JsonValue) -> BusinessContext:
    """The context with one fact set by a person, who is always believed; None takes the fact away."""
    others = tuple(fact for fact in context.facts if fact.name != name)
    if value is None:
        return replace(context, facts=others)
    return replace(context, facts=_sorted((*others, Fact(name, value, 1.0, "You said so."))))


def confirm_type(context: BusinessContext, type_id: str) -> BusinessContext:
    """The context after a person confirmed its business type. Raises UserFixable (`TYPE-UNKNOWN`)."""
    kind = business_type(type_id)
    rest = tuple(other for other in context.types if other != type_id)
    return replace(correct(context, "industry", kind.title["en"]), types=(type_id, *rest)[:TYPES_SHOWN])


def with_types(context: BusinessContext, shares: Mapping[str, float]) -> BusinessContext:
    """The context with the likeliest of these types, and the fact that follows; none where all are equally likely."""
    ranked = sorted(shares, key=lambda kind: -shares[kind])
    even = max(shares.values()) - min(shares.values()) < _SAME
    others = tuple(fact for fact in context.facts if fact.name != "industry")
    industry = None if even else _industry(ranked[0], shares[ranked[0]], context.text)
    facts = others if industry is None else (*others, industry)
    return replace(context, facts=_sorted(facts), types=() if even else tuple(ranked[:TYPES_SHOWN]))


def type_confirmed(context: BusinessContext) -> str | None:
    """The business type a person confirmed, None while it is only a guess."""
    industry = context.fact("industry")
    return context.types[0] if industry is not None and industry.confidence == 1.0 and context.types else None


def _home(url: str) -> str:
    """The site that a page deep inside it belongs to: buttons lead there. A single folder may be somebody's shop."""
    parts = urlsplit(url)
    deep = len([part for part in parts.path.split("/") if part]) > 1
    return f"{parts.scheme}://{parts.netloc}/" if deep else url


def _facts(text: str, address: Found | None) -> list[Fact]:
    if not text:
        return []
    url = address.value if address else ""
    suffix = url.split("//")[-1].split("/")[0] if domain_name(url) else None
    single = (
        wording.name_fact(text),
        wording.sells_fact(text),
        wording.audience_fact(text),
        wording.tone_fact(text),
        wording.goal_fact(text),
        wording.channels_fact(text),
        figures.language_fact(text),
        Fact("website", _home(address.value), address.sure, address.where) if address else figures.website_fact(text),
    )
    return [
        *(fact for fact in single if fact is not None),
        *figures.market_facts(text, suffix),
        *figures.money_facts(text),
        *wording.trait_facts(text),
    ]


def _is_guess(fact: Fact) -> bool:
    return fact.confidence < _GUESSED.get(fact.name, 0.0)


def unknown(context: BusinessContext) -> tuple[str, ...]:
    """Names of the facts that matter for templates and are not known."""
    return tuple(name for name in MATTERING if context.fact(name) is None)


def _page_facts(page: Page) -> list[Fact]:
    country = figures.country_name(page.country) if page.country else None
    middle = sorted(page.prices)[len(page.prices) // 2] if page.prices else None
    cart = page.cart.where if page.cart else ""
    candidates: tuple[tuple[str, JsonValue, float, str], ...] = (
        *(_candidate("name", page.name), _candidate("logo", page.logo)),
        ("about", page.description[:200] or None, 0.9, "description of the page"),
        ("language", page.language, 0.97, f"the page says so (lang=“{page.language}”)"),
        ("currency", page.currency.upper() if page.currency else None, 0.98, "prices of the page"),
        ("market", country, 0.96, f"address: {page.country}"),
        ("brand_colour", page.colour.value if page.colour else None, 0.8, page.colour.where if page.colour else ""),
        ("colours", list(page.colours) if len(page.colours) > 1 else None, 0.6, "colours of the page, without greys"),
        ("offers", list(page.offers) or None, 0.9, "products in the page's structured data"),
        ("has_cart", bool(cart) or None, 0.97, cart),
        ("sells_online", bool(cart) or None, 0.95, cart),
        ("price", middle, 0.9, f"{len(page.prices)} prices on the page"),
        ("newsletter", page.newsletter or None, 0.8, "a form that asks for a mail address"),
        ("channels", ", ".join(page.social) or None, 0.85, "links on the page"),
    )
    return [Fact(*candidate) for candidate in candidates if candidate[1] is not None]


def _candidate(name: str, found: Found | None) -> tuple[str, JsonValue, float, str]:
    return (name, found.value, found.sure, found.where) if found else (name, None, 0.0, "")


def _context(facts: Iterable[Fact], text: str, hints: Mapping[str, float]) -> BusinessContext:
    found = list(facts)
    best: dict[str, Fact] = {}
    for fact in found:
        if fact.name not in best or fact.confidence > best[fact.name].confidence:
            best[fact.name] = fact
    best |= {name: _doubted(best[name], found) for name in _SINGLE if name in best}
    if not text:
        return BusinessContext(tuple(best.values()), text)
    known = BusinessContext(tuple(best.values()), text)
    return with_types(known, likelihood(text, {**hints, **hints_of(known)}))


def hints_of(context: BusinessContext) -> Mapping[str, float]:
    """What facts say for or against business types, for `likelihood`.

    Who asks people in and says nothing of selling online has a shop, not an online shop.
    """
    local, online = context.fact("local"), context.fact("sells_online")
    is_on_the_spot = local is not None and local.value is True and (online is None or online.value is not True)
    return {"online_shop": -_TYPE_HINT} if is_on_the_spot else {}


def _doubted(fact: Fact, found: Iterable[Fact]) -> Fact:
    """The fact, less sure and saying so where something else that is nearly as sure contradicts it."""
    for other in found:
        differs = str(other.value).casefold() != str(fact.value).casefold()
        if other.name == fact.name and differs and other.confidence >= _NEARLY * fact.confidence:
            evidence = f"{fact.evidence}; but “{other.value}” stands there too: {other.evidence}"
            return replace(fact, confidence=min(fact.confidence, _CONTRADICTED), evidence=evidence)
    return fact


def _industry(type_id: str, share: float, text: str) -> Fact | None:
    if share < _SURE_OF_TYPE:
        return None
    kind = business_type(type_id)
    match = next(cues.found(kind.cues.strong, text), None) or next(cues.found(kind.cues.weak, text), None)
    evidence = cues.quote(text, *match.span()) if match else "the words of the text as a whole"
    return Fact("industry", kind.title["en"], round(min(0.9, share), 2), evidence)


def _sorted(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    place = {name: position for position, name in enumerate(_ORDER)}
    return tuple(sorted(facts, key=lambda fact: (place.get(fact.name, len(place)), fact.name)))
