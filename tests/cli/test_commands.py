"""What the commands answer: the shapes that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.workspace.known_runs import KnownRuns
from tests.cli.terminal import done, studio

BAKERY = (
    "An online bakery in Vienna that sells sourdough bread and sends parcels to customers, with carts and checkout."
)
GYM = "A gym with monthly memberships and a free trial week."
RESOURCES = Path(__file__).parents[2] / "resources"
ARCHETYPES = {template.parent.name for template in (RESOURCES / "templates").glob("[!_]*/template.*")}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which one run has sent, in a simulation, to some people."""
    folder = tmp_path_factory.mktemp("commands")
    people = folder / "people.csv"
    people.write_text("email\n" + "".join(f"p{i}@example.com\n" for i in range(40)))
    mapping = folder / "people.toml"
    mapping.write_text(
        'key = "email"\nemail = "email"\nconsent = { topic = "marketing", basis = "test", source = "a test" }\n'
    )
    orders = folder / "orders.csv"
    orders.write_text("who,at,value\n" + "".join(f"p{i}@example.com,2026-01-05,20\n" for i in range(40)))
    ordered = folder / "orders.toml"
    ordered.write_text(
        'kind = "order"\ncontact = "who"\noccurred_at = "at"\nvalue = "value"\ncurrency = "EUR"\n'
        '[file]\ndate_format = "%Y-%m-%d"\n'
    )
    shop = folder / "shop"
    done("contacts", "import", people, "--map", mapping, workspace=shop)
    done("events", "import", orders, "--map", ordered, workspace=shop)
    done("templates", "instantiate", "win-back", "--out", folder / "win-back.workflow.json", workspace=shop)
    done("run", folder / "win-back.workflow.json", "--as-of", "2026-10-01", workspace=shop)
    return shop


def check_recommendations(ranked: list[dict]) -> None:
    assert ranked
    for one in ranked:
        assert {"template", "archetype", "score", "band", "confidence", "reasons", "prediction"} <= one.keys()
        assert one["band"] in ("strong", "likely", "worth_a_look")
        assert one["confidence"] is None or 0 <= one["confidence"] <= 1
        assert one["reasons"]
        assert all(reason.keys() == {"text", "fact"} for reason in one["reasons"])
        for value in one["prediction"].values():
            assert value.keys() == {"mean", "low", "high", "level", "source"}
            assert value["low"] <= value["mean"] <= value["high"]
            assert value["level"] == 0.9
    archetypes = [one["archetype"] for one in ranked]
    assert len(set(archetypes)) == len(archetypes)
    scores = [one["score"] for one in ranked]
    assert scores == sorted(scores, reverse=True)


def test_recommend_answers_with_facts_types_and_ranked_templates(shop: Path) -> None:
    answer = done("recommend", "--text", BAKERY, workspace=shop)
    assert all(fact.keys() == {"name", "value", "confidence", "evidence"} for fact in answer["context"]["facts"])
    assert answer["context"]["facts"]
    assert len(answer["types"]) == 3
    check_recommendations(answer["recommendations"])
    assert len(done("recommend", "--text", BAKERY, "--top", "1", workspace=shop)["recommendations"]) == 1


def test_in_words_the_first_five_are_shown_and_how_to_see_the_others(shop: Path) -> None:
    said = studio("recommend", "--text", BAKERY, workspace=shop, as_json=False).out
    ranks = [line.split(".")[0] for line in said.splitlines() if line[:1].isdigit() and ". " in line]
    assert ranks == ["1", "2", "3", "4", "5"]
    assert "more: --top" in said
    assert "True" not in said


def test_the_answer_of_recommend_is_a_context_for_the_next_command(shop: Path, tmp_path: Path) -> None:
    said = studio("recommend", "--text", BAKERY, workspace=shop)
    path = tmp_path / "answer.json"
    path.write_text(said.out)
    again = done("recommend", "--context", path, workspace=shop)
    assert again["context"] == said.document["context"]
    assert again["types"] == said.document["types"]
    check_recommendations(again["recommendations"])
    assert done("templates", "instantiate", "welcome-series", "--context", path, workspace=shop)["parameters"]


