"""`studio analytics …`: figures of a run, or of everything from outside runs, each with how long it took."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import polars as pl

from studio.analytics.credit import MODELS
from studio.analytics.narrowed import Narrowing
from studio.analytics.survival import in_words
from studio.analytics.timing import WEEKDAYS
from studio.cli.output import Output, table
from studio.cli.session import Session, common, moment, settings
from studio.domain.duration import parse_duration
from studio.domain.errors import UserFixable
from studio.workspace.analyses import windows_of
from studio.workspace.overviews import MODES
from studio.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Said:
    """What a verb answers: the JSON, and the same for a person."""

    answer: Mapping[str, object]
    text: str


Work = Callable[[Workspace, argparse.Namespace], Said]


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("analytics")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = _verb(verbs, "overview", "all workflows beside each other", _overview, run=False)
    command.add_argument("--mode", choices=MODES, help="the most real one there is unless said")
    command.add_argument("--days", type=int, metavar="N", help="only the last N days, beside the N days before")
    command = _verb(verbs, "step", "one step of a run: what became of its messages", _step, run=False)
    command.add_argument("node_id", metavar="STEP")
    command.add_argument("--run", dest="run_id", metavar="RUN", help="the newest run unless said")
    _narrowing(command)
    command = _verb(verbs, "funnel", "how many people came how far", _funnel)
    command.add_argument("--by", choices=["variant"], help="one funnel per variant")
    _narrowing(command)
    _narrowing(_verb(verbs, "kpis", "revenue, return, reach, and what to keep an eye on", _kpis))
    _verb(verbs, "exits", "where people left, and why", _exits)
    _verb(verbs, "links", "what was clicked", _links)
    command = _verb(verbs, "timeseries", "one kind of event over time", _timeseries, outside=True)
    command.add_argument("--kind", default="converted", help="such as sent, opened, clicked, converted, order")
    command.add_argument("--every", choices=["hour", "day", "week"], default="day")
    command.add_argument("--by", choices=["node", "variant", "actor", "detail"])
    command.add_argument("--since", metavar="ISO")
    command.add_argument("--until", metavar="ISO")
    command = _verb(verbs, "time-to-goal", "how long people take, who is still open included", _time_to_goal)
    command.add_argument("--variant", help="only who met this variant of the first split")
    command = _verb(verbs, "cohorts", "who came when, and what became of them", _cohorts, outside=True)
    command.add_argument("--every", choices=["week", "month"], default="month")
    _verb(verbs, "customers", "everybody who ordered: repeat rate and value per customer", _customers, run=False)
    command = _verb(verbs, "heatmap", "weekday and hour, in each person's own zone", _heatmap, outside=True)
    command.add_argument("--kind", default="opened")
    _verb(verbs, "latency", "how long each step worked: p50 and p99", _latency)
    command = _verb(verbs, "attribution", "who gets the credit, by seven models", _attribution, outside=True)
    command.add_argument("--model", choices=MODELS, action="append", help="only this model; may be given again")
    command.add_argument(
        "--window",
        action="append",
        metavar="NAME=P5D",
        help="how long a channel's (or clicked's, opened's) touch counts",
    )
    _verb(verbs, "alerts", "what was out of the ordinary, when, and what likely caused it", _alerts, outside=True)
    command = _verb(verbs, "forecast", "what comes next, with bands that were earned", _forecast, outside=True)
    command.add_argument("--kind", default="converted")
    command.add_argument("--every", choices=["hour", "day", "week"], default="day")
    command.add_argument("--ahead", type=int, default=14, metavar="N")
    command.add_argument("--value", action="store_true", help="money instead of numbers of events")
    command = _verb(verbs, "ask", "ask in words: click rate by step in the last 7 days", _ask, run=False)
    command.add_argument("question", nargs="+", metavar="WORDS")
    command.add_argument("--run", dest="run_id", metavar="RUN", help="the newest run unless said")
    command.add_argument("--complete", action="store_true", help="how the question can go on, instead of the answer")
    command = _verb(verbs, "insights", "what to do next, what it is worth, and why", _insights)
    command.add_argument("--do", metavar="CODE", help="do it in the workflow, such as quiet.mail_3 or holdout")
    _verb(verbs, "calibration", "how often predictions held", _calibration, run=False)


def _verb(
    verbs: argparse._SubParsersAction, name: str, words: str, work: Work, *, run: bool = True, outside: bool = False
) -> argparse.ArgumentParser:
    command = verbs.add_parser(name, help=words)
    if run:
        command.add_argument("run_id", nargs="?", metavar="RUN", help="the newest run unless said")
    if outside:
        command.add_argument("--outside", action="store_true", help="not a run: what was imported from outside")
    common(command)
    command.set_defaults(run=lambda arguments, out: _answer(work, arguments, out))
    return command


def _narrowing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--variant", metavar="V", help="only people of this variant of the first split")
    command.add_argument("--entered-since", metavar="ISO", help="only people who entered since then")


def _chosen(arguments: argparse.Namespace) -> Narrowing:
    since = moment(arguments.entered_since) if arguments.entered_since else None
    return Narrowing(arguments.variant, since)


def _answer(work: Work, arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        if getattr(arguments, "outside", False):
            arguments.run_id = None
        elif "run_id" in arguments and arguments.run_id is None:
            arguments.run_id = workspace.known_runs.newest()
        before = time.perf_counter()
        said = work(workspace, arguments)
        elapsed_ms = (time.perf_counter() - before) * 1_000
    about = {"run_id": arguments.run_id} if "run_id" in arguments else {}
    out.document({**about, **said.answer, "elapsed_ms": elapsed_ms}, said.text)
    return 0


def _framed(name: str, frame: pl.DataFrame, more: Mapping[str, object] | None = None, shown: int = 60) -> Said:
    text = table([tuple(row) for row in frame.head(shown).iter_rows()], frame.columns)
    if frame.height > shown:
        text += f"\n… and {frame.height - shown:,} more rows (--json has them)"
    return Said({name: frame.to_dicts(), **(more or {})}, text)


def _funnel(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    run_id = arguments.run_id
    funnels = (
        workspace.insights.funnels(run_id) if arguments.by else (workspace.insights.funnel(run_id, _chosen(arguments)),)
    )
    rows = [
        (f.group or "everybody", step.title, step.people, step.share_of_entered, step.share_of_previous)
        for f in funnels
        for step in f.steps
    ]
    return Said({"funnels": funnels}, table(rows, ("group", "step", "people", "of entered", "of step before")))


def _kpis(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    insight = workspace.insights.of_run(arguments.run_id, _chosen(arguments))
    answer = {
        "finding": insight.finding,
        "kpis": insight.kpis,
        "bounces": workspace.analyses.bounces(arguments.run_id),
        "return": insight.returned,
        "incremental_roi": insight.returned.incremental_roi,
    }
    rows = [(k.title, k.value, k.unit, k.note) for k in insight.kpis]
    return Said(answer, f"{insight.finding}\n\n{table(rows, ('figure', 'value', 'unit', 'note'))}")


def _overview(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    if arguments.days is not None and arguments.days < 1:
        raise UserFixable("USAGE", "A span of less than a day shows nothing.", where="--days", hint="Use --days 14")
    seen = workspace.overviews.overview(arguments.mode, arguments.days)
    answer = {
        "mode": seen.mode,
        "since": seen.since,
        "until": seen.until,
        "currency": seen.currency,
        "finding": seen.finding,
        "workflows": [{**asdict(row), "roi": row.roi} for row in seen.workflows],
        "by_day": seen.by_day.to_dicts(),
    }
    rows = [(r.name, r.runs, r.sent, r.clicked, r.orders, r.revenue, r.before, r.roi) for r in seen.workflows]
    heads = ("workflow", "runs", "sent", "clicks", "orders", "revenue", "before", "return")
    return Said(answer, f"{seen.finding} ({seen.mode}).\n\n{table(rows, heads)}")


def _step(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    found = workspace.overviews.step(arguments.run_id, arguments.node_id, _chosen(arguments))
    answer = {
        "step": {"id": found.node.id, "type": found.node.type, "label": found.label},
        "counts": found.counts,
        "exits": found.exits,
        "links": found.links.to_dicts(),
        "credit": found.credit.to_dicts(),
        "latency_ms": None if found.latency is None else {"p50": found.latency[0], "p99": found.latency[1]},
    }
    rows = [(row.title, row.people, row.events, row.share) for row in found.counts]
    return Said(answer, f"{found.label}\n\n{table(rows, ('what', 'people', 'events', 'of those sent to'))}")


def _exits(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.exits(arguments.run_id)
    rows = [(row.title, row.people, row.share) for row in found]
    return Said({"exits": found}, table(rows, ("why", "people", "of entered")))


def _links(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    return _framed("links", workspace.analyses.links(arguments.run_id))


def _timeseries(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    since, until = (moment(text) if text else None for text in (arguments.since, arguments.until))
    found = workspace.analyses.series(
        arguments.kind, arguments.run_id, arguments.every, arguments.by, since=since, until=until
    )
    return _framed("series", found, {"kind": arguments.kind, "every": arguments.every})


def _time_to_goal(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    curve = workspace.analyses.time_to_goal(arguments.run_id, arguments.variant)
    points = [
        {"hours": h, "reached": r, "low": low, "high": high, "at_risk": int(n)}
        for h, r, low, high, n in zip(curve.hours, curve.reached, curve.low, curve.high, curve.at_risk, strict=True)
    ]
    quantiles = {f"{share:.0%}": curve.quantile(share) for share in (0.1, 0.25, 0.5)}
    shares = [(in_words(hours), curve.share_at(hours)) for hours in (24.0, 72.0, 168.0, 336.0, 720.0)]
    answer = {"watched": curve.watched, "converted": curve.converted, "quantile_hours": quantiles, "curve": points}
    first = f"{curve.converted:,} of {curve.watched:,} who entered have reached the goal."
    return Said(answer, f"{first}\n\n{table(shares, ('within', 'share that gets there'))}")


def _cohorts(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    if arguments.run_id is None:
        return _framed("cohorts", workspace.analyses.cohorts(arguments.every))
    return _framed("cohorts", workspace.analyses.entry_cohorts(arguments.run_id, arguments.every))


def _customers(workspace: Workspace, _arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.customers()
    rows = [(name.replace("_", " "), getattr(found, name)) for name in type(found).__dataclass_fields__]
    return Said({"customers": found}, table(rows, ("figure", "value")))


def _heatmap(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.heat(arguments.run_id, arguments.kind)
    best = found.best()
    answer = {
        "weekdays": WEEKDAYS,
        "counts": found.counts.tolist(),
        "without_zone": found.unknown,
        "best": None if best is None else {"weekday": best[0], "hour": best[1], "share": best[2]},
    }
    rows = [(day, *counts) for day, counts in zip(WEEKDAYS, found.counts.tolist(), strict=True)]
    return Said(answer, table(rows, ("", *(str(hour) for hour in range(24)))))


def _latency(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    return _framed("steps", workspace.analyses.latency(arguments.run_id))


def _attribution(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.attribution(arguments.run_id, windows_of(_windows(arguments.window)))
    credit = found.credit.filter(pl.col("model").is_in(arguments.model or list(MODELS)))
    returned = found.returned
    increment = returned.increment if returned is not None else None
    answer = {
        "credit": credit.to_dicts(),
        "paths": found.paths.to_dicts(),
        "attributed": {"orders": found.attributed_orders, "value": found.attributed_value},
        "unattributed": {"orders": found.unattributed_orders, "value": found.unattributed_value},
        "incremental": increment,
    }
    lines = [
        f"{found.attributed_orders:,} orders worth {found.attributed_value:,.2f} had a touch before them, "
        f"{found.unattributed_orders:,} worth {found.unattributed_value:,.2f} had none."
    ]
    if increment is not None and increment.total is not None and increment.total_ci is not None:
        low, high = increment.total_ci
        lines.append(f"Beside the holdout the run caused {increment.total:,.2f} ({low:,.2f} to {high:,.2f}).")
    return Said(answer, "\n".join((*lines, "", table(credit.rows(), credit.columns))))


def _windows(pairs: Sequence[str] | None) -> dict[str, timedelta]:
    try:
        return {name: parse_duration(text) for name, text in settings(list(pairs or [])).items()}
    except ValueError as error:
        raise UserFixable("USAGE", f"{error}.", where="--window", hint="For example --window clicked=P5D") from None


def _alerts(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.alerts(arguments.run_id)
    if not found:
        return Said({"alerts": []}, "Nothing was out of the ordinary.")
    rows = [(a.title, a.value, f"{a.low:,.4g} to {a.high:,.4g}", a.z, a.cause or "–") for a in found]
    return Said({"alerts": found}, table(rows, ("what", "value", "usually", "deviations", "likely cause")))


def _forecast(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    if arguments.ahead < 1:
        raise UserFixable("USAGE", "At least one moment lies ahead.", where="--ahead", hint="Such as --ahead 14.")
    outlook = workspace.analyses.forecast(
        arguments.kind, arguments.run_id, arguments.every, arguments.ahead, value=arguments.value
    )
    made = outlook.forecast
    if made is None:
        return Said({"forecast": None}, "Too little is known yet: three seasons at least are needed.")
    rows = list(zip(outlook.moments(), made.mean.tolist(), made.low.tolist(), made.high.tolist(), strict=True))
    points = [{"at": at, "mean": mean, "low": low, "high": high} for at, mean, low, high in rows]
    answer = {"kind": arguments.kind, "level": made.level, "tried": made.tried, "forecast": points}
    return Said(answer, table(rows, ("at", "expected", f"{made.level:.0%} low", "high")))


def _ask(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    text = " ".join(arguments.question)
    if arguments.complete:
        found = workspace.analyses.completions(text, arguments.run_id)
        return Said({"completions": found}, "\n".join(found))
    answer = workspace.analyses.ask(text, arguments.run_id)
    asked = answer.asked
    said = {"query": asked, "number": answer.number, "unit": answer.unit, "rows": answer.rows, "note": answer.note}
    number = "nothing to say yet" if answer.number is None else f"{answer.number:,.4g}"
    lines = [f"{asked}: {number}", *([answer.note] if answer.note else [])]
    if answer.rows:
        lines += ["", table(answer.rows, (answer.query.by or "", answer.query.metric.name))]
    return Said({**said, "chart": answer.chart}, "\n".join(lines))


def _insights(workspace: Workspace, arguments: argparse.Namespace) -> Said:
    if arguments.do:
        applied = workspace.improvements.apply(arguments.run_id, arguments.do)
        said = f"{applied.words}: done in workflow {applied.workflow_id}; it counts from the next run on."
        return Said({"done": applied.words, "workflow_id": applied.workflow_id}, said)
    insight = workspace.insights.of_run(arguments.run_id)
    details = workspace.analyses.details(arguments.run_id)
    trial = workspace.trials.of(arguments.run_id).result if insight.design.splits else None
    found = workspace.analyses.suggestions(insight, details, trial)
    rows = [(one.code, one.title, one.value, one.low, one.high, one.evidence) for one in found]
    answer = {"insights": found, "currency": insight.returned.currency}
    return Said(answer, table(rows, ("code", "what", "worth", "low", "high", "why")))


def _calibration(workspace: Workspace, _arguments: argparse.Namespace) -> Said:
    found = workspace.analyses.record()
    rows = [
        (m.metric, m.promises, m.covered, m.level, m.share, "yes" if m.honest else "no", m.bias) for m in found.metrics
    ]
    heads = ("figure", "predictions", "inside", "promised", "kept", "honest", "actual / predicted")
    return Said({"metrics": found.metrics, "promises": found.promises}, table(rows, heads))
