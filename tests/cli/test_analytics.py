"""`studio analytics …`: every verb answers on a real run, with figures that agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import done, studio
from tests.cli.test_commands import shop

assert shop, "the fixture of the commands' own tests is this one's too"


def ask(shop: Path, *words: object) -> dict:
    answer = done("analytics", *words, workspace=shop)
    assert answer["elapsed_ms"] >= 0
    return answer


def test_verbs_of_one_run_agree(shop: Path) -> None:
    kpis = {kpi["name"]: kpi for kpi in ask(shop, "kpis")["kpis"]}
    steps = {step["kind"]: step["people"] for step in ask(shop, "funnel")["funnels"][0]["steps"]}
    exits = ask(shop, "exits")["exits"]
    assert kpis["reach"]["value"] == steps["sent"] > 0
    assert sum(row["people"] for row in exits) >= steps["entered"] == 40
    sent = ask(shop, "timeseries", "--kind", "sent", "--by", "node")["series"]
    assert sum(row["count"] for row in sent) >= steps["sent"]
    curve = ask(shop, "time-to-goal")
    assert curve["watched"] <= steps["entered"]
    assert curve["converted"] <= curve["watched"]
    cohorts = ask(shop, "cohorts", "--every", "week")["cohorts"]
    assert sum(row["size"] for row in cohorts) == kpis["buyers"]["denominator"]
    assert sum(row["converted"] for row in cohorts) == kpis["buyers"]["value"]
    opened = sum(map(sum, ask(shop, "heatmap")["counts"]))
    every = sum(
        row["count"]
        for row in ask(shop, "timeseries", "--kind", "opened", "--by", "actor")["series"]
        if row["group"] != "machine"
    )
    assert opened == every
    assert ask(shop, "latency")["steps"]
    credit = ask(shop, "attribution", "--model", "linear", "--window", "clicked=P7D")
    assert {row["model"] for row in credit["credit"]} <= {"linear"}
    assert "links" in ask(shop, "links")
    assert ask(shop, "calibration")["metrics"]


def test_verbs_about_everything_from_outside(shop: Path) -> None:
    customers = ask(shop, "customers")["customers"]
    assert (customers["customers"], customers["orders"], customers["value_per_order"]) == (40, 40, 20.0)
    [cohort] = ask(shop, "cohorts", "--outside")["cohorts"]
    assert (cohort["size"], cohort["value"]) == (40, 800.0)
    [day] = ask(shop, "timeseries", "--outside", "--kind", "order")["series"]
    assert (day["count"], day["value"]) == (40, 800.0)
    assert ask(shop, "attribution", "--outside")["unattributed"]["orders"] == 40


def test_every_verb_has_words_for_a_person(shop: Path) -> None:
    for verb in (
        "kpis",
        "funnel",
        "exits",
        "time-to-goal",
        "cohorts",
        "heatmap",
        "latency",
        "attribution",
        "customers",
    ):
        said = studio("analytics", verb, workspace=shop, as_json=False)
        assert said.code == 0, said.err
        assert len(said.out.splitlines()) >= 2


@pytest.mark.parametrize("words", [("attribution", "--window", "clicked=soon"), ("timeseries", "--since", "never")])
def test_what_cannot_be_read_is_said(shop: Path, words: tuple[str, ...]) -> None:
    said = studio("analytics", *words, workspace=shop)
    assert said.code == 2
    assert said.document["error"]["hint"]


def test_overview_and_steps_agree_with_the_run(shop: Path) -> None:
    [row] = done("analytics", "overview", workspace=shop)["workflows"]
    series = ask(shop, "timeseries", "--kind", "sent", "--by", "node")["series"]
    assert row["sent"] == sum(line["count"] for line in series)
    node = series[0]["group"]
    step = done("analytics", "step", node, workspace=shop)
    sent = next(line for line in step["counts"] if line["kind"] == "sent")
    assert sent["events"] == sum(line["count"] for line in series if line["group"] == node)
    assert studio("analytics", "step", "nowhere", workspace=shop).code == 2
    assert studio("analytics", "insights", "--do", "stop", workspace=shop).code == 2
