"""The shipped templates are whole: graph, parameters, messages in every language, numbers with sources."""

import itertools
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import pytest

from studio import resources
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.domain.validation import check
from studio.gallery.archetypes import archetypes
from studio.gallery.catalogue import LANGUAGES, catalogue, read_catalogue, read_entry
from studio.gallery.context import read_text
from studio.gallery.customise import fill, instantiate
from studio.nodes.discovery import catalogue as node_catalogue
from studio.nodes.message_lint import lint_message
from studio.nodes.message_rendering import MessageTemplate, Texts

WHOLE_FILES = ("cart-recovery", "welcome-series", "win-back")
TEMPLATES = tuple(template.id for template in catalogue().list())
TESTED = tuple(t.id for t in catalogue().list() if any(p.name == "subject_b" for p in t.parameters))
EACH = tuple(itertools.product(TEMPLATES, LANGUAGES))
FOOTER = {"unsubscribe_url": "https://mail.example/u?m=1", "postal_address": "1 Mill Lane, Bristol"}
LISTS = {
    "picks": [{"name": "Hand grinder", "url": "https://a.example/p/1"}, {"name": "Kettle", "url": ""}],
    "items": [{"title": "What changed", "url": "https://a.example/n/1", "summary": "Three things & why"}],
}
PEOPLE = {
    "nothing known": {"contact": {}, "var": {**LISTS}, "event": {}, **FOOTER},
    "name": {"contact": {"name": "Anna Adler"}, "var": {**LISTS}, "event": {}, **FOOTER},
    "all": {
        "contact": {"first_name": "Zoë <b>", "name": "Zoë Adler"},
        "var": {
            "subject": "x",
            "offer_code": "AB-12",
            "offer_until": "2026-05-01",
            "headline": "What changed",
            **LISTS,
        },
        "event": {"product": "Hand grinder & <filter>", "value": 42.5, "currency": "EUR", "url": "https://a.example/c"},
        "key": "cart-1",
        **FOOTER,
    },
}
UNFINISHED = re.compile(r"\{\{|\}\}|\{%|\$\{|<!-- (?:content|preview)|\blorem\b|\bTODO\b", re.IGNORECASE)


def workflow_of(template_id: str, language: str, context: BusinessContext | None = None):
    entry = catalogue().entry(template_id)
    business = context or read_text("Mill & Mortar sells spices online at www.mill-mortar.example.")
    return instantiate(entry, fill(entry, business, language=language), business)


def mails(template_id: str, language: str):
    return [node for node in workflow_of(template_id, language).nodes if node.type == "send.email"]


