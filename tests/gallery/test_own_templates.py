"""Own templates: saved from a workflow, shared, looked at before they are taken in; and made-up beginnings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.domain.validation import check
from studio.gallery.bundle import read_bundle, review, to_bundle
from studio.gallery.catalogue import catalogue
from studio.gallery.picture import svg
from studio.nodes.discovery import catalogue as node_catalogue
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.open(tmp_path / "shop") as opened:
        yield opened


def saved(workspace: Workspace, template: str = "cart-recovery"):
    made = workspace.templates.create(template, BusinessContext(), {"discount": "20 %"})
    assert made.workflow_id is not None
    return workspace.own_templates.save(made.workflow_id, name="Our carts", description="As we do it.")


def test_titles_that_differ_only_beyond_plain_letters_are_two_templates(workspace: Workspace) -> None:
    made = workspace.templates.create("cart-recovery", BusinessContext(), {})
    assert made.workflow_id is not None
    titles = ("Скидки", "Новости", "a" * 60, "a" * 61)
    ids = {workspace.own_templates.save(made.workflow_id, name=title).id for title in (*titles, *titles)}
    assert len(ids) == len(titles)
    assert len(workspace.own_templates.list()) == len(titles)


def test_a_workflow_becomes_a_template_that_makes_valid_workflows(workspace: Workspace) -> None:
    template = saved(workspace)
    assert template.id == "own-our-carts"
    assert template.archetype == "abandoned-cart"
    assert {"subject", "holdout", "first_after"} <= {parameter.name for parameter in template.parameters}
    again = workspace.templates.instantiate(template.id, BusinessContext(), {"first_after": "3 h"})
    assert check(again.workflow, node_catalogue()) == []
    assert again.workflow.bound(again.workflow.node("wait_0"))["timeout"] == "PT3H"
    body = str(again.workflow.node("mail_3").parameters["body"])
    assert "20%" in body, "what the workflow says stays said"


def test_a_workflow_made_by_hand_gets_settings_out_of_its_steps(workspace: Workspace) -> None:
    made = workspace.templates.instantiate("cart-recovery", BusinessContext())
    bare = made.workflow.model_copy(
        update={
            "template": None,
            "name": "By hand",
            "nodes": tuple(
                node.model_copy(update={"parameters": made.workflow.bound(node)}) for node in made.workflow.nodes
            ),
        }
    )
    workflow_id = workspace.workflows.add(bare)
    with pytest.raises(UserFixable, match="kind of workflow"):
        workspace.own_templates.save(workflow_id)
    template = workspace.own_templates.save(workflow_id, archetype="abandoned-cart")
    names = {parameter.name for parameter in template.parameters}
    assert {"mail_1a_subject", "wait_1_timeout", "holdout_share", "order_window"} <= names
    again = workspace.templates.instantiate(template.id, BusinessContext(), {"mail_2_subject": "Can we help?"})
    assert again.workflow.bound(again.workflow.node("mail_2"))["subject"] == "Can we help?"


def test_shared_and_taken_in_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    saved(workspace)
    file = workspace.own_templates.share("own-our-carts", tmp_path)
    with Workspace.open(tmp_path / "elsewhere") as other:
        looked = other.own_templates.inspect(file)
        assert looked.usable
        assert not looked.replaces
        kinds = {line.kind for line in looked.lines}
        assert {"starts", "sends", "reads"} <= kinds
        assert other.own_templates.list() == (), "looking takes nothing in"
        taken = other.own_templates.take_in(file)
        assert taken.id == "own-our-carts"
        assert other.templates.get(taken.id).name["en"] == "Our carts"
    with Workspace.open(tmp_path / "elsewhere") as again:
        assert [template.id for template in again.own_templates.list()] == ["own-our-carts"]
        again.own_templates.remove("own-our-carts")
        with pytest.raises(UserFixable):
            again.templates.get("own-our-carts")
        with pytest.raises(UserFixable, match="came with the program"):
            again.own_templates.remove("win-back")


def test_a_shipped_template_is_not_replaced_by_a_stranger(workspace: Workspace, tmp_path: Path) -> None:
    file = workspace.own_templates.share("birthday", tmp_path)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["template"]["name"]["en"] = "Birthday, my way"
    file.write_text(json.dumps(document), encoding="utf-8")
    taken = workspace.own_templates.take_in(file)
    assert taken.id == "own-birthday"
    assert workspace.templates.get("birthday").name["en"] == "Birthday present"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format="other/1"), "no shared template"),
        (lambda d: d.update(code="import os"), "code"),
        (lambda d: d["template"].update(colour="red"), "cannot be read"),
        (lambda d: d["template"].update(id="../../etc"), "cannot be the id"),
        (lambda d: d["texts"].update({"../x.en.txt": "hi"}), "no message file"),
        (lambda d: d["template"].update(archetype="nothing"), "not whole"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(change, said: str) -> None:
    document = json.loads(to_bundle(catalogue().entry("birthday")))
    change(document)
    with pytest.raises(UserFixable, match=said):
        read_bundle(json.dumps(document), "x")
    with pytest.raises(UserFixable, match="JSON"):
        read_bundle("{", "x")
    with pytest.raises(UserFixable, match="larger"):
        read_bundle(" " * 2_100_000, "x")


def test_the_review_names_strange_addresses_calls_consents_and_unknown_steps() -> None:
    document = json.loads(to_bundle(catalogue().entry("double-opt-in")))
    nodes = document["template"]["workflow"]["nodes"]
    nodes.append({"id": "spy", "type": "send.carrier_pigeon", "parameters": {}})
    nodes.append(
        {"id": "call", "type": "send.http", "parameters": {"url": "https://evil.test/in", "method": "POST", "body": []}}
    )
    entry = read_bundle(json.dumps(document), "x")
    lines = review(entry, node_catalogue())
    said = " ".join(line.text for line in lines if line.grave)
    assert "send.carrier_pigeon" in said
    assert "https://evil.test/in" in said
    assert "evil.test" in said
    assert "consent to marketing" in said
    assert lines[0].kind == "problem"


def test_a_damaged_file_does_not_close_the_gallery(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    with Workspace.open(folder) as opened:
        saved(opened)
    (folder / "templates" / "broken.template.json").write_text("{", encoding="utf-8")
    with Workspace.open(folder) as opened:
        assert "broken.template.json" in opened.own_templates.unreadable
        assert [template.id for template in opened.own_templates.list()] == ["own-our-carts"]


@pytest.mark.parametrize("template_id", ["birthday", "quote-followup"])
def test_the_picture_shows_every_step_and_every_way(template_id: str) -> None:
    workflow = catalogue().get(template_id).workflow
    picture = ElementTree.fromstring(svg(workflow))
    tags = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert tags.count("rect") == len(workflow.nodes)
    assert tags.count("path") == len(workflow.edges)
    assert svg(workflow) != svg(workflow, dark=True)


def filled(workspace: Workspace) -> None:
    store = workspace._store
    rows = [{"key": f"k{i}", "email": f"p{i}@example.invalid", "name": f"Person {i}"} for i in range(20)]
    store.contacts.upsert_contacts(pl.DataFrame(rows), "test")
    ids = store.contacts.at(START).ids(-1, 20)
    stated = pl.DataFrame({"contact_id": ids}).with_columns(
        pl.lit(value).alias(name)
        for name, value in {
            "channel": "email",
            "topic": "marketing",
            "state": "granted",
            "basis": "test",
            "source": "test",
            "at": START - timedelta(days=9),
        }.items()
    )
    store.contacts.add_consents(stated)


def test_a_simulation_without_data_begins_with_made_up_events(workspace: Workspace) -> None:
    filled(workspace)
    made = workspace.templates.create("webinar", BusinessContext())
    options = RunOptions(mode="simulate", as_of=START, step="PT12H")
    run_id = workspace.runs.start(made.workflow, options, workflow_id=made.workflow_id)
    assert workspace.runs.wait(run_id) == "done"
    report = workspace.runs.report(run_id)
    assert report.contacts == 20, "of few people all begin"
    begun = workspace.runs.get(run_id).options["made_up"]
    assert begun == report.contacts
    known = workspace._store.projections.rollup([""])
    assert "webinar_registered" not in known["kind"].to_list(), "nobody else sees them"


def test_a_simulation_with_real_data_makes_nothing_up(workspace: Workspace) -> None:
    filled(workspace)
    store = workspace._store
    real = {"event_id": 1, "contact_id": 1, "kind": "webinar_registered", "occurred_at": START - timedelta(days=40)}
    store.import_events([pl.DataFrame([real])], "test")
    made = workspace.templates.create("webinar", BusinessContext())
    options = RunOptions(mode="simulate", as_of=START, step="PT12H")
    run_id = workspace.runs.start(made.workflow, options, workflow_id=made.workflow_id)
    workspace.runs.wait(run_id)
    assert workspace.runs.report(run_id).contacts == 0
    assert "made_up" not in workspace.runs.get(run_id).options
