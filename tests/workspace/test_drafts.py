"""What a form is told while somebody types, from a workspace with real people and events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from studio.nodes.message_rendering import Texts
from studio.workspace.bench.crowd import NO_EVENTS
from studio.workspace.workspace import Workspace

PEOPLE = 40
BODY = """<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ contact.name|default("you") }}</mj-text>
<mj-text>{{ postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.open(tmp_path_factory.mktemp("drafts") / "shop") as opened:
        numbers = range(1, PEOPLE + 1)
        properties = [f'{{"country": "{"DE" if i % 4 else "AT"}", "score": {i}}}' for i in numbers]
        people = pl.DataFrame(
            {
                "key": [f"p{i}" for i in numbers],
                "email": [f"p{i}@example.com" for i in numbers],
                "name": [f"Person {i}" if i > 1 else None for i in numbers],
                "language": ["en"] * PEOPLE,
                "zone": ["UTC"] * PEOPLE,
                "properties": properties,
            },
            schema_overrides={"name": pl.String},
        )
        consents = pl.DataFrame(
            {"key": ["p1"], "channel": ["email"], "topic": ["marketing"], "state": ["granted"]}
        ).with_columns(
            pl.lit("test").alias("basis"),
            pl.lit("test").alias("source"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("at"),
        )
        opened.people.add_made_up(people, consents, NO_EVENTS)
        orders(opened, tmp_path_factory.mktemp("files"))
        yield opened


def orders(workspace: Workspace, folder: Path) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    lines = [f"p{i},{day:%Y-%m-%d},{i * 10},tulips" for i in range(1, 11)]
    (folder / "orders.csv").write_text("who,at,value,product\n" + "\n".join(lines) + "\n")
    (folder / "orders.toml").write_text(
        'kind = "order"\ncontact = "who"\noccurred_at = "at"\nvalue = "value"\ncurrency = "EUR"\n'
        '[properties]\nproduct = "product"\n[file]\ndate_format = "%Y-%m-%d"\n'
    )
    workspace.people.import_events(folder / "orders.csv", folder / "orders.toml")


def test_the_vocabulary_is_what_people_and_events_have(workspace: Workspace) -> None:
    known = workspace.drafts.vocabulary()
    assert known.fields["score"] == "number" and known.fields["country"] == "text"
    assert known.values["country"] == ("DE", "AT"), "the most frequent first"
    assert "email" not in known.values
    assert "order" in known.events
    assert known.properties == {"product": "text"}


def test_a_rule_is_tried_on_real_people(workspace: Workspace) -> None:
    trial = workspace.drafts.try_rule("score > 30")
    assert (trial.holds, trial.of) == (10, PEOPLE)
    assert dict(trial.examples)["Person 31"] is True
    assert {verdict for _who, verdict in trial.examples} == {True, False}
    assert trial.problem == "" and trial.remarks == ()


def test_a_rule_about_events_is_tried_on_the_latest(workspace: Workspace) -> None:
    trial = workspace.drafts.try_rule('value >= 50 and product == "tulips"', "event")
    assert (trial.holds, trial.of) == (6, 10)


def test_history_counts(workspace: Workspace) -> None:
    assert workspace.drafts.try_rule('has("order")').holds == 10


def test_a_misspelt_field_is_remarked_with_the_nearest(workspace: Workspace) -> None:
    trial = workspace.drafts.try_rule('contry == "DE"')
    assert trial.holds == 0
    assert any("country" in remark for remark in trial.remarks)


def test_what_cannot_be_read_says_why(workspace: Workspace) -> None:
    assert "missing" in workspace.drafts.try_rule("lower(country").problem


def test_a_text_is_filled_in_for_somebody(workspace: Workspace) -> None:
    people = workspace.drafts.sample_people()
    assert people[0].contact_id is None and people[2].title == "Person 2"
    assert workspace.drafts.try_text("Hi {{ contact.name }}", people[2].contact_id) == ("Hi Person 2", "")
    text, problem = workspace.drafts.try_text("Hi {{ contact.name }}", people[1].contact_id)
    assert text == "" and "name" in problem, "the first person has no name"


def test_a_message_is_looked_at_in_light_and_dark_with_advice(workspace: Workspace) -> None:
    look = workspace.drafts.look(Texts("FREE MONEY!!!", "", BODY), None)
    assert look.problem == "" and "Hello Anna Example" in look.text
    assert look.html != look.dark_html
    assert any(one.code.startswith("LINT-SUBJECT") for one in look.advice) or look.advice
    broken = workspace.drafts.look(Texts("Hi {{ contact.nam", "", BODY))
    assert broken.problem
