"""The text part and the links of a message."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.nodes.link_tags import slug, tag_links
from studio.nodes.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<div>One<br>Two</div>", "One\nTwo\n"),
        ("<p>One   \n two&nbsp;three</p>", "One two three\n"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two\n"),
        (
            '<p>See <a href="https://x.example/a?b=1&amp;c=2">our shop</a> now</p>',
            "See our shop (https://x.example/a?b=1&c=2) now\n",
        ),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example\n"),
        ('<a href="mailto:a@x.example">write</a>', "write (a@x.example)\n"),
        ('<a href="#top">up</a>', "up\n"),
        ('<img src="x.png" alt="A hat">', "A hat\n"),
        ('<div style="display:none;max-height:0">Preview</div><p>Body</p>', "Body\n"),
        ("<style>p {}</style><script>alert(1)</script><p>Body</p>", "Body\n"),
        ("<!-- note --><p>&lt;b&gt; &amp; ü</p>", "<b> & ü\n"),
        ("<table><tr><td><p>One</p></td></tr><tr><td>Two</td></tr></table>", "One\n\nTwo\n"),
        ("", "\n"),
    ],
)
def test_text_as_it_is_read(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_deep_html_is_written_without_deep_calls() -> None:
    assert plain_text("<div>" * 5_000 + "x" + "</div>" * 5_000) == "x\n"


@given(st.text(max_size=300))
def test_any_html_gives_text_without_long_gaps(html: str) -> None:
    text = plain_text(html)
    assert "\n\n\n" not in text
    assert text.endswith("\n")


TAGS = {"utm_source": "flowlight", "utm_campaign": "a b&c"}
UNSUBSCRIBE = "https://x.example/u?m=1"


def tagged(html: str) -> str:
    return tag_links(html, TAGS, UNSUBSCRIBE)


def test_links_get_tags_and_keep_what_they_have() -> None:
    html = tagged('<a class="b" href="https://x.example/p?q=1&amp;utm_source=mine#top" target="_blank">x</a>')
    url = html.split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(url).query) == {"q": ["1"], "utm_source": ["mine"], "utm_campaign": ["a b&c"]}
    assert urlsplit(url).fragment == "top"
    assert html.startswith('<a class="b" href="') and html.endswith('" target="_blank">x</a>')


@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{UNSUBSCRIBE}">Unsubscribe</a>',
        '<a href="https:&#x2f;&#x2f;x.example&#x2f;u?m=1">Unsubscribe</a>',
        '<a href="mailto:a@x.example">x</a>',
        '<a href="tel:123">x</a>',
        '<a href="#x">x</a>',
        '<a href="http://[broken">x</a>',
        '<link href="https://x.example/style.css">',
        '<img src="https://x.example/a.png">',
    ],
)
def test_other_links_stay_as_they_are(html: str) -> None:
    assert tagged(html) == html


def test_tagging_twice_changes_nothing_more() -> None:
    once = tagged('<a href="https://x.example/">x</a><a href="http://y.example?a=">y</a>')
    assert tagged(once) == once


def test_no_link_is_long_to_find() -> None:
    began = time.process_time()
    tagged("<a " * 20_000 + 'href="https://x.example')
    tagged("<a href=" * 20_000)
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize(
    ("text", "word"), [("Spring Sale 2026", "spring_sale_2026"), ("m1_A", "m1_a"), ("ä/ö", ""), ("", "")]
)
def test_names_in_tags(text: str, word: str) -> None:
    assert slug(text) == word
