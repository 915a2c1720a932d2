"""Feeds and product lists as they are found in the world, and made up for simulations."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.connectors.feeds import Feeds, parse_articles, parse_products
from studio.domain.errors import UserFixable
from studio.domain.reading import Product

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News</title>
<item><title>Old &amp; good</title><link>https://example.com/1</link><guid>1</guid>
<pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>
<description>&lt;p&gt;A &lt;b&gt;short&lt;/b&gt; text&lt;/p&gt;</description></item>
<item><title>New</title><link>javascript:alert(1)</link><guid>2</guid>
<pubDate>Mon, 09 Mar 2026 08:00:00 GMT</pubDate></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><entry><id>u1</id><title>Hello</title>
<link href="https://example.com/h"/><updated>2026-03-09T10:00:00Z</updated><summary>x</summary></entry></feed>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss version="2.0"><channel><item><title>&c; &x;</title><guid>1</guid></item></channel></rss>"""


def test_rss_newest_first_texts_without_markup_and_only_web_links() -> None:
    newest, oldest = parse_articles(RSS, "x")
    assert (newest.title, newest.url) == ("New", "")
    assert (oldest.title, oldest.url, oldest.summary) == ("Old & good", "https://example.com/1", "A short text")
    assert oldest.published_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    (atom,) = parse_articles(ATOM, "x")
    assert (atom.id, atom.title, atom.published_at) == ("u1", "Hello", datetime(2026, 3, 9, 10, tzinfo=UTC))


def test_what_is_no_feed_or_wants_to_do_harm() -> None:
    with pytest.raises(UserFixable, match="no feed"):
        parse_articles("<html><body>Hello", "x")
    try:
        titles = [article.title for article in parse_articles(BOMB, "x")]
    except UserFixable:
        titles = []
    assert not any("root:" in title or len(title) > 2_000 for title in titles)


@pytest.mark.parametrize(
    "text",
    [
        "product,name,price,stock,url\nA1,Lamp,1234.50,3,https://example.com/a\n",
        "sku;title;price;quantity;link\nA1;Lamp;1.234,50 €;3;https://example.com/a\n",
        '[{"id": "A1", "name": "Lamp", "price": 1234.5, "stock": 3, "url": "https://example.com/a"}]',
    ],
)
def test_product_lists_in_the_forms_shops_export(text: str) -> None:
    assert parse_products(text, "x") == [Product("A1", "Lamp", 1234.5, 3, "https://example.com/a")]


def test_a_list_without_products_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UserFixable, match="cannot be read") as caught:
        parse_products("colour,size\nred,3\n", "x")
    assert "product, price" in (caught.value.hint or "")
    file = tmp_path / "shop.csv"
    file.write_text("product,price\nA1,9\n", encoding="utf-8")
    found = asyncio.run(Feeds().products(str(file), (), NOW, "test"))
    assert found == [Product("A1", "A1", 9.0)]


def test_a_simulation_reaches_nothing_and_is_the_same_each_time() -> None:
    feeds = Feeds()
    first = asyncio.run(feeds.articles("https://nowhere.invalid/feed", NOW, "simulate"))
    assert first == asyncio.run(feeds.articles("https://nowhere.invalid/feed", NOW, "simulate"))
    assert all(article.published_at and article.published_at <= NOW for article in first)
    month = [NOW + timedelta(days=day) for day in range(28)]
    states = [asyncio.run(feeds.products("x", ["Lamp"], at, "simulate"))[0] for at in month]
    assert min(s.price or 0 for s in states) < 0.85 * max(s.price or 0 for s in states)
    assert {0, 3, 40} == {state.stock for state in states}
