"""The story of runs: starting one, watching it, going on after a stop, mending what failed, looking back.

Absent on purpose: executing (engine) and keeping (store).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from studio.connectors.profile import load_profile
from studio.domain.clock import Clock, iso
from studio.domain.debugging import NO_AIDS, Aids
from studio.domain.errors import Problem, UserFixable
from studio.domain.ids import stable_id
from studio.domain.node import Mode, NodeType
from studio.domain.port_words import port_words
from studio.domain.ports import RunRow
from studio.domain.run import RunEvent, RunState, RunView, fold
from studio.domain.step_names import step_name
from studio.domain.validation import Catalogue, make_node
from studio.domain.workflow import Node, Workflow
from studio.engine.driver import refuse_held
from studio.engine.host import EngineHost
from studio.engine.planting import Planted
from studio.engine.verdicts import SETTLED_FROM, Verdict
from studio.store.home import Release
from studio.store.store import Store
from studio.workspace.beginnings import make_up
from studio.workspace.debugging import DebuggingStory
from studio.workspace.emergency import EmergencyStop
from studio.workspace.known_runs import KnownRuns
from studio.workspace.mail import PROFILE_OPTION, live_problems, own_profile
from studio.workspace.people import PeopleStory
from studio.workspace.templates import TemplatesStory
from studio.workspace.trials import TrialsStory
from studio.workspace.workflows import WorkflowsStory

SOURCE_TYPE = "source.import"
MADE_UP_OPTION = "made_up"
"""How many events a simulation began with that nobody did, because the log knew none of the kind."""
TOLD_EVERY_S = 2.0
SETTLED_WITHIN_S = 30.0
EARLIER_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run is asked for. `clock` None: `max` in a simulation or with `as_of`, otherwise `real`.

    `step`: a virtual clock stops at multiples of it only; coarser is faster, and what is due in between happens then.
    `aids`: breakpoints, pins, a part of the workflow; `from_run`: whose data a part begins with (None: the newest).
    """

    mode: Mode = "simulate"
    seed: int = 1
    as_of: datetime | None = None
    clock: str | None = None
    until: datetime | None = None
    contacts: Path | None = None
    mapping: Path | None = None
    profile: Path | None = None
    step: str | None = None
    aids: Aids = NO_AIDS
    from_run: str | None = None


