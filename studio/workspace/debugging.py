"""The story of debugging: breakpoints and steps, data at each port, pinned steps, failed items that are edited.

Absent on purpose: holding a run (engine), and drawing tables (ui).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import polars as pl
from pydantic import JsonValue

from studio.analytics.passed import who_had_passed
from studio.domain.debugging import (
    Aids,
    Breakpoint,
    Pin,
    PinnedRow,
    StepBy,
    aid_problems,
    parse_breakpoint,
    pin_json,
    read_aids,
    read_pin,
)
from studio.domain.errors import UserFixable
from studio.domain.ports import Checkpoint
from studio.domain.staleness import Staleness, staleness
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.breakpoints import KEPT, Breakpoints, read_breakpoints
from studio.engine.host import EngineHost
from studio.engine.planting import Planted
from studio.frames.instances import from_bytes
from studio.frames.moves import read_moves
from studio.frames.samples import PREFIX, place_of, read_sample, sample_name
from studio.store.store import Store

VARIABLE = "var."
EDITED_BY_HAND = "edited by hand"
_BUILT_IN = ("email", "name", "language", "zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a data table. `null_rate` in [0, 1]."""

    name: str
    type: str
    null_rate: float


@dataclass(frozen=True, slots=True)
class Table:
    """Some of those who came to a step or left it: `instance` (hex), the contact's fields as they are known now, the
    instance's `instance_key`, `entered_at`, `arms` and `var.*`. `count`: how many there were in all.
    """

    rows: pl.DataFrame
    count: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's schema."""
        height = max(self.rows.height, 1)
        return tuple(
            Column(name=series.name, type=str(series.dtype), null_rate=series.null_count() / height)
            for series in self.rows.get_columns()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """A value that a step changed."""

    instance: str
    column: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeData:
    """What came to a step and what left it; the same people everywhere, so rows can be laid side by side."""

    node: str
    input: Table | None
    outputs: Mapping[str, Table]

    def changes(self, port: str) -> tuple[CellChange, ...]:
        """Cells that differ between a sampled person's row before the step and behind the port."""
        if self.input is None or port not in self.outputs:
            return ()
        before = {row["instance"]: row for row in self.input.rows.iter_rows(named=True)}
        after = self.outputs[port].rows
        return tuple(
            CellChange(instance=row["instance"], column=name, before=before[row["instance"]].get(name), after=row[name])
            for row in after.iter_rows(named=True)
            if row["instance"] in before
            for name in after.columns
            if before[row["instance"]].get(name) != row[name]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItems:
    """Rows a step could not handle: a `Table`'s columns and `node`, `code`, `message`."""

    run_id: str
    rows: pl.DataFrame


class DebuggingStory:
    """Debugging aids of one workspace."""

    def __init__(self, store: Store, host: EngineHost) -> None:
        self._store = store
        self._host = host

    def prepare(self, workflow: Workflow, aids: Aids, from_run: str | None) -> tuple[Aids, list[Planted]]:
        """Aids with contacts looked up, and the people a part of a workflow begins with.

        Raises:
            UserFixable: AIDS with every problem; AID-ROWS when there is nobody to begin with.
        """
        problems = aid_problems(aids, workflow)
        if problems:
            text = " ".join(str(problem) for problem in problems)
            raise UserFixable("AIDS", text, hint=problems[0].hint, problems=problems)
        resolved = replace(aids, breakpoints=self._looked_up(aids.breakpoints))
        planted = [
            Planted(pin.node, port, self._entries(rows))
            for pin in aids.pins
            if aids.from_node is None
            for port, rows in pin.rows.items()
        ]
        if aids.from_node is not None:
            planted.append(Planted(aids.from_node, None, self._beginning(workflow, aids, from_run)))
        return resolved, planted

    def set_breakpoints(self, run_id: str, breakpoints: Iterable[Breakpoint]) -> None:
        """Sets a run's breakpoints, whether it is going on or not. Raises UserFixable CONTACT-UNKNOWN."""
        given = self._looked_up(tuple(breakpoints))
        if self._host.is_running(run_id):
            self._host.control(run_id).watch(given)
            return
        run = self._store.runs.get(run_id)
        keeps = {KEPT: Breakpoints(given).to_bytes()}
        self._store.runs.commit(Checkpoint(run_id=run_id, at=run.at, keeps=keeps))

    def breakpoints(self, run_id: str) -> tuple[Breakpoint, ...]:
        """The run's breakpoints."""
        kept = self._store.runs.kept(run_id, KEPT).get(KEPT)
        if kept is not None:
            return read_breakpoints(kept).given
        return read_aids(self._store.runs.get(run_id).options.get("aids")).breakpoints

    def step(self, run_id: str, *, by: StepBy = "node", steps: int = 1, is_attended: bool = False) -> None:
        """Goes on by so many nodes or chunks, then holds again."""
        self._host.control(run_id).step(steps, by)
        self._host.start(run_id, is_attended=is_attended, is_stepping=True)

    def data(self, run_id: str, node_id: str, at: int | datetime | None = None) -> NodeData:
        """Samples of what came to a node and what left it. While a run goes on they are at most a second old.

        `at`: only who had done so after the event of that number, or at that moment of the run's clock.
        """
        step = self._view_counts(run_id, node_id, at)
        tables: dict[str | None, Table] = {}
        for name, data in self._store.runs.kept(run_id, f"{PREFIX}{node_id}:").items():
            port = place_of(name)[1]
            sample, count = read_sample(data), step.get(port, 0)
            if at is not None:
                moves = read_moves(self._store.runs.moves(run_id))
                sample = who_had_passed(sample, moves, self._places(run_id, node_id, port), count)
            tables[port] = Table(self._shown(sample), count)
        outputs = {port: table for port, table in tables.items() if port is not None}
        return NodeData(node=node_id, input=tables.get(None), outputs=outputs)

    def failed(self, run_id: str, node_id: str | None = None) -> FailedItems:
        """The rows that steps could not handle and that can be edited and tried again."""
        work = [w for w in self._store.runs.pending(run_id) if w.kind == "failed" and node_id in (None, w.node_id)]
        batches = self._store.runs.batches([w.id for w in work])
        frames = [from_bytes(batches[w.id]).with_columns(node=pl.lit(w.node_id)) for w in work]
        if not frames:
            return FailedItems(run_id=run_id, rows=pl.DataFrame())
        whole = pl.concat(frames, how="diagonal_relaxed")
        apart = self._store.runs.quarantined(run_id, node_id).rename({"node_id": "node"}).drop("contact_id")
        why = whole.join(apart, on=["node", "instance_id"], how="left", maintain_order="left")
        shown = self._shown(why.drop("node", "code", "message"))
        return FailedItems(run_id=run_id, rows=shown.hstack(why.select("node", "code", "message")))

    def mend(
        self,
        run_id: str,
        node_id: str,
        edits: Mapping[str, Mapping[str, JsonValue]],
        *,
        is_attended: bool = False,
    ) -> None:
        """Edits failed items and continues with only those. `edits`: instance (hex) → field → value.

        `var.*` is changed in the item, anything else in the contact. Raises UserFixable FAILED-UNKNOWN.
        """
        failed = self.failed(run_id, node_id).rows
        known = set(failed.get_column("instance")) if failed.width else set()
        if unknown := set(edits) - known:
            hint = "See: studio failed RUN"
            raise UserFixable("FAILED-UNKNOWN", f"{min(unknown)} is no failed item of this step.", hint=hint)
        keys = dict(failed.select("instance", "contact").iter_rows())
        changes = {
            int(instance, 16): {name: value for name, value in fields.items() if name.startswith(VARIABLE)}
            for instance, fields in edits.items()
        }
        self._edit_contacts(
            {
                str(keys[instance]): {n: v for n, v in fields.items() if not n.startswith(VARIABLE)}
                for instance, fields in edits.items()
            }
        )
        self._host.control(run_id).retry(node_id, only=changes, changes=changes)
        self._host.start(run_id, until=self._store.runs.get(run_id).until, is_attended=is_attended)

    def staleness(self, workflow: Workflow, run_id: str) -> dict[str, Staleness]:
        """How what a run left at each step stands beside the workflow as it is now."""
        then = parse_workflow(self._store.runs.document(self._store.runs.get(run_id).version))
        ran = {e.node_id for e in self._store.runs.run_events(run_id) if e.kind == "step.ran" and e.node_id}
        return staleness(workflow, then, ran)

    def kept_breakpoints(self, workflow_id: str) -> tuple[Breakpoint, ...]:
        """Where runs of a workflow of the library hold, until somebody takes it away."""
        kept = self._store.library.setting(_breakpoints_name(workflow_id))
        return tuple(parse_breakpoint(str(text)) for text in kept) if isinstance(kept, list) else ()

    def keep_breakpoints(self, workflow_id: str, breakpoints: Iterable[Breakpoint]) -> None:
        """Keeps them for the runs to come; a run that is going on has its own (`set_breakpoints`)."""
        texts: list[JsonValue] = [str(given) for given in breakpoints]
        self._store.library.set_setting(_breakpoints_name(workflow_id), texts or None)

    def aids(self, workflow: Workflow, workflow_id: str, *, to_node: str | None, from_node: str | None) -> Aids:
        """What is kept for a workflow, as far as its steps are still there, and the part to be run."""
        there = {node.id for node in workflow.nodes if node.enabled}
        breakpoints = tuple(b for b in self.kept_breakpoints(workflow_id) if b.node is None or b.node in there)
        pins = tuple(pin for pin in self.pins(workflow_id) if pin.node in there)
        return Aids(breakpoints=breakpoints, to_node=to_node, from_node=from_node, pins=pins)

    def pins(self, workflow_id: str) -> tuple[Pin, ...]:
        """The pinned steps of a workflow of the library."""
        kept = self._store.library.setting(_pins_name(workflow_id))
        return tuple(read_pin(pin) for pin in kept.values()) if isinstance(kept, dict) else ()

    def pin(self, workflow_id: str, node_id: str, rows: Mapping[str, Sequence[PinnedRow]]) -> None:
        """Pins a step: in runs with its pins it gives these rows by port instead of running."""
        kept = self._store.library.setting(_pins_name(workflow_id))
        pins = dict(kept) if isinstance(kept, dict) else {}
        pins[node_id] = pin_json(Pin(node=node_id, rows=rows))
        self._store.library.set_setting(_pins_name(workflow_id), cast("JsonValue", pins))

    def edit_pin(self, workflow_id: str, pin: Pin) -> None:
        """Other rows for a step that is pinned. Raises UserFixable CONTACT-UNKNOWN for somebody who was not there."""
        kept = next((one for one in self.pins(workflow_id) if one.node == pin.node), None)
        known = {row.contact for rows in kept.rows.values() for row in rows} if kept is not None else set()
        for row in (row for rows in pin.rows.values() for row in rows):
            if row.contact not in known:
                self._contact(row.contact)
        self.pin(workflow_id, pin.node, pin.rows)

    def pin_sample(self, workflow_id: str, run_id: str, node_id: str) -> None:
        """Pins a step to what it gave to the people sampled in a run. Raises UserFixable PIN-NOTHING."""
        data = self.data(run_id, node_id)
        rows = {port: tuple(_pinned(row) for row in t.rows.iter_rows(named=True)) for port, t in data.outputs.items()}
        if not any(rows.values()):
            hint = "Run the workflow up to this step first."
            raise UserFixable("PIN-NOTHING", "Nobody has left this step in that run.", where=node_id, hint=hint)
        self.pin(workflow_id, node_id, rows)

    def unpin(self, workflow_id: str, node_id: str) -> None:
        """Lets a step run again."""
        kept = self._store.library.setting(_pins_name(workflow_id))
        pins = {name: value for name, value in kept.items() if name != node_id} if isinstance(kept, dict) else {}
        self._store.library.set_setting(_pins_name(workflow_id), cast("JsonValue", pins) if pins else None)

    def _places(self, run_id: str, node_id: str, port: str | None) -> frozenset[tuple[str, str]]:
        """Where people leave who go by a port of a node, or who come to it."""
        if port is not None:
            return frozenset({(node_id, port)})
        workflow = parse_workflow(self._store.runs.document(self._store.runs.get(run_id).version))
        return frozenset(edge.from_ for edge in workflow.edges if edge.to[0] == node_id)

    def _view_counts(self, run_id: str, node_id: str, at: int | datetime | None) -> dict[str | None, int]:
        counts: dict[str | None, int] = {}
        for event in self._store.runs.run_events(run_id):
            if at is not None and (event.at if isinstance(at, datetime) else event.seq) > at:
                continue
            if event.node_id == node_id and event.kind == "step.ran":
                counts[None] = counts.get(None, 0) + cast("int", event.payload.get("in") or 0)
                for port, count in cast("Mapping[str, int]", event.payload.get("out") or {}).items():
                    counts[port] = counts.get(port, 0) + count
        return counts

    def _looked_up(self, breakpoints: tuple[Breakpoint, ...]) -> tuple[Breakpoint, ...]:
        return tuple(b if b.contact is None else replace(b, contact_id=self._contact(b.contact)) for b in breakpoints)

    def _contact(self, text: str) -> int:
        for by in ("key", "email"):
            found = self._store.contacts.ids_of(pl.Series([text]), by).get_column("contact_id").drop_nulls()
            if found.len():
                return int(found[0])
        hint = "Use the key or the e-mail address of a contact."
        raise UserFixable("CONTACT-UNKNOWN", f"There is no contact “{text}”.", where=text, hint=hint)

    def _entries(self, rows: Sequence[PinnedRow]) -> pl.DataFrame:
        """`contact_id`, `key` and variables of pinned rows."""
        names = dict.fromkeys(name for row in rows for name in row.variables)
        columns: dict[str, list[object]] = {
            "contact_id": [self._contact(row.contact) for row in rows],
            "key": [row.key for row in rows],
            **{f"{VARIABLE}{name}": [row.variables.get(name) for row in rows] for name in names},
        }
        frame = pl.DataFrame(columns, strict=False)
        return frame.with_columns(pl.col("contact_id").cast(pl.UInt32), pl.col("key").cast(pl.String))

    def _beginning(self, workflow: Workflow, aids: Aids, from_run: str | None) -> pl.DataFrame:
        """Who comes to the step a run begins at: pinned rows on the edges to it, or those sampled there in a run."""
        assert aids.from_node is not None, "only then there is a step to begin at"
        edges = {edge.from_ for edge in workflow.edges if edge.to[0] == aids.from_node}
        rows = [
            row for pin in aids.pins for port, given in pin.rows.items() if (pin.node, port) in edges for row in given
        ]
        if rows:
            return self._entries(rows)
        names = [*(sample_name(*edge) for edge in sorted(edges)), sample_name(aids.from_node, None)]
        for run_id in [from_run] if from_run else [run.run_id for run in self._store.runs.list_runs(limit=20)]:
            kept = self._store.runs.kept(run_id, PREFIX)
            found = [read_sample(kept[name]) for name in names if name in kept]
            if found:
                return pl.concat(found, how="diagonal_relaxed").unique("instance_id").drop("entered_at")
        raise UserFixable(
            "AID-ROWS",
            f"Nobody has come to “{aids.from_node}” in an earlier run.",
            where="--from",
            hint="Run the workflow up to this step first, or give pinned data.",
        )

    def _shown(self, batch: pl.DataFrame) -> pl.DataFrame:
        """A batch as people read it: who the contacts are, and no ids but the instance's."""
        contacts = self._store.contacts.at(self._store.clock.now())
        names = contacts.names()
        known = contacts.fields(batch.get_column("contact_id").unique().sort(), names)
        known = known.rename({"key": "contact"})
        own = batch.select(
            pl.Series("instance", [f"{i:016x}" for i in batch.get_column("instance_id")], dtype=pl.String),
            "contact_id",
            pl.col("key").alias("instance_key"),
            "entered_at",
            "arms",
            *(name for name in batch.columns if name.startswith(VARIABLE)),
        )
        joined = own.join(known, on="contact_id", how="left", maintain_order="left")
        first = [name for name in ("instance", "contact", *_BUILT_IN) if name in joined.columns]
        return joined.select(*first, *(name for name in joined.columns if name not in {*first, "contact_id"}))

    def _edit_contacts(self, edits: Mapping[str, Mapping[str, JsonValue]]) -> None:
        rows = [
            {
                "key": key,
                **{name: str(fields[name]) for name in _BUILT_IN if fields.get(name) is not None},
                "properties": _json({name: value for name, value in fields.items() if name not in _BUILT_IN}),
            }
            for key, fields in edits.items()
            if fields
        ]
        if rows:
            self._store.contacts.upsert_contacts(pl.DataFrame(rows), EDITED_BY_HAND)


def _pinned(row: Mapping[str, object]) -> PinnedRow:
    variables = {n.removeprefix(VARIABLE): v for n, v in row.items() if n.startswith(VARIABLE)}
    key = row["instance_key"]
    return PinnedRow(
        contact=str(row["contact"]),
        key=None if key is None else str(key),
        variables=cast("Mapping[str, JsonValue]", variables),
    )


def _breakpoints_name(workflow_id: str) -> str:
    return f"breakpoints:{workflow_id}"


def _pins_name(workflow_id: str) -> str:
    return f"pins:{workflow_id}"


def _json(fields: Mapping[str, JsonValue]) -> str | None:
    return json.dumps(fields) if fields else None
