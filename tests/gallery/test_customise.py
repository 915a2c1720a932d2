"""Every parameter gets a value of its type with a reason; what a person sets is read, checked and believed."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.duration import format_duration
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, Fact, Rule, TemplateParameter
from studio.domain.workflow import parse_workflow
from studio.gallery.binding import fill_text, fill_value, text_refs
from studio.gallery.catalogue import catalogue
from studio.gallery.context import read_text
from studio.gallery.customise import fill, instantiate, to_look_at
from studio.gallery.promotion import Promoted
from studio.gallery.values import parse_value, problems_of, words_for_people
from tests.gallery.test_context import BUSINESSES

TEMPLATES = ("cart-recovery", "welcome-series", "win-back")


def filled(template_id: str, context: BusinessContext, **more):
    return {item.name: item for item in fill(catalogue().entry(template_id), context, **more)}


def parameter(kind: str, default, **more) -> TemplateParameter:
    title = {"en": "x"}
    return TemplateParameter(
        name="x", type=kind, default=default, rule=Rule(kind="fixed"), title=title, help=title, **more
    )


@pytest.mark.parametrize("template_id", TEMPLATES)
@pytest.mark.parametrize("who", [*BUSINESSES, None])
def test_nothing_is_left_open(template_id, who):
    entry = catalogue().entry(template_id)
    context = read_text(BUSINESSES[who]) if who else BusinessContext()
    values = fill(entry, context)
    assert [value.name for value in values] == [parameter.name for parameter in entry.template.parameters]
    for value, declared in zip(values, entry.template.parameters, strict=True):
        assert problems_of(declared, value.value) == []
        assert 0 < value.confidence <= 1
        assert value.evidence


def test_values_come_from_the_business_and_say_so():
    values = filled("cart-recovery", read_text(BUSINESSES["coffee"]))
    assert values["business_name"].value == "Nordlicht Kaffee"
    assert values["shop_url"].value == "https://www.nordlicht-kaffee.example/"
    assert values["discount"].value == 0.1
    assert "10 % off" in values["discount"].evidence
    assert values["offer_allowed"].value is True
    assert values["subject_b"].value == "Your basket at Nordlicht Kaffee is saved"


def test_copy_follows_language_and_tone():
    assert filled("win-back", read_text(BUSINESSES["coffee"]))["subject"].value == "We have missed you"
    german = filled("win-back", read_text(BUSINESSES["restaurant"]))
    assert german["language"].value == "de"
    assert german["subject"].value in ("Lange nicht gesehen", "Wir haben Sie vermisst")
    assert german["subject_b"].value == "Neu bei Bella Napoli seit Ihrer letzten Bestellung"


def test_what_is_not_known_has_low_confidence_and_is_listed():
    values = fill(catalogue().entry("win-back"), BusinessContext())
    wanting = {value.name for value in to_look_at(values)}
    assert {"business_name", "shop_url", "offer_code", "language"} <= wanting
    assert "second_after" not in wanting


def test_what_a_person_set_beats_what_won_and_that_beats_the_rule():
    context = read_text(BUSINESSES["coffee"])
    won = {"subject": Promoted("Your beans are waiting", "Won its test on 2 March: 24 % more orders.", 0.95)}
    promoted = filled("cart-recovery", context, promoted=won)["subject"]
    assert (promoted.value, promoted.evidence) == ("Your beans are waiting", won["subject"].evidence)
    mine = filled("cart-recovery", context, promoted=won, overrides={"subject": "Mine"})["subject"]
    assert (mine.value, mine.confidence, mine.evidence) == ("Mine", 1.0, "You set this.")


def test_a_promotion_that_no_longer_fits_is_not_used():
    won = {"holdout": Promoted(0.9, "Once won.")}
    assert filled("cart-recovery", BusinessContext(), promoted=won)["holdout"].value == 0.1


def test_typed_settings_are_read():
    set_by_person = {
        "discount": "15 %",
        "second_after": "2 days",
        "offer_allowed": "no",
        "cost_per_message": "0.02 GBP",
    }
    values = filled("cart-recovery", BusinessContext(), overrides=set_by_person)
    assert values["discount"].value == 0.15
    assert values["second_after"].value == "P2D"
    assert values["offer_allowed"].value is False
    assert values["cost_per_message"].value == {"amount": 0.02, "currency": "GBP"}


def test_all_wrong_settings_are_told_at_once_with_what_to_write():
    wrong = {
        "discout": "10 %",
        "holdout": "80 %",
        "goal_window": "soon",
        "brand_colour": "blue",
        "subject": "Hi {name}",
    }
    with pytest.raises(UserFixable) as caught:
        fill(catalogue().entry("win-back"), BusinessContext(), overrides=wrong)
    hints = {problem.field: problem.hint for problem in caught.value.problems}
    assert set(hints) == set(wrong)
    assert hints["discout"] == "Did you mean “discount”?"
    assert hints["brand_colour"] == "Write it like #4f46e5."


def test_a_language_without_messages_is_refused_when_asked_for_and_replaced_when_only_found():
    with pytest.raises(UserFixable) as caught:
        fill(catalogue().entry("win-back"), BusinessContext(), language="fr")
    assert caught.value.problems[0].field == "language"
    french = BusinessContext((Fact("language", "fr", 0.9, "x"),))
    found = filled("win-back", french)["language"]
    assert (found.value, found.evidence) == ("en", "There are no messages in “fr” yet.")


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_a_workflow_survives_its_file_and_holds_its_template(template_id):
    entry = catalogue().entry(template_id)
    context = read_text(BUSINESSES["coffee"])
    values = fill(entry, context)
    workflow = instantiate(entry, values, context)
    assert parse_workflow(workflow.to_json()) == workflow
    assert workflow.template.id == template_id
    assert workflow.template.parameters == {value.name: value.value for value in values}
    assert workflow.name.endswith("– Nordlicht Kaffee")
    assert workflow.settings.currency == "EUR"
    assert "${" not in workflow.to_json()
    assert "<!-- content" not in workflow.to_json()


def test_rules_and_messages_get_the_values():
    entry = catalogue().entry("win-back")
    values = fill(
        entry, BusinessContext(), overrides={"idle_days": "90", "discount": "15%", "business_name": "Oak & Iron"}
    )
    workflow = instantiate(entry, values)
    assert workflow.node("lapsed").parameters["rule"] == 'days_since("order") >= 90'
    offer = str(workflow.node("mail_2").parameters["body"])
    assert "15% off your next order" in offer
    assert "Oak &amp; Iron" in offer
    assert "Oak & Iron" in str(workflow.node("mail_2").parameters["text"])


def test_without_all_values_there_is_no_workflow():
    entry = catalogue().entry("win-back")
    with pytest.raises(UserFixable) as caught:
        instantiate(entry, fill(entry, BusinessContext())[:-2])
    assert [problem.code for problem in caught.value.problems] == ["PARAMETER-MISSING"] * 2


def test_instantiating_does_not_touch_the_catalogue():
    entry = catalogue().entry("cart-recovery")
    before = entry.template.model_dump_json()
    instantiate(entry, fill(entry, read_text(BUSINESSES["coffee"])))
    assert entry.template.model_dump_json() == before
    json.loads(before)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("rate", "10 %", 0.1),
        ("rate", "0,25", 0.25),
        ("duration", "36 h", "P1DT12H"),
        ("duration", "2 wochen", "P14D"),
        ("duration", "pt23h", "PT23H"),
        ("money", "€5", {"amount": 5.0, "currency": "EUR"}),
        ("money", "0,01 CHF", {"amount": 0.01, "currency": "CHF"}),
        ("boolean", "ja", True),
        ("boolean", "off", False),
        ("integer", "120", 120),
        ("number", "1.5", 1.5),
        ("colour", "#a0B1c2", "#a0B1c2"),
        ("time", "09:30", "09:30"),
    ],
)
def test_what_people_type(kind, text, value):
    default = {"duration": "P1D", "money": {"amount": 1, "currency": "EUR"}, "boolean": True}.get(kind, 1)
    assert parse_value(parameter(kind, default), text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("rate", "110 %"),
        ("rate", "-1"),
        ("rate", "nan"),
        ("number", "inf"),
        ("number", "many"),
        ("integer", "1.5"),
        ("duration", "P1M"),
        ("duration", "99999999999 weeks"),
        ("money", "5"),
        ("money", "nan EUR"),
        ("boolean", "perhaps"),
        ("colour", "#12345"),
        ("time", "24:00"),
        ("text", " "),
        ("text", "Dear [name]"),
        ("text", "Hello ${business_name}"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(kind, text):
    with pytest.raises(UserFixable) as caught:
        parse_value(parameter(kind, "x"), text)
    assert caught.value.message.endswith(".")
    assert caught.value.where == "x"


@given(
    kind=st.sampled_from(["text", "rate", "duration", "money", "boolean", "integer", "number", "colour", "time"]),
    text=st.text(max_size=30),
)
def test_any_typing_gives_a_fitting_value_or_a_refusal(kind, text):
    declared = parameter(kind, "x")
    try:
        value = parse_value(declared, text)
    except UserFixable:
        return
    assert problems_of(declared, value) == []
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(st.integers(0, 10_000))
def test_durations_are_read_back(hours):
    text = format_duration(timedelta(hours=hours))
    assert parse_value(parameter("duration", "P1D"), text) == text


def test_fields_for_each_person_are_no_placeholders():
    assert problems_of(parameter("text", "x"), 'Hello {{ contact.first_name|default("you") }}') == []
    assert problems_of(parameter("text", "x"), "Hello {name}") != []


@pytest.mark.parametrize(("colour", "ink"), [("#ffc800", "#16181d"), ("#4f46e5", "#ffffff"), ("#ffffff", "#16181d")])
def test_the_label_on_a_brand_colour_is_readable(colour, ink):
    declared = TemplateParameter(
        name="brand", type="colour", default=colour, rule=Rule(kind="fixed"), title={"en": "x"}, help={"en": "x"}
    )
    assert words_for_people([declared], {"brand": colour}, "en") == {"brand": colour, "brand_text": ink}


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=10), min_size=3))
def test_filling_in_leaves_no_reference_and_nothing_else_changes(words):
    text = "x ${a} {{ b }} ${b}${c} $d {e}"
    done = fill_text(text, words)
    assert done == f"x {words['a']} {{{{ b }}}} {words['b']}{words['c']} $d {{e}}"
    assert fill_value({"k": [text, 1, None]}, words) == {"k": [done, 1, None]}
    assert [name for _, name in text_refs({"k": [text]})] == ["a", "b", "c"]
    with pytest.raises(KeyError):
        fill_text("${z}", words)