class RunsStory(KnownRuns):
    """Runs of one workspace: what is written down of them, and all that is done with them."""

    def __init__(
        self,
        store: Store,
        host: EngineHost,
        workflows: WorkflowsStory,
        templates: TemplatesStory,
        people: PeopleStory,
        trials: TrialsStory,
        debugging: DebuggingStory,
        emergency: EmergencyStop,
        clock: Clock,
        *,
        on_end: Callable[[str], None],
    ) -> None:
        super().__init__(store, host.is_running)
        self._host = host
        self._workflows = workflows
        self._templates = templates
        self._people = people
        self._trials = trials
        self._debugging = debugging
        self._emergency = emergency
        self._clock = clock
        self._on_end = on_end
        self._durations: dict[str, float] = {}

    def start(
        self, workflow: Workflow, options: RunOptions, *, workflow_id: str | None = None, is_attended: bool = False
    ) -> str:
        """Checks everything, writes the run down and lets it go; its id.

        Raises:
            UserFixable: RUN-INVALID with every problem of the workflow, the contacts file's problems, or what stands
                in the way of a live run. Nothing is written then but the contacts that a file brought.
        """
        self._emergency.refuse(options.mode)
        workflow, run, planted = self.prepared(workflow, options, workflow_id)
        if run.mode == "simulate" and not planted:
            run = self._with_beginnings(run, workflow)
        # Planned before anything goes out: what fails now is tried again, what fails later would be sent twice.
        experiments = self._trials.planned(run, workflow)
        self._host.begin(run, workflow, planted=planted, until=options.until, is_attended=is_attended)
        self._trials.freeze(experiments)
        return run.run_id

    def prepared(
        self, workflow: Workflow, options: RunOptions, workflow_id: str | None
    ) -> tuple[Workflow, RunRow, list[Planted]]:
        """What is needed to begin, checked: the workflow with its people imported, the run, who stands in the middle.

        Raises what `start` raises.
        """
        if options.profile is not None:
            load_profile(options.profile)
        problems = self._workflows.check(workflow)
        if not problems and options.mode == "live":
            problems = self.preflight(workflow, options)
            options = replace(options, profile=options.profile or own_profile(self._store.folder))
        if problems:
            raise _refused(workflow, problems, self._workflows.catalogue)
        workflow = self._workflows.written_out(workflow)
        aids, planted = self._debugging.prepare(workflow, options.aids, options.from_run)
        if lost := _lost_pins(workflow, aids, self._workflows.catalogue):
            raise UserFixable("AIDS", lost[0].message, hint=lost[0].hint, problems=lost)
        if aids.from_node is None:
            workflow = self._with_contacts(workflow, options)
        return workflow, self._row(workflow, replace(options, aids=aids), workflow_id), planted

    def resume(self, run_id: str, *, until: datetime | None = None, is_attended: bool = False) -> None:
        """Lets a stopped, killed or waiting run go on from where it stands; to the end, where it stands at its limit.

        Raises UserFixable RUN-HELD.
        """
        run = self._store.runs.get(run_id)
        refuse_held(run)
        self._emergency.refuse(run.mode)
        self._host.start(run_id, until=until or _limit(run), is_attended=is_attended)

    def retry(self, run_id: str, node_id: str | None = None, *, is_attended: bool = False) -> None:
        """Does failed items again, those of one step or of all, and only those.

        Raises UserFixable RUN-HELD, and RETRY-NOTHING where nothing has failed.
        """
        run = self._store.runs.get(run_id)
        refuse_held(run)
        failed = self._store.runs.failed_items().get(run_id, {})
        has_failed = node_id in failed if node_id is not None else bool(failed)
        if not has_failed and run.state != "failed" and not self._host.is_running(run_id):
            at = f" at “{node_id}”" if node_id is not None else ""
            hint = "It is over." if run.state == "done" else "To let it go on: studio resume."
            raise UserFixable("RETRY-NOTHING", f"Nothing failed in {run_id}{at}.", where="run", hint=hint)
        self._emergency.refuse(run.mode)
        self._host.control(run_id).retry(node_id)
        self._host.start(run_id, until=run.until, is_attended=is_attended)

    def pause(self, run_id: str) -> None:
        """Nothing more is begun until `go_on`."""
        self._host.control(run_id).pause()

    def go_on(self, run_id: str) -> None:
        """Ends a pause; starts the run when it is not going on."""
        self._host.control(run_id).go_on()
        self.resume(run_id, is_attended=True)

    def look(self, run_id: str) -> None:
        """Events have come in: a run in real time sees them at once, and not only when it looks the next time."""
        self._host.control(run_id).look()

    def stop(self, run_id: str) -> None:
        """Ends the run; what was still to do is kept and can be resumed."""
        self._host.control(run_id).stop()

    def held(self) -> dict[str, str]:
        """Run → why nothing of it is sent here: the workspace was copied, moved or restored."""
        return self._store.runs.held()

    def release(self, run_id: str, as_: Release) -> int:
        """Lets a held run go on here; how many messages were held.

        `send`: nothing of it has been sent elsewhere. `doubt`: each held message is looked up, then shown as in doubt.
        Raises UserFixable RUN-NOT-HELD.
        """
        return self._store.runs.release(run_id, as_)

    def end(self, run_id: str) -> RunState:
        """Ends a run, whether it is going on or not, and waits until it has; what was to do is kept.

        Raises UserFixable RUN-UNKNOWN.
        """
        self._store.runs.get(run_id)
        self._host.control(run_id).stop()
        self._host.start(run_id)
        return self.wait(run_id)

    def resolve(self, outbox_id: str, verdict: Verdict) -> None:
        """Says what became of a message in doubt or held; its run takes it up when it goes on.

        It can be taken back: what was called sent can be sent after all, and the other way round until it has gone.

        Raises:
            UserFixable: OUTBOX-NOT-IN-DOUBT.
        """
        rows = self._store.runs.outbox_rows(outbox_id=outbox_id)
        state = rows.item(0, "state") if rows.height else "unknown"
        if state not in SETTLED_FROM[verdict]:
            raise UserFixable(
                "OUTBOX-NOT-IN-DOUBT",
                "There is no message of this id." if rows.is_empty() else f"There is no doubt about it: it is {state}.",
                where=outbox_id,
                hint="See: studio outbox list --state in_doubt",
            )
        run_id = str(rows.item(0, "run_id"))
        refuse_held(self._store.runs.get(run_id))
        self._settle(self._store.runs.get(run_id), outbox_id, verdict)

    def _settle(self, run: RunRow, outbox_id: str, verdict: Verdict) -> None:
        is_going_on = self._host.is_running(run.run_id)
        if not is_going_on:
            self._emergency.refuse(run.mode)
        control = self._host.control(run.run_id)
        if not is_going_on and run.state in ("paused", "stopped"):
            # Settling a doubt is no wish to go on: what stood still by somebody's wish stands still afterwards.
            (control.pause if run.state == "paused" else control.stop)()
        done = control.resolve(outbox_id, verdict)
        if not is_going_on:
            # What is due now is done; in real time the rest may be days away, and nobody waits for that here.
            self._host.start(run.run_id, until=self._clock.now() if run.clock == "real" else run.until)
            self.wait(run.run_id)
        with suppress(TimeoutError):  # a batch is under way; the wish is taken up after it
            done.result(SETTLED_WITHIN_S)

    def look_again(self, run_id: str) -> None:
        """Something came that may settle a doubt: the run looks at once, unless it stands still by somebody's wish."""
        run = self._store.runs.get(run_id)
        if self._host.is_running(run_id):
            self._host.control(run_id).look()
        elif run.state == "waiting" and not run.options.get("held") and not self._emergency.is_on:
            self._host.start(run_id, until=self._clock.now() if run.clock == "real" else run.until)
            self.wait(run_id)

    @staticmethod
    def verdicts(state: str) -> tuple[Verdict, ...]:
        """What a person can say about a message in this state of the ledger, as long as its run is not held."""
        return tuple(verdict for verdict, states in SETTLED_FROM.items() if state in states)

    def wait(self, run_id: str, progress: Callable[[str], None] = lambda _: None) -> RunState:
        """Blocks until this leg of the run has ended, telling how it goes now and then; its state."""
        started = told = time.perf_counter()
        view, said = RunView(run_id), ""
        while True:
            try:
                state = self._host.wait(run_id, timeout_s=0.1)
            except TimeoutError:
                if time.perf_counter() - told > TOLD_EVERY_S:
                    told = time.perf_counter()
                    view = fold(view, self.events(run_id, view.seq))
                    if (now := headline(view)) != said:
                        progress(said := now)
                continue
            except KeyboardInterrupt:
                self._host.control(run_id).leave()
                self._host.wait(run_id)
                raise
            break
        self._durations[run_id] = self._durations.get(run_id, 0.0) + time.perf_counter() - started
        self.ended(run_id)
        return state

    def ended(self, run_id: str) -> None:
        """What follows from a leg's end: the run's outcome is kept."""
        self._on_end(run_id)

    def drain(self, within_s: float = 0.0) -> list[RunEvent]:
        """Run events since the last call, for a window that shows them as they happen; waits so long for the first."""
        return self._host.drain(within_s)

    def _seconds(self, run_id: str) -> float | None:
        return self._durations.get(run_id)

    def _with_beginnings(self, run: RunRow, workflow: Workflow) -> RunRow:
        template = self._templates.find(workflow.template.id) if workflow.template else None
        made_up = make_up(self._store, self._workflows.catalogue, run, workflow, template)
        return replace(run, options={**run.options, MADE_UP_OPTION: made_up}) if made_up else run

    def preflight(self, workflow: Workflow, options: RunOptions) -> tuple[Problem, ...]:
        """What stands in the way of sending this to real people, whatever the mode; empty when it may go.

        A sender that nobody has named yet is a problem of a live run alone. Raises UserFixable CALL-….
        """
        from studio.workspace.live_check import unready  # noqa: PLC0415 - it loads what reads messages

        profile = options.profile or own_profile(self._store.folder)
        sender = live_problems(profile) if profile is not None or options.mode == "live" else ()
        whole = self._workflows.written_out(workflow)
        return (*sender, *self._workflows.unreachable_channels(whole), *unready(whole, self._workflows.catalogue))

    def _with_contacts(self, workflow: Workflow, options: RunOptions) -> Workflow:
        """The workflow with its source's people imported: those of `--contacts`, or of the file the node names."""
        if options.contacts is not None:
            return self._replace_source(workflow, options.contacts, options.mapping)
        for node in (node for node in workflow.nodes if node.type == SOURCE_TYPE and node.enabled):
            bound = workflow.bound(node)
            mapping = Path(str(bound["mapping"])) if bound.get("mapping") else None
            self._people.import_contacts(Path(str(bound["file"])), mapping)
        return workflow

    def _replace_source(self, workflow: Workflow, path: Path, mapping: Path | None) -> Workflow:
        types = self._workflows.catalogue
        starts = [node for node in workflow.nodes if node.enabled and types[node.type].declaration.role == "source"]
        fields = [_names_an_import(types[node.type]) for node in starts]
        if len(starts) != 1 or fields[0] is None:
            raise _no_list(starts)
        report = self._people.import_contacts(path, mapping)
        node, changed = starts[0], {fields[0]: report.source}
        if node.type == SOURCE_TYPE:
            changed["file"] = str(path)
        swapped = node.model_copy(update={"parameters": {**node.parameters, **changed}})
        return workflow.model_copy(update={"nodes": tuple(swapped if n.id == node.id else n for n in workflow.nodes)})

    def _row(self, workflow: Workflow, options: RunOptions, workflow_id: str | None) -> RunRow:
        now = self._clock.now()
        # As of a moment means: knowing all that came before it, and nothing that happens at it; a history by dates has
        # its orders at midnight, and those of the first day belong to the run.
        start = options.as_of - timedelta(microseconds=1) if options.as_of else now
        virtual = options.mode == "simulate" or options.as_of is not None
        asked: dict[str, object] = {
            "as_of": iso(options.as_of or now),
            "until": iso(options.until) if options.until else None,
        }
        if options.step is not None:
            asked["step"] = options.step
        if options.aids:
            asked["aids"] = options.aids.as_json()
        else:
            known = workflow_id or _file_id(workflow)
            asked["earlier_runs"] = self._earlier(known, options.mode)
            asked["activations"] = self._activations(known, options.mode)
        if options.profile is not None:
            asked[PROFILE_OPTION] = str(options.profile.resolve())
        template = self._templates.find(workflow.template.id) if workflow.template else None
        if template is not None:
            asked |= {"rates": dict(template.simulation), "truth": dict(template.truth)}
            predicted = self._templates.predict(workflow, start)
            asked["predicted"] = {metric: asdict(value) for metric, value in predicted.items()}
        return RunRow(
            run_id=self._store.runs.next_run_id(),
            workflow_id=workflow_id or _file_id(workflow),
            version=workflow.content_hash(),
            name=workflow.name,
            mode=options.mode,
            seed=options.seed,
            clock=options.clock or ("max" if virtual else "real"),
            state="queued",
            started_at=start,
            at=start,
            until=options.until,
            options=asked,  # type: ignore[arg-type] - JSON values by construction
        )

    def _earlier(self, workflow_id: str, mode: Mode) -> list[str]:
        """The last whole runs of a workflow, oldest first: what is usual for it."""
        rows = [
            run.run_id
            for run in self._store.runs.list_runs(workflow_id)
            if run.mode == mode and run.state == "done" and not run.options.get("aids")
        ]
        return rows[:EARLIER_RUNS][::-1]

    def _activations(self, workflow_id: str, mode: Mode) -> list[str]:
        """The runs over which re-entry counts: earlier real ones of the workflow. A simulation begins from nothing."""
        if mode == "simulate":
            return []
        runs = [run for run in self._store.runs.list_runs(workflow_id) if run.mode == mode]
        return [run.run_id for run in runs if not run.options.get("aids")][::-1]


