"""`studio experiment list|show|ship|keep|undo|rows`: experiments of a workspace, and one from a file of raw rows."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.analytics.samples import Columns
from studio.analytics.trial_details import TrialDetails
from studio.cli.output import Output, table
from studio.cli.session import Session, common, settings
from studio.domain.errors import UserFixable
from studio.experiments.result import Analysis
from studio.workspace.row_experiments import Question, RowsReport, analyze_rows
from studio.workspace.trials import Trial


def add_results(verbs: argparse._SubParsersAction) -> None:
    """The verbs that look at experiments which have data."""
    command = verbs.add_parser("list", help="every experiment of the workspace, and how it stands")
    common(command)
    command.set_defaults(run=_list)
    for name, words, work in (
        ("show", "one experiment: variants, evidence, health, for whom, history", _show),
        ("ship", "write the winner into its template; refused while none is proven", _ship),
        ("keep", "note that a person saw the decision and goes on", _keep),
    ):
        command = verbs.add_parser(name, help=words)
        command.add_argument("run_id", nargs="?", metavar="RUN[/NODE]", help="the newest run's first unless said")
        common(command)
        command.set_defaults(run=work)
        if name == "show":
            command.add_argument("--treatment", metavar="ID", help="whose segments and revenue; else the leading one")
    command = verbs.add_parser("undo", help="take a shipped winner back")
    command.add_argument("undo_id", metavar="ID")
    common(command)
    command.set_defaults(run=_undo)
    _add_rows(verbs)


def _add_rows(verbs: argparse._SubParsersAction) -> None:
    command = verbs.add_parser("rows", help="analyse a file of raw rows: CSV, Parquet or JSON lines")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--variant", required=True, metavar="COLUMN")
    command.add_argument("--value", required=True, metavar="COLUMN", help="outcome; above 0 is converted for a rate")
    command.add_argument("--control", required=True, metavar="ID")
    command.add_argument("--metric", choices=["proportion", "mean", "ratio"], default="mean")
    command.add_argument("--unit", metavar="COLUMN", help="rows with the same value are one randomised unit")
    command.add_argument("--denominator", metavar="COLUMN", help="for a ratio")
    command.add_argument("--covariate", metavar="COLUMN", help="known before the exposure; makes the answer sharper")
    command.add_argument("--segment", metavar="COLUMN", help="also within each value of this column, corrected")
    command.add_argument("--planned-total", type=int, metavar="N", help="units planned in all variants together")
    command.add_argument("--weight", action="append", metavar="ID=W", help="planned shares, for the split check")
    command.add_argument("--alpha", type=float, default=0.05)
    command.add_argument("--mode", choices=["anytime", "fixed", "strict"], default="anytime")
    command.add_argument("--cap", type=float, help="values above count as this")
    command.add_argument("--percentile", type=float, metavar="P", help="cap at this percentile of payers (99.9)")
    common(command)
    command.set_defaults(run=_rows)


def _place(workspace, arguments: argparse.Namespace) -> tuple[str, str | None]:
    if arguments.run_id is None:
        return workspace.known_runs.newest(), None
    run_id, _, node = arguments.run_id.partition("/")
    return run_id, node or None


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        trials = workspace.trials.list()
        series = workspace.trials.series(trials)
    found = [_summary(trial, series) for trial in trials]
    rows = [(s["id"], s["name"], s["verdict"], s["variant"], s["lift"], s["people"], s["planned"]) for s in found]
    out.document({"experiments": found}, table(rows, ("id", "name", "verdict", "variant", "lift", "people", "planned")))
    return 0


def _summary(trial: Trial, series: dict[str, bool]) -> dict[str, object]:
    plan, decision = trial.result.plan, trial.result.analysis.decision
    name = f"{plan.run_id}/{plan.node_id}"
    lifts = {c.variant: c.lift for c in trial.result.analysis.comparisons}
    return {
        "id": name,
        "name": plan.name,
        "verdict": decision.verdict,
        "variant": decision.variant,
        "lift": lifts.get(decision.variant or "", max((v for v in lifts.values() if v is not None), default=None)),
        "people": sum(variant.people for variant in trial.result.variants),
        "planned": plan.planned_total,
        "shipped": trial.shipped,
        "finding_in_series": series.get(name, False),
    }


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        run_id, node = _place(workspace, arguments)
        trial = workspace.trials.of(run_id, node)
        details = workspace.trials.details(run_id, node, arguments.treatment)
        history = workspace.trials.history(run_id, node)
    result = trial.result
    document = {
        "id": f"{result.plan.run_id}/{result.plan.node_id}",
        "plan": result.plan,
        "variants": result.variants,
        **result.analysis.as_json(),
        "health": {
            "crossovers": result.crossovers,
            "settled": result.settled,
            "guardrails": result.guardrails,
            "novelty": details.trend,
            "interactions": details.interactions,
        },
        "revenue": details.revenue,
        "segments": details.segments,
        "side_effects": details.side_effects,
        "expected_lift": details.expected,
        "aftercare": trial.aftercare,
        "shipped": trial.shipped,
        "history": history,
    }
    lines = [_decision(result.analysis), "", _variants(trial), "", _segment_words(details), "", _side_effects(details)]
    lines += [f"{entry.at:%Y-%m-%d}  {entry.text}" for entry in history]
    out.document(document, "\n".join(lines))
    return 0


def _decision(analysis: Analysis) -> str:
    verdict = analysis.decision.verdict.replace("_", " ")
    about = f"{verdict}: {analysis.decision.variant}" if analysis.decision.variant else verdict
    return "\n".join((about, *(f"  {reason}" for reason in analysis.decision.reasons)))


def _variants(trial: Trial) -> str:
    bounds = {c.variant: c for c in trial.result.analysis.comparisons}
    rows = []
    for v in trial.result.variants:
        found = bounds.get(v.id)
        low, high = (found.anytime.lift_ci or (None, None)) if found else (None, None)
        lift, revenue = found.lift if found else None, v.revenue.mean if v.people else None
        rows.append((v.id, v.value, v.people, v.converted, v.rate, lift, low, high, revenue))
    heads = ("variant", "value", "people", "converted", "rate", "lift", "low", "high", "revenue / person")
    return table(rows, heads)


def _segment_words(details: TrialDetails) -> str:
    rows = [
        (dimension, s.name, s.n, s.lift, s.p_value)
        for dimension, found in details.segments.items()
        for s in found.segments
    ]
    return table(rows, ("by", "segment", "people", f"lift of {details.treatment}", "corrected p"))


def _side_effects(details: TrialDetails) -> str:
    rows = [(s.title, s.control_rate, s.rate, s.lift, s.q_value) for s in details.side_effects]
    return table(rows, ("what else changed", "control", details.treatment, "lift", "corrected p")) if rows else ""


def _ship(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        shipped = workspace.trials.ship(*_place(workspace, arguments))
    words = f"“{shipped.to_value}” is now the default of {shipped.template}, in place of “{shipped.from_value}”."
    out.document(shipped, f"{words}\nTake it back with: studio experiment undo {shipped.undo_id}")
    return 0


def _keep(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.trials.keep_running(*_place(workspace, arguments))
    out.document({"kept": True}, "It goes on as it is.")
    return 0


def _undo(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.trials.undo(arguments.undo_id)
    out.document({"undone": arguments.undo_id}, "The template has its former default again.")
    return 0


def _rows(arguments: argparse.Namespace, out: Output) -> int:
    columns = Columns(
        variant=arguments.variant,
        value=arguments.value,
        unit=arguments.unit,
        denominator=arguments.denominator,
        covariate=arguments.covariate,
    )
    report = analyze_rows(
        arguments.file,
        Question(
            columns=columns,
            metric=arguments.metric,
            control=arguments.control,
            planned_total=arguments.planned_total,
            alpha=arguments.alpha,
            mode=arguments.mode,
            weights=_weights(arguments.weight),
            cap=arguments.cap,
            percentile=arguments.percentile,
            segment=arguments.segment,
        ),
    )
    sample = report.sample
    document = {
        **report.analysis.as_json(),
        "arms": sample.arms,
        "cap": sample.cap,
        "top_share": sample.top_share,
        "crossovers": sample.crossovers,
        "segments": report.segments,
        "stratified": report.stratified,
    }
    out.document(document, _rows_words(report))
    return 0


def _rows_words(report: RowsReport) -> str:
    rows = []
    for c in report.analysis.comparisons:
        low, high = c.anytime.lift_ci or (None, None)
        rows.append((c.variant, c.effect, c.lift, low, high, c.ship.lower_bound, c.fixed.p_value))
    lines = [
        _decision(report.analysis),
        "",
        table(rows, ("variant", "effect", "lift", "low", "high", "ship bound", "p")),
    ]
    if report.sample.cap is not None:
        lines.append(f"Values above {report.sample.cap:,.2f} count as that.")
    if report.sample.crossovers:
        lines.append(f"{report.sample.crossovers:,} units met two variants and count in none.")
    for treatment, found in report.segments.items():
        parts = [(s.name, s.n, s.lift, s.p_value) for s in found.segments]
        lines += ["", table(parts, ("segment", "units", f"lift of {treatment}", "corrected p"))]
        whole = report.stratified[treatment]
        if whole is not None:
            low, high = whole.ci
            lines.append(f"Stratified, the effect of {treatment} is {whole.effect:.4g} ({low:.4g} to {high:.4g}).")
    return "\n".join(lines)


def _weights(pairs: list[str] | None) -> dict[str, float] | None:
    if not pairs:
        return None
    found: dict[str, float] = {}
    for name, text in settings(pairs).items():
        try:
            found[name] = float(text)
        except ValueError:
            raise UserFixable("USAGE", f"“{text}” is no number.", where="--weight", hint="Like --weight A=9") from None
    return found
