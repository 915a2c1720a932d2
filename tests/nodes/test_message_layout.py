"""One layout for all messages of a shape gives what each would have got by itself."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from studio.nodes import message_layout
from studio.nodes.link_tags import tag_links
from studio.nodes.message_layout import CLOSE, OPEN, Printed, laid_out, without_marks
from studio.nodes.message_rendering import MessageTemplate, Texts
from studio.nodes.mjml_conversion import RenderError, to_html
from studio.nodes.plain_text import plain_text

BODY = """<mjml><mj-head><mj-title>{{ subject }}</mj-title></mj-head><mj-body><mj-section><mj-column>
<mj-text>{% if name %}Hi {{ name }},{% else %}Hi,{% endif %} see <a href="{{ url }}">{{ word }}</a> or
<a href="https://shop.example/{{ path }}?a=b" title="{{ word }}">this</a></mj-text>
{% for item in items %}<mj-text>{{ item }}</mj-text>{% endfor %}
<mj-button href="{{ url }}">{{ word }}</mj-button><mj-image src="https://x.example/{{ path }}.png" alt="{{ word }}" />
<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ unsubscribe_url }}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""
IN_COLUMN = "<mjml><mj-body><mj-section><mj-column>%s</mj-column></mj-section></mj-body></mjml>"
TAGS = {"utm_source": "flowlight", "utm_content": "m1"}
WORDS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).map(str.strip).filter(bool)
)
DATA = st.fixed_dictionaries(
    {
        "name": st.none() | WORDS,
        "word": WORDS,
        "path": st.sampled_from(
            ["p", "p/q", "ü", "a&b", "a'b", "p?x=1", "p#top", "p?utm_source=own", "&utm_source=own"]
        ),
        "items": st.lists(WORDS, max_size=3),
        "url": st.sampled_from(
            ["https://x.example/?q=1&r=2#top", "http://y.example", "mailto:a@x.example", "#top", "tel:1"]
        ),
        "unsubscribe_url": st.sampled_from(["https://shop.example/u?m=1", "mailto:a@x.example?subject=x"]),
    }
)


def tree(html: str) -> list[tuple[str, list[tuple[str, str | None]], str]]:
    """Tags, attributes and texts as a browser sees them."""
    body = LexborHTMLParser(html).body
    assert body is not None
    return [
        (node.tag or "", sorted(node.attributes.items()), " ".join((node.text(deep=False) or "").split()))
        for node in body.traverse(include_text=True)
    ]


@given(data=DATA, tagged=st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_layout_gives_what_each_message_would_have_got_by_itself(data: dict[str, object], tagged: bool) -> None:
    known = {name: value for name, value in data.items() if value is not None} | {"name": data["name"] or ""}
    tags = TAGS if tagged else {}
    rendered = MessageTemplate(Texts("S", "", BODY)).render(known, tags)
    template = MessageTemplate(Texts("S", "", BODY))
    alone = to_html(template._filled("body.mjml", {**known, "subject": "S", "preheader": ""}))
    if tagged:
        alone = tag_links(alone, tags, str(data["unsubscribe_url"]))
    assert tree(rendered.html) == tree(alone)
    assert " ".join(rendered.text.split()) == " ".join(plain_text(alone).split())


def test_messages_of_one_shape_are_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(source: str) -> str:
        calls.append(source)
        return to_html(source)

    monkeypatch.setattr(message_layout, "to_html", counted)
    message_layout._layout.cache_clear()
    template = MessageTemplate(Texts("Hi {{ name }}", "For {{ name }}", BODY))
    for number in range(50):
        data = {
            "name": f"N{number}",
            "word": f"w{number}",
            "path": f"p{number}",
            "items": ["a"],
            "url": "https://x.example",
        }
        html = template.render({**data, "unsubscribe_url": f"https://u.example/{number}"}, TAGS).html
        assert f"Hi N{number}," in html and f'https://u.example/{number}"' in html
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("attribute", "shows"),
    [
        ('width="{{ w }}"', "width:123px"),
        ('color="{{ c }}"', "color:#12ab34"),
        ("color='{{ c }}' alt='{{ c }}'", "color:#12ab34"),
    ],
)
def test_sizes_and_colours_are_known_before_converting(attribute: str, shows: str) -> None:
    tag = "mj-image" if "width" in attribute else "mj-text"
    body = (
        f"<mjml><mj-body><mj-section><mj-column><{tag} {attribute}></{tag}></mj-column></mj-section></mj-body></mjml>"
    )
    html = MessageTemplate(Texts("S", "", body)).render({"w": "123px", "c": "#12ab34"}).html
    assert shows in html.replace(" ", "")
    assert OPEN not in html


@given(st.text(st.sampled_from([OPEN[0], CLOSE[0], "1", "x"]), max_size=20))
def test_nobody_can_write_a_mark(text: str) -> None:
    assert OPEN not in without_marks(text) and CLOSE not in without_marks(text)
    body = IN_COLUMN % f"<mj-text>{text} {{{{ x }}}}|</mj-text>"
    html = MessageTemplate(Texts("S", "", body)).render({"x": text}).html
    assert f"{without_marks(text)} {without_marks(text)}|" in html


def test_values_alone_can_be_too_much() -> None:
    printed = Printed("https://u.example/1")
    with pytest.raises(RenderError) as caught:
        for _ in range(200):
            printed.mark("x" * 10_000)
    assert caught.value.code == "MAIL-TOO-LARGE"


def test_many_marks_take_time_in_their_number() -> None:
    printed = Printed("https://u.example/1")
    marks = "".join(printed.mark(number) for number in range(20_000))
    began = time.process_time()
    for source in (
        f"<mjml><mj-body><mj-text {marks}",
        f"<mjml><mj-body><mj-text a='{marks}",
        "<mj-" + marks + "=" * 20_000,
    ):
        with pytest.raises(RenderError):
            laid_out(source, printed, TAGS)
    assert time.process_time() - began < 5.0


def test_already_escaped_values_are_not_escaped_twice() -> None:
    rendered = MessageTemplate(Texts("S", "", IN_COLUMN % "<mj-text>{{ x|e }}|{{ x }}</mj-text>")).render({"x": "a&b"})
    assert "a&amp;b|a&amp;b" in rendered.html
    assert rendered.text == "a&b|a&b\n"