def headline(view: RunView) -> str:
    """How far a run is, in a line: where it works, or how many wait and until when."""
    steps = view.steps.values()
    busy = [step.node_id for step in steps if step.state == "running"]
    due = [step.next_due for step in steps if step.waiting and step.next_due]
    at = iso(view.at)[:16].replace("T", " ") if view.at else ""
    text = f"{view.run_id}: {at}, {sum(step.sending.get('sent', 0) for step in steps):,} sent"
    if busy:
        return f"{text}, busy at {busy[0]}"
    waiting = sum(step.waiting for step in steps)
    return f"{text}, {waiting:,} waiting, the next until {min(due)[:16].replace('T', ' ')}" if due else text


def _names_an_import(kind: type[NodeType]) -> str | None:
    """The parameter by which a source is told whose import it starts with; None: it starts by something else."""
    if kind.declaration.id == SOURCE_TYPE:
        return "source"
    for name, info in kind.Parameters.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, Mapping) and extra.get("widget") == "audience":
            return name
    return None


def _no_list(starts: Sequence[Node]) -> UserFixable:
    names = ", ".join(f"“{node.label or node.id}”" for node in starts)
    by_events = len(starts) == 1
    why = "by what people do" if by_events else "so a list has more than one place"
    return UserFixable(
        "RUN-CONTACTS",
        f"This workflow starts at {names}, {why}.",
        where="--contacts",
        hint="Import what they did: studio events import." if by_events else "Switch all but one of them off.",
    )


