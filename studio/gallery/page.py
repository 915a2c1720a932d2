"""A web page taken apart: name, description, visible text, structured data, prices, colours.

Works on the page as it lies on disk. Absent on purpose: fetching, running scripts, and reading pictures.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import JsonValue
from selectolax.lexbor import LexborHTMLParser

from studio.gallery.page_owner import Found, logo, own_address, owner_name, types_of

MAX_HTML = 5_000_000
OFFERS_SHOWN = 5
COLOURS_SHOWN = 4
_NOT_PROSE = ("script", "style", "noscript", "svg", "template", "nav", "iframe")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_NAMED_COLOUR = re.compile(r"(--[\w-]*(?:brand|primary|accent)[\w-]*)\s*:\s*(#[0-9a-fA-F]{3,6})\b")
_STOCK_COLOURS = frozenset(
    (
        *("#0d6efd", "#6c757d", "#198754", "#dc3545", "#ffc107", "#0dcaf0"),
        *("#007bff", "#28a745", "#17a2b8", "#343a40", "#6610f2", "#6f42c1"),
    )
)
"""Colours that a common style sheet brings along; they say nothing about the brand."""
_PLATFORMS = (
    "cdn.shopify.com",
    "woocommerce",
    "shopware",
    "prestashop",
    "bigcommerce",
    "magento",
    "snipcart",
    "/wc-ajax",
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says about its owner. Texts are stripped; what is not there is None or empty."""

    address: Found | None
    name: Found | None
    title: str
    description: str
    language: str | None
    text: str
    schema_types: tuple[str, ...]
    prices: tuple[float, ...]
    currency: str | None
    country: str | None
    colour: Found | None
    colours: tuple[str, ...]
    logo: Found | None
    offers: tuple[str, ...]
    cart: Found | None
    newsletter: bool
    social: tuple[str, ...]


def read_page(html: str, url: str | None = None) -> Page:
    """Takes the first 5 MB of a page apart. Broken HTML is read as browsers read it; there is no page that fails."""
    tree = LexborHTMLParser(html[:MAX_HTML])
    data = list(_json_ld(tree))
    meta = _meta(tree)
    title_node = tree.css_first("title")
    title = " ".join(title_node.text().split()) if title_node else ""
    styles = " ".join(node.text() for node in tree.css("style")) + " ".join(
        node.attributes.get("style") or "" for node in tree.css("[style]")
    )
    root = tree.css_first("html")
    language = root.attributes.get("lang") if root else None
    address = own_address(html, tree, meta)
    url = url or (address.value if address else None)
    found = Page(
        address=address,
        name=owner_name(tree, data, meta, title, url),
        title=title,
        description=meta.get("description") or meta.get("og:description") or "",
        language=language.split("-")[0].lower() if language else None,
        text="",
        schema_types=tuple(dict.fromkeys(kind for item in data for kind in types_of(item))),
        prices=tuple(_prices(data)) or tuple(_marked_prices(tree)),
        currency=_first(data, "priceCurrency") or meta.get("og:price:currency") or meta.get("product:price:currency"),
        country=_country(data),
        colour=_colour(meta.get("theme-color"), styles),
        colours=_colours(meta.get("theme-color"), styles),
        logo=logo(tree, data, meta, url),
        offers=tuple(dict.fromkeys(_offers(data)))[:OFFERS_SHOWN],
        cart=_cart(html, tree),
        newsletter=_newsletter(tree),
        social=_social(tree),
    )
    return replace(found, text=_visible(tree))  # last, because it takes menus and scripts out of the page


def _json_ld(tree: LexborHTMLParser) -> Iterator[dict[str, JsonValue]]:
    for node in tree.css('script[type="application/ld+json"]'):
        try:
            yield from _objects(json.loads(node.text()))
        except (json.JSONDecodeError, RecursionError):
            continue