class Buttons(HTMLParser):
    """Links of the message with their targets, and the text that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")

    def handle_data(self, data):
        self.words += data


def test_templates_are_in_order_and_found_by_id():
    assert set(WHOLE_FILES) <= set(TEMPLATES)
    assert tuple(sorted(TEMPLATES)) == TEMPLATES
    assert catalogue().get("win-back").archetype == "win-back"
    with pytest.raises(UserFixable, match="no template") as caught:
        catalogue().get("cart-recovry")
    assert caught.value.hint == "Did you mean “cart-recovery”?"


@pytest.mark.parametrize(("template_id", "language"), EACH)
def test_the_workflow_is_valid_for_the_node_catalogue(template_id, language):
    assert check(workflow_of(template_id, language), node_catalogue()) == []


@pytest.mark.parametrize(("template_id", "language"), EACH)
def test_every_message_is_written_for_everybody(template_id, language):
    workflow = workflow_of(template_id, language)
    for node, person in itertools.product(mails(template_id, language), PEOPLE):
        values = workflow.bound(node)
        texts = Texts(str(values["subject"]), "", str(values["body"]), str(values["text"]))
        rendered = MessageTemplate(texts).render(PEOPLE[person])
        for part in (rendered.subject, rendered.html, rendered.text):
            assert part.strip()
            assert not UNFINISHED.search(part), (node.id, UNFINISHED.search(part))
        page = Buttons()
        page.feed(rendered.html)
        assert FOOTER["postal_address"] in page.words
        assert FOOTER["postal_address"] in rendered.text
        is_marketing = values.get("purpose", "marketing") == "marketing"
        assert (FOOTER["unsubscribe_url"] in page.links) == is_marketing
        assert (FOOTER["unsubscribe_url"] in rendered.text) == is_marketing
        ways = [link for link in page.links if link != FOOTER["unsubscribe_url"]]
        assert ways, "a way to go on"
        assert len(ways) == 1 or "items" in str(values["body"]) or "picks" in str(values["body"]), "one clear button"
        assert all(way.startswith("https://") and way in rendered.text for way in ways)
        assert "Mill & Mortar" in page.words
        assert "<b>" not in page.words or "Zoë <b>" in page.words
        assert "Zoë <b>," not in rendered.html


@pytest.mark.parametrize(("template_id", "language"), EACH)
def test_messages_have_preview_dark_mode_and_no_picture_without_words(template_id, language):
    for node in mails(template_id, language):
        body = str(node.parameters["body"])
        assert re.search(r"<mj-preview>[^<]{20,100}</mj-preview>", body)
        assert "prefers-color-scheme: dark" in body
        assert all('alt="' in image for image in re.findall(r"<mj-image[^>]*>", body))


def test_languages_differ_and_the_tested_subjects_differ():
    for template_id in TEMPLATES:
        english, german = mails(template_id, "en"), mails(template_id, "de")
        assert all(a.parameters["body"] != b.parameters["body"] for a, b in zip(english, german, strict=True))
        values = workflow_of(template_id, "de").template.parameters
        assert template_id not in TESTED or values["subject"] != values["subject_b"]


@pytest.mark.parametrize("template_id", TESTED)
def test_the_tested_subject_stays_bound_so_that_a_winner_can_be_written_back(template_id):
    workflow = workflow_of(template_id, "en")
    split = workflow.node("subject_test")
    assert split.parameters["parameter"] == "subject"
    assert [variant["value"] for variant in split.parameters["variants"]] == [
        {"$param": "subject"},
        {"$param": "subject_b"},
    ]
    arm = {edge.from_[1]: workflow.node(edge.to[0]) for edge in workflow.edges if edge.from_[0] == "subject_test"}
    assert arm["A"].parameters["subject"] == {"$param": "subject"}
    assert arm["B"].parameters["subject"] == {"$param": "subject_b"}


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_held_out_people_go_straight_to_the_goal_and_blocked_ones_leave(template_id):
    workflow = workflow_of(template_id, "en")
    target = {edge.from_: edge.to for edge in workflow.edges}
    ids = {node.id for node in workflow.nodes}
    assert "holdout" not in ids or workflow.node(target["holdout", "held"][0]).type == "flow.goal"
    if "may_write" not in ids:
        return
    blocked = workflow.node(target["may_write", "blocked"][0])
    assert blocked.type == "flow.exit"
    assert blocked.parameters["reason"]


def test_carts_are_followed_by_their_key():
    workflow = workflow_of("cart-recovery", "en")
    assert workflow.node("start").parameters["instance_key"] == "key"
    waits = [node for node in workflow.nodes if node.type == "flow.wait_for"]
    assert len(waits) == 3
    assert all(branch["match_key"] for node in waits for branch in node.parameters["branches"])
    assert workflow.node("order").parameters["match_key"] is True


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_the_drawing_is_readable(template_id):
    """Columns from left to right, no two steps on one place, and the longest way through lies on one line."""
    workflow = catalogue().get(template_id).workflow
    place = {node.id: node.position for node in workflow.nodes}
    assert len(set(place.values())) == len(place)
    for edge in workflow.edges:
        assert place[edge.to[0]][0] > place[edge.from_[0]][0], edge
    heights = Counter(y for _x, y in place.values())
    columns = len({x for x, _y in place.values()})
    assert max(heights.values()) >= columns * 0.6


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_every_published_number_says_what_it_counts_and_where_it_stands(template_id):
    for benchmark in catalogue().get(template_id).benchmarks:
        assert benchmark.source
        assert benchmark.numerator
        assert benchmark.denominator
        assert benchmark.period


def test_a_broken_template_is_refused_with_everything_that_is_wrong(tmp_path):
    folder = tmp_path / "win-back"
    shutil.copytree(resources.path("templates", "win-back"), folder)
    file = folder / "template.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    data["archetype"] = "win-bak"
    parameters = {parameter["name"]: parameter for parameter in data["parameters"]}
    parameters["holdout"]["default"] = 0.9
    parameters["subject"]["title"].pop("de")
    data["workflow"]["nodes"][1]["parameters"]["rule"] = 'days_since("order") >= ${idle_day}'
    data["benchmarks"][0]["source"] = " "
    file.write_text(json.dumps(data), encoding="utf-8")
    (folder / "m2.de.txt").unlink()
    with pytest.raises(UserFixable) as caught:
        read_catalogue(tmp_path)
    said = {(problem.code, problem.field) for problem in caught.value.problems}
    assert said == {
        ("TEMPLATE-ARCHETYPE", "archetype"),
        ("PARAMETER-VALUE", "holdout"),
        ("TEMPLATE-LANGUAGE", "parameters.subject.title"),
        ("TEMPLATE-BINDING", "lapsed.rule"),
        ("TEMPLATE-BENCHMARK", "benchmarks.0"),
        ("TEMPLATE-MESSAGE", "messages"),
    }
    assert all(problem.node == "win-back" for problem in caught.value.problems)


def test_unknown_fields_and_broken_json_are_named(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "template.json").write_text('{"id": "x", "colour": 1}', encoding="utf-8")
    with pytest.raises(UserFixable) as caught:
        read_entry(folder)
    assert "colour" in {problem.field for problem in caught.value.problems}
    (folder / "template.json").write_text('{"id": "x",\n', encoding="utf-8")
    with pytest.raises(UserFixable) as caught:
        read_entry(folder)
    assert caught.value.problems[0].code == "TEMPLATE-JSON"


def test_every_kind_of_workflow_has_a_template():
    assert {archetype.id for archetype in archetypes()} == {template.archetype for template in catalogue().list()}
    assert len(TEMPLATES) >= 46


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_no_placeholder_survives_instantiation(template_id):
    """Whatever is known of the business: nothing, or all there is."""
    for context in (BusinessContext(), read_text("Mill & Mortar sells spices online. We give 10 % off a first order.")):
        workflow = workflow_of(template_id, "de", context)
        settled = json.dumps([workflow.bound(node) for node in workflow.nodes], ensure_ascii=False)
        left = re.search(r".{0,40}(\$\{|\$param|<!--|\[\[|\bTODO\b|lorem)", settled)
        assert left is None, left
        assert "{name}" not in settled


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_german_is_german_and_english_english(template_id):
    """Words that only the other language has; both were written, none was translated by leaving it."""
    entry = catalogue().entry(template_id)
    german = " ".join(text for name, text in entry.texts.items() if ".de.txt" in name)
    english = " ".join(text for name, text in entry.texts.items() if ".en.txt" in name)
    assert not re.search(r"\b(?:und|nicht|Ihre|wir|Sie)\b", english)
    assert not re.search(r"\b(?:the|and|you|your|with)\b", re.sub(r"\{[{%].*?[%}]\}", "", german))


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_texts_are_short_and_calm(template_id):
    """No shouting, no run of exclamation marks, and nothing longer than a phone's screen or two."""
    for name, text in catalogue().entry(template_id).texts.items():
        if name.endswith(".txt"):
            words = re.sub(r"\{[{%].*?[%}]\}|\$\{[a-z_]+\}", "", text).split()
            assert len(words) < 190, (name, len(words))
            assert text.count("!") <= 2, name
            assert not re.search(r"\b[A-ZÄÖÜ]{4,}\b", re.sub(r"STOP|\$\{[a-z_]+\}|[A-Z]+-\d+", "", text)), name


def test_shipped_messages_get_no_advice_of_the_grave_kind():
    for template in catalogue().list():
        for name, text in catalogue().entry(template.id).texts.items():
            if name.endswith(".en.mjml"):
                advice = lint_message(Texts("The new harvest is in", "", text))
                grave = {one.code for one in advice if one.level == "error"}
                users = [
                    n for n in template.workflow.nodes if n.parameters.get("body") == name.split(".", maxsplit=1)[0]
                ]
                # Whoever asked for a service cannot be unsubscribed from being told of it.
                is_service = any(node.parameters.get("purpose") == "transactional" for node in users)
                allowed = {"LINT-UNSUBSCRIBE"} if is_service else set()
                assert grave <= allowed, f"{template.id}/{name}"