def _file_id(workflow: Workflow) -> str:
    """What a workflow that is not in the library is known by."""
    return f"file-{stable_id(workflow.name)[:8]}"


def _limit(run: RunRow) -> datetime | None:
    """How far a run was told to go, until it stands there."""
    return None if run.until is not None and run.at >= run.until else run.until


def _lost_pins(workflow: Workflow, aids: Aids, types: Catalogue) -> list[Problem]:
    """Pinned people who would leave by an output that their step no longer has: they would be lost in silence."""
    problems = []
    for pin in aids.pins:
        node = workflow.node(pin.node)
        outputs = {*make_node(types, workflow, node).outputs(), "error"}
        for port in (port for port, rows in pin.rows.items() if rows and port not in outputs):
            step = step_name(node, types)
            message = f"Pinned people of “{step}” leave it by “{port_words(port)}”, an output it no longer has."
            hint = "Unpin its data, or pin that of a new run."
            problems.append(Problem("PIN-PORT", message, hint, node=node.id))
    return problems


def _refused(workflow: Workflow, problems: Sequence[Problem], types: Catalogue) -> UserFixable:
    """In its message a step is called as on the canvas: who reads that has never seen an id."""
    steps = {node.id: node for node in workflow.nodes}
    first = problems[0]
    if first.node in steps:
        field = None if first.field == "parameters" else first.field
        first = replace(first, node=f"“{step_name(steps[first.node], types)}”", field=field)
    more = f" ({len(problems) - 1} more of the kind.)" if len(problems) > 1 else ""
    return UserFixable(
        "RUN-INVALID",
        f"“{workflow.name}” cannot run: {first}{more}",
        hint="Mend it, then start again." if len(problems) == 1 else "Mend what is listed, then start again.",
        problems=problems,
    )
