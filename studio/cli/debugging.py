"""`studio step`, `breakpoints`, `samples`, `failed`, `stale`: a run examined like a program.

Stopping at breakpoints and running parts of a workflow are options of `studio run`; failed items that were edited are
tried again by `studio retry`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from studio.cli.output import Output, table
from studio.cli.reporting import finish, known_step
from studio.cli.session import Session, common, instant
from studio.domain.debugging import Aids, Pin, parse_breakpoint, read_pin
from studio.domain.errors import UserFixable
from studio.domain.port_words import ways_of
from studio.workspace.debugging import Table
from studio.workspace.workflows import read_workflow

_SHOWN_COLUMNS = 8


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("step")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--by", choices=["node", "chunk"], default="node", help="how far one step goes")
    command.add_argument("--count", type=int, default=1, metavar="N")
    common(command)
    command.set_defaults(run=_step)
    command = commands.add_parser("breakpoints")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("texts", nargs="*", metavar="BREAKPOINT", help="such as before:send or send>200")
    command.add_argument("--clear", action="store_true", help="remove them all")
    common(command)
    command.set_defaults(run=_breakpoints)
    command = commands.add_parser("samples")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--node", required=True, metavar="N")
    command.add_argument("--port", metavar="P", help="only what left through it")
    command.add_argument("--at", type=instant, default=None, metavar="SEQ|TIME", help="as it stood then")
    common(command)
    command.set_defaults(run=_samples)
    command = commands.add_parser("failed")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--node", metavar="N")
    common(command)
    command.set_defaults(run=_failed)
    command = commands.add_parser("stale")
    command.add_argument("workflow", type=Path, metavar="WORKFLOW")
    command.add_argument("run_id", metavar="RUN")
    common(command)
    command.set_defaults(run=_stale)


def add_aids(command: argparse.ArgumentParser) -> None:
    """The debugging options of `studio run`."""
    aids = command.add_argument_group("debugging")
    aids.add_argument(
        "--break", dest="breaks", action="append", metavar="BREAKPOINT", help="hold there; may be repeated"
    )
    aids.add_argument("--to", dest="to_node", metavar="N", help="run up to this step")
    aids.add_argument("--from", dest="from_node", metavar="N", help="run from this step")
    aids.add_argument("--from-run", metavar="RUN", help="with whose data; the newest run's unless said")
    aids.add_argument(
        "--pin", action="append", type=Path, metavar="FILE", help="pinned data of a step; may be repeated"
    )


def aids_of(arguments: argparse.Namespace) -> Aids:
    """What the debugging options ask for."""
    return Aids(
        breakpoints=tuple(parse_breakpoint(text) for text in arguments.breaks or ()),
        to_node=arguments.to_node,
        from_node=arguments.from_node,
        pins=tuple(_pin(path) for path in arguments.pin or ()),
    )


def _pin(path: Path) -> Pin:
    try:
        return read_pin(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserFixable(
            "PIN-FILE", f"The file cannot be read: {error}.", where=str(path), hint="See --pin."
        ) from None


def _step(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.count < 1:
        raise UserFixable("USAGE", "A run goes on by at least one step.", where="--count", hint="Give 1 or more.")
    with Session(arguments) as workspace:
        workspace.debugging.step(arguments.run_id, by=arguments.by, steps=arguments.count)
        return finish(workspace, arguments.run_id, out)


def _breakpoints(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        if arguments.texts or arguments.clear:
            given = [parse_breakpoint(text) for text in arguments.texts]
            workspace.debugging.set_breakpoints(arguments.run_id, given)
        found = workspace.debugging.breakpoints(arguments.run_id)
        workflow = workspace.known_runs.workflow_of(arguments.run_id)
    labels = {node.id: node.label or node.id for node in workflow.nodes}
    rows = [{"breakpoint": str(b), "words": b.in_words(labels, ways_of(workflow))} for b in found]
    out.document(rows, table([(row["breakpoint"], row["words"]) for row in rows], ("breakpoint", "holds")))
    return 0


def _samples(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        known_step(workspace, arguments.run_id, arguments.node)
        data = workspace.debugging.data(arguments.run_id, arguments.node, arguments.at)
    tables = {"in": data.input, **{f"out.{port}": shown for port, shown in data.outputs.items()}}
    wanted = {
        name: shown
        for name, shown in tables.items()
        if shown is not None and arguments.port in (None, name.removeprefix("out."))
    }
    changes = [change for port in data.outputs for change in data.changes(port)]
    document = {name: _table_json(shown) for name, shown in wanted.items()}
    words = "\n\n".join(f"{name}: {shown.count:,} people\n{_rows(shown.rows)}" for name, shown in wanted.items())
    out.document({"node": arguments.node, "tables": document, "changes": changes}, words or "Nobody was there.")
    return 0


def _table_json(shown: Table) -> Mapping[str, object]:
    return {"count": shown.count, "columns": shown.columns, "rows": shown.rows.to_dicts()}


def _failed(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        known_step(workspace, arguments.run_id, arguments.node)
        rows = workspace.debugging.failed(arguments.run_id, arguments.node).rows
    out.document(rows.to_dicts(), _rows(rows.select("node", "contact", "code", "message") if rows.width else rows))
    return 0


def _rows(frame: pl.DataFrame) -> str:
    shown = [name for name in frame.columns if frame.get_column(name).null_count() < frame.height][:_SHOWN_COLUMNS]
    return table(frame.select(shown).rows(), shown)


def _stale(arguments: argparse.Namespace, out: Output) -> int:
    workflow = read_workflow(arguments.workflow)
    with Session(arguments, read_only=True) as workspace:
        found = workspace.debugging.staleness(workflow, arguments.run_id)
    rows = [(node_id, how.state, how.why) for node_id, how in found.items()]
    out.document(found, table(rows, ("step", "result", "why")))
    return 0


def edited(pairs: Mapping[str, str]) -> dict[str, JsonValue]:
    """`--set field=value` with values that are JSON where they can be."""
    return {name: _value(text) for name, text in pairs.items()}


def _value(text: str) -> JsonValue:
    try:
        return json.loads(text)
    except ValueError:
        return text