def test_a_batch_is_answered_line_by_line_in_order(shop: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    businesses = [("z", BAKERY), ("a", GYM), ("m", BAKERY)]
    batch.write_text("".join(json.dumps({"id": i, "text": t, "other": 1}) + "\n" for i, t in businesses))
    said = studio("recommend", "--batch", batch, workspace=shop)
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 0
    assert [line["id"] for line in lines] == ["z", "a", "m"]
    for line in lines:
        assert line.keys() == {"id", "recommendations"}
        check_recommendations(line["recommendations"])
    assert lines[0]["recommendations"] == lines[2]["recommendations"]


def test_templates_are_listed_and_shown(shop: Path) -> None:
    listed = done("templates", "list", workspace=shop)
    assert {one["id"] for one in listed} == ARCHETYPES
    shown = done("templates", "show", "win-back", workspace=shop)
    on_disk = json.loads((RESOURCES / "templates" / "win-back" / "template.json").read_text(encoding="utf-8"))
    assert [p["name"] for p in shown["parameters"]] == [p["name"] for p in on_disk["parameters"]]


def test_favourites_are_chosen_and_listed(tmp_path: Path) -> None:
    assert done("templates", "favourite", "vip", workspace=tmp_path) == {"favourites": ["vip"]}
    assert done("templates", "favourite", "birthday", workspace=tmp_path) == {"favourites": ["vip", "birthday"]}
    listed = done("templates", "list", "--favourites", workspace=tmp_path)
    assert [row["id"] for row in listed] == ["vip", "birthday"]
    assert [row["id"] for row in done("templates", "list", workspace=tmp_path) if row["favourite"]] != []
    assert done("templates", "list", "--recent", workspace=tmp_path) == []
    assert done("templates", "favourite", "vip", "--remove", workspace=tmp_path) == {"favourites": ["birthday"]}
    assert studio("templates", "favourite", "vipp", workspace=tmp_path).code == 2


def test_an_instantiated_template_is_a_valid_workflow_with_what_was_set(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.workflow.json"
    asked = ("templates", "instantiate", "win-back", "--set", "idle_days=90", "--set", "subject=Come back")
    answer = done(*asked, "--out", out, workspace=shop)
    values = {parameter["name"]: parameter["value"] for parameter in answer["parameters"]}
    assert (values["idle_days"], values["subject"]) == (90, "Come back")
    assert all(p.keys() >= {"name", "value", "confidence", "evidence"} for p in answer["parameters"])
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["format"] == "studio.workflow/1"
    assert written["template"]["parameters"]["idle_days"] == 90
    assert done("validate", out) == {"valid": True, "problems": []}
    assert done(*asked, workspace=shop)["workflow"] == written


def test_a_run_tells_its_steps_and_is_found_again(shop: Path) -> None:
    (row,) = done("runs", workspace=shop)
    assert (row["run_id"], row["state"], row["mode"]) == ("r1", "done", "simulate")
    run = done("runs", "show", "r1", workspace=shop)
    assert {"run_id", "status", "contacts", "steps", "outbox", "events", "duration_s", "peak_rss_mb"} <= run.keys()
    assert (run["status"], run["contacts"]) == ("done", 40)
    wanted = {"node", "type", "state", "in", "out", "failed", "quarantined", "duration_ms", "attempts"}
    assert all(wanted <= step.keys() for step in run["steps"])
    assert {"sent", "failed", "in_doubt", "held"} <= run["outbox"].keys()


def test_the_outbox_lists_by_state(shop: Path) -> None:
    rows = done("outbox", "list", "--run", "r1", workspace=shop)
    wanted = {"id", "run_id", "node", "contact", "to", "message_id", "state", "attempts", "reason"}
    assert all(row.keys() == wanted for row in rows)
    assert done("outbox", "list", "--state", "in_doubt", workspace=shop) == []


def test_the_funnel_and_the_figures_name_their_time(shop: Path) -> None:
    answer = done("analytics", "funnel", workspace=shop)
    (funnel,) = answer["funnels"]
    assert [step["kind"] for step in funnel["steps"]] == [
        "entered", "sent", "delivered", "opened", "clicked", "converted",
    ]  # fmt: skip
    people = [step["people"] for step in funnel["steps"]]
    assert people[0] == 40
    assert 0 < people[1] < 40, "some are left alone"
    arms = done("analytics", "funnel", "--by", "variant", workspace=shop)
    sent = sum(next(s["people"] for s in f["steps"] if s["kind"] == "sent") for f in arms["funnels"])
    assert ({f["group"] for f in arms["funnels"]}, sent) == ({"A", "B"}, people[1])
    figures = done("analytics", "kpis", "r1", workspace=shop)
    assert {kpi["name"] for kpi in figures["kpis"]} >= {"revenue", "roi", "buyers", "reach"}
    assert figures["return"]["people"] == people[1]
    for one in (answer, arms, figures):
        assert 0 < one["elapsed_ms"] < 60_000


def test_the_contracts_experiment_gives_the_contracts_numbers(tmp_path: Path) -> None:
    spec = {
        "metric": "proportion",
        "control": "A",
        "alpha": 0.05,
        "planned_total": 40000,
        "mde": 0.005,
        "started_at": None,
        "mode": "anytime",
        "variants": [
            {"id": "A", "n": 18240, "successes": 438, "weight": 0.5},
            {"id": "B", "n": 18190, "successes": 545, "weight": 0.5},
        ],
        "guardrails": [],
    }
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    answer = done("experiment", "analyze", path)
    (comparison,) = answer["comparisons"]
    assert comparison["effect"] == pytest.approx(545 / 18190 - 438 / 18240)
    assert comparison["effect"] == pytest.approx(0.00595, abs=5e-6)
    assert comparison["lift"] == pytest.approx(0.248, abs=5e-4)
    assert comparison["anytime"]["ci"] == pytest.approx([0.0008, 0.0111], abs=5e-5)
    assert comparison["ship"]["lower_bound"] == pytest.approx(0.00123, abs=5e-6)
    assert comparison.keys() >= {"variant", "fixed", "anytime", "ship", "strict", "exact", "bayes"}
    assert answer["bayes_best"]["B"] == pytest.approx(0.9998, abs=1e-4)
    assert answer["srm"]["blocked"] is False
    assert (answer["decision"]["verdict"], answer["decision"]["variant"]) == ("ship", "B")
    assert "ship: B" in studio("experiment", "analyze", path, as_json=False).out


def test_a_plan_is_the_textbook_size() -> None:
    answer = done("experiment", "plan", "--baseline", "0.05", "--mde", "0.01", "--daily", "1000")
    z = 1.959964 + 0.841621
    textbook = z**2 * (0.05 * 0.95 + 0.06 * 0.94) / 0.01**2
    assert answer["n_per_variant"] == pytest.approx(textbook, rel=0.02)
    assert answer["n_total"] == 2 * answer["n_per_variant"]
    assert answer["days"] == pytest.approx(answer["n_total"] / 1000, abs=1)
    assert answer["sequential"].keys() == {"median_n_per_variant", "max_n_per_variant"}


def test_the_doctor_finds_a_sound_workspace_sound(shop: Path) -> None:
    answer = done("doctor", workspace=shop)
    assert answer["healthy"] is True
    assert answer["checks"]
    assert all(check["ok"] and check["title"] and check["words"] for check in answer["checks"])


def test_the_workspace_is_the_one_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "named"))
    assert done("runs") == []
    assert (tmp_path / "named" / "studio.db").exists()
    other = tmp_path / "other"
    assert done("runs", workspace=other) == []
    assert (other / "studio.db").exists(), "--workspace has the last word"


