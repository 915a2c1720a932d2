"""Contact events meet the run: triggers let people in, goals are reached, waits end.

Absent on purpose: where events come from, and cursors' meaning (`domain.ports.Events`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from studio.domain.node import EventTrigger, Listens, Watches
from studio.domain.ports import EventCursor
from studio.engine.attempts import attempt, enter_few
from studio.engine.draft import Draft
from studio.engine.facts import REACHED, VARIABLE, constant, contact_events, few_contact_events, together
from studio.engine.idset import IdSet
from studio.engine.joining import Edge, Met
from studio.engine.memory import RunMemory
from studio.engine.plan import Step
from studio.engine.scheduler import ReaderName
from studio.engine.stage import Stage
from studio.engine.tally import Contexts
from studio.frames.events import AT
from studio.frames.few import Few, enters_by_row, is_few, kept
from studio.frames.instances import INSTANCE_SCHEMA, instance_id_of, instance_ids

OUTSIDE = "outside"


async def take_entering(
    memory: RunMemory, stage: Stage, contexts: Contexts, events: pl.DataFrame, cursor: EventCursor
) -> Draft:
    """Shows new events to the triggers; who may enter stands before the next nodes of `stage`, which is not run yet.

    Raises Transient when a trigger cannot read them now; nothing has happened then.
    """
    draft = _draft(memory, "enter", cursor)
    few = Few.of(events) if is_few(events) else None
    for step in memory.plan.triggers:
        trigger = step.node
        context = contexts(step.id)
        if few is not None and enters_by_row(trigger) and (starting := enter_few(trigger, few, context)) is not None:
            _let_few_in(memory, draft, stage, step, starting)
            continue
        assert isinstance(trigger, EventTrigger), "the plan lists triggers only"
        fitting = _of_kinds(events, trigger.event_kinds())
        if fitting.is_empty():
            continue
        attempted = await attempt(fitting, lambda part, t=trigger, c=context: t.enter(part, c), step.timeout_s)
        if attempted.later:
            # Nobody has entered yet who could be tried again: the events stay unread until the run is resumed.
            raise attempted.later[0][1]
        stage.lose(step, attempted.failures, of=fitting.height)
        entering = [frame for frame in attempted.results if frame.height]
        if entering:
            let_in(memory, draft, stage, step, together(entering))
    return draft


def let_in(memory: RunMemory, draft: Draft, stage: Stage, step: Step, entering: pl.DataFrame) -> None:
    """Makes instances of a source's entries (`contact_id`, `key`; may have `entered_at`, `occurrence` and variables).

    An instance that is in the run already does not enter again. The new ones stand before the next nodes.
    """
    if is_few(entering):
        _let_few_in(memory, draft, stage, step, Few.of(entering))
        return
    batch = instances_of(memory.run.run_id, entering, draft.now)
    batch = _once(kept(batch, ~memory.entered.mask(batch)))
    if batch.is_empty():
        return
    stage.tally(step.id).arrived += batch.height
    entries = pl.DataFrame([batch.get_column(name) for name in INSTANCE_SCHEMA])
    draft.entries.append(entries)
    run_id = memory.run.run_id
    moments = entries.hstack([entries.get_column("entered_at").alias("occurred_at")])
    draft.record(contact_events(moments, run_id=run_id, node_id=step.id, kind="entered", at=draft.now), "entered")
    if step.main_port is not None:
        stage.leave(step, step.main_port, batch)


def _let_few_in(memory: RunMemory, draft: Draft, stage: Stage, step: Step, entering: Few) -> None:
    """The same for a few, row by row."""
    run_id, few = memory.run.run_id, few_instances(memory.run.run_id, entering, draft.now)
    new = {row["instance_id"]: row for row in reversed(few.rows)}
    rows = [row for row in few.rows if new[row["instance_id"]] is row]
    few = Few(few.dtypes, [row for row in rows if not memory.entered.has(row["contact_id"], row["instance_id"])])
    if not few.rows:
        return
    stage.tally(step.id).arrived += few.height
    entries = Few(INSTANCE_SCHEMA, [{name: row[name] for name in INSTANCE_SCHEMA} for row in few.rows])
    draft.entries.append(entries.frame())
    entered = few_contact_events(entries, run_id=run_id, node_id=step.id, kind="entered", moment="entered_at")
    draft.record(entered, "entered")
    if step.main_port is not None:
        stage.leave(step, step.main_port, few)


def few_instances(run_id: str, entering: Few, now: datetime) -> Few:
    """`instances_of` for a few."""
    variables = [name for name in entering.dtypes if name.startswith(VARIABLE)]
    rows = []
    rounds = list(dict.fromkeys(row.get("occurrence") or 0 for row in entering.rows))
    # Round by round, as many are: who starts for the second time stands behind those who start for the first.
    for row in sorted(entering.rows, key=lambda row: rounds.index(row.get("occurrence") or 0)):
        contact_id, key = row["contact_id"], None if row.get("key") is None else str(row["key"])
        rows.append(
            {
                "instance_id": instance_id_of(run_id, contact_id, key, row.get("occurrence") or 0),
                "contact_id": contact_id,
                "key": key,
                "entered_at": row.get("entered_at") or now,
                "arms": row.get("arms", ""),
                **{name: row[name] for name in variables},
            }
        )
    return Few({**INSTANCE_SCHEMA, **{name: entering.dtypes[name] for name in variables}}, rows)


def _once(batch: pl.DataFrame) -> pl.DataFrame:
    # Sources usually hand out contacts in order: then looking for repeats, which is dear, is not needed.
    if batch.get_column("contact_id").diff().drop_nulls().gt(0).all():
        return batch
    return batch.unique("instance_id", keep="first", maintain_order=True)


def take_matching(
    memory: RunMemory, stage: Stage, contexts: Contexts, events: pl.DataFrame, cursor: EventCursor
) -> Draft:
    """Shows new events to goals first, then to waits; who leaves them stands before the next nodes of `stage`."""
    draft = _draft(memory, "match", cursor)
    if events.height:
        for step in memory.plan.goals:
            _watch(memory, draft, stage, contexts, step, events)
        for step in memory.plan.listeners:
            _end_waits(memory, draft, stage, contexts, step, events)
    return draft


def _draft(memory: RunMemory, reader: ReaderName, cursor: EventCursor) -> Draft:
    before = memory.cursors[reader]
    draft = memory.draft(salt=(reader, before.seq, before.at))
    draft.cursors[reader] = cursor
    return draft


def _watch(memory: RunMemory, draft: Draft, stage: Stage, contexts: Contexts, step: Step, events: pl.DataFrame) -> None:
    goal = step.node
    assert isinstance(goal, Watches), "the plan lists goals only"
    fitting = _of_kinds(events, goal.event_kinds())
    watched = _watched(memory.entries, goal, fitting) if fitting.height else fitting
    if watched.is_empty():
        return
    matches = goal.match(watched, fitting, contexts(step.id))
    if matches.is_empty():
        return
    rows = matches.join(watched, on="instance_id", how="left", maintain_order="left")
    converted = rows.with_columns(cause=pl.col("event_id")).drop("event_id")
    run_id = memory.run.run_id
    draft.record(contact_events(converted, run_id=run_id, node_id=step.id, kind="converted", at=draft.now), "converted")
    exits = rows.filter(pl.col("port").is_not_null() & ~memory.departed.mask(rows.get_column("instance_id")))
    exits = exits.unique("instance_id", keep="first", maintain_order=True)
    if exits.height:
        _depart(memory, draft, stage, step, exits)


def _watched(entries: pl.DataFrame, goal: Watches, events: pl.DataFrame) -> pl.DataFrame:
    """Who entered, has such an event, and whose window was still open when the first of them happened."""
    first_at = events.get_column("occurred_at").min()
    people = events.get_column("contact_id").unique()
    is_open = pl.col("entered_at") + goal.window >= first_at
    return entries.filter(pl.col("contact_id").is_in(people.implode()) & is_open)


def _depart(memory: RunMemory, draft: Draft, stage: Stage, step: Step, exits: pl.DataFrame) -> None:
    """Lets instances leave the run through a goal. They take along the variables they have where they wait."""
    ids = exits.get_column("instance_id")
    draft.departed.append(ids)
    memory.departed.add(ids)
    gone = IdSet(ids)
    found: list[pl.DataFrame] = []
    for node_id, room in memory.rooms.items():
        left = room.leave(gone)
        if left.height:
            draft.waiting_changed.add(node_id)
            found.append(left)
    travelling = exits.select(*INSTANCE_SCHEMA)
    if found:
        waiting = together(found).unique("instance_id", keep="first", maintain_order=True)
        others = travelling.filter(~pl.col("instance_id").is_in(waiting.get_column("instance_id").implode()))
        travelling = together([waiting, others])
    travelling = travelling.with_columns(pl.lit(step.id).alias(REACHED))
    ports = travelling.join(exits.select("instance_id", "port"), on="instance_id", maintain_order="left")
    for (port,), batch in ports.partition_by("port", as_dict=True, maintain_order=True).items():
        stage.leave(step, str(port), batch)


def _end_waits(
    memory: RunMemory, draft: Draft, stage: Stage, contexts: Contexts, step: Step, events: pl.DataFrame
) -> None:
    node = step.node
    assert isinstance(node, Listens), "the plan lists listening waits only"
    fitting = _of_kinds(events, node.event_kinds())
    if fitting.is_empty():
        return
    waiting = memory.room(step.id).of_contacts(fitting.get_column("contact_id").unique())
    if waiting.is_empty():
        return
    matches = node.match(waiting, fitting, contexts(step.id)).filter(pl.col("port").is_not_null())
    if matches.is_empty():
        return
    first = matches.sort("occurred_at", "event_id", maintain_order=True).unique(
        "instance_id", keep="first", maintain_order=True
    )
    rows = waiting.join(first.select("instance_id", "port"), on="instance_id", maintain_order="left")
    _rewrite(draft, memory, step, rows.get_column("instance_id"))
    for (port,), batch in rows.partition_by("port", as_dict=True, maintain_order=True).items():
        stage.leave(step, str(port), batch)


def meet(memory: RunMemory, draft: Draft, step: Step, arrivals: Sequence[tuple[Edge, pl.DataFrame]]) -> Met:
    """Lets branches meet: rows of the same instances that wait here are taken out, and put back where one lacks."""
    ids = pl.concat([batch.get_column("instance_id") for _, batch in arrivals]).unique()
    waiting = memory.room(step.id).of_instances(ids)
    if waiting.height:
        _rewrite(draft, memory, step, waiting.get_column("instance_id"))
    met = memory.joins.meet(step, arrivals, waiting, draft.now)
    if met.out.height:
        memory.joins.note_left(step.id, met.out)
    return met


def _rewrite(draft: Draft, memory: RunMemory, step: Step, leaving: pl.Series) -> None:
    """Puts new pieces of work without those who leave in the place of the ones they waited in."""
    room = memory.room(step.id)
    work = room.work_of(leaving)
    draft.done += work
    rest = room.pop(work).filter(~pl.col("instance_id").is_in(leaving.implode()))
    draft.waiting_changed.add(step.id)
    draft.add_waiting(step.id, rest)


def _of_kinds(events: pl.DataFrame, kinds: Sequence[str]) -> pl.DataFrame:
    if is_few(events):
        return kept(events, pl.Series([kind in kinds for kind in events.get_column("kind")], dtype=pl.Boolean))
    return events.filter(pl.col("kind").is_in(list(kinds)))


def instances_of(run_id: str, entering: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Instances out of entries: INSTANCE_SCHEMA and their variables."""
    rows, given = entering.height, {column.name: column for column in entering.get_columns()}
    moments = given["entered_at"].cast(AT) if "entered_at" in given else constant("entered_at", now, AT, rows)
    keys = given["key"].cast(pl.String) if "key" in given else constant("key", None, pl.String(), rows)
    batch = pl.DataFrame(
        [
            given["contact_id"].cast(pl.UInt32),
            keys,
            moments.fill_null(now) if moments.null_count() else moments,
            given["arms"] if "arms" in given else constant("arms", "", pl.String(), rows),
            *(column for name, column in given.items() if name.startswith(VARIABLE)),
        ]
    )
    occurrences = given.get("occurrence")
    if occurrences is None or not occurrences.max():
        return _with_ids(run_id, batch, 0)
    parts = [
        _with_ids(run_id, batch.filter(occurrences == occurrence), int(occurrence))
        for occurrence in occurrences.unique(maintain_order=True)
    ]
    return pl.concat(parts)


def _with_ids(run_id: str, batch: pl.DataFrame, occurrence: int) -> pl.DataFrame:
    ids = instance_ids(run_id, batch.get_column("contact_id"), batch.get_column("key"), occurrence)
    return pl.DataFrame([ids.alias("instance_id"), *batch.get_columns()])
