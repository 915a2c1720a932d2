"""What a feed says now: articles of RSS or Atom, products of a CSV or JSON list, from a file or the web.

In a simulation nothing outside is touched: the feed is made up, with news every week and products that get cheaper and
run out, the same for the same address. Absent on purpose: remembering what was seen (the node's cursor does).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import feedparser
from selectolax.lexbor import LexborHTMLParser

from studio.connectors.page import fetch_page, read_html
from studio.domain.errors import UserFixable
from studio.domain.node import Mode
from studio.domain.reading import Article, Product
from studio.experiments.assignment import stable_key

ARTICLES_MAX = 200
PRODUCTS_MAX = 100_000
SUMMARY_MAX = 280
FEED_TYPES = (
    *("application/rss+xml", "application/atom+xml", "application/xml", "text/xml", "application/json", "text/csv"),
    *("application/feed+json", "text/html", "text/plain", "application/octet-stream", ""),
)
_NEWS = (
    ("What changed this week, and why", "Three small things that make a difference, and one we decided against."),
    ("A look behind the scenes", "Who does the work, what it looks like on a Tuesday, and what nobody sees."),
    ("The question we are asked most", "A short answer, a longer one, and when to ignore both."),
    ("Worth your time this month", "Two dates, one recommendation and something to try at home."),
)
_COLUMNS = {"product": ("product", "id", "sku"), "name": ("name", "title"), "price": ("price",), "url": ("url", "link")}
_STOCK = ("stock", "quantity", "inventory")


class Feeds:
    """The port `Feeds`."""

    async def articles(self, address: str, now: datetime, mode: Mode) -> Sequence[Article]:
        """See the port. Raises UserFixable FEED-UNREADABLE, and what fetching raises."""
        if mode == "simulate":
            return _made_up_news(address, now)
        return parse_articles(await _content(address), address)

    async def products(self, address: str, known: Sequence[str], now: datetime, mode: Mode) -> Sequence[Product]:
        """See the port. Raises UserFixable FEED-UNREADABLE, and what fetching raises."""
        if mode == "simulate":
            return [_made_up_product(name, now) for name in known]
        return parse_products(await _content(address), address)


def parse_articles(text: str, where: str) -> list[Article]:
    """The articles of a feed, newest first. Raises UserFixable FEED-UNREADABLE when it is no feed."""
    found = feedparser.parse(
        io.BytesIO(text.encode("utf-8")), response_headers={"content-type": "text/xml; charset=utf-8"}
    )
    if not found.entries and found.bozo:
        hint = "Give the address of an RSS or Atom feed; many sites have it at /feed."
        raise UserFixable("FEED-UNREADABLE", "This is no feed of articles.", where=where, hint=hint)
    articles = [_article(entry) for entry in found.entries[:ARTICLES_MAX]]
    return sorted(articles, key=lambda article: article.published_at or datetime.min.replace(tzinfo=UTC), reverse=True)


def _article(entry: feedparser.FeedParserDict) -> Article:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    summary = " ".join(LexborHTMLParser(str(entry.get("summary", ""))).text(separator=" ").split())
    if len(summary) > SUMMARY_MAX:
        summary = summary[:SUMMARY_MAX].rsplit(" ", 1)[0] + " …"
    link = str(entry.get("link", ""))
    return Article(
        id=str(entry.get("id") or link or entry.get("title", "")),
        title=unescape(" ".join(str(entry.get("title", "")).split())),
        url=link if link.startswith(("http://", "https://")) else "",
        summary=summary,
        published_at=datetime(*moment[:6], tzinfo=UTC) if moment else None,
    )


def parse_products(text: str, where: str) -> list[Product]:
    """Products of a CSV with a head line, or of a JSON list. Raises UserFixable FEED-UNREADABLE."""
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else _table(text)
        return [
            _product({str(key).strip().lower(): value for key, value in row.items()}) for row in rows[:PRODUCTS_MAX]
        ]
    except (ValueError, KeyError, AttributeError, csv.Error) as error:
        raise UserFixable(
            "FEED-UNREADABLE",
            f"The product list cannot be read ({error}).",
            where=where,
            hint="It needs the columns product, price and, for stock, stock; name and url if you have them.",
        ) from None


def _table(text: str) -> list[dict[str, str]]:
    try:
        dialect = csv.Sniffer().sniff(text[:4_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    return list(csv.DictReader(io.StringIO(text), dialect=dialect))


def _product(row: dict[str, object]) -> Product:
    values = {name: next((row[c] for c in columns if row.get(c)), "") for name, columns in _COLUMNS.items()}
    if not values["product"]:
        raise KeyError("no column product")
    stock = next((row[column] for column in _STOCK if row.get(column) not in (None, "")), None)
    return Product(
        product=str(values["product"]),
        name=str(values["name"] or values["product"]),
        price=_number(values["price"]) if values["price"] != "" else None,
        stock=None if stock is None else int(_number(stock)),
        url=str(values["url"]),
    )


def _number(value: object) -> float:
    text = str(value).strip().lstrip("€$£ ").rstrip("€$£ ")
    return float(text.replace(".", "").replace(",", ".") if "," in text else text)


async def _content(address: str) -> str:
    if address.startswith(("http://", "https://")):
        return (await fetch_page(address, types=FEED_TYPES)).html
    return read_html(Path(address)).html


def _made_up_news(address: str, now: datetime) -> list[Article]:
    """An article every other day, out of a short list of titles."""
    day = timedelta(days=2)
    first = int(now.timestamp() // day.total_seconds())
    made: list[Article] = []
    for number in range(first, first - 12, -1):
        title, summary = _NEWS[(number + stable_key(address)) % len(_NEWS)]
        moment = datetime.fromtimestamp(number * day.total_seconds(), UTC)
        made.append(Article(f"made-up-{number}", title, f"https://example.com/news/{number}", summary, moment))
    return made


def _made_up_product(name: str, now: datetime) -> Product:
    """Every product gets cheaper once, and is sold out for a while, in a month of its own."""
    number = stable_key(name)
    day = now.timetuple().tm_yday + number % 28
    price = 12.0 + number % 80
    is_cheaper = day % 28 >= 14
    stock = 0 if day % 28 < 7 else 3 if 18 <= day % 28 < 22 else 40
    url = f"https://example.com/p/{number % 100_000}"
    return Product(name, name, round(price * (0.8 if is_cheaper else 1.0), 2), stock, url)
