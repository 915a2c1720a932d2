"""Whose page it is: the owner's name, logo and web address, each with the place it was found at and how sure that is.

A title is written for search engines, so its parts are believed as far as the page itself repeats them: in its brand
line, its first heading, its copyright. Absent on purpose: reading pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from pydantic import JsonValue
from selectolax.lexbor import LexborHTMLParser, LexborNode

_NAMED_TYPES = ("Organization", "LocalBusiness", "Corporation", "OnlineStore", "Store", "Restaurant", "NGO", "WebSite")
_GENERIC_TITLES = frozenset(["home", "homepage", "startseite", "start", "welcome", "willkommen", "index", "shop"])
_MAKERS = re.compile(r"\b(?:theme|template|vorlage)$", re.IGNORECASE)
"""A title part that ends so names who made the page's design, not whose page it is."""
_BRAND = "[class*=brand], [class*=logo], [id*=logo], [class*=site-title], [class*=site-name], header a[href='/']"
_COPYRIGHT = re.compile(r"(?:©|\(c\)|copyright)[\s©\d–—,-]*(?P<name>[^.|©\d\n]{2,60})", re.IGNORECASE)
_NO_OWNER = re.compile(r"^(?:all rights|alle rechte|by\b|your |ihre |company|copyright)", re.IGNORECASE)
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(?P<url>https?://[^\s>]+)", re.IGNORECASE)
_IN_HEAD = ("header", "nav")


@dataclass(frozen=True, slots=True)
class Found:
    """A value on the page, the place it was found at in words, and how sure it is that it is the owner's, in [0, 1]."""

    value: str
    where: str
    sure: float = 0.9


def owner_name(
    tree: LexborHTMLParser,
    data: Sequence[Mapping[str, JsonValue]],
    meta: Mapping[str, str],
    title: str,
    url: str | None,
) -> Found | None:
    """What says it of itself first: structured data, `og:site_name`; then the title's part that something confirms."""
    for wanted in _NAMED_TYPES:
        for item in data:
            name = item.get("name")
            if wanted in types_of(item) and isinstance(name, str) and name.strip():
                return Found(name.strip(), f"structured data ({wanted})", 0.95)
    for said, sure in (("og:site_name", 0.93), ("application-name", 0.85)):
        if meta.get(said):
            return Found(meta[said], said, sure)
    domain = domain_name(url) if url else None
    parts = [part.strip() for part in re.split(r"\s+[|–—·•»-]\s+", title) if part.strip()]
    return _confirmed(tree, parts, domain) or _in_copyright(tree) or _title_alone(parts) or _in_address(domain)


def own_address(html: str, tree: LexborHTMLParser, meta: Mapping[str, str]) -> Found | None:
    """Where the page lives, as it says itself: browsers note it when they save a page, and many pages name it."""
    if match := _SAVED_FROM.search(html[:4_000]):
        return Found(match["url"], "noted by the browser that saved the page", 0.97)
    link = tree.css_first('link[rel="canonical"][href]')
    for address, where in (
        ((link.attributes.get("href") or "") if link else "", "the page's canonical address"),
        (meta.get("og:url", ""), "og:url"),
    ):
        if re.match(r"https?://[^/\s]+\.[^/\s]+", address):
            return Found(address, where, 0.95)
    return None


def logo(
    tree: LexborHTMLParser, data: Sequence[Mapping[str, JsonValue]], meta: Mapping[str, str], url: str | None
) -> Found | None:
    """Structured data first, then a picture in the page's head, then one that is called so; last the small icon.

    Several pictures called logo outside the head are those of customers and partners.
    """
    for item in data:
        said = item.get("logo")
        address = said.get("url") if isinstance(said, dict) else said
        if isinstance(address, str) and address.strip():
            return Found(_whole(address, url), "structured data (logo)", 0.95)
    called = [node for node in tree.css("img[src]") if _called_logo(node)]
    in_head = [node for node in called if _is_in_head(node)]
    if in_head or len(called) == 1:
        node = (in_head or called)[0]
        where = "the picture at the head of the page" if in_head else "a picture called logo"
        return Found(_whole(node.attributes.get("src") or "", url), where, 0.88 if in_head else 0.6)
    for node in tree.css('link[rel~="apple-touch-icon"][href], link[rel~="icon"][href]'):
        return Found(_whole(node.attributes.get("href") or "", url), "the icon of the page", 0.4)
    return Found(_whole(meta["og:image"], url), "og:image", 0.4) if meta.get("og:image") else None


def domain_name(url: str) -> str | None:
    """The telling part of an address: `bloom-barley` of `https://www.bloom-barley.example/shop`."""
    host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    parts = [part for part in host.split(".") if part not in ("www", "shop", "store", "m")]
    if len(parts) < 2:
        return None
    telling = parts[-3] if len(parts) > 2 and parts[-2] in ("co", "com", "org", "net") else parts[-2]
    return telling or None


def types_of(item: Mapping[str, JsonValue]) -> list[str]:
    """The schema.org types of one object."""
    kinds = item.get("@type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return [kind.rsplit("/", 1)[-1] for kind in listed if isinstance(kind, str)]


def _confirmed(tree: LexborHTMLParser, parts: Sequence[str], domain: str | None) -> Found | None:
    """The part of the title that the address or the page repeats."""
    plain = _plain(domain) if domain else ""
    for part in parts:
        if plain and plain in _plain(part):
            return Found(part, f"title, and the address {domain}", 0.9)
    for text, where in _witnesses(tree):
        for part in _own(parts):
            if _plain(part) and _plain(part) in _plain(text):
                return Found(part, f"title, and {where}", 0.85)
    return None


def _title_alone(parts: Sequence[str]) -> Found | None:
    last = (_own(parts) or [part for part in parts if part.lower() not in _GENERIC_TITLES])[-1:]
    return Found(last[0], "title alone", 0.55) if last and len(last[0].split()) <= 5 else None


def _own(parts: Sequence[str]) -> list[str]:
    return [part for part in parts if part.lower() not in _GENERIC_TITLES and not _MAKERS.search(part)]


def _witnesses(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """Texts in which a page names its owner, with the place in words."""
    for node in tree.css(_BRAND):
        yield f"{node.text()} {node.attributes.get('alt') or ''}"[:200], "the brand line of the page"
    if (copyright_line := _in_copyright(tree)) is not None:
        yield copyright_line.value, "the copyright line"
    if (heading := tree.css_first("h1")) is not None:
        yield heading.text()[:200], "the first heading"


def _in_copyright(tree: LexborHTMLParser) -> Found | None:
    text = tree.body.text(separator=" ")[-3_000:] if tree.body is not None else ""
    for match in _COPYRIGHT.finditer(" ".join(text.split())):
        name = re.split(r"\s(?:all rights|alle rechte)", match["name"], flags=re.IGNORECASE)[0].strip(" ,-–—")
        if name and not _NO_OWNER.match(name) and len(name.split()) <= 6:
            return Found(name, "the copyright line", 0.65)
    return None


def _in_address(domain: str | None) -> Found | None:
    return Found(domain.replace("-", " ").title(), "the web address", 0.6) if domain else None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower())


def _called_logo(node: LexborNode) -> bool:
    said = " ".join(node.attributes.get(name) or "" for name in ("alt", "class", "id", "src"))
    return "logo" in said.lower() or "brand" in ((node.parent and node.parent.attributes.get("class")) or "")


def _is_in_head(node: LexborNode) -> bool:
    """Within the page's head, or in a link called brand."""
    around = node.parent
    while around is not None:
        if around.tag in _IN_HEAD or "brand" in (around.attributes.get("class") or ""):
            return True
        around = around.parent
    return False


def _whole(address: str, url: str | None) -> str:
    try:
        return urljoin(url, address.strip()) if url else address.strip()
    except ValueError:
        return address.strip()