def test_an_interrupted_command_says_how_to_go_on(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KnownRuns, "list", interrupt)
    said = studio("runs", workspace=shop)
    assert said.code == 3
    assert "studio resume" in said.err
    assert said.out == ""
    monkeypatch.undo()
    assert len(done("runs", workspace=shop)) == 1


def test_the_experiments_of_a_workspace(shop: Path) -> None:
    (listed,) = done("experiment", "list", workspace=shop)["experiments"]
    assert listed["verdict"] in ("keep_running", "stop_futile")
    shown = done("experiment", "show", listed["id"], workspace=shop)
    assert {"plan", "variants", "srm", "comparisons", "decision", "health", "revenue", "segments"} <= shown.keys()
    assert shown["history"][0]["kind"] == "started"
    assert done("experiment", "keep", listed["id"], workspace=shop) == {"kept": True}
    assert [e["kind"] for e in done("experiment", "show", workspace=shop)["history"]] == ["started", "kept"]
    assert studio("experiment", "ship", workspace=shop).document["error"]["code"] == "TRIAL-NO-WINNER"
    assert studio("experiment", "undo", "77", workspace=shop).document["error"]["code"] == "PROMOTION-UNKNOWN"


def test_an_unknown_run_step_or_profile_is_refused_before_anything_happens(shop: Path) -> None:
    for asked in (("failed", "r77"), ("samples", "r1", "--node", "nope"), ("retry", "r1", "--node", "nope")):
        said = studio(*asked, workspace=shop)
        assert said.code == 2, asked
        assert said.document["error"]["hint"]
    made = shop.parent / "win-back.workflow.json"
    said = studio("run", made, "--mode", "test", "--profile", shop / "nope.json", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "PROFILE-UNREADABLE")
    assert [row["run_id"] for row in done("runs", workspace=shop)] == ["r1"]


def test_templates_are_looked_at_before_one_is_taken(tmp_path: Path) -> None:
    context = tmp_path / "context.json"
    business = {"name": "Harbour Physio", "language": "en"}
    facts = [{"name": name, "value": value, "confidence": 1.0, "evidence": "said"} for name, value in business.items()]
    context.write_text(json.dumps({"facts": facts}))
    about = ("--context", str(context), "--json")
    messages = json.loads(studio("templates", "messages", "appointment-reminder", *about, workspace=tmp_path / "w").out)
    assert all(message["text"].startswith("Hello Anna,\n\n") and not message["problem"] for message in messages)
    pair = ("appointment-reminder", "review-request")
    sides = json.loads(studio("templates", "compare", *pair, *about, workspace=tmp_path / "w").out)
    assert [side["template"] for side in sides] == [*pair]
    assert all(side["band"] and side["why"] for side in sides)
    assert studio("templates", "compare", "vip", "vipp", workspace=tmp_path / "w").code == 2
