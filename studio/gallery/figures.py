"""Figures in a text: prices, currency, discount, typical order, and the market and language it is written for.

Absent on purpose: exchange rates. An amount without a currency is not a price.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from studio.domain.template import Fact
from studio.gallery import cues

_NUMBER = r"\d{1,3}(?:[.,\u2009 ]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?"
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,2})\s?(?:%|percent\b|prozent\b)", re.IGNORECASE)
_DISCOUNT_CUES = (
    *("off", "discount*", "rabatt*", "nachlass", "gutschein*", "voucher*", "save", "sparen", "coupon*", "code"),
    *("reduced", "günstiger", "sale"),
)
_ORDER_CUES = (
    *("average order", "average basket", "average cart", "typical order", "order value", "per order", "aov"),
    *("bestellwert", "warenkorbwert", "durchschnittliche* warenkorb", "durchschnittsbon", "pro bestellung"),
)
_NEAR = 45
_HINT = 0.5
"""What an adjective of a country counts beside its name or one of its places."""
_FREE_FROM = re.compile(
    r"(?:shipping|delivery|versand\w*|lieferung|lieferkosten\w*)[^.!?]{0,20}\b(?:over|from|above|of|ab|über)\s*\W?\s*$",
    re.IGNORECASE,
)
"""Before an amount from which delivery costs nothing."""
_SURE_WORDS = 8
_WEBSITE = re.compile(
    r"(?:https?://|(?<![@\w.-]))(?P<host>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|net|org|shop|store|io|co\.uk|de|at|ch|eu|uk|ie|fr|es|it|nl|pl|se|dk|us|ca|au|nz|in|jp|example))(?![\w-])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Country:
    """`domain` and `phone` as addresses and numbers there end and begin; empty where another country shares them.

    `weak`: words that as often name a language or a style as a place.
    """

    id: str
    name: Mapping[str, str]
    currency: str
    domain: str
    phone: str
    words: tuple[str, ...]
    weak: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Places:
    countries: tuple[_Country, ...]
    currencies: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Languages:
    words: Mapping[str, frozenset[str]]


def market_facts(text: str, domain: str | None = None) -> list[Fact]:
    """`market` (country, in words) and `currency`, as far as the text or the web address tells."""
    market = _market(text, domain)
    currencies = _currencies(text)
    if not currencies and market is not None:
        country = next(row for row in _places().countries if row.name["en"] == market.value)
        evidence = f"{market.value} uses {country.currency}"
        currencies = [Fact("currency", country.currency, round(0.8 * market.confidence, 2), evidence)]
    return [*([market] if market is not None else []), *currencies]


def website_fact(text: str) -> Fact | None:
    """The first web address in the text, as a link."""
    match = _WEBSITE.search(text)
    if match is None:
        return None
    return Fact("website", f"https://{match['host'].lower()}/", 0.85, cues.quote(text, *match.span(), around=20))


def country_name(text: str) -> str | None:
    """English name of a country given by code or name, None when it is not listed."""
    for row in _places().countries:
        if text.strip().lower() in (row.id.lower(), *(name.lower() for name in row.name.values())):
            return row.name["en"]
    return None


def language_fact(text: str) -> Fact | None:
    """The language, by its commonest words; None for texts too short or too mixed to tell."""
    counts = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    total = counts.total()
    hits = sorted(
        (
            (sum(counts[word] for word in words), code)
            for code, words in cues.table("languages", _Languages).words.items()
        ),
        reverse=True,
    )
    (first, code), (second, _) = hits[0], hits[1]
    if first < 2 or first <= second or first / total < 0.08:
        return None
    # A lead of few words may be chance: eight are enough to be sure.
    lead = (first - second) / first * min(1.0, first / _SURE_WORDS)
    words, commonest = cues.table("languages", _Languages).words[code], [word for word, _ in counts.most_common()]
    told = ", ".join([word for word in commonest if word in words][:3])
    return Fact("language", code, round(min(0.98, 0.6 + 0.38 * lead), 2), f"told by its commonest words: {told}")


def money_facts(text: str) -> list[Fact]:
    """`price` (median of the prices named), `order_value` and `discount` (rate), where the text names them."""
    facts: list[Fact] = []
    prices: list[tuple[float, int, int]] = []
    for match in _priced().finditer(text):
        amount = _amount(match.group("before") or match.group("after"))
        if not 0 < amount < 1e6:
            continue
        if _FREE_FROM.search(text[max(0, match.start() - _NEAR) : match.start()]):
            continue
        if _is_near(_ORDER_CUES, text, match.start(), match.end()):
            facts.append(Fact("order_value", amount, 0.9, cues.quote(text, match.start(), match.end())))
        else:
            prices.append((amount, match.start(), match.end()))
    if prices:
        middle = statistics.median_low([price for price, _, _ in prices])
        _, start, end = next(item for item in prices if item[0] == middle)
        confidence = min(0.85, 0.45 + 0.1 * len(prices))
        facts.append(Fact("price", middle, round(confidence, 2), cues.quote(text, start, end)))
    return [*facts, *_discounts(text)]


def _discounts(text: str) -> list[Fact]:
    """Each discount named, once: of two different ones a person says which is meant."""
    found: dict[float, Fact] = {}
    for match in _PERCENT.finditer(text):
        share = int(match.group(1)) / 100
        if 0 < share <= 0.8 and _is_near(_DISCOUNT_CUES, text, match.start(), match.end()):
            found.setdefault(share, Fact("discount", share, 0.85, cues.quote(text, match.start(), match.end())))
    return list(found.values())


def _market(text: str, domain: str | None) -> Fact | None:
    best: tuple[float, str, str] | None = None
    for row in _places().countries:
        named, hinted = list(cues.found(row.words, text)), list(cues.found(row.weak, text))
        phone = text.find(row.phone) if row.phone else -1
        score = len(named) + (2 if phone >= 0 else 0) + (_HINT if hinted else 0)
        if score and (best is None or score > best[0]):
            first = (named or hinted)[:1]
            start, end = first[0].span() if first else (phone, phone + len(row.phone))
            best = (score, row.name["en"], cues.quote(text, start, end))
    if best is not None:
        return Fact("market", best[1], round(min(0.95, 0.65 + 0.1 * best[0]), 2), best[2])
    for row in _places().countries:
        if domain and domain.endswith(row.domain):
            return Fact("market", row.name["en"], 0.8, f"the web address ends in {row.domain}")
    return None


def _currencies(text: str) -> list[Fact]:
    """Each currency named, once: of two a person says which is meant."""
    named: list[Fact] = []
    for code, signs in _places().currencies.items():
        words = tuple(sign for sign in signs if sign.isalpha())
        match = next(cues.found(words, text), None) if words else None
        if match is None:
            found = next((m for m in _priced().finditer(text) if (m.group("s1") or m.group("s2")) in signs), None)
            match = found
        if match is not None:
            confidence = 0.7 if match.group().strip("0123456789., ") == "$" else 0.95
            named.append(Fact("currency", code, confidence, cues.quote(text, match.start(), match.end())))
    return named


def _is_near(words: tuple[str, ...], text: str, start: int, end: int) -> bool:
    left, right = max(0, start - _NEAR), min(len(text), end + _NEAR)
    before = re.split(r"[.!?]\s", text[left:start])[-1]
    after = re.split(r"[.!?](?:\s|$)", text[end:right])[0]
    return bool(cues.pattern(words).search(f"{before} {after}"))


def _amount(text: str) -> float:
    digits = re.sub(r"[\u2009 ]", "", text)
    decimal = re.search(r"[.,](\d{1,2})$", digits)
    whole = re.sub(r"[.,]", "", digits[: decimal.start()] if decimal else digits)
    return float(f"{whole}.{decimal.group(1)}" if decimal else whole)


@cache
def _priced() -> re.Pattern[str]:
    signs = [sign for group in _places().currencies.values() for sign in group]
    either = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
    return re.compile(
        rf"(?<![\w])(?P<s1>{either})\s?(?P<before>{_NUMBER})(?![\w%])"
        rf"|(?<![\w.,])(?P<after>{_NUMBER})\s?(?P<s2>{either})(?!\w)",
        re.IGNORECASE,
    )


def _places() -> _Places:
    return cues.table("places", _Places)
