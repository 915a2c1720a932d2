"""Analytics, experiments and runs show what the use cases say, and do what their buttons promise."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.domain.run import RunView
from studio.experiments.result import Decision
from studio.experiments.vigil import Vigil
from studio.ui import charts as c
from studio.ui import export, numbers
from studio.ui.screens.analytics.screen import AnalyticsPage
from studio.ui.screens.experiments import words as ew
from studio.ui.screens.experiments.health import health_lines
from studio.ui.screens.experiments.screen import ExperimentsPage
from studio.ui.screens.experiments.words import among_tests, trial_id
from studio.ui.screens.next_steps import next_steps
from studio.ui.screens.run_figures import predicted, revenue_chart, send_steps
from studio.ui.screens.runs.rows import filtered, messages
from studio.ui.screens.runs.screen import RunsPage
from studio.workspace.trials import Trial
from studio.workspace.workspace import Workspace

from .conftest import Trail, button, settle, words


@dataclass
class UndoTrail(Trail):
    """Keeps the way back, too."""

    undos: list[Callable[[], object]] = field(default_factory=list)

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        super().notify(text, undo)
        if undo is not None:
            self.undos.append(undo)


def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, export.Rows]:
    kept: dict[str, export.Rows] = {}
    monkeypatch.setattr(export, "save_csv", lambda _parent, name, rows: kept.__setitem__(name, rows))
    return kept


class TestAnalytics:
    def test_shows_the_figures_of_the_run(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(AnalyticsPage(seen, trail))
        insight = seen.insights.of_run("r1")
        assert page.run.header.title.text().replace("\u00a0", " ") == insight.finding.replace("\u00a0", " ")
        read = words(page)
        returned = insight.returned
        assert f"€ {returned.revenue:,.0f}" in read
        assert f"{returned.buyers:,}" in read
        assert f"{insight.events:,} events" in read
        funnel = page.run.funnel.chart.data_rows()
        assert [row[1] for row in funnel.values] == [step.people for step in insight.funnel.steps]

    def test_the_last_point_of_revenue_is_the_revenue_and_the_prediction_is_for_everybody_treated(
        self, seen: Workspace
    ) -> None:
        insight = seen.insights.of_run("r1")
        chart, made = revenue_chart(insight), insight.predicted["revenue_per_recipient"]
        assert chart.actual[-1].y == pytest.approx(insight.returned.revenue)
        last = chart.predicted[-1]
        assert last.mid == pytest.approx(made.mean * insight.returned.people)
        assert (last.low, last.high) == pytest.approx(
            (made.low * insight.returned.people, made.high * insight.returned.people)
        )
        assert chart.band_label == "90\u00a0% interval"
        assert [p.y for p in chart.actual] == sorted(p.y for p in chart.actual)
        expected = predicted(insight, "revenue")
        assert expected is not None
        assert expected.mean == pytest.approx(last.mid)

    def test_steps_are_the_send_steps_with_their_people(
        self, seen: Workspace, trail: Trail, open_page: Callable
    ) -> None:
        page = open_page(AnalyticsPage(seen, trail))
        insight = seen.insights.of_run("r1")
        counted = {
            (node, kind): people for node, kind, people in insight.steps.select("node_id", "kind", "people").iter_rows()
        }
        rows = page.run.steps.table.rows()
        assert [row.node_id for row in rows] == [n.id for n in insight.workflow.nodes if n.type == "send.email"]
        for row in rows:
            assert row.of("sent") == counted.get((row.node_id, "sent"), 0)
            assert row.of("clicked") == counted.get((row.node_id, "clicked"), 0)

    def test_failed_items_of_a_step_come_from_the_run(self, ran: Workspace) -> None:
        insight, view = ran.insights.of_run("r1"), ran.runs.view("r1")
        hurt = replace(view, steps={**view.steps, "mail_2": replace(view.step("mail_2"), failed=3, quarantined=4)})
        assert {s.node_id: s.failed for s in send_steps(insight, hurt)}["mail_2"] == 7

    def test_next_steps_are_real_and_lead_there(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(AnalyticsPage(seen, trail))
        titles = [step.title for step in page.run.next.steps]
        assert "Ship B to the template" in titles
        button(page, "Review: Ship B to the template").click()
        assert trail.calls[-1] == ("go", "experiments", "r1/subject_test")

    def test_a_shipped_winner_is_not_proposed_again(self, ran: Workspace) -> None:
        ran.trials.ship("r1")
        found = next_steps(ran.insights.of_run("r1"), RunView("r1"), ran.trials.of("r1"), ())
        assert not [step for step in found if "Ship" in step.title]

    def test_what_it_caused_says_whether_it_can_be_told(
        self, seen: Workspace, trail: Trail, open_page: Callable
    ) -> None:
        page = open_page(AnalyticsPage(seen, trail))
        increment = seen.insights.of_run("r1").returned.increment
        assert increment is not None
        said = page.run.caused.sentence.text()
        assert said.startswith("Not told apart" if increment.indistinguishable else "It brought")
        rows = {row[0]: row for row in page.run.caused.table.rows()}
        returned = seen.insights.of_run("r1").returned
        assert rows["People"][1:] == (numbers.count(returned.people), numbers.count(returned.held))

    def test_figures_are_exported_raw(
        self, seen: Workspace, trail: Trail, open_page: Callable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = saved(monkeypatch)
        page = open_page(AnalyticsPage(seen, trail))
        page.run._export_figures()
        rows = kept["r1 Figures"]
        assert rows.values[0][:2] == ["Revenue", seen.insights.of_run("r1").returned.revenue]

    def test_says_how_to_begin_without_a_run(self, workspace: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(AnalyticsPage(workspace, trail))
        assert "No figures yet" in words(page)
        button(page, "Open the demo").click()
        assert trail.calls == [("demo",)]

    def test_an_unknown_run_is_said_with_a_way_to_try_again(
        self, seen: Workspace, trail: Trail, open_page: Callable
    ) -> None:
        page = open_page(AnalyticsPage(seen, trail), "r99")
        assert button(page, "Try again")


class TestExperiments:
    def test_says_who_wins_and_shows_the_counts(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        result = seen.trials.of("r1").result
        assert page.header.title.text().startswith("B wins: “")
        rows = page.variants.table.rows()
        assert [(r.people, r.converted) for r in rows] == [(v.people, v.converted) for v in result.variants]
        last = result.band["B"][-1]
        assert (rows[1].low, rows[1].high) == (last.low, last.high)
        assert page.lift.chart.data_rows().values
        said = [numbers.as_written_here(reason) for reason in result.analysis.decision.reasons]
        assert list(page.reasons.reasons) == said
        assert not any("-" in reason for reason in said), "figures have a minus, not a hyphen"

    def test_ships_the_winner_and_takes_it_back(self, ran: Workspace, open_page: Callable, qtbot: QtBot) -> None:
        trail = UndoTrail()
        page = open_page(ExperimentsPage(ran, trail))
        button(page, "Ship B to the template").click()
        settle(qtbot)
        assert ran.trials.of("r1").shipped is not None
        assert "is now the default" in trail.said[-1]
        assert not page.ship.isVisibleTo(page)
        trail.undos[-1]()
        settle(qtbot)
        assert ran.trials.of("r1").shipped is None
        assert page.ship.isVisibleTo(page)
        assert page.ship.isEnabled()

    def test_a_winner_is_weighed_among_all_tests(self, seen: Workspace) -> None:
        trial = seen.trials.of("r1")
        own = trial_id(trial)
        assert seen.trials.series([trial]) == seen.trials.series()
        assert among_tests(trial, {own: True}) == ""
        assert "counts as a finding" in among_tests(trial, {own: True, "r2/ab": False})
        assert "test it again" in among_tests(trial, {own: False, "r2/ab": False})

    def test_opens_the_experiment_that_was_asked_for(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(ExperimentsPage(seen, trail), "r1/subject_test")
        assert page.choices.value == "r1/subject_test"
        assert [crumb.text for crumb in page.crumbs()] == ["Experiments", page.trial.result.plan.name]

    def test_the_planner_answers_and_escape_closes_it(
        self, seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
    ) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        button(page, "Plan new").click()
        page.planner.baseline.setValue(5.0)
        page.planner.smallest.setValue(20.0)
        page.planner.daily.setValue(1_000)
        page.planner.plan()
        settle(qtbot)
        plan = seen.trials.plan_new(baseline=0.05, smallest_lift=0.2, daily=1_000)
        assert page.planner.answer.text() == f"{plan.n_total:,} people, {plan.days}\u00a0days"
        qtbot.keyClick(page.planner, Qt.Key.Key_Escape)
        assert page.header.isVisibleTo(page)

    def test_the_slider_answers_how_long(
        self, seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
    ) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        button(page, "Plan new").click()
        planner = page.planner
        planner.slider.setValue(planner.slider.maximum())
        assert planner.smallest.value() == 100.0
        planner.smallest.setValue(10.0)
        assert 60 < planner.slider.value() < 80
        assert planner.smallest.value() == 10.0
        planner.plan()
        settle(qtbot)
        asked = {"baseline": planner.baseline.value() / 100, "daily": planner.daily.value()}
        for line in planner.table.rows():
            expected = seen.trials.plan_new(smallest_lift=line.lift, **asked)
            assert line.plan.n_total == expected.n_total
        points = planner.chart.data_rows().values
        chances = [row[1] for row in points]
        assert chances == sorted(chances)
        assert all(row[1] == 0 for row in points if row[0] < 7)

    def test_unequal_shares_take_longer(self, seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        button(page, "Plan new").click()
        page.planner.variants.setValue(4)
        assert page.planner.share.value() == 25
        page.planner.variants.setValue(2)
        page.planner.share.setValue(90)
        page.planner.plan()
        settle(qtbot)
        assert "in the smallest variant" in page.planner.detail.text()

    def test_says_for_whom_in_money_and_what_happened(
        self, seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
    ) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        settle(qtbot)
        details, history = seen.trials.details("r1"), seen.trials.history("r1")
        rows = page.segments.table.rows()
        assert [(row.people, row.lift) for row in rows] == [
            (s.n, s.lift) for found in details.segments.values() for s in found.segments
        ]
        assert "B earns" in page.revenue.finding.text()
        told = [numbers.as_written_here(entry.text).replace(numbers.NBSP, " ") for entry in history]
        assert all(line in words(page) for line in told)
        titles = [line.title for line in page.health.lines]
        assert titles[:4] == [
            "Traffic split",
            "Same person, same variant",
            "Guardrail: unsubscribes",
            "Guardrail: complaints",
        ]
        assert {line.state for line in page.health.lines} <= {"done", "waiting", "warning", "failed"}

    def test_going_on_is_noted(self, ran: Workspace, open_page: Callable, qtbot: QtBot) -> None:
        page = open_page(ExperimentsPage(ran, UndoTrail()))
        page.keep.click()
        settle(qtbot)
        assert "Left running by a person" in words(page)

    def test_figures_that_make_no_plan_are_explained(
        self, seen: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
    ) -> None:
        page = open_page(ExperimentsPage(seen, trail))
        button(page, "Plan new").click()
        page.planner.baseline.setValue(90.0)
        page.planner.smallest.setValue(50.0)
        page.planner.plan()
        settle(qtbot)
        assert page.planner.answer.text() == "No plan can be made from these figures"

    def test_says_how_to_begin_without_an_experiment(
        self, workspace: Workspace, trail: Trail, open_page: Callable
    ) -> None:
        assert "No experiments yet" in words(open_page(ExperimentsPage(workspace, trail)))


@pytest.fixture
def trial(ran: Workspace) -> Trial:
    return ran.trials.of("r1")


def decided(trial: Trial, verdict: str, variant: str | None) -> Trial:
    decision = Decision(verdict=verdict, variant=variant, reasons=())  # type: ignore[arg-type] - each of them below
    analysis = replace(trial.result.analysis, decision=decision)
    return replace(trial, result=replace(trial.result, analysis=analysis))


class TestOneRule:
    """Flag, colour and words follow the verdict and nothing else."""

    @pytest.mark.parametrize(
        ("verdict", "variant", "start", "tone"),
        [
            ("ship", "B", "B wins: “", "good"),
            ("stop_harm", "B", "B does harm: ", "bad"),
            ("stop_futile", None, "Time to stop: no difference worth having between A and B", "default"),
            ("blocked", None, "Held: ", "default"),
            ("keep_running", None, "No winner yet: ", "default"),
        ],
    )
    def test_words_and_colour(self, trial: Trial, verdict: str, variant: str | None, start: str, tone: str) -> None:
        shown = decided(replace(trial, run=replace(trial.run, state="running")), verdict, variant)
        assert ew.headline(shown).startswith(start)
        rows = {row.id: row for row in ew.variant_rows(shown)}
        assert rows["B"].tone == tone
        assert rows["A"].tone == "default"
        assert ew.can_ship(shown) == (verdict == "ship")
        assert bool(ew.why_not(shown)) == (verdict != "ship")
        chart = ew.lift_chart(shown)
        assert chart.colour == rows["B"].colour

    def test_a_futile_test_of_an_ended_run_is_stopped(self, trial: Trial) -> None:
        ended = decided(replace(trial, run=replace(trial.run, state="done")), "stop_futile", None)
        assert ew.headline(ended) == "Stopped: no difference worth having between A and B"

    def test_without_a_setting_nothing_can_be_shipped(self, trial: Trial) -> None:
        assert not ew.can_ship(decided(replace(trial, template=None), "ship", "B"))

    def test_the_band_that_is_drawn_never_widens_and_ends_where_the_table_says(self, trial: Trial) -> None:
        points = ew.lift_chart(trial).points
        widths = [p.high - p.low for p in points]
        assert widths == sorted(widths, reverse=True)
        row = next(row for row in ew.variant_rows(trial) if row.id == "B")
        assert (points[-1].low, points[-1].high) == (row.low, row.high)

    def test_a_wide_first_band_is_cut_off_not_left_out(self, trial: Trial) -> None:
        data = ew.lift_chart(trial)
        known = [look for look in trial.result.band["B"] if look.low is not None]
        assert len(data.points) == len(known)
        low, high = data.span
        assert low <= data.points[-1].low <= data.points[-1].high <= high
        assert low <= 0.0

    def test_a_shipped_value_that_did_harm_says_so_and_can_be_taken_back(self, trial: Trial) -> None:
        worse = Vigil(verdict="roll_back", effect=-0.01, lift=-0.2, lift_ci=(-0.3, -0.1), reason="They do worse.")
        shown = replace(decided(trial, "keep_running", None), aftercare=worse, watches="7")
        assert ew.headline(shown) == "Take the shipped change back: 20\u00a0% fewer orders than with the old value"
        assert ew.undo_of(shown) == "7"
        better = replace(shown, aftercare=replace(worse, verdict="holds", lift=0.1))
        assert ew.headline(better).startswith("The shipped change holds")
        assert ew.undo_of(better) is None
        watching = replace(shown, aftercare=replace(worse, verdict="watching"))
        assert ew.headline(watching).startswith("No winner yet")

    def test_beliefs_are_beta_densities(self, trial: Trial) -> None:
        curves: list[c.Density] = ew.beliefs(trial)
        for curve, variant in zip(curves, trial.result.variants, strict=True):
            step = curve.xs[1] - curve.xs[0]
            mass = math.fsum(curve.ys) * step
            mean = math.fsum(x * y for x, y in zip(curve.xs, curve.ys, strict=True)) * step / mass
            assert mass == pytest.approx(1.0, abs=2e-3)
            assert mean == pytest.approx((variant.converted + 1) / (variant.people + 2), rel=1e-3)


class TestRuns:
    def test_lists_runs_with_the_figures_of_their_insight(
        self, seen: Workspace, trail: Trail, open_page: Callable
    ) -> None:
        page = open_page(RunsPage(seen, trail))
        [line] = page.table.rows()
        assert line.brief.revenue == pytest.approx(seen.insights.of_run("r1").returned.revenue)
        assert line.brief.entered == seen.runs.report("r1").contacts
        assert line.state == {"done": "done", "waiting": "waiting"}[line.run.state]
        button(page, "Open").click()
        button(page, "Analytics").click()
        assert trail.calls == [("run", "r1"), ("go", "analytics", "r1")]

    def test_filters_by_state_mode_and_words(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(RunsPage(seen, trail))
        page.search.setText("CART r1")
        assert len(page.table.rows()) == 1
        page.search.setText("welcome")
        assert page.table.rows() == []
        assert page.nothing.isVisibleTo(page)
        assert not page.open.isEnabled()
        lines = page._lines
        assert filtered(lines, group="failed", mode="all", text="") == []
        assert filtered(lines, group="all", mode="live", text="") == []
        assert len(filtered(lines, group="all", mode="simulate", text="")) == 1

    def test_stops_and_resumes_the_chosen_run(
        self, ran: Workspace, trail: Trail, open_page: Callable, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        asked: list[tuple[str, str]] = []
        for name in ("resume", "retry", "stop"):
            monkeypatch.setattr(ran.runs, name, lambda run_id, name=name, **_options: asked.append((name, run_id)))
        page = open_page(RunsPage(ran, trail))
        for name in ("Resume", "Retry failed", "Stop"):
            found = button(page, name)
            found.setEnabled(True)
            found.click()
            settle(qtbot)
        assert asked == [("resume", "r1"), ("retry", "r1"), ("stop", "r1")]
        assert len(trail.said) == 3

    def test_says_how_to_begin_without_a_run(self, workspace: Workspace, trail: Trail, open_page: Callable) -> None:
        page = open_page(RunsPage(workspace, trail))
        assert "No runs yet" in words(page)
        assert not page.open.isVisibleTo(page)


def row(outbox_id: str, state: str) -> dict[str, object]:
    names = {
        "node": "mail_1",
        "contact": "bb-1",
        "to": "a@example.com",
        "message_id": "m",
        "attempts": 1,
        "reason": None,
    }
    return {"id": outbox_id, "run_id": "r1", "state": state, **names}


class TestOutbox:
    def test_those_in_doubt_come_first_and_only_they_can_be_settled(
        self, ran: Workspace, trail: Trail, open_page: Callable, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        ledger = [row("1", "sent"), row("2", "failed"), row("3", "in_doubt")]
        settled: list[tuple[str, str]] = []
        monkeypatch.setattr(
            ran.runs,
            "outbox",
            lambda *, state=None, limit=None: [r for r in ledger if state in (None, r["state"])][:limit],
        )
        monkeypatch.setattr(ran.runs, "resolve", lambda outbox_id, verdict: settled.append((outbox_id, verdict)))
        page = open_page(RunsPage(ran, trail), "outbox")
        rows = page.outbox.table.rows()
        assert [message.id for message in rows] == ["3", "2", "1"]
        page.outbox.table.selectRow(1)
        assert not button(page, "It was sent").isEnabled()
        page.outbox.table.selectRow(0)
        button(page, "Send again").click()
        settle(qtbot)
        assert settled == [("3", "resend")]

    def test_a_decision_is_taken_back_the_other_way(
        self, ran: Workspace, trail: Trail, open_page: Callable, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        ledger = [row("1", "resolved_sent"), row("2", "resend_approved")]
        settled: list[tuple[str, str]] = []
        monkeypatch.setattr(
            ran.runs,
            "outbox",
            lambda *, state=None, limit=None: [r for r in ledger if state in (None, r["state"])][:limit],
        )
        monkeypatch.setattr(ran.runs, "resolve", lambda outbox_id, verdict: settled.append((outbox_id, verdict)))
        page = open_page(RunsPage(ran, trail), "outbox")
        assert [message.id for message in page.outbox.table.rows()] == ["2", "1"]
        page.outbox.table.selectRow(0)
        assert not button(page, "Send again").isEnabled()
        button(page, "It was sent").click()
        settle(qtbot)
        page.outbox.table.selectRow(1)
        assert "nobody is moved in the workflow a second time" in words(page)
        assert not button(page, "It was sent").isEnabled()
        button(page, "Send again").click()
        settle(qtbot)
        assert settled == [("2", "sent"), ("1", "resend")]

    def test_each_message_is_listed_once(self) -> None:
        assert [m.id for m in messages([row("3", "in_doubt"), row("3", "in_doubt"), row("1", "sent")])] == ["3", "1"]

    def test_a_simulation_leaves_it_empty(self, seen: Workspace, trail: Trail, open_page: Callable) -> None:
        assert "The outbox is empty" in words(open_page(RunsPage(seen, trail), "outbox"))


def with_third(trial: Trial) -> Trial:
    """The trial with a variant C that did as B, and a reason for each."""
    result, b = trial.result, trial.result.variant("B")
    plan = replace(result.plan, weights={**result.plan.weights, "C": 0.5}, values={**result.plan.values, "C": "Third"})
    compared = [replace(c, variant="C") for c in result.analysis.comparisons if c.variant == "B"]
    reasons = ("B: up by +3.1 %.", "C: down by -2.5 %.", "Nobody may ship yet.")
    decision = Decision(verdict="keep_running", variant=None, reasons=reasons)
    analysis = replace(
        result.analysis, comparisons=(*result.analysis.comparisons, *compared), decision=decision,
        bayes_best={**result.analysis.bayes_best, "C": 0.0},
    )  # fmt: skip
    return replace(
        trial,
        result=replace(
            result,
            plan=plan,
            analysis=analysis,
            variants=(*result.variants, replace(b, id="C", value="Third")),
            band={**result.band, "C": result.band["B"]},
        ),
    )


def test_another_variant_is_put_beside_the_control_in_everything_that_is_about_one(
    seen: Workspace, trail: Trail, open_page: Callable, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    asked: list[str | None] = []
    details = seen.trials.details("r1")
    monkeypatch.setattr(seen.trials, "details", lambda _run, _node, of: asked.append(of) or details)
    page = open_page(ExperimentsPage(seen, trail))
    assert page.lift.treatment is None, "with one treatment there is nothing to choose"
    page.show_trials((with_third(seen.trials.of("r1")),))
    chip = page.lift.treatment
    assert chip is not None
    assert (chip.value, page.reasons.reasons[0]) == ("B", "B: up by +\u00a03.1 %.")
    chip.set_value("C")
    chip.chosen.emit("C")
    settle(qtbot)
    assert page.lift.chart.title == "Lift of C over A, as the data came in"
    assert list(page.reasons.reasons) == ["C: down by −\u00a02.5 %.", "Nobody may ship yet."]
    assert asked[-1] == "C"


def test_a_wrong_split_says_what_was_planned(seen: Workspace) -> None:
    trial = seen.trials.of("r1")
    analysis = replace(trial.result.analysis, srm=replace(trial.result.analysis.srm, p_value=1.4e-7, blocked=True))
    line = health_lines(replace(trial, result=replace(trial.result, analysis=analysis)), None, "B")[0]
    assert line.state == "failed"
    assert line.finding.endswith("planned 50.0 / 50.0, p\u00a0<\u00a00.001")


def test_the_figures_stand_before_what_costs_more_is_read(
    seen: Workspace, trail: Trail, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    gate, read = threading.Event(), seen.analyses.details
    monkeypatch.setattr(seen.analyses, "details", lambda *asked: gate.wait(20) and read(*asked))
    page = AnalyticsPage(seen, trail)
    qtbot.addWidget(page)
    page.show()
    try:
        page.entered("r1")
        qtbot.waitUntil(lambda: page.run.results is not None, timeout=20_000)
        buyers = f"{seen.insights.of_run('r1').returned.buyers:,}"
        qtbot.waitUntil(lambda: buyers in words(page.run.figures), timeout=20_000)  # shown a turn after they are made
        assert not page.run.steps.isVisibleTo(page), "what another run had must not stand under these figures"
        assert "Being worked out …" in words(page.run.next)
    finally:
        gate.set()
    settle(qtbot)
    assert page.run.steps.isVisibleTo(page)
    assert page.run.next.steps