def _objects(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _first(data: list[dict[str, JsonValue]], key: str) -> str | None:
    return next((item[key] for item in data if isinstance(item.get(key), str) and item[key]), None)  # pyright: ignore[reportReturnType] - checked in the condition


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    values: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = node.attributes.get("name") or node.attributes.get("property")
        content = " ".join((node.attributes.get("content") or "").split())
        if name and content:
            values.setdefault(name.lower(), content)
    return values


def _visible(tree: LexborHTMLParser) -> str:
    if tree.body is None:
        return ""
    tree.strip_tags(list(_NOT_PROSE))
    return " ".join(tree.body.text(separator=" ", strip=True).split()) if tree.body is not None else ""


def _prices(data: list[dict[str, JsonValue]]) -> Iterator[float]:
    for item in data:
        price = item.get("price", item.get("lowPrice"))
        try:
            amount = float(price) if isinstance(price, (str, int, float)) else 0.0
        except ValueError:
            continue
        if 0 < amount < 1e6:
            yield amount


def _marked_prices(tree: LexborHTMLParser) -> Iterator[float]:
    """Prices in microdata."""
    for node in tree.css('[itemprop="price"]'):
        text = node.attributes.get("content") or node.text()
        found = re.search(r"\d+(?:[.,]\d{1,2})?", text.replace("\u00a0", " "))
        if found and 0 < float(found[0].replace(",", ".")) < 1e6:
            yield float(found[0].replace(",", "."))


def _offers(data: list[dict[str, JsonValue]]) -> Iterator[str]:
    """Products with their price, as far as the page gives both."""
    for item in data:
        name, offer = item.get("name"), item.get("offers")
        first = offer[0] if isinstance(offer, list) and offer else offer
        if not isinstance(name, str) or not isinstance(first, dict):
            continue
        price = first.get("price", first.get("lowPrice"))
        if isinstance(price, (str, int, float)) and str(price).strip():
            yield f"{name.strip()[:60]}: {price} {first.get('priceCurrency') or ''}".strip()


def _country(data: list[dict[str, JsonValue]]) -> str | None:
    for item in data:
        country = item.get("addressCountry")
        if isinstance(country, dict):
            country = country.get("name")
        if isinstance(country, str) and country.strip():
            return country.strip()
    return None


def _colour(theme: str | None, styles: str) -> Found | None:
    if theme and _COLOUR.fullmatch(theme) and not _is_grey(theme):
        return Found(_long(theme), "theme-color")
    named = _NAMED_COLOUR.search(styles)
    if named and not _is_grey(named.group(2)) and _long(named.group(2)) not in _STOCK_COLOURS:
        return Found(_long(named.group(2)), f"style {named.group(1)}")
    used = _colours(None, styles)
    return Found(used[0], "most used colour of the style sheet") if used else None


def _colours(theme: str | None, styles: str) -> tuple[str, ...]:
    """The page's own colours, the most used first; without greys and the stock colours of common style sheets."""
    counts = Counter(_long(colour) for colour in _COLOUR.findall(styles))
    telling = [(-n, c) for c, n in counts.items() if not _is_grey(c) and c not in _STOCK_COLOURS]
    first = [_long(theme)] if theme and _COLOUR.fullmatch(theme) and not _is_grey(theme) else []
    return tuple(dict.fromkeys([*first, *(colour for _, colour in sorted(telling))]))[:COLOURS_SHOWN]


def _long(colour: str) -> str:
    colour = colour.lower()
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:4])


def _is_grey(colour: str) -> bool:
    channels = [int(_long(colour)[i : i + 2], 16) for i in (1, 3, 5)]
    return max(channels) - min(channels) < 24


def _cart(html: str, tree: LexborHTMLParser) -> Found | None:
    lowered = html[:MAX_HTML].lower()
    for platform in _PLATFORMS:
        if platform in lowered:
            return Found("yes", f"shop system ({platform.strip('/')})")
    for node in tree.css("a[href], form[action], button"):
        target = (node.attributes.get("href") or node.attributes.get("action") or "").lower()
        label = node.text().strip().lower() if node.tag == "button" else ""
        if re.search(r"/(cart|basket|checkout|warenkorb|kasse)\b", target) or "add to cart" in label:
            return Found("yes", f"link “{target or label}”")
    return None


def _newsletter(tree: LexborHTMLParser) -> bool:
    """Whether a form asks for an address and neither for a message (that is a contact form) nor a password."""
    return any(
        form.css_first('input[type="email"]') is not None and form.css_first('textarea, input[type="password"]') is None
        for form in tree.css("form")
    )


def _social(tree: LexborHTMLParser) -> tuple[str, ...]:
    names = ("instagram", "facebook", "tiktok", "linkedin", "youtube", "pinterest")
    links = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    return tuple(name for name in names if any(f"{name}.com" in link for link in links))
