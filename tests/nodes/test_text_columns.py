"""Texts by columns: whatever comes out is what MiniJinja writes; where it would complain, nothing comes out."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from studio.nodes.message_rendering import TextTemplate
from studio.nodes.mjml_conversion import RenderError
from studio.nodes.personal import personal_columns
from studio.nodes.render_tasks import _people
from studio.nodes.text_columns import MAX_BYTES, compiled_text
from studio.nodes.text_rows import fill_rows
from tests.nodes.world import World, ids, instances, node, people, ran

PATHS = ("contact.name", "contact.age", "contact.rate", "contact.vip", "contact.nobody", "var.tier", "key")
words = st.text(st.characters(exclude_characters="\"'\\{}%#", exclude_categories=["Cs"]), max_size=6)
literals = words.map('"{}"'.format) | st.sampled_from(["5", "-1", "0", "2.5", "10"])
filters = st.sampled_from(["|upper", "|lower", "|trim"]) | words.map('|default("{}")'.format)
prints = st.builds("{{{{ {}{} }}}}".format, st.sampled_from(PATHS), st.lists(filters, max_size=2).map("".join))
conditions = st.builds("{}{}".format, st.sampled_from(["", "not "]), st.sampled_from(PATHS)) | st.builds(
    "{} {} {}".format, st.sampled_from(PATHS), st.sampled_from(["==", "!=", ">", "<=", "<", ">="]), literals
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format, conditions, inner,
                     conditions, inner, inner)  # fmt: skip


texts = st.recursive(
    words | prints, lambda inner: blocks(inner) | st.lists(inner, max_size=3).map("".join), max_leaves=6
)
rows = st.lists(
    st.tuples(
        st.none() | st.text(max_size=6),
        st.none() | st.integers(-20, 20),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(["gold", " Tin ", ""]),
        st.none() | st.text(max_size=3),
    ),
    min_size=1,
    max_size=6,
)


def frame(values: list[tuple[object, ...]]) -> pl.DataFrame:
    schema = {
        "contact.name": pl.String,
        "contact.age": pl.Int64,
        "contact.rate": pl.Float64,
        "contact.vip": pl.Boolean,
        "var.tier": pl.String,
        "key": pl.String,
    }
    return pl.DataFrame(values, schema=schema, orient="row").with_columns(
        pl.lit(None, pl.String).alias("contact.nobody")
    )


def by_minijinja(source: str, facts: pl.DataFrame) -> list[str | None]:
    template = TextTemplate(source)
    written: list[str | None] = []
    for person in _people(personal_columns(facts)):
        try:
            written.append(template.render(person))
        except RenderError:
            written.append(None)
    return written


@given(texts, rows)
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_what_comes_out_is_what_minijinja_writes(source: str, values: list[tuple[object, ...]]) -> None:
    simple, facts = compiled_text(source), frame(values)
    if simple is None:
        return
    assert fill_rows(simple, facts.schema, facts.to_dicts()) == simple.fill(facts).to_list()
    for ours, theirs in zip(simple.fill(facts).to_list(), by_minijinja(source, facts), strict=True):
        assert ours is None or ours == theirs


@pytest.mark.parametrize(
    "source",
    [
        "Dear {{ contact.name }}, you are {{ contact.age }}.",
        "{{ contact.name|default('friend')|upper }}{# a note #}!\n",
        "{% if contact.vip %}Thanks{% elif contact.age > 17 %}Hello{% else %}Hi{% endif %} {{ key|default('') }}",
        "{% if contact.name == 'Anna' %}{{ var.tier|trim|lower }}{% endif %}",
        "",
        "no field at all",
    ],
)
def test_simple_texts_are_written_by_columns(source: str) -> None:
    facts = frame([("Anna", 30, 1.5, True, "gold", "k"), ("Bo", 3, 2.0, False, " Tin ", None)])
    simple = compiled_text(source)
    assert simple is not None
    written = simple.fill(facts).to_list()
    assert written == by_minijinja(source, facts)
    assert None not in written


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.name|title }}",
        "{{- contact.name }}",
        "{% for x in event.items %}{{ x }}{% endfor %}",
        "{{ contact['first name'] }}",
        "{{ event.value }}",
        "{% if contact.age > 3 and contact.vip %}x{% endif %}",
        "{{ contact.name|default('a\\'b') }}",
        "{{ '}}' }}",
        "{% if contact.vip %}open",
        "{{ contact.name",
    ],
)
def test_the_rest_is_left_to_minijinja(source: str) -> None:
    assert compiled_text(source) is None


def test_what_could_grow_large_is_left_to_minijinja() -> None:
    facts = frame([("x" * 100, 1, 1.0, True, "a", "k"), ("x" * MAX_BYTES, 1, 1.0, True, "a", "k")])
    simple = compiled_text("{{ contact.name }}" * 3)
    assert simple is not None
    assert simple.fill(facts).to_list() == ["x" * 300, None]


def test_a_personal_text_goes_with_everybody_it_could_be_written_for() -> None:
    world = World(people(4, first=["Anna", None, "Cem", ""], age=[1, 2, 3, 4]))
    made = node("content.text", name="hello", text="{{ contact.first }} is {{ contact.age }}")
    outcome = ran(made, instances([1, 2, 3, 4]), world.context())
    assert outcome.out["out"]["var.hello"].to_list() == ["Anna is 1", "Cem is 3"]
    assert ids(outcome.out["out"]) == [1, 3]
    assert [(q.contact_id, q.code) for q in outcome.quarantined] == [
        (2, "MAIL-FIELD-MISSING"),
        (4, "MAIL-FIELD-MISSING"),
    ]
    assert "contact.first" in outcome.quarantined[0].message


def test_a_personal_text_may_use_the_whole_language() -> None:
    world = World(people(2, first=["anna", "bo"]))
    made = node(
        "content.text", name="hello", text="{{ contact.first|title }} {% for c in contact.first %}{{ c }}.{% endfor %}"
    )
    outcome = ran(made, instances([1, 2]), world.context())
    assert outcome.out["out"]["var.hello"].to_list() == ["Anna a.n.n.a.", "Bo b.o."]
