"""`studio trace`, `replay`, `compare`: what runs wrote down, read again."""

from __future__ import annotations

import argparse

from studio.analytics.comparison import Comparison
from studio.analytics.paths import Journey
from studio.cli.output import Output, table
from studio.cli.session import Session, common, instant
from studio.domain.clock import iso
from studio.workspace.history import Replay, Trace


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("trace")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--contact", required=True, metavar="C", help="key or e-mail address")
    common(command)
    command.set_defaults(run=_trace)
    command = commands.add_parser("replay")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--at", type=instant, default=None, metavar="SEQ|TIME", help="event number or moment")
    common(command)
    command.set_defaults(run=_replay)
    command = commands.add_parser("compare")
    command.add_argument("run_a", metavar="RUN_A")
    command.add_argument("run_b", metavar="RUN_B")
    common(command)
    command.set_defaults(run=_compare)


def _trace(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        trace = workspace.history.trace(arguments.run_id, arguments.contact)
    out.document(trace, _trace_words(trace))
    return 0


def _trace_words(trace: Trace) -> str:
    return "\n\n".join([trace.finding, *(_journey_words(journey) for journey in trace.journeys)])


def _journey_words(journey: Journey) -> str:
    key = f", {journey.key}" if journey.key else ""
    lines = [f"Entered {iso(journey.entered_at)}{key}; {journey.state}"]
    lines += [f"  experiment {node}: {variant}" for node, variant in journey.arms.items()]
    rows = [(v.arrived_at, v.label, v.verdict) for v in journey.visits]
    lines.append(table(rows, ("at", "step", "what happened")))
    for visit in journey.visits:
        lines += [f"  {visit.label} looked at {name}: {value}" for name, value in visit.data.items()]
    events = [(e.at, e.kind, e.node, e.value) for e in journey.events]
    return "\n".join([*lines, table(events, ("at", "event", "step", "value"))])


def _replay(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        replay = workspace.history.replay(arguments.run_id, arguments.at)
    out.document(replay.as_json(), _replay_words(replay))
    return 0


def _replay_words(replay: Replay) -> str:
    view = replay.view
    at = iso(view.at) if view.at else "–"
    head = f"Run {view.run_id} at event {view.seq} of {replay.last_seq}, {at}: {view.state}"
    rows = [(s.node_id, s.state, s.arrived, s.left, s.waiting, s.quarantined) for s in view.steps.values()]
    edges = [(f"{e.source}.{e.port}", e.target, e.count) for e in replay.edges]
    steps = table(rows, ("step", "state", "in", "out", "waiting", "quarantined"))
    return "\n".join([head, view.message, steps, table(edges, ("from", "to", "people"))]).replace("\n\n", "\n")


def _compare(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        comparison = workspace.history.compare(arguments.run_a, arguments.run_b)
    out.document(comparison, _comparison_words(comparison))
    return 0


def _comparison_words(comparison: Comparison) -> str:
    lines = [comparison.finding, ""]
    for rank, difference in enumerate(comparison.differences, start=1):
        lines.append(f"{rank}. [{difference.kind}] {difference.words} ({difference.score:.2f})")
        lines += [f"     then: {effect}" for effect in difference.effects]
    return "\n".join(lines)
