"""`studio experiment`: raw rows against NumPy, plans with unequal shares, and how each refuses."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from tests.cli.terminal import done, studio


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    rng = np.random.default_rng(4)
    n = 4_000
    arm = rng.choice(["old", "new"], n)
    paid = np.where(rng.random(n) < np.where(arm == "new", 0.2, 0.1), rng.lognormal(2, 1, n), 0.0)
    frame = pl.DataFrame({"who": np.arange(n), "arm": arm, "paid": paid, "land": rng.choice(["DE", "AT"], n)})
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    frame.write_csv(path)
    return path, frame


OPTIONS = ("--variant", "arm", "--value", "paid", "--control", "old")


def test_rows_are_analysed(rows):
    path, frame = rows
    answer = done("experiment", "rows", path, *OPTIONS, "--metric", "proportion", "--segment", "land")
    hits = {arm: frame.filter(pl.col("paid") > 0, arm=arm).height for arm in ("old", "new")}
    assert {name: arm["successes"] for name, arm in answer["arms"].items()} == hits
    assert answer["comparisons"][0]["variant"] == "new"
    assert answer["decision"]["verdict"] == "ship"
    assert {s["name"] for s in answer["segments"]["new"]["segments"]} == {"DE", "AT"}


def test_revenue_is_capped_unless_told_otherwise(rows):
    path, frame = rows
    capped = done("experiment", "rows", path, *OPTIONS)
    plain = done("experiment", "rows", path, *OPTIONS, "--percentile", "100")
    paid = frame.filter(pl.col("paid") > 0)["paid"]
    assert capped["cap"] == pytest.approx(np.percentile(paid.to_numpy(), 99.9))
    assert plain["arms"]["new"]["mean"] == pytest.approx(frame.filter(arm="new")["paid"].mean())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--variant", "arms", "--value", "paid", "--control", "old"), "no column “arms”"),
        (("--variant", "arm", "--value", "land", "--control", "old"), "not numbers"),
        (("--variant", "arm", "--value", "paid", "--control", "older"), "new, old"),
        ((*OPTIONS, "--weight", "old=1"), "new, old"),
        ((*OPTIONS, "--weight", "old=much"), "no number"),
        ((*OPTIONS, "--segment", "shoe"), "no column “shoe”"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(rows, changes, words):
    said = studio("experiment", "rows", rows[0], *changes)
    assert said.code == 2
    assert words in said.document["error"]["message"] + said.out


def test_files_that_are_none(tmp_path):
    assert studio("experiment", "rows", tmp_path / "no.csv", *OPTIONS).document["error"]["code"] == "FILE-MISSING"
    (tmp_path / "a.xls").write_text("x")
    assert studio("experiment", "rows", tmp_path / "a.xls", *OPTIONS).document["error"]["code"] == "FILE-KIND"
    (tmp_path / "a.parquet").write_text("no parquet")
    assert studio("experiment", "rows", tmp_path / "a.parquet", *OPTIONS).document["error"]["code"] == "FILE-UNREADABLE"


def test_a_prior_moves_the_bayesian_view_and_nothing_else(tmp_path):
    spec = {"metric": "proportion", "control": "A", "planned_total": 2_000}
    spec["variants"] = [{"id": "A", "n": 300, "successes": 12}, {"id": "B", "n": 300, "successes": 24}]
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    plain = done("experiment", "analyze", tmp_path / "spec.json")
    told = done("experiment", "analyze", tmp_path / "spec.json", "--prior", "0.05:200")
    assert told["comparisons"][0]["bayes"]["p_better"] < plain["comparisons"][0]["bayes"]["p_better"]
    assert told["bayes_best"] != plain["bayes_best"]
    assert told["comparisons"][0]["ship"] == plain["comparisons"][0]["ship"]
    assert studio("experiment", "analyze", tmp_path / "spec.json", "--prior", "0.05:900").code == 2


def test_a_plan_with_unequal_shares():
    answer = done("experiment", "plan", "--baseline", "0.05", "--mde", "0.01", "--weights", "9,1")
    equal = done("experiment", "plan", "--baseline", "0.05", "--mde", "0.01")
    assert answer["n_total"] > 2 * equal["n_total"]
    weeks = studio("experiment", "plan", "--baseline", "0.05", "--mde", "0.01", "--daily", "900", as_json=False)
    assert "chance to be decided" in weeks.out
    assert studio("experiment", "plan", "--baseline", "0.05", "--mde", "0.01", "--weights", "a").code == 2
