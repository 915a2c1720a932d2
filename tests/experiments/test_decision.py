"""The ship rule, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studio.experiments.analyze import analyze
from studio.experiments.decision import has_burnt_in
from studio.experiments.moments import Mean, Proportion, Ratio
from studio.experiments.result import Decision
from studio.experiments.spec import ExperimentSpec, Guardrail, Variant

START = datetime(2026, 3, 1, tzinfo=UTC)


def spec(*arms, planned=40_000, **changes) -> ExperimentSpec:
    """Variants A, B, C … with these arms; pairs are (n, successes)."""
    made = tuple(
        Variant(chr(65 + index), arm if not isinstance(arm, tuple) else Proportion(*arm), 1.0)
        for index, arm in enumerate(arms)
    )
    metric = {Proportion: "proportion", Mean: "mean", Ratio: "ratio"}[type(made[0].arm)]
    return replace(
        ExperimentSpec(metric=metric, control="A", variants=made, planned_total=planned, mde=0.005), **changes
    )


def decide(experiment: ExperimentSpec, **options) -> Decision:
    return analyze(experiment, **options).decision


def words(decision: Decision) -> str:
    return " ".join(decision.reasons)


WIN, CONTROL = (18190, 545), (18240, 438)


def test_ships_what_is_proven_better():
    decision = decide(spec(CONTROL, WIN))
    assert (decision.verdict, decision.variant) == ("ship", "B")
    assert "B: 3.00 % against 2.40 % for A, a lift of +24.8 %." in decision.reasons
    assert "+0.12 points" in words(decision)


def test_goes_on_while_nothing_is_proven():
    decision = decide(spec((5_000, 120), (5_000, 130)))
    assert (decision.verdict, decision.variant) == ("keep_running", None)
    assert "not proven yet" in words(decision)
    assert decide(spec((5_000, 130), (5_000, 120))).verdict == "keep_running"


def test_a_wrong_split_blocks_everything():
    decision = decide(spec((18240, 438), (15000, 545)))
    assert (decision.verdict, decision.variant) == ("blocked", None)
    assert "did not get the shares" in words(decision)


def test_stops_for_harm_and_names_the_variant():
    decision = decide(spec(WIN, CONTROL))
    assert (decision.verdict, decision.variant) == ("stop_harm", "B")
    assert "stop sending B" in words(decision)


@pytest.mark.parametrize(("a", "b", "who"), [((400, 24), (400, 90), "A has 24"), ((400, 395), (400, 300), "A has 5")])
def test_no_verdict_before_enough_conversions(a, b, who):
    decision = decide(spec(a, b, planned=800))
    assert decision.verdict in ("keep_running", "stop_harm")
    if decision.verdict == "keep_running":
        assert who in words(decision)


def test_a_variant_that_nobody_converts_in_is_stopped_by_exact_evidence():
    decision = decide(spec((5_000, 250), (5_000, 0)))
    assert (decision.verdict, decision.variant) == ("stop_harm", "B")
    assert decide(spec((100, 5), (100, 0))).verdict == "keep_running"


def test_a_broken_control_does_not_ship_before_the_burn_in():
    decision = decide(spec((5_000, 0), (5_000, 250)))
    assert decision.verdict == "keep_running"
    assert "A has 0 of the 25 conversions" in words(decision)
    assert "shipping needs more" in words(decision)


def test_runs_for_a_week_at_least():
    experiment = spec(CONTROL, WIN, started_at=START)
    early = decide(experiment, now=START + timedelta(days=2))
    assert early.verdict == "keep_running"
    assert "2.0 of at least 7 days" in words(early)
    assert decide(experiment, now=START + timedelta(days=7)).verdict == "ship"
    assert decide(experiment, now=START + timedelta(days=2), minimum_run=timedelta(days=1)).verdict == "ship"
    assert decide(experiment).verdict == "ship"
    harmful = spec(WIN, CONTROL, started_at=START)
    assert decide(harmful, now=START + timedelta(days=1)).verdict == "stop_harm"


def test_stops_when_every_difference_is_too_small_to_matter():
    decision = decide(spec((40_000, 1_000), (40_000, 1_005), planned=80_000))
    assert decision.verdict == "stop_futile"
    assert "smaller than 0.50 points" in words(decision)
    assert decide(spec((40_000, 1_000), (40_000, 1_005), planned=80_000, mde=None)).verdict == "keep_running"


def test_stops_at_three_times_the_plan():
    assert decide(spec((6_000, 150), (6_000, 160), planned=4_000)).verdict == "stop_futile"
    assert decide(spec((6_000, 150), (5_999, 160), planned=4_000)).verdict == "keep_running"
    assert decide(spec((3, 0), (3, 1), planned=2)).verdict == "stop_futile"


def test_of_several_the_most_certain_ships_and_the_worse_are_named():
    decision = decide(spec((20_000, 1_000), (20_000, 1_300), (20_000, 1_250), (20_000, 700), planned=80_000))
    assert (decision.verdict, decision.variant) == ("ship", "B")
    assert "D does worse than A." in decision.reasons


def test_three_treatments_share_the_error():
    two = analyze(spec((20_000, 1_000), (20_000, 1_130), planned=40_000))
    four = analyze(spec((20_000, 1_000), (20_000, 1_130), (20_000, 1_000), (20_000, 990), planned=40_000))
    assert two.decision.verdict == "ship"
    assert four.comparisons[0].ship.alpha == 0.05 / 3
    assert four.comparisons[0].ship.lower_bound < two.comparisons[0].ship.lower_bound
    assert four.comparisons[0].anytime == two.comparisons[0].anytime


class TestFixed:
    def test_decides_at_the_planned_size_only(self):
        early = decide(spec(CONTROL, WIN, mode="fixed"))
        assert early.verdict == "keep_running"
        assert "40,000 contacts; there are 36,430" in words(early)
        assert decide(spec(CONTROL, WIN, mode="fixed", planned=36_430)).verdict == "ship"
        assert decide(spec(WIN, CONTROL, mode="fixed", planned=36_430)).verdict == "stop_harm"
        assert decide(spec(WIN, CONTROL, mode="fixed")).verdict == "keep_running"

    def test_nothing_significant_at_the_planned_size_ends_it(self):
        decision = decide(spec((2_000, 100), (2_000, 105), mode="fixed", planned=4_000))
        assert decision.verdict == "stop_futile"
        assert "no difference is proven" in words(decision)

    def test_small_counts_are_decided_by_the_exact_test(self):
        analysis = analyze(spec((300, 28), (300, 46), mode="fixed", planned=600))
        fixed, exact = analysis.comparisons[0].fixed.p_value, analysis.comparisons[0].exact.p_value
        assert 0.02 < fixed < exact < 0.05
        assert analysis.decision.verdict == "ship"
        assert f"{exact:.2g}" in words(analysis.decision)

    def test_shares_the_error_between_treatments(self):
        arms = ((2_000, 200), (2_000, 242), (2_000, 205))
        assert decide(spec(*arms[:2], mode="fixed", planned=4_000)).verdict == "ship"
        assert decide(spec(*arms, mode="fixed", planned=6_000)).verdict == "stop_futile"


class TestStrict:
    def test_ships_on_exact_evidence(self):
        decision = decide(spec(CONTROL, WIN, mode="strict"))
        assert decision.verdict == "ship"
        assert "20 to 1 is needed" in words(decision)
        assert decide(spec(WIN, CONTROL, mode="strict")).verdict == "stop_harm"

    def test_goes_on_without_it(self):
        decision = decide(spec((5_000, 120), (5_000, 150), mode="strict"))
        assert decision.verdict == "keep_running"
        assert "exact evidence for B" in words(decision)


def guarded(a, b, **options) -> ExperimentSpec:
    guardrail = Guardrail(
        name="Unsubscribes",
        variants=(Variant("A", Proportion(*a)), Variant("B", Proportion(*b))),
        **{"margin": 0.1, **options},
    )
    return spec(CONTROL, WIN, guardrails=(guardrail,))


class TestGuardrails:
    def test_within_the_margin_ships_and_says_so(self):
        decision = decide(guarded((18_240, 9_000), (18_190, 9_000)))
        assert decision.verdict == "ship"
        assert "within the 10 % allowed" in words(decision)

    def test_too_little_known_waits(self):
        decision = decide(guarded((18_240, 90), (18_190, 91)))
        assert decision.verdict == "keep_running"
        assert "10 % is allowed" in words(decision)

    def test_no_events_at_all_waits(self):
        decision = decide(guarded((18_240, 0), (18_190, 0)))
        assert decision.verdict == "keep_running"
        assert "too little data" in words(decision)

    @pytest.mark.parametrize(
        ("harm", "b", "verdict"),
        [
            ("increase", 6_000, "stop_harm"),
            ("increase", 2_000, "ship"),
            ("decrease", 2_000, "stop_harm"),
            ("decrease", 6_000, "ship"),
            ("either", 6_000, "keep_running"),
            ("either", 2_000, "keep_running"),
        ],
    )
    def test_harm_has_a_direction(self, harm, b, verdict):
        decision = decide(guarded((18_240, 4_000), (18_190, b), harm=harm))
        assert decision.verdict == verdict
        assert ("Say which direction" in words(decision)) == (harm == "either")
        assert ("worse than the 10 % allowed" in words(decision)) == (verdict == "stop_harm")


def test_means_need_contacts_and_payers():
    a, b = Mean(499, 5.0, 1.0), Mean(499, 9.0, 1.0)
    assert "A has 499 of the 500 contacts" in words(decide(spec(a, b, planned=1_000)))
    assert decide(spec(Mean(500, 5.0, 1.0), Mean(500, 9.0, 1.0), planned=1_000)).verdict == "ship"
    few = decide(spec(Mean(500, 5.0, 1.0, payers=24), Mean(500, 9.0, 1.0, payers=400), planned=1_000))
    assert few.verdict == "keep_running"
    assert "A has 24 of the 25 paying" in words(few)
    assert decide(spec(Mean(500, 9.0, 1.0), Mean(500, 5.0, 1.0), planned=1_000)).verdict == "stop_harm"
    assert decide(spec(b, a, planned=1_000)).verdict == "keep_running"


def test_burn_in_of_ratios_and_rates():
    assert has_burnt_in(Ratio(500, 1, 1, 1, 1, 0))
    assert not has_burnt_in(Ratio(499, 1, 1, 1, 1, 0))
    assert has_burnt_in(Proportion(50, 25))
    assert not has_burnt_in(Proportion(50, 24))
    assert not has_burnt_in(Proportion(50, 26))
    assert has_burnt_in(Mean(500, 1.0, 1.0, payers=25))


def test_a_retired_variant_is_mentioned():
    experiment = spec(CONTROL, WIN, (7, 1))
    retired = replace(experiment.variants[2], weight=0.0)
    decision = decide(replace(experiment, variants=(*experiment.variants[:2], retired)))
    assert "C has weight 0 and 7 contacts" in words(decision)
    assert decision.verdict == "keep_running" or decision.variant == "B"


def test_all_variants_retired_still_has_an_answer():
    experiment = spec(CONTROL, WIN)
    paused = tuple(replace(variant, weight=0.0) for variant in experiment.variants)
    assert decide(replace(experiment, variants=paused)).verdict == "ship"


def test_while_many_may_still_convert_a_winner_must_be_proven_among_those_who_are_done():
    arms = (Variant("A", Proportion(9_000, 450)), Variant("B", Proportion(9_000, 630)))
    spec = ExperimentSpec(metric="proportion", control="A", variants=arms, planned_total=20_000)
    done = {"A": Proportion(4_000, 400), "B": Proportion(4_000, 560)}
    level = {"A": Proportion(4_000, 400), "B": Proportion(4_000, 404)}
    few = {"A": Proportion(40, 0), "B": Proportion(40, 30)}
    assert analyze(spec).decision.verdict == "ship"
    assert analyze(spec, settled=done).decision.verdict == "ship"
    for known in (level, few):
        decision = analyze(spec, settled=known).decision
        assert decision.verdict == "keep_running"
        assert "Many may still convert" in " ".join(decision.reasons)


def test_a_fixed_look_at_several_treatments_is_corrected_by_dunnett():
    """Between Bonferroni's .05 / 3 and the plain .05: for three treatments the limit is about .0196."""

    def verdict(hits):
        arms = [Variant("A", Proportion(20_000, 1_000)), Variant("B", Proportion(20_000, hits))]
        arms += [Variant(name, Proportion(20_000, 1_000)) for name in "CD"]
        spec = ExperimentSpec(
            metric="proportion", control="A", variants=tuple(arms), planned_total=80_000, mode="fixed", mde=0.001
        )
        found = analyze(spec)
        return found.comparisons[0].fixed.p_value, found.decision.verdict

    by_p = [verdict(hits) for hits in range(1_095, 1_118)]
    shipped = [p for p, name in by_p if name == "ship"]
    waiting = [p for p, name in by_p if name != "ship"]
    assert 0.05 / 3 < max(shipped) < 0.0205 < 0.05
    assert min(waiting) > max(shipped)
