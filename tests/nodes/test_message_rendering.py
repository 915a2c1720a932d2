"""Message texts: what is filled in, what is missing, and what a hostile text cannot do."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Mapping

import minijinja
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.nodes.message_rendering import (
    MessageTemplate,
    Rendered,
    Texts,
    TextTemplate,
    check_template,
)
from studio.nodes.mjml_conversion import RenderError
from studio.nodes.template_guard import FILTERS, guard_template

BODY = (
    "<mjml><mj-head><mj-title>{{ subject }}</mj-title></mj-head><mj-body><mj-section><mj-column>"
    "<mj-text>%s</mj-text></mj-column></mj-section></mj-body></mjml>"
)


def rendered(
    content: str = "Hello", subject: str = "S", preheader: str = "", text: str = "", **data: object
) -> Rendered:
    template = MessageTemplate(Texts(subject, preheader, BODY % content, text))
    return template.render({"contact": {}, "var": {}, "event": {}, **data})


def test_fields_are_filled_in_and_escaped_where_it_is_html() -> None:
    message = rendered(
        "Hi {{ contact.name }}", "Hi {{ contact.name }}", text="Hi {{ contact.name }}", contact={"name": "<b>A&B</b>"}
    )
    assert message.subject == message.text == "Hi <b>A&B</b>"
    assert "Hi &lt;b&gt;A&amp;B&lt;/b&gt;" in message.html
    assert "<b>" not in message.html.split("<body")[1]


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert "fonts.googleapis.com" not in rendered().html


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ('{{ contact.first|default("friend") }}', "friend"),
        ("{% if contact.first %}yes{% else %}no{% endif %}", "no"),
        ("{% for item in event.items %}{{ item.name }},{% endfor %}", "one,two,"),
        ("{{ event.value|money(event.currency) }}", "€1,234.50"),
        ("{{ event.value|money }}", "1,234.50"),
        ("{{ event.value|money('CHF') }}", "1,234.50 CHF"),
        ("{{ event.value|times(2)|round }}", "2469"),
        ("{{ event.at|date('%d.%m.%Y') }}", "03.02.2026"),
        ("{{ event.at|date }}", "2026-02-03"),
        ("{{ (1 + 2) }} {{ 7 - 2 }} {{ 7 / 2 }}", "3 5 3.5"),
        ("{# a comment #}x", "x"),
        ("{{ subject }}", "S"),
    ],
)
def test_language(content: str, html: str) -> None:
    event = {
        "items": [{"name": "one"}, {"name": "two"}],
        "value": 1234.5,
        "currency": "EUR",
        "at": "2026-02-03T10:00:00+00:00",
    }
    assert f">{html}</div>" in rendered(content, event=event).html


def test_a_condition_may_stand_around_sections() -> None:
    body = (BODY % "for few").replace("<mj-section>", "{% if contact.vip %}<mj-section>")
    body = body.replace("</mj-section>", "</mj-section>{% endif %}")
    template = MessageTemplate(Texts("S", "", body))
    assert "for few" in template.render({"contact": {"vip": True}}).html
    assert "for few" not in template.render({"contact": {}}).html


def test_variants_are_filled_in_once_more_when_asked() -> None:
    data = {"contact": {"name": "Anna"}, "var": {"subject": "Hi {{ contact.name }}"}}
    assert rendered(subject="{{ var.subject|fill }}", **data).subject == "Hi Anna"
    assert rendered(subject="{{ var.subject }}", **data).subject == "Hi {{ contact.name }}"
    assert (
        "Hi &lt;i&gt;" in rendered("{{ var.x|fill }}", var={"x": "Hi {{ contact.name }}"}, contact={"name": "<i>"}).html
    )


def test_the_preview_text_is_put_in_unless_the_message_has_its_own() -> None:
    assert "display:none" in rendered(preheader="Peek {{ contact.name }}", contact={"name": "Anna"}).html
    assert "Peek Anna" in rendered(preheader="Peek {{ contact.name }}", contact={"name": "Anna"}).html
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>"
    assert "Peek" in MessageTemplate(Texts("S", "Peek", body)).render({}).html
    own = (BODY % "x").replace("<mj-head>", "<mj-head><mj-preview>Own</mj-preview>")
    html = MessageTemplate(Texts("S", "Peek", own)).render({}).html
    assert "Own" in html and "Peek" not in html


def test_subjects_are_one_line() -> None:
    assert rendered(subject="A\n  {{ contact.name }}", contact={"name": "B\r\nBcc: c"}).subject == "A B Bcc: c"


@pytest.mark.parametrize(
    ("place", "texts"),
    [
        ("subject", {"subject": "Hi {{ contact.first_name }}"}),
        ("preheader", {"preheader": "{{ contact.first_name }}"}),
        ("message", {"content": "{{ contact.first_name }}"}),
        ("plain text", {"text": "{{ contact.first_name|upper }}"}),
        ("subject", {"subject": "{{ var.x|fill }}", "var": {"x": "{{ contact.first_name }}"}}),
    ],
)
def test_a_missing_field_is_named(place: str, texts: dict[str, object]) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(**texts)
    assert caught.value.code == "MAIL-FIELD-MISSING"
    assert "“contact.first_name”" in str(caught.value) and place in str(caught.value)


def test_says_which_contact_fields_it_needs() -> None:
    def fields(**texts: str) -> set[str] | None:
        return MessageTemplate(Texts(texts.get("subject", "S"), "", BODY % texts.get("content", "x"))).contact_fields()

    assert fields(subject="{{ contact.a }}", content='{{ contact.b|default("x") }} {% if contact.c %}{% endif %}') == {
        "a",
        "b",
        "c",
    }
    assert fields(subject="{{ var.x|fill }}") is None
    assert fields(content="{% for name in contact %}{{ name }}{% endfor %}") is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% set a = 'x' %}", "“set” is not available"),
        ("{% include '/etc/passwd' %}", "“include” is not available"),
        ("{% import 'x' as y %}", "“import” is not available"),
        ("{% macro m() %}{% endmacro %}", "“macro” is not available"),
        ("{% filter upper %}x{% endfilter %}", "“filter” is not available"),
        ("{%- raw %}{{ x }}{% endraw %}", "“raw” is not available"),
        ("{{ contact.items() }}", "Nothing can be called"),
        ("{{ contact['items']() }}", "Nothing can be called"),
        ("{{ (contact.items)() }}", "Nothing can be called"),
        ("{{ range(10) }}", "Nothing can be called"),
        ("{{ debug() }}", "Nothing can be called"),
        ("{% for x in range(9) %}{% endfor %}", "Nothing can be called"),
        ("{{ 'a' * 1000000000 }}", "“*” is not available"),
        ("{{ 10 ** 10 }}", "“**” is not available"),
        ("{{ 'a'|replace('a', 'aa') }}", "no filter “replace”"),
        ("{{ '%1000000000d'|format(1) }}", "no filter “format”"),
        ("{{ 'a'|center(1000000000) }}", "no filter “center”"),
        ("{{ contact|tojson }}", "no filter “tojson”"),
        ("{{ ['a']|join('b') }}", "no filter “join”"),
        ("{{ x|indent(1000000000) }}", "no filter “indent”"),
        ("{{ x|lst }}", "no filter “lst”"),
        ("{{ ''.__class__ }}", "“__class__” is not available"),
        ("{% for x in y recursive %}{% endfor %}", "cannot call themselves"),
        ("{% for a in x %}{% for b in x %}{% for c in x %}{% for d in x %}", "nested too deep"),
        ("{% if x %}" * 30, "nested too deep"),
        ("{{ " + "(" * 30 + "1" + ")" * 30 + " }}", "Brackets are nested too deep"),
        ("{{ 1" + "+1" * 100 + " }}", "too long"),
        ("{{ x }}" * 2_001, "more than 2,000"),
        ("a" * 100_001, "100,001 characters"),
        ("{{ x", "not closed"),
        ("{{ 'x }}", "not closed"),
        ("{% if x }}", "%} is expected"),
        ("{{ x %}", "}} is expected"),
        ("{# x", "comment is not closed"),
        ("{{ x ; y }}", "not closed, or holds a sign"),
        ("{% %}", "“” is not available"),
    ],
)
def test_what_could_do_harm_is_refused_before_it_runs(source: str, says: str) -> None:
    with pytest.raises(UserFixable) as caught:
        check_template(source)
    assert caught.value.code == "MAIL-TEMPLATE"
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("source", "line"), [("{% if x %}a", 1), ("a\n{{ x. }}", 2), ("a\n\n{{ x|upper( }}", 3), ("{% endif %}", 1)]
)
def test_slips_of_grammar_are_placed(source: str, line: int) -> None:
    with pytest.raises(UserFixable, match=f"line {line}"):
        check_template(source)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_that_is_offered_exists(name: str) -> None:
    argument = {"times": "(2)", "default": "('x')", "d": "('x')"}.get(name, "")
    value = {
        "times": "1",
        "money": "1",
        "round": "1.5",
        "int": "1",
        "float": "1",
        "abs": "1",
        "date": "'2026-01-01'",
    }.get(name, "'ab'")
    assert rendered(subject=f"{{{{ {value}|{name}{argument} }}}}").subject


def test_loops_run_out_of_fuel() -> None:
    body = "{% for a in event.i %}{% for b in event.i %}{% for c in event.i %}x{% endfor %}{% endfor %}{% endfor %}"
    began = time.process_time()
    with pytest.raises(RenderError) as caught:
        rendered(body, event={"i": list(range(1_000))})
    assert caught.value.code == "MAIL-TOO-LARGE"
    assert time.process_time() - began < 2


def test_large_values_do_not_make_large_messages() -> None:
    with pytest.raises(RenderError) as caught:
        rendered(
            "{% for a in event.i %}{{ contact.x }}{% endfor %}", event={"i": [1] * 500}, contact={"x": "y" * 10_000}
        )
    assert caught.value.code == "MAIL-TOO-LARGE"


def test_filled_in_texts_are_held_to_the_same_bounds() -> None:
    for hostile in ("{{ contact.items() }}", "{{ var.x|fill }}", "{{ 'a' * 1000000000 }}", "x" * 3_000):
        with pytest.raises(RenderError):
            rendered(subject="{{ var.x|fill }}", var={"x": hostile})


@pytest.mark.parametrize(
    "use",
    [
        "{{ 'x'|times(2) }}",
        "{{ true|times(2) }}",
        "{{ 'x'|money }}",
        "{{ 'x'|date }}",
        "{{ '2026-01-01'|date('%1000000000d') }}",
        "{{ 1|date }}",
    ],
)
def test_wrong_values_for_our_filters_fail_in_words(use: str) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(subject=use)
    assert caught.value.code == "MAIL-RENDER"


PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "if",
    "for",
    "x",
    "in",
    "y",
    "endif",
    "endfor",
    "|",
    "upper",
    "(",
    ")",
    "*",
    "'",
    '"',
    ".",
    "fill",
]


@given(st.lists(st.sampled_from([*PIECES, " ", "\n", "set", "1", "-", "~", "[", "]", "a"]), max_size=30).map("".join))
def test_any_text_is_taken_or_refused_in_words(source: str) -> None:
    """Nothing but UserFixable comes out, and what is taken renders or fails as a message may."""
    try:
        check_template(source)
    except UserFixable as error:
        assert error.code == "MAIL-TEMPLATE"
        return
    try:
        rendered(subject=source, x=["a"], y="b", a={"x": 1})
    except RenderError as error:
        assert error.code.startswith("MAIL-")


DISGUISES = [
    "{{",
    "}}",
    "x",
    "|replace('a','b')",
    "|",
    "replace",
    "'",
    '"',
    "\\",
    "{#",
    "#}",
    "{%",
    "%}",
    "if ",
    "-",
    "+",
    " ",
    "(",
]


@given(st.lists(st.sampled_from(DISGUISES), max_size=14).map("".join))
@settings(max_examples=200)
def test_no_disguise_gets_a_filter_past_the_guard(source: str) -> None:
    """The guard and MiniJinja must see the same in a text: what passes the guard never reaches `replace`."""
    try:
        guard_template(source)
    except UserFixable:
        return
    reached: list[object] = []
    environment = minijinja.Environment()
    environment.add_filter("replace", lambda *values: reached.append(values) or "")
    with contextlib.suppress(minijinja.TemplateError):
        environment.render_str(source, x="a")
    assert not reached


def test_memory_stays_bounded() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20):
        with pytest.raises(RenderError):
            rendered(
                "{% for a in event.i %}{{ contact.x }}{% endfor %}",
                event={"i": [1] * 2_000},
                contact={"x": "y" * 10_000},
            )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


_VALUES: tuple[JsonValue, ...] = (
    None,
    True,
    0,
    -5,
    2**70,
    "",
    "x",
    "5.0",
    "<b>&",
    "ä⁅⁅0⁆⁆",
    1.5,
    5.0,
    1e20,
    [1, "a", None],
    [1.0],
    {"a": 5.0},
    {"a": "b"},
)
_TEXTS = (
    "{{ var.v }}", "{{ var.v|upper }}", '{{ var.v|default("d") }}', "{{ var.w }}", "{{ var.v.a }}", "{{ var.v[0] }}",
    "{{ var.v|length }}", "{{ not var.v }}", "{{ var.v == 1 }} {{ 12 > var.v }}", '{{ "a" ~ var.v }}', "{{ [var.v] }}",
    "{% for x in var.v %}{{ x }},{{ loop.index }}{% endfor %}", "{{ var.v|first }}{{ var.v|last }}", "{{ var }}",
    "{{ var.v|times(2) }}", "{{ var.v|float }}", "{{ 1.0 }}", "{{ 4 / 2 }}", "{{ 1e3 }}", "{{ var.v|round }}",
    "{{ var.v|fill }}", "{{ [1, 2.0] }}", "{{ var.v|e }}", "{% if var.v %}{{ 7 }}{% else %}{{ none }}{% endif %}",
)  # fmt: skip


@pytest.mark.parametrize("text", _TEXTS)
def test_the_quick_way_writes_what_the_other_writes(text: str) -> None:
    template = TextTemplate(text)
    for value in _VALUES:
        data: dict[str, JsonValue] = {"var": {"v": value}}
        write = template.writer({type(value)})
        assert _outcome(write, data) == _outcome(template.render, data), value


def _outcome(write: Callable[[Mapping[str, JsonValue]], str], data: Mapping[str, JsonValue]) -> str:
    try:
        return write(data)
    except RenderError as error:
        return f"{error.code}: {error}"


def test_what_can_print_no_fraction_has_a_quick_way() -> None:
    condition = '{% if contact.score > 90 %}{{ contact.name|default("you")|upper }}{% endif %}'
    text = condition + "{% for n in (1, 2) %}{{ n }}{% endfor %}"
    template = TextTemplate(text)
    assert template.writer({str, int, bool, type(None)}) != template.render
    for kinds in ({float}, {str, list}, {dict}):
        assert template.writer(kinds) == template.render


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("{{ contact.name }} {{ var.cart.total }}", {"contact.name", "var.cart"}),
        ("{% if contact %}{{ contact.name }}{% endif %}", {"contact.name", "contact.city"}),
        ("{{ event.value }}{{ key }}", {"var.event", "key"}),
        ("{% for item in var.items %}{{ item.name }}{% endfor %}", {"var.items"}),
        ("{{ var }}", {"var.cart", "var.items", "var.event"}),
        ("Hello", set()),
    ],
)
def test_a_text_knows_which_columns_it_may_speak_of(source: str, used: set[str]) -> None:
    columns = ("contact.name", "contact.city", "var.cart", "var.items", "var.event", "key")
    assert {column for column in columns if TextTemplate(source).uses(column)} == used
